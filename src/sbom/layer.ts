import type { Extract, Header } from "tar-stream";
import { FactoryError } from "../errors.ts";
import type { Budget, Spent } from "./budget.ts";
import type { Interest } from "./cataloger.ts";
import { interestIn, interestOf, LINKED, matters, partOf } from "./interest.ts";
import type { Note, Notes } from "./notes.ts";
import { createProgramReader } from "./program-reader.ts";
import { baseOf, cleanPath, createPathSet, folderOf, type ImagePath, type PathSet } from "./paths.ts";

/**
 * What is kept of one path: a file's bytes, what a program says (`Program`, as JSON), or where a link leads. A hard link's
 * target is an ImagePath.
 */
export type Node =
  | { kind: "file" | "program"; bytes: Buffer }
  | { kind: "symlink"; target: string }
  | { kind: "hardlink"; target: ImagePath };

/** What one layer does to the file system, reduced to what an inventory needs. */
export interface Layer {
  nodes: Map<ImagePath, Node>;
  /** Whiteouts: these paths of lower layers are gone. */
  removed: Set<ImagePath>;
  /** Opaque folders: everything that lower layers have in them is gone. */
  opaque: Set<ImagePath>;
  folders: PathSet;
  /** Every path that is not a folder, kept or not: it replaces a folder of a lower layer. */
  others: PathSet;
}

/** The result of reading a layer by itself. */
export interface ReadLayer {
  layer: Layer;
  notes: Note[];
  /** What it adds to the budget of each image that has it. */
  spent: Spent;
}

/** What reading a layer needs. `wanted` are paths to keep beside the interesting ones. */
export interface LayerOptions {
  budget: Budget;
  wanted: ReadonlySet<ImagePath>;
  notes: Notes;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

function addWhiteout(layer: Layer, folder: ImagePath, base: string, budget: Budget): void {
  budget.keep(folder.length + base.length);
  if (base === OPAQUE) {
    layer.opaque.add(folder);
    return;
  }
  const name = base.slice(WHITEOUT.length);
  if (name === "" || name === "." || name === ".." || name.startsWith(WHITEOUT)) return;
  layer.removed.add(folder === "" ? name : `${folder}/${name}`);
}

/** Enters one tar entry. Gives the file whose bytes are wanted; null if there are none to read. */
function enter(
  layer: Layer,
  header: Header,
  options: LayerOptions,
): { path: ImagePath; interest: Interest } | null {
  options.budget.visit();
  const path = cleanPath(header.name);
  if (path === null) {
    options.notes.add("skipped entries of layers whose names leave the image, or are too long", header.name);
    return null;
  }
  if (path === "") return null;
  const base = baseOf(path);
  if (base.startsWith(WHITEOUT)) {
    addWhiteout(layer, folderOf(path), base, options.budget);
    return null;
  }
  layer.nodes.delete(path);
  if (header.type === "directory") {
    layer.folders.add(path);
    return null;
  }
  layer.others.add(path);
  const wanted = options.wanted.has(path) ? LINKED : null;
  if (header.type === "symlink" || header.type === "link") {
    const interest = interestIn(path) ?? wanted;
    const target = header.type === "link" ? cleanPath(header.linkname) : header.linkname;
    if (target === null || target.length > 4096 || (header.type === "link" && !interest)) return null;
    options.budget.keep(path.length + target.length);
    layer.nodes.set(path, { kind: header.type === "link" ? "hardlink" : "symlink", target });
    return null;
  }
  if (header.type !== "file" && header.type !== "contiguous-file") return null;
  const { mode = 0, size = 0 } = header;
  const interest = wanted ?? interestOf(path, mode, size);
  return interest ? { path, interest } : null;
}

/** What a program says. */
async function readProgram(
  stream: AsyncIterable<Buffer>,
  path: ImagePath,
  budget: Budget,
): Promise<Buffer | null> {
  const reader = createProgramReader();
  for await (const piece of stream) reader.take(piece);
  const said = reader.end();
  if (said) budget.keep(path.length + said.length);
  return said;
}

async function readFile(
  stream: AsyncIterable<Buffer>,
  size: number,
  { path, interest }: { path: ImagePath; interest: Interest },
  options: LayerOptions,
): Promise<Buffer | null> {
  if (size > interest.limit && interest.beyond === "fail") {
    throw new FactoryError(
      "IMAGE_UNREADABLE",
      `/${path} in the image has ${size} bytes, more than ${interest.limit}`,
    );
  }
  const skipped = size > interest.limit && interest.beyond === "skip";
  if (skipped) options.notes.add(`left out files that are too large`, `/${path} (${size} bytes)`);
  const kept: Buffer[] = [];
  let left = skipped ? 0 : interest.limit;
  options.budget.keep(path.length);
  const reduced = interest.part !== undefined || interest.reduce !== undefined;
  if (!reduced) options.budget.keep(Math.min(size, left));
  for await (const chunk of stream) {
    if (left === 0) continue;
    kept.push(chunk.subarray(0, left));
    left -= Math.min(left, chunk.byteLength);
  }
  if (skipped) return null;
  const { notes } = options;
  const part = partOf(Buffer.concat(kept), interest.part);
  const bytes = interest.reduce ? await interest.reduce(part, { path, notes, matters }) : part;
  if (reduced) options.budget.keep(bytes?.length ?? 0);
  return bytes;
}

/**
 * Collects a layer from the entries of its tar. Nothing is written anywhere; names are only compared.
 * @param extract the tar-stream parser that the layer's uncompressed bytes are written to
 * @returns the layer, complete once the parser has ended without an error
 */
export function collectLayer(extract: Extract, options: LayerOptions): Layer {
  const layer: Layer = {
    nodes: new Map(),
    removed: new Set(),
    opaque: new Set(),
    folders: createPathSet(),
    others: createPathSet(),
  };
  extract.on("entry", (header, stream, next) => {
    const fail = (cause: unknown) => void extract.destroy(cause as Error);
    // The parser reports the same error itself; without a listener, this one would end the process.
    stream.on("error", () => undefined);
    try {
      const file = enter(layer, header, options);
      if (!file) {
        stream.on("end", next);
        stream.resume();
        return;
      }
      const pieces = stream as unknown as AsyncIterable<Buffer>;
      const kind = file.interest.part === "program" ? "program" : "file";
      const reading =
        kind === "program"
          ? readProgram(pieces, file.path, options.budget)
          : readFile(pieces, header.size, file, options);
      reading.then((bytes) => {
        if (bytes) layer.nodes.set(file.path, { kind, bytes });
        next();
      }, fail);
    } catch (cause) {
      fail(cause);
    }
  });
  return layer;
}
