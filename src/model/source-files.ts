import type { ReadSource } from "./inputs.ts";

/*
 * The evidence `source_files`: for each source a line `source ENTRIES "PATH"`, then its listing (src/files/listing.ts).
 */

/** A record that names more files than this has only the hashes of its listings, not the listings. */
const MOST_ENTRIES = 10_000;

/** Whether the listings of sources are kept as evidence. */
export function isListed(sources: readonly ReadSource[] = []): boolean {
  const entries = sources.reduce((sum, one) => sum + one.entries, 0);
  return entries > 0 && entries <= MOST_ENTRIES;
}

/** The line before a listing. */
export function sourceLine({ path, entries }: Pick<ReadSource, "path" | "entries">): string {
  return `source ${entries} ${JSON.stringify(path)}\n`;
}

/** The text of the evidence. */
export function sourceFiles(
  sources: readonly (ReadSource & { pieces: readonly Uint8Array[] })[],
): Uint8Array {
  return Buffer.concat(sources.flatMap((one) => [Buffer.from(sourceLine(one)), ...one.pieces]));
}
