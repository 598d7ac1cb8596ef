import { compareText } from "../model/compare.ts";
import type { Content, ImageFiles } from "./image-files.ts";
import type { Layer, Node } from "./layer.ts";
import type { Pace } from "./pace.ts";
import { foldersAbove, type ImagePath } from "./paths.ts";

type File = Extract<Node, { bytes: Buffer }>;

/** A file as some layer wrote it, on what it had before: the same bytes again are no other content. */
interface KeptFile extends Content {
  kind: File["kind"];
  before: KeptFile | null;
}

type Laid = KeptFile | Extract<Node, { kind: "symlink" }>;
type Tree = Map<ImagePath, Laid>;

/** As many links as the kernel follows. */
const MOST_LINKS = 40;
const MOST_PARTS = 4096;

/** Follows the symlinks in a path; `..` stops at the root. */
function follow(tree: Tree, path: ImagePath): ImagePath | null {
  let pending = path.split("/").reverse();
  let done: string[] = [];
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    done.push(part);
    const node = tree.get(done.join("/"));
    if (node?.kind !== "symlink") continue;
    links += 1;
    pending = [...pending, ...node.target.split("/").reverse()];
    if (links > MOST_LINKS || pending.length > MOST_PARTS) return null;
    if (node.target.startsWith("/")) done = [];
    else done.pop();
  }
  return done.join("/");
}

/** The path with the symlinks above it followed, but not one at the path itself. */
function followAbove(tree: Tree, path: ImagePath): ImagePath | null {
  const end = path.lastIndexOf("/");
  if (end < 0) return path;
  const folder = follow(tree, path.slice(0, end));
  return folder === null ? null : folder === "" ? path.slice(end + 1) : `${folder}${path.slice(end)}`;
}

/** Whether a layer removes or replaces what lower layers have at a path. */
function hides(layer: Layer, path: ImagePath): boolean {
  if (layer.removed.has(path) || layer.others.has(path) || layer.folders.has(path)) return true;
  for (const folder of foldersAbove(path)) {
    if (layer.opaque.has(folder) || layer.removed.has(folder) || layer.others.has(folder)) return true;
  }
  return false;
}

/** The file that a hard link refers to: in the same layer, else in one below it. */
function linkedFile(layer: Layer, tree: Tree, target: ImagePath): File | ImagePath {
  let path = target;
  for (let links = 0; links < MOST_LINKS; links += 1) {
    const node = layer.nodes.get(path) ?? tree.get(followAbove(tree, path) ?? path);
    if (node && "bytes" in node) return node;
    if (node?.kind !== "hardlink") break;
    path = node.target;
  }
  return path;
}

/** Removes what a layer hides. @returns what was removed */
async function hide<T>(layer: Layer, paths: Map<ImagePath, T>, pace: Pace): Promise<Map<ImagePath, T>> {
  const hidden = new Map<ImagePath, T>();
  let seen = 0;
  for (const [path, one] of [...paths]) {
    if (hides(layer, path)) {
      paths.delete(path);
      hidden.set(path, one);
    }
    seen += 1;
    if (pace.due()) await pace.rest("files of the layers below", seen, paths.size);
  }
  return hidden;
}

/** A file that a layer has at the place of another, or of none. */
function fileOver(before: Laid | undefined, { kind, bytes }: File, layer: number): KeptFile {
  // What was no program before, or was one, said something else.
  if (before?.kind !== kind) return { kind, bytes, layer, before: null };
  return before.bytes.equals(bytes) ? before : { kind, bytes, layer, before };
}

/**
 * Merges an image's layers, from the bottom up, as the OCI image specification says (image-spec, layer.md): whiteouts and
 * opaque folders hide what is in lower layers, never what is in the same one.
 * @throws FactoryError INTERRUPTED
 */
export async function mergeLayers(layers: readonly Layer[], pace: Pace): Promise<ImageFiles> {
  const tree: Tree = new Map();
  const missing = new Map<ImagePath, ImagePath>();
  for (const [at, layer] of layers.entries()) {
    const hidden = await hide(layer, tree, pace);
    await hide(layer, missing, pace);
    let laid = 0;
    const rest = () => pace.rest("files of a layer", laid, layer.nodes.size);
    for (const [path, node] of layer.nodes) {
      const real = node.kind === "symlink" ? followAbove(tree, path) : null;
      if (real !== null && node.kind === "symlink") tree.set(real, node);
      if (pace.due()) await rest();
    }
    for (const [path, node] of layer.nodes) {
      laid += 1;
      if (pace.due()) await rest();
      const real = node.kind === "symlink" ? null : followAbove(tree, path);
      if (real === null || node.kind === "symlink") continue;
      const file = "bytes" in node ? node : linkedFile(layer, tree, node.target);
      if (typeof file === "string") missing.set(real, file);
      else tree.set(real, fileOver(tree.get(real) ?? hidden.get(real), file, at));
    }
  }
  const resolve = (path: ImagePath) => follow(tree, path);
  const named = (kind: "file" | "program" | "symlink") =>
    [...tree].flatMap(([path, node]) => (node.kind === kind ? [path] : [])).sort(compareText);
  return {
    paths: named("file"),
    programs: named("program"),
    links: named("symlink"),
    read: (path) => {
      const node = tree.get(resolve(path) ?? "");
      return node && "bytes" in node ? node.bytes : null;
    },
    contents: (path) => {
      const found: Content[] = [];
      const node = tree.get(resolve(path) ?? "");
      for (let one = node?.kind === "symlink" ? null : node; one; one = one.before) found.push(one);
      return found.reverse();
    },
    resolve,
    missing: [...new Set(missing.values())].sort(compareText),
  };
}
