import { RETRIES } from "../../src/model/retries.ts";
import type { AttachDeps } from "../../src/tools/oci/attach-referrers.ts";
import { retrying } from "../../src/tools/oci/retrying.ts";

/** Tries again as always, without waiting. */
export function createWaits(): AttachDeps {
  const sleep = () => Promise.resolve();
  const { signal } = new AbortController();
  const random = () => 0;
  return {
    sleep,
    random,
    signal,
    again: (work) => retrying(work, { policy: RETRIES, sleep, random, signal }),
  };
}
