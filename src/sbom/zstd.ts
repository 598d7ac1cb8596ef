/** How much the decoder is given at once. */
const PIECE = 16 << 10;
/** No frame has fewer bytes. */
const LEAST_FRAME = 8;

async function* inPieces(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of source)
    for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE);
}

/**
 * The bytes of a zstd stream: frames one after the other, with a window of at most 128 MiB each.
 * Errors are those of its bytes: damaged, cut off, or with a larger window.
 */
export async function* decompressZstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const { ZSTDDecoder } = await import("zstddec/stream");
  const decoder = new ZSTDDecoder();
  await decoder.init();
  let ready: Uint8Array | undefined;
  let idle = 0;
  const next = (): IteratorResult<Uint8Array, undefined> => {
    const value = ready;
    ready = undefined;
    idle = 0;
    return value ? { value } : { done: true, value: undefined };
  };
  const pieces = decoder.decodeStreaming({ [Symbol.iterator]: () => ({ next }) });
  /** One step, which takes a further input where the one before is used up. @returns null at the end */
  const step = (): Uint8Array | null => {
    const piece = pieces.next();
    if (piece.done) return null;
    // The decoder does not tell that it has failed, but gives nothing and leaves its input where it was, for ever.
    // Of sound input it gives nothing once for each frame that has nothing in it.
    idle = piece.value.length === 0 ? idle + 1 : 0;
    if (idle > PIECE / LEAST_FRAME + 1)
      throw new Error("the zstd stream is damaged, or its window is too large");
    return piece.value;
  };
  for await (const piece of inPieces(source)) {
    ready = piece;
    // The decoder cannot wait: it goes on only while there is an input that it has not taken.
    while (ready) {
      const bytes = step();
      if (bytes && bytes.length > 0) yield bytes;
    }
  }
  for (let bytes = step(); bytes !== null; bytes = step()) if (bytes.length > 0) yield bytes;
}
