import type { RepositoryClient } from "../../tools/oci/repository-client.ts";

/** What a remote is asked with. */
export interface RemoteDeps {
  client: RepositoryClient;
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 up to, but not 1. */
  random: () => number;
  signal: AbortSignal;
  /** Called with the number of records that are done, now and then. */
  onProgress?: (done: number, of: number) => void;
}

/** What became of records: their ids, sorted. */
export interface Travelled {
  pushed: string[];
  pulled: string[];
  /** Those that the remote does not have, and that cannot be pushed: their evidence was pruned. */
  pruned?: string[];
  /** The number of those that were the same on both sides. */
  unchanged: number;
}
