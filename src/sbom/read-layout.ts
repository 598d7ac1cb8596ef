import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { FactoryError } from "../errors.ts";
import { contentOf, readLayer, sniff, type Bytes } from "./blob.ts";
import { createBudget } from "./budget.ts";
import type { ReadLayer } from "./layer.ts";
import type { LayerCache } from "./layer-cache.ts";
import { damaged, digestIn, isAbsent, openDocuments } from "./layout.ts";
import { configOf, fits, manifestsIn, noLayer, type ChosenManifest } from "./manifest.ts";
import { createNotes, type Notes } from "./notes.ts";
import type { ImagePath } from "./paths.ts";

export interface LayoutOptions {
  /** `sha256:…` of the manifest, or of an index above it; null takes the first image for the platform. */
  digest: string | null;
  platform: string;
  wanted: ReadonlySet<ImagePath>;
  notes: Notes;
  cache?: LayerCache;
  /** Called with the digest of each layer that exists but cannot be read. */
  onUnreadable?: (digest: string) => void;
  signal?: AbortSignal;
}

const PIECE = 1 << 20;

/** How many layers of one image are read at once: so many are in memory beside what is kept. */
const AT_ONCE = 2;

/** Reads a layer's blob, and hashes all of it at the same time. */
async function readBlob(
  layout: string,
  name: string,
  digest: string,
  options: LayoutOptions,
): Promise<ReadLayer> {
  const file = await open(join(layout, name));
  const hash = createHash("sha256");
  async function* pieces(): Bytes {
    for (;;) {
      options.signal?.throwIfAborted();
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, null);
      if (bytesRead === 0) return;
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      yield piece;
    }
  }
  const budget = createBudget();
  const notes = createNotes();
  try {
    const { head, whole } = await sniff(pieces());
    const content = contentOf(head);
    if (content === "document" || content === "unknown") throw noLayer(name);
    const layer = await readLayer(whole, content, {
      budget,
      wanted: options.wanted,
      notes,
    });
    if (`sha256:${hash.digest("hex")}` !== digest) throw damaged(name);
    return { layer, notes: notes.all(), spent: budget.spent() };
  } catch (cause) {
    options.signal?.throwIfAborted();
    options.onUnreadable?.(digest);
    throw cause instanceof FactoryError ? cause : damaged(name, cause);
  } finally {
    await file.close();
  }
}

/** Reads one layer, or takes it from the cache; null if the layout does not have it. */
async function readOne(layout: string, name: string, options: LayoutOptions): Promise<ReadLayer | null> {
  const digest = digestIn(name);
  if (digest === null) return null;
  const read = () => readBlob(layout, name, digest, options);
  try {
    // The cache has what is kept of a layer by itself, not what a file of another layer needs from it.
    return await (options.cache && options.wanted.size === 0 ? options.cache.layer(digest, read) : read());
  } catch (cause) {
    if (isAbsent(cause)) return null;
    throw cause;
  }
}

/**
 * Reads one platform's image from an OCI layout folder, except for layers that the cache has.
 * @param layout absolute
 * @returns null if the layout does not have the whole image
 * @throws FactoryError IMAGE_UNREADABLE if a blob is damaged or the budget is exceeded; the signal's reason
 */
export async function readLayout(layout: string, options: LayoutOptions): Promise<ChosenManifest | null> {
  const documents = openDocuments(layout);
  const chosen = manifestsIn(documents)?.find(
    (found) =>
      fits(found.platform, options.platform) &&
      (options.digest === null || found.digests.includes(options.digest)),
  );
  if (!chosen || documents.get(chosen.config) === undefined) return null;

  const ended = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
  const atOnce = pLimit(AT_ONCE);
  const failures: unknown[] = [];
  const names = [...new Set(chosen.layers)];
  const read = await Promise.all(
    names.map((name) =>
      atOnce(async () => {
        if (signal.aborted) return null;
        const layer = await readOne(layout, name, { ...options, signal }).catch((cause: unknown) => {
          // Errors of layers that only ended because another one failed are ignored.
          if (!signal.aborted) failures.push(cause);
          return null;
        });
        if (!layer) ended.abort();
        return layer;
      }),
    ),
  );
  options.signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];

  const budget = createBudget();
  const byName = new Map<string, ReadLayer>();
  for (const [at, name] of names.entries()) {
    const layer = read[at];
    if (!layer) return null;
    budget.keep(layer.spent.bytes);
    budget.visit(layer.spent.entries);
    for (const { what, where, count } of layer.notes) options.notes.add(what, where, count);
    byName.set(name, layer);
  }
  const layers = chosen.layers.flatMap((name) => byName.get(name)?.layer ?? []);
  const { digest, platform, digests } = chosen;
  return { digest, platform, digests, layers, config: configOf(documents, chosen) };
}
