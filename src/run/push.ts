import { classifyFailure } from "../builder/classify.ts";
import type { Failure, RunDeps } from "./types.ts";

const ATTEMPTS = 3;
const WAIT_MS = 10_000;

/**
 * Pushes a tag and holds the registry's digest to the one that was tested. Failures that may pass are tried again,
 * ten seconds apart, with a warning each time.
 */
export async function pushImage(
  ref: string,
  digest: string,
  deps: Pick<RunDeps, "docker" | "sleep" | "onNote">,
  signal?: AbortSignal,
): Promise<{ retries: number; failure: Failure | null }> {
  for (let retries = 0; ; retries += 1) {
    const result = await deps.docker.run(["image", "push", ref], { signal });
    const text = `${result.stdout}\n${result.stderr}`.trim();
    const tail = text.split("\n").slice(-40);
    if (result.exitCode === 0) {
      const pushed = /digest: (sha256:[a-f0-9]{64})/.exec(text)?.[1];
      if (pushed === digest) return { retries, failure: null };
      const what = `the registry has ${pushed ?? "no digest"} under ${ref}, and ${digest} was tested`;
      return { retries, failure: { status: "error", class: "push", what, log_excerpt: tail } };
    }
    const { class: failure, retry } = classifyFailure(result.exitCode, text);
    const what = `push of ${ref}: ${tail.at(-1) ?? ""}`;
    if (signal?.aborted || retry === "no" || retries + 1 >= ATTEMPTS) {
      return {
        retries,
        failure: {
          status: "error",
          class: failure === "unknown" ? "push" : failure,
          what,
          log_excerpt: tail,
        },
      };
    }
    deps.onNote(`warning: ${what}; trying again in ${WAIT_MS / 1000} s (${retries + 2} of ${ATTEMPTS})`);
    await deps.sleep(WAIT_MS, signal);
  }
}
