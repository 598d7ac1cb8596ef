import { classifyFailure, BUILD_CLASSES } from "../builder/classify.ts";
import { type Retries, type RetryPolicy, startRetries } from "../model/retries.ts";
import { type Failure, imageOf, LOG_TAIL, type Stage, type StageDeps } from "./stage.ts";

/** How often an image is pushed whose tag other runs move meanwhile. */
const MOVES = 3;

/** What a push asks of the world. */
interface PushDeps extends Pick<StageDeps, "docker" | "sleep" | "random"> {
  policy: RetryPolicy;
  warn: (text: string) => void;
}

/** The result of one push. `other`: another run had moved the tag, and its image was pushed. */
type Pushed = { retries: number; failure: Failure | null; other?: boolean };

/**
 * Pushes a tag and holds the registry's digest to the one that was tested. Failures that may pass are tried again,
 * with a warning each time. The engine pushes by tag alone: where another run moved it in between,
 * it is moved back and pushed again.
 */
export async function pushImage(
  ref: string,
  digest: string,
  deps: PushDeps,
  signal?: AbortSignal,
): Promise<{ retries: number; failure: Failure | null }> {
  const { policy, random } = deps;
  const one = { ...deps, again: startRetries(policy, random), tries: policy.tries };
  let pushed = await pushTag(ref, digest, one, signal);
  for (let again = 1; pushed.other && again < MOVES; again += 1) {
    deps.warn(`${ref} was moved by another run while it was pushed: pushing it again`);
    await deps.docker.tagImage(digest, ref, { signal });
    const next = await pushTag(ref, digest, one, signal);
    pushed = { ...next, retries: pushed.retries + next.retries + 1 };
  }
  return { retries: pushed.retries, failure: pushed.failure };
}

async function pushTag(
  ref: string,
  digest: string,
  deps: Pick<PushDeps, "docker" | "sleep" | "warn"> & { again: Retries; tries: number },
  signal?: AbortSignal,
): Promise<Pushed> {
  for (let retries = 0; ; retries += 1) {
    const result = await deps.docker.run(["image", "push", ref], { signal });
    const text = `${result.stdout}\n${result.stderr}`.trim();
    const tail = text.split("\n").slice(-LOG_TAIL);
    if (result.exitCode === 0) {
      const pushed = /digest: (sha256:[a-f0-9]{64})/.exec(text)?.[1];
      if (pushed === digest) return { retries, failure: null };
      const what = `${ref} is ${pushed ?? "of unknown digest"} in the registry, and ${digest} was tested`;
      const failure: Failure = { status: "error", class: "push", what, log_excerpt: tail };
      return { retries, failure, other: pushed !== undefined };
    }
    const { class: name, retry } = classifyFailure(result.exitCode, text);
    const what = `push of ${ref}: ${tail.at(-1) ?? ""}`;
    const wait = signal?.aborted ? null : deps.again.next(retry);
    if (wait === null) {
      const known = signal?.aborted ? "interrupted" : name === "unknown" ? "push" : name;
      return { retries, failure: { status: "error", class: known, what, log_excerpt: tail } };
    }
    const next = deps.again.failed() + 1;
    deps.warn(`${what}; trying again in ${Math.ceil(wait / 1000)} s (${next} of ${deps.tries})`);
    await deps.sleep(wait, signal);
  }
}

/** Pushes the cell's tag, where that is asked for. An image that the registry has is only tagged there. */
export const push: Stage = {
  name: "push",
  part: "delivery",
  needs: ["tag"],
  evidence: {},
  classes: {
    ...Object.fromEntries(BUILD_CLASSES.map((name) => [name, "error"] as const)),
    push: "error",
  },
  wanted: (settings) => settings.push,
  run: async ({ attempt, signal, warn }, deps) => {
    const { planned, trail } = attempt;
    const { digest, built, isAway = false } = imageOf(attempt);
    const ref = planned.cell.tags[0] ?? "";
    // The engine may hold only a part of an image that another machine built: what it would push is another one.
    const isThere = built === null && (await deps.moveTag?.(ref, digest, signal)) === true;
    if (isAway && !isThere) {
      const what = `${ref} could not be moved to ${digest} in its registry`;
      return { status: "error", class: "push", what, log_excerpt: [] };
    }
    const { retries, failure } = isThere
      ? { retries: 0, failure: null }
      : await pushImage(ref, digest, { ...deps, policy: attempt.settings.retries, warn }, signal);
    trail.retries += retries;
    if (!failure && trail.image) trail.image.pushed = true;
    return failure;
  },
};
