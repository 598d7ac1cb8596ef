import { mkdir, readFile, utimes } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { ReadLayer } from "./layer.ts";
import { packLayer, unpackLayer } from "./pack-layer.ts";

/** What was kept of layers, by the digest of their blobs. */
export interface LayerCache {
  /**
   * The layer from the cache, else as `read` gives it. Who asks while somebody else reads the same layer waits for
   * that; where it fails they read for themselves.
   * @param digest `sha256:…`
   * @throws what `read` throws
   */
  layer: (digest: string, read: () => Promise<ReadLayer>) => Promise<ReadLayer>;
}

/** A layer of which more is kept is read anew each time; in memory so much is held of all layers together. */
const MOST_BYTES = 32 << 20;
const MOST_BYTES_IN_MEMORY = 64 << 20;

/** The cache is only a shortcut: a disk that is full, or a folder that may not be written, is no reason to fail. */
function ignoreDisk(error: unknown): null {
  if (error instanceof Error && "code" in error) return null;
  throw error;
}

/** How much memory a layer takes, roughly. */
function sizeOf({ layer, spent }: ReadLayer): number {
  return spent.bytes + 8 * (layer.folders.hashes().length + layer.others.hashes().length);
}

/**
 * Opens the cache in a folder, one file a layer (`<hex>.layer`), which other processes may use at the same time.
 * @param folder absolute; made when the first layer is written
 * @param version of Factory: a file that another version wrote is not used
 */
export function openLayerCache(folder: string, version: string): LayerCache {
  const held = new Map<string, { reading: Promise<ReadLayer>; bytes: number }>();
  const fileOf = (digest: string) => join(folder, `${digest.slice("sha256:".length)}.layer`);

  const load = async (digest: string): Promise<ReadLayer | null> => {
    const file = fileOf(digest);
    const bytes = await readFile(file).catch(ignoreDisk);
    const found = bytes && unpackLayer(bytes, digest, version);
    if (!found) return null;
    const now = new Date();
    await utimes(file, now, now).catch(ignoreDisk);
    return found;
  };
  const keep = async (digest: string, made: ReadLayer): Promise<void> => {
    await mkdir(folder, { recursive: true }).catch(ignoreDisk);
    const bytes = packLayer(made, digest, version);
    await writeFileAtomic(fileOf(digest), bytes, { fsync: false, mode: 0o644 }).catch(ignoreDisk);
  };
  /** Lets go of what was used longest ago. */
  const makeRoom = () => {
    let sum = 0;
    for (const [digest, { bytes }] of [...held].reverse()) {
      sum += bytes;
      if (sum > MOST_BYTES_IN_MEMORY) held.delete(digest);
    }
  };
  const make = async (digest: string, read: () => Promise<ReadLayer>): Promise<ReadLayer> => {
    const found = await load(digest);
    if (found) return found;
    const made = await read();
    if (sizeOf(made) <= MOST_BYTES) await keep(digest, made);
    return made;
  };
  const start = (digest: string, read: () => Promise<ReadLayer>): Promise<ReadLayer> => {
    const entry = { reading: make(digest, read), bytes: 0 };
    held.set(digest, entry);
    const forget = () => {
      if (held.get(digest) === entry) held.delete(digest);
    };
    // The first to hear how the reading went: whoever waits for it finds `held` as it then is.
    return entry.reading.then(
      (made) => {
        entry.bytes = sizeOf(made);
        if (entry.bytes > MOST_BYTES) forget();
        makeRoom();
        return made;
      },
      (cause: unknown) => {
        forget();
        throw cause;
      },
    );
  };

  return {
    layer: async (digest, read) => {
      for (let known = held.get(digest); known; known = held.get(digest)) {
        // Used last: it is let go of last.
        held.delete(digest);
        held.set(digest, known);
        try {
          return await known.reading;
        } catch {
          // The other reader was interrupted, or its copy is damaged: ours may not be.
        }
      }
      return start(digest, read);
    },
  };
}
