import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { extract as createExtract, type Header } from "tar-stream";
import { FactoryError } from "../errors.ts";
import { isRefusal } from "../files/refused.ts";
import { mostUnpacked, unpacked } from "../sbom/blob.ts";
import { cleanPath, type ImagePath } from "../sbom/paths.ts";
import { hasBytes, oddPath, packEntry } from "./file-entry.ts";
import { createRawHeaders } from "./raw-headers.ts";
import { type StoredImage, unreadable } from "./stored-image.ts";

/** What one layer has, by path: each as `packEntry` writes it. A whiteout is an entry like any other. */
export interface LayerEntries {
  entries: Map<string, string>;
  /** The bytes of the files that were asked for. */
  kept: Map<ImagePath, Buffer>;
  /** How many bytes it unpacks to. */
  unpacked: number;
  /** Whether all its names are spelled as paths from the root: `etc/x`, and not `./etc/x`. */
  isPlain: boolean;
}

/** A layer without anything. */
export const NOTHING_IN_IT: LayerEntries = {
  entries: new Map(),
  kept: new Map(),
  unpacked: 0,
  isPlain: true,
};

function isPlain(name: string): boolean {
  return cleanPath(name) === name.replace(/\/$/, "");
}

export interface ReadOptions {
  signal: AbortSignal;
  /** Called with the number of unpacked bytes, now and then. */
  onBytes: (bytes: number) => void;
  /** Whether the bytes of a file are wanted. */
  wants?: (path: ImagePath) => boolean;
  /** Whether of a path that a tar names twice only the last one counts, as for who unpacks it. */
  lastWins?: boolean;
}

/** The most of one layer that is in memory: so many entries, and so many characters of what they say. */
const MOST = { entries: 1_000_000, characters: 256 << 20 };
/** The most bytes of one file that is wanted, and of all of a layer. A larger one is not kept. */
const MOST_KEPT = { file: 8 << 20, layer: 64 << 20 };

/** A key that the map does not have yet: where a tar names a path twice, each is compared, unless the last one wins. */
function keyFor(name: string, entries: ReadonlyMap<string, string>, lastWins: boolean): string {
  const path = cleanPath(name) ?? oddPath(name);
  if (lastWins || !entries.has(path)) return path;
  let again = 2;
  while (entries.has(oddPath(`${path} (${again})`))) again += 1;
  return oddPath(`${path} (${again})`);
}

/** Takes one entry of a layer, and reads its bytes. `attributes`: a hash over its extended ones. */
type TakeEntry = (header: Header, bytes: AsyncIterable<Buffer>, attributes: string) => Promise<void>;

/**
 * Reads a layer as a stream, entry by entry. Nothing is written anywhere, so no name can lead out of anything, and devices and
 * pipes are only what a header says.
 * @param at its place among the layers, from 0
 * @returns how many bytes it unpacks to
 * @throws FactoryError IMAGE_UNREADABLE if it does not unpack to what its image says, or to very much; INTERRUPTED; what
 * `takeEntry` throws
 */
export async function eachEntry(
  { title, blobs, layers, diffIds }: StoredImage,
  at: number,
  { signal, onBytes }: Pick<ReadOptions, "signal" | "onBytes">,
  takeEntry: TakeEntry,
): Promise<number> {
  const layer = layers[at];
  if (!layer) throw new Error(`there is no layer ${at}`);
  const name = `its layer ${at + 1}`;
  const raw = createRawHeaders();
  let total = 0;
  try {
    const bytes = await unpacked(blobs.pieces(layer.digest));
    if (!bytes) throw unreadable(title, `${name} is no tar`);
    const whole = createHash("sha256");
    const most = mostUnpacked(layer.size);
    async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
      for await (const piece of source) {
        if (signal.aborted) throw new FactoryError("INTERRUPTED", "interrupted while the layers were read");
        total += piece.length;
        if (total > most) throw unreadable(title, `${name} unpacks to very much more than it has`);
        whole.update(piece);
        onBytes(piece.length);
        raw.take(piece);
        yield piece;
      }
    }
    const extract = createExtract();
    extract.on("entry", (header, stream, next) => {
      // The parser reports the same error itself; without a listener, this one would end the process.
      stream.on("error", () => undefined);
      takeEntry(header, stream as unknown as AsyncIterable<Buffer>, raw.attributes(header)).then(
        () => next(),
        (cause: unknown) => void extract.destroy(cause as Error),
      );
    });
    await pipeline(counted(bytes), extract);
    const own = `sha256:${whole.digest("hex")}`;
    if (own !== diffIds[at])
      throw unreadable(title, `${name} does not unpack to what its configuration says`);
  } catch (error) {
    if (error instanceof FactoryError || isRefusal(error)) throw error;
    throw unreadable(title, `${name}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  return total;
}

/**
 * What one layer has: of each entry its kind, mode, owner, times, attributes and a hash of its bytes.
 * @param at its place among the layers, from 0
 * @throws FactoryError IMAGE_UNREADABLE, also for very many files; INTERRUPTED
 */
export async function readEntries(
  image: StoredImage,
  at: number,
  { signal, onBytes, wants = () => false, lastWins = false }: ReadOptions,
  most = MOST,
): Promise<LayerEntries> {
  const found: LayerEntries = { ...NOTHING_IN_IT, entries: new Map(), kept: new Map() };
  const { entries, kept } = found;
  let characters = 0;
  let keptBytes = 0;
  found.unpacked = await eachEntry(image, at, { signal, onBytes }, async (header, stream, attributes) => {
    found.isPlain &&= isPlain(header.name);
    const key = keyFor(header.name, entries, lastWins);
    const isKept = hasBytes(header.type) && header.size <= MOST_KEPT.file && wants(key);
    const hash = createHash("sha256");
    const pieces: Buffer[] = [];
    for await (const piece of stream) {
      hash.update(piece);
      if (isKept) pieces.push(piece);
    }
    const text = packEntry(header, hasBytes(header.type) ? hash.digest("base64") : "", attributes);
    entries.set(key, text);
    characters += key.length + text.length;
    if (entries.size > most.entries || characters > most.characters)
      throw unreadable(
        image.title,
        `its layer ${at + 1} has more than ${most.entries} files, or very long names`,
      );
    keptBytes += isKept ? header.size : 0;
    if (isKept && keptBytes <= MOST_KEPT.layer) kept.set(key, Buffer.concat(pieces));
  });
  return found;
}
