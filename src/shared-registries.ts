import type { Registries } from "./library/fetch-library.ts";
import type { Registries as Docker } from "./tools/oci/registries.ts";
import type { Retrying } from "./tools/oci/retrying.ts";

/** Registries for what is shared between workspaces. A failure that may pass by itself is told, and tried again. */
export function sharedRegistries(around: {
  registries: () => Promise<Docker>;
  sleep: Retrying["sleep"];
  say: (line: string) => void;
  signal: () => AbortSignal;
}): () => Promise<Registries> {
  const { registries, sleep, say } = around;
  return async () => {
    const [{ open }, { retrying }] = await Promise.all([registries(), import("./tools/oci/retrying.ts")]);
    const signal = around.signal();
    const onRetry = (error: Error, ms: number) =>
      say(`warning: ${error.message}; trying again in ${Math.ceil(ms / 1000)} s`);
    return {
      repository: open,
      again: (work) => retrying(work, { sleep, random: Math.random, onRetry, signal }),
      signal,
    };
  };
}
