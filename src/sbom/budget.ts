import { FactoryError } from "../errors.ts";

/** The most of one image that is kept in memory: 256 MiB of files and paths, 8 million tar entries. */
const LIMITS = { bytes: 256 << 20, entries: 8_000_000 };

/** Bytes that are kept, and tar entries that were looked at. */
export interface Spent {
  bytes: number;
  entries: number;
}

/** Counts what is kept of an image, so that none can fill the memory. */
export interface Budget {
  /** @throws FactoryError IMAGE_UNREADABLE beyond the limit */
  keep: (bytes: number) => void;
  /** Counts tar entries, one by default. @throws FactoryError IMAGE_UNREADABLE beyond the limit */
  visit: (count?: number) => void;
  /** What was counted so far. */
  spent: () => Spent;
}

export function createBudget(limits: Spent = LIMITS): Budget {
  let bytes = 0;
  let entries = 0;
  const exceed = (what: string) =>
    new FactoryError("IMAGE_UNREADABLE", `the image has more than ${what}`, {
      fix: "split the image, or write its SBOM with `--sbom-with syft`",
    });
  return {
    keep: (count) => {
      bytes += count;
      if (bytes > limits.bytes) throw exceed(`${limits.bytes} bytes of package metadata and links`);
    },
    visit: (count = 1) => {
      entries += count;
      if (entries > limits.entries) throw exceed(`${limits.entries} files`);
    },
    spent: () => ({ bytes, entries }),
  };
}
