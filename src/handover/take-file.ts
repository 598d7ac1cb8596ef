import { FactoryError } from "../errors.ts";
import type { BlobFolder } from "../files/blob-folder.ts";
import { type Closure, closureOf, MOST_DOCUMENT, Unsound } from "./descriptors.ts";
import { blobName, type Handed, MARK, readIndexJson } from "./archive-layout.ts";
import { HEADER_BYTES, paddingAfter, sizeIn, TAR_END, tarHeader } from "./tar-frame.ts";

/** Reads so many bytes at a time of what comes in pieces of any length. */
function readerOf(source: AsyncIterable<Uint8Array>) {
  const pieces = source[Symbol.asyncIterator]();
  let rest: Uint8Array = Buffer.alloc(0);
  const cut = () => new Unsound("it ends in the middle: it was cut off, or is not whole yet");
  async function* some(length: number): AsyncGenerator<Uint8Array, void> {
    for (let left = length; left > 0;) {
      if (rest.length === 0) {
        const next = await pieces.next();
        if (next.done) throw cut();
        rest = next.value;
        continue;
      }
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
  const bytes = async (length: number): Promise<Buffer> => {
    const all: Uint8Array[] = [];
    for await (const piece of some(length)) all.push(piece);
    return Buffer.concat(all);
  };
  return {
    some,
    bytes,
    /** Whether nothing more comes. */
    isOver: async (): Promise<boolean> => {
      while (rest.length === 0) {
        const next = await pieces.next();
        if (next.done) return true;
        rest = next.value;
      }
      return false;
    },
  };
}

/** What a file holds. */
export interface Taken {
  handed: Handed[];
  closure: Closure;
  /** The bytes of manifest.json, which follow from the rest. */
  manifest: Buffer;
}

/**
 * Takes the parts of a file, each checked against its digest. A file is what `factory save` writes, byte for byte: it is known
 * before each part which one has to come, and how large it is.
 * @param source the bytes of the file
 * @throws Unsound for any other file; FactoryError WRITE_FAILED, INTERRUPTED, and what the source throws
 */
export async function takeFile(
  source: AsyncIterable<Uint8Array>,
  blobs: BlobFolder,
  { signal, onBytes }: { signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<Taken> {
  async function* watched(): AsyncGenerator<Uint8Array, void> {
    for await (const piece of source) {
      if (signal.aborted) throw new FactoryError("INTERRUPTED", "interrupted while reading");
      onBytes(piece.length);
      yield piece;
    }
  }
  const reader = readerOf(watched());

  /** @param most of a file whose size is not known before */
  const header = async (name: string, wanted: { size: number } | { most: number }): Promise<number> => {
    const found = await reader.bytes(HEADER_BYTES);
    const size = "size" in wanted ? wanted.size : sizeIn(found);
    const isIt = size !== null && found.equals(tarHeader(name, size));
    if (isIt && ("size" in wanted || size <= wanted.most)) return size;
    if (name !== "oci-layout") {
      const shown = found.toString("latin1", 0, 100).replace(/\0.*$/s, "");
      throw new Unsound(
        `${name} has to come next${"size" in wanted ? `, with ${wanted.size} bytes` : ""}, and ${isIt ? "it is too large" : shown === name ? "it is not as `factory save` writes it" : shown === "" ? "something else does" : `${JSON.stringify(shown)} does`}`,
      );
    }
    const isPacked = found[0] === 0x1f && found[1] === 0x8b;
    throw new Unsound(
      isPacked ? "it is compressed with gzip: unpack it first" : "it is not what `factory save` writes",
    );
  };
  const padding = async (size: number): Promise<void> => {
    const zeros = await reader.bytes(paddingAfter(size));
    if (zeros.some((byte) => byte !== 0)) throw new Unsound("there are bytes between its parts");
  };
  const small = async (name: string, wanted: Parameters<typeof header>[1]): Promise<Buffer> => {
    const size = await header(name, wanted);
    const bytes = await reader.bytes(size);
    await padding(size);
    return bytes;
  };
  const blob = async (digest: string, size: number): Promise<void> => {
    await header(blobName(digest), { size });
    if (!(await blobs.keep(digest, reader.some(size))))
      throw new Unsound(`${blobName(digest)} does not have its digest: it was changed, or is damaged`);
    await padding(size);
  };

  if (!(await small("oci-layout", { size: MARK.length })).equals(MARK))
    throw new Unsound("it is not what `factory save` writes");
  const handed = readIndexJson(await small("index.json", { most: MOST_DOCUMENT }));
  const roots = [...handed.map(({ image }) => image), ...handed.map(({ record }) => record)];
  const closure = await closureOf(roots, async ({ digest, size }) => {
    await blob(digest, size);
    return blobs.read(digest);
  });
  for (const { digest, size } of closure.leaves.values()) await blob(digest, size);
  const manifest = await small("manifest.json", { most: MOST_DOCUMENT });
  const end = await reader.bytes(TAR_END.length);
  if (!end.equals(TAR_END) || !(await reader.isOver())) throw new Unsound("there is more behind its end");
  return { handed, closure, manifest };
}
