import { extract } from "tar-stream";
import { LIBRARY_FOLDERS } from "../catalog/library-content.ts";
import { FactoryError } from "../errors.ts";
import type { TreeFile } from "../files/replace-folder.ts";
import { quoted } from "../model/visible.ts";

const MOST_ENTRIES = 20_000;

function invalid(what: string, cause?: unknown): FactoryError {
  return new FactoryError("LIBRARY_INVALID", `the artifact is no library: ${what}`, {
    fix: "use one that `factory library push` made",
    cause,
  });
}

/** The path of an entry, without a `/` at its end. @throws FactoryError LIBRARY_INVALID if it may lead anywhere else */
function pathOf(name: string): string {
  const path = name.replace(/\/$/, "");
  const parts = path.split("/");
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== "..");
  const isText = !/[\u0000-\u001f\u007f\\\ufffd]/.test(path);
  if (isPlain && isText && path.length <= 1000 && LIBRARY_FOLDERS.includes(parts[0] ?? "")) return path;
  throw invalid(`${quoted(name)} is not below ${LIBRARY_FOLDERS.join("/ or ")}/`);
}

/**
 * The files and folders in the tar of a library, by path. Nothing is written.
 * @throws FactoryError LIBRARY_INVALID for links, devices, paths that lead elsewhere or occur twice
 */
export async function unpackLibrary(layer: Uint8Array): Promise<Map<string, TreeFile>> {
  const files = new Map<string, TreeFile>();
  const tar = extract();
  tar.end(layer);
  try {
    for await (const entry of tar) {
      const { type, name, mode = 0 } = entry.header;
      const path = pathOf(name);
      if (files.has(path)) throw invalid(`${quoted(path)} occurs twice`);
      if (files.size >= MOST_ENTRIES) throw invalid(`it has more than ${MOST_ENTRIES} files`);
      const bytes: Uint8Array[] = [];
      for await (const piece of entry as AsyncIterable<Uint8Array>) bytes.push(piece);
      if (type === "directory") files.set(path, "folder");
      else if (type === "file")
        files.set(path, { bytes: Buffer.concat(bytes), executable: (mode & 0o100) !== 0 });
      else throw invalid(`${quoted(path)} is a ${String(type)}, not a file or folder`);
    }
  } catch (error) {
    if (error instanceof FactoryError) throw error;
    throw invalid(`its tar is damaged (${(error as Error).message})`, error);
  }
  for (const path of files.keys()) {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length += 1) {
      const above = files.get(parts.slice(0, length).join("/"));
      if (above !== undefined && above !== "folder") throw invalid(`${quoted(path)} lies below a file`);
    }
  }
  if (files.size === 0) throw invalid("it is empty");
  return files;
}
