/** What is kept of one package of rpm's database. */
export interface RpmPackage {
  name: string;
  version: string;
  release: string;
  /** null where it has none. */
  epoch: number | null;
  arch: string;
  license: string;
  vendor: string;
  /** The name of the source package's file; empty if it is not said. */
  source: string;
  provides: string[];
  requires: string[];
  /** Its files that are of interest, without a leading `/`. */
  files: string[];
}

/** rpmtag.h */
const TAGS = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  license: 1014,
  arch: 1022,
  source: 1044,
  provides: 1047,
  requires: 1049,
  folders: 1116,
  bases: 1117,
  names: 1118,
} as const;

const INT32 = 4;
const STRINGS = [6, 8, 9];
const MOST_TAGS = 1 << 16;
const MOST_VALUES = 1 << 20;

/** Reads a header of an installed package (lib/header.c): a table of tags, then their values. @throws Error if it is damaged */
export function readRpmHeader(header: Buffer, matters: (path: string) => boolean): RpmPackage {
  const tags = header.readUInt32BE(0);
  if (tags > MOST_TAGS) throw new Error("a header has too many tags");
  const start = 8 + 16 * tags;
  const places = new Map<number, { type: number; at: number; count: number }>();
  for (let at = 8; at < start; at += 16) {
    const [tag = 0, type = 0, offset = 0, count = 0] = [0, 4, 8, 12].map((by) =>
      header.readUInt32BE(at + by),
    );
    places.set(tag, { type, at: start + offset, count: Math.min(count, MOST_VALUES) });
  }
  const texts = (tag: number): string[] => {
    const place = places.get(tag);
    if (!place || !STRINGS.includes(place.type)) return [];
    const values: string[] = [];
    for (let at = place.at; values.length < place.count;) {
      const end = header.indexOf(0, at);
      if (at >= header.length || end < 0) throw new Error("a header ends in a text");
      values.push(header.toString("utf8", at, end));
      at = end + 1;
    }
    return values;
  };
  const numbers = (tag: number): number[] => {
    const place = places.get(tag);
    if (place?.type !== INT32) return [];
    return Array.from({ length: place.count }, (_, at) => header.readInt32BE(place.at + 4 * at));
  };
  const text = (tag: number) => texts(tag)[0]?.trim() ?? "";
  const folders = texts(TAGS.names);
  const indexes = numbers(TAGS.folders);
  const files = texts(TAGS.bases)
    .map((base, at) => `${folders[indexes[at] ?? -1] ?? ""}${base}`.replace(/^\//, ""))
    .filter(matters);
  return {
    name: text(TAGS.name),
    version: text(TAGS.version),
    release: text(TAGS.release),
    epoch: numbers(TAGS.epoch)[0] ?? null,
    arch: text(TAGS.arch),
    license: text(TAGS.license),
    vendor: text(TAGS.vendor),
    source: text(TAGS.source),
    provides: [...new Set(texts(TAGS.provides))],
    requires: [...new Set(texts(TAGS.requires))],
    files,
  };
}
