import { createHash } from "node:crypto";
import { fromBufferPromise, type Entry, type ZipFile } from "yauzl";
import type { Reducing } from "./cataloger.ts";
import { baseOf } from "./paths.ts";

/** What is kept of one archive: of a file of the image, or of an archive within one. */
export interface JavaArchive {
  /** The names of the archives that lead to it, without the file itself: `["BOOT-INF/lib/a.jar"]`. */
  within: string[];
  /** SHA-1 of its bytes, in hex: Maven's repositories know it by that. */
  sha1: string;
  /** Texts of `META-INF/MANIFEST.MF` and of each `pom.properties`. */
  manifest: string;
  poms: string[];
}

const NAMES = /\.(?:jar|war|ear|par|sar|nar|kar|hpi|jpi)$/i;
const POM = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/;
const MANIFEST = "META-INF/MANIFEST.MF";

const DEEPEST = 10;
const MOST_ENTRIES = 200_000;
const MOST_ARCHIVES = 5000;
const LONGEST_TEXT = 256 << 10;
/** Real archives have less than half of that when they are unpacked. */
const mostUnpacked = (packed: number) => (16 << 20) + 20 * packed;

/** Whether a file is a Java archive by its name. */
export const isJavaArchive = (name: string): boolean => NAMES.test(name);

/** What is left to spend on one file of the image, and what was found in it. */
interface Reading {
  found: JavaArchive[];
  unpack: number;
  entries: number;
  complain: (what: string) => void;
}

/** Where an entry's bytes are more than they are said to be, or damaged, this throws. */
async function bytesOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function readInto(bytes: Buffer, within: string[], reading: Reading): Promise<void> {
  const own: JavaArchive = {
    within,
    sha1: createHash("sha1").update(bytes).digest("hex"),
    manifest: "",
    poms: [],
  };
  reading.found.push(own);
  const zip = await fromBufferPromise(bytes, { lazyEntries: true, decodeStrings: false });
  for await (const entry of zip.eachEntry()) {
    reading.entries -= 1;
    if (reading.entries < 0) throw new Error("it has too many entries");
    const name = String(entry.fileName);
    const text = name === MANIFEST || POM.test(name);
    if (!text && !isJavaArchive(name)) continue;
    if (text && entry.uncompressedSize > LONGEST_TEXT) continue;
    if (!text && (within.length >= DEEPEST || reading.found.length >= MOST_ARCHIVES)) {
      reading.complain("left out archives that are nested too deeply, or are too many");
      continue;
    }
    reading.unpack -= entry.uncompressedSize;
    if (reading.unpack < 0) throw new Error("it unpacks to too much");
    try {
      const inner = await bytesOf(zip, entry);
      if (!text) await readInto(inner, [...within, name], reading);
      else if (name === MANIFEST) own.manifest = inner.toString("utf8");
      else own.poms.push(inner.toString("utf8"));
    } catch {
      reading.complain("left out parts of archives that cannot be read");
    }
  }
}

/**
 * Reads a Java archive and those within it, within bounds of depth, size and number.
 * @returns the `JavaArchive`s as JSON, the outermost first, null if there are none; what cannot be read is left out, with a note
 */
export async function readJavaArchive(bytes: Buffer, { path, notes }: Reducing): Promise<Buffer | null> {
  const reading: Reading = {
    found: [],
    unpack: mostUnpacked(bytes.length),
    entries: MOST_ENTRIES,
    complain: (what) => {
      notes.add(what, `/${path}`);
    },
  };
  try {
    await readInto(bytes, [], reading);
  } catch {
    reading.complain("left out parts of archives that cannot be read");
  }
  const said = reading.found.filter(({ within, manifest, poms }) => {
    return manifest !== "" || poms.length > 0 || /-\d/.test(baseOf(within.at(-1) ?? path));
  });
  return said.length === 0 ? null : Buffer.from(JSON.stringify(said));
}

/** What was kept of a Java archive. */
export function javaArchivesIn(bytes: Buffer | null): JavaArchive[] {
  return bytes === null ? [] : (JSON.parse(bytes.toString("utf8")) as JavaArchive[]);
}
