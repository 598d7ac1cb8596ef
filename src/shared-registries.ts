import type { Registries } from "./library/fetch-library.ts";
import type { RetryPolicy } from "./model/retries.ts";
import type { RecordRemote } from "./records/remote/remote.ts";
import type { Registries as Docker } from "./tools/oci/registries.ts";
import type { Retrying } from "./tools/oci/retrying.ts";

/** What machines share through registries. */
export interface Shared {
  /** Registries, as libraries ask them. A try that is repeated is told to people. */
  registries: () => Promise<Registries>;
  /** The records in a repository, `oci://HOST/REPOSITORY`. */
  recordRemote: (remote: string) => Promise<RecordRemote>;
}

const SECOND = 1000;

export function sharedRegistries(around: {
  registries: () => Promise<Docker>;
  sleep: Retrying["sleep"];
  /** What is done about such a failure, by now: factory.yaml says it. */
  retries: () => RetryPolicy;
  say: (line: string) => void;
  signal: () => AbortSignal;
}): Shared {
  const { sleep, retries, say } = around;
  const registries: Shared["registries"] = async () => {
    const [{ open }, { retrying }] = await Promise.all([
      around.registries(),
      import("./tools/oci/retrying.ts"),
    ]);
    const signal = around.signal();
    const onRetry = (error: Error, ms: number) =>
      say(`warning: ${error.message}; trying again in ${Math.ceil(ms / SECOND)} s`);
    return {
      repository: open,
      again: (work) => retrying(work, { policy: retries(), sleep, random: Math.random, onRetry, signal }),
      signal,
    };
  };
  return {
    registries,
    recordRemote: async (remote) => {
      const [{ repository, again, signal }, { openRemote }, { parseReference }] = await Promise.all([
        registries(),
        import("./records/remote/remote.ts"),
        import("./model/image-reference.ts"),
      ]);
      let next = Date.now() + SECOND;
      const onProgress = (done: number, of: number): void => {
        if (Date.now() < next) return;
        next = Date.now() + SECOND;
        say(`records: ${done} of ${of}`);
      };
      const client = repository(parseReference(remote));
      return openRemote({ client, again, signal, sleep, random: Math.random, onProgress });
    },
  };
}
