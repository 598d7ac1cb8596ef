import { join } from "node:path";
import { readRegular } from "../files/read-regular.ts";
import { tryTo, tryTouch, tryWrite } from "../files/shortcuts.ts";
import type { ReadLayer } from "./layer.ts";
import { packLayer, unpackLayer } from "./pack-layer.ts";

/** What was kept of layers, by the digest of their blobs. */
export interface LayerCache {
  /**
   * The layer from the cache, else from `read`. A second caller for the same layer waits for the first; if that one fails, it
   * reads the layer itself.
   * @param digest `sha256:…`
   * @throws what `read` throws
   */
  layer: (digest: string, read: () => Promise<ReadLayer>) => Promise<ReadLayer>;
}

/** A layer of which more is kept is read again each time; this is also the most that is kept in memory of all layers. */
const MOST_BYTES = 32 << 20;
const MOST_BYTES_IN_MEMORY = 64 << 20;

/** How much memory a layer takes, roughly. */
function sizeOf({ layer, spent }: ReadLayer): number {
  return spent.bytes + 8 * (layer.folders.hashes().length + layer.others.hashes().length);
}

/**
 * Opens the cache in a folder, with one file per layer (`<hex>.layer`), which other processes may use at the same time.
 * @param folder absolute; made when the first layer is written
 * @param version of Factory: a file that another version wrote is not used
 */
export function openLayerCache(folder: string, version: string): LayerCache {
  const held = new Map<string, { reading: Promise<ReadLayer>; bytes: number }>();
  const fileOf = (digest: string) => join(folder, `${digest.slice("sha256:".length)}.layer`);

  const load = (digest: string): ReadLayer | null => {
    const file = fileOf(digest);
    const bytes = tryTo(() => readRegular(file))?.bytes;
    const found = bytes && unpackLayer(bytes, digest, version);
    if (!found) return null;
    tryTouch(file, new Date());
    return found;
  };
  const keep = (digest: string, made: ReadLayer): void =>
    tryWrite(fileOf(digest), packLayer(made, digest, version));
  /** Drops what was used longest ago. */
  const makeRoom = () => {
    let sum = 0;
    for (const [digest, { bytes }] of [...held].reverse()) {
      sum += bytes;
      if (sum > MOST_BYTES_IN_MEMORY) held.delete(digest);
    }
  };
  const make = async (digest: string, read: () => Promise<ReadLayer>): Promise<ReadLayer> => {
    const found = load(digest);
    if (found) return found;
    const made = await read();
    if (sizeOf(made) <= MOST_BYTES) keep(digest, made);
    return made;
  };
  const start = (digest: string, read: () => Promise<ReadLayer>): Promise<ReadLayer> => {
    const entry = { reading: make(digest, read), bytes: 0 };
    held.set(digest, entry);
    const forget = () => {
      if (held.get(digest) === entry) held.delete(digest);
    };
    // This runs before those who wait for the reading, so that they find `held` up to date.
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
        // Used last, so dropped last.
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
