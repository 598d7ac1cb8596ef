import type { NewFile } from "../files/new-workspace.ts";
import { contextFiles, ignoreText } from "./context-files.ts";
import { freeName, idOf } from "./ids.ts";
import { ignoreLines, type InPlace, placeIn } from "./in-place.ts";
import type { NotCarried } from "./outline.ts";

/** An image, its Dockerfile as it was named and its absolute path, and its context. */
interface Reader {
  id: string;
  file: string;
  path: string;
  context: string;
}

/** The files of the contexts that are copied, and where each image finds its own. */
export function sourcesOf(
  images: readonly Reader[],
  paths: ReadonlyMap<string, readonly { path: string; line: number }[]>,
  out: string,
) {
  const files: Record<string, NewFile> = {};
  const byImage = new Map<string, InPlace>();
  const notCarried: NotCarried[] = [];
  const taken = new Set<string>();
  const filesFor = (context: string, { id, file, path }: Omit<Reader, "context">) => {
    const named = paths.get(id) ?? [];
    const { files: found, left } = contextFiles(
      { context, dockerfile: path, skip: out },
      named.map((one) => one.path),
    );
    const missing = left.map((one): NotCarried => {
      const line = (named.find((place) => place.path === one.path) ?? named[0])?.line ?? 1;
      return { file, line, what: one.path, why: one.why };
    });
    return { found, missing };
  };
  for (const context of new Set(images.map((one) => one.context))) {
    const own = images.filter((one) => one.context === context && (paths.get(one.id) ?? []).length > 0);
    const [first] = own;
    if (!first) continue;
    const place = placeIn(out, context);
    if (place !== undefined) {
      for (const { id, file, path } of own) {
        const said = ignoreLines(ignoreText(context, path), place, file);
        byImage.set(id, { path: place, ignore: said.ignore });
        notCarried.push(...said.notCarried, ...filesFor(context, { id, file, path }).missing);
      }
      continue;
    }
    const name = freeName(
      own.length === 1 ? first.id : idOf(context.split(/[\\/]/).at(-1) ?? "") || "context",
      taken,
    );
    taken.add(name);
    const folder = `sources/${name}`;
    let count = 0;
    for (const { id, file, path } of own) {
      byImage.set(id, { path: folder, ignore: [] });
      const { found, missing } = filesFor(context, { id, file, path });
      for (const [below, one] of found) files[below === "" ? folder : `${folder}/${below}`] = one;
      count += found.size;
      notCarried.push(...missing);
    }
    // A source has to hold something.
    if (count === 0) files[`${folder}/.keep`] = "";
  }
  return { files, byImage, notCarried };
}
