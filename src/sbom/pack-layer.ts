import { createHash } from "node:crypto";
import { INTERESTS } from "./interest.ts";
import type { Layer, Node, ReadLayer } from "./layer.ts";
import type { Note } from "./notes.ts";
import { createPathSet } from "./paths.ts";

/** Names the format below and the way layers are read: a change in src/sbom/{interest,layer,paths}.ts or of what is sought in programs needs a new name. */
const SCHEME = `factory/layer/3 ${INTERESTS}`;

const HASH_BYTES = 32;

/** What is written as JSON, between the head line and the bytes. */
interface Head {
  notes: Note[];
  spent: ReadLayer["spent"];
  /** For a file or a program its number of bytes, for a link its target. */
  nodes: [path: string, kind: Node["kind"], value: number | string][];
  removed: string[];
  opaque: string[];
  /** How many hashes of paths there are: of the folders, then of the others. */
  folders: number;
  others: number;
}

const headLine = (digest: string, version: string) => Buffer.from(`${SCHEME} ${version} ${digest}\n`);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

/**
 * A layer in one piece: a line that names scheme, version and layer, a SHA-256 of everything that follows, the length of
 * the JSON, the JSON, the hashes of paths (64-bit floats in this machine's byte order), the bytes of the files.
 */
export function packLayer({ layer, notes, spent }: ReadLayer, digest: string, version: string): Buffer {
  const folders = layer.folders.hashes();
  const others = layer.others.hashes();
  const head: Head = {
    notes,
    spent,
    nodes: [...layer.nodes].map(([path, node]) => [
      path,
      node.kind,
      "bytes" in node ? node.bytes.length : node.target,
    ]),
    removed: [...layer.removed],
    opaque: [...layer.opaque],
    folders: folders.length,
    others: others.length,
  };
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const hashes = [folders, others].map((set) => Buffer.from(set.buffer, set.byteOffset, set.byteLength));
  const files = [...layer.nodes.values()].flatMap((node) => ("bytes" in node ? [node.bytes] : []));
  const body = Buffer.concat([length, json, ...hashes, ...files]);
  return Buffer.concat([headLine(digest, version), sha256(body), body]);
}

/** What packLayer packed for this layer and version; null for any other bytes. The files are views of the bytes. */
export function unpackLayer(bytes: Buffer, digest: string, version: string): ReadLayer | null {
  const line = headLine(digest, version);
  const start = line.length + HASH_BYTES;
  if (!bytes.subarray(0, line.length).equals(line) || bytes.length < start + 4) return null;
  const body = bytes.subarray(start);
  if (!bytes.subarray(line.length, start).equals(sha256(body))) return null;

  const end = 4 + body.readUInt32LE(0);
  const head = JSON.parse(body.toString("utf8", 4, end)) as Head;
  let at = end;
  const take = (length: number) => body.subarray(at, (at += length));
  const takeSet = (count: number) => {
    const hashes = new Float64Array(count);
    take(count * 8).copy(Buffer.from(hashes.buffer));
    return createPathSet(hashes);
  };
  const folders = takeSet(head.folders);
  const others = takeSet(head.others);
  const nodes: Layer["nodes"] = new Map();
  for (const [path, kind, value] of head.nodes) {
    if (kind === "file" || kind === "program") nodes.set(path, { kind, bytes: take(value as number) });
    else nodes.set(path, { kind, target: value as string });
  }
  const { notes, spent, removed, opaque } = head;
  const layer = { nodes, removed: new Set(removed), opaque: new Set(opaque), folders, others };
  return { layer, notes, spent };
}
