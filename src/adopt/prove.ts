import { posix } from "node:path";
import { sha256Hex } from "../model/digest.ts";
import { readsOf } from "./context-reads.ts";
import type { Original } from "./original.ts";
import { chainOf, stageNamed, stagesOf, type ChainStep, type Stage } from "./stages.ts";

/** A place where two Dockerfiles differ. */
export interface Difference {
  /** Of the original, from 1. */
  line: number;
  /** null if one of the two has nothing there. */
  dockerfile: string | null;
  stitched: string | null;
}

/** A step with what does not matter taken out. */
interface Plain {
  /** Keyword, flags and words; a stage that it names is a `\u0001`. */
  text: string;
  /** The stages that it names. */
  stages: readonly PlainChain[];
  line: number;
  shown: string;
}

/** All that a stage consists of. Two of the same identity build the same. */
interface PlainChain {
  identity: string;
  steps: readonly Plain[];
}

/** What a Dockerfile is compared under. */
export interface Terms {
  /** The platform that its image is for; null if that is whatever is built. */
  platform: string | null;
  /** The path of the context; null if that is the root. */
  context: string | null;
}

/** A path of the context, without detours. */
function contextPath(path: string, context: string | null): string {
  const clean = posix.normalize(`/${path}`);
  const end = path.endsWith("/") && clean !== "/" && !clean.endsWith("/") ? "/" : "";
  const whole = `${clean}${end}`;
  if (context === null) return `context:${whole.replace(/(?<=.)\/$/, "")}`;
  if (whole.replace(/\/$/, "") === `/${context}`) return "context:/";
  return whole.startsWith(`/${context}/`)
    ? `context:${whole.slice(context.length + 1).replace(/(?<=.)\/$/, "")}`
    : `workspace:${whole}`;
}

function plainStep(
  step: ChainStep,
  stages: readonly Stage[],
  terms: Terms,
  chains: (at: number) => PlainChain,
): Plain {
  const { written, instruction } = step;
  const named: PlainChain[] = [];
  let text = "";
  let at = 0;
  for (const place of [...readsOf(written).places].sort((a, b) => a.start - b.start)) {
    let to = written.line.slice(place.start, place.end);
    if (place.kind === "from") {
      const stage = stageNamed(stages, step.stage, { name: place.name, byNumber: !place.isMount });
      if (stage >= 0) named.push(chains(stage));
      if (stage >= 0) to = "\u0001";
    } else {
      to = contextPath(place.path, terms.context);
      if (place.start === place.end && place.isMount) to = `,source=${to}`;
    }
    text += written.line.slice(at, place.start) + to;
    at = place.end;
  }
  text += written.line.slice(at);
  const [, keyword = "", rest = ""] = /^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const isCopy = /^(COPY|ADD)$/i.test(keyword);
  const words = isCopy ? rest.trim().replace(/\s+/g, " ") : rest.trim();
  return {
    text: `${keyword.toUpperCase()} ${words}${written.heredocs}`,
    stages: named,
    line: instruction.line,
    shown: written.line.trim().slice(0, 200),
  };
}

/** What the image keeps of CMD and ONBUILD: stages that start from each other forget some. */
function remembered(steps: readonly ChainStep[]): string {
  let command = "";
  let isSet = false;
  let triggers: string[] = [];
  let done: string[] = [];
  for (const { instruction, opens, written } of steps) {
    if (opens) {
      isSet = false;
      done = [...done, ...triggers];
      triggers = [];
    }
    const { keyword, rest } = instruction;
    if (keyword === "CMD") command = rest.trim();
    if (keyword === "CMD") isSet = true;
    if (keyword === "ENTRYPOINT" && !isSet) command = "";
    if (keyword === "ONBUILD") triggers.push(written.line.trim() + written.heredocs);
  }
  return JSON.stringify({ command, triggers, done });
}

/** The last stage of a Dockerfile, with all that it is made of. @throws FactoryError DOCKERFILE_INVALID */
function plainOf(original: Original, terms: Terms): PlainChain {
  const stages = stagesOf(original);
  const known = new Map<number, PlainChain>();
  const build = (at: number, isLast: boolean): PlainChain => {
    const chain = chainOf(stages, at);
    const asked =
      chain.platform !== null && chain.platform.asked !== terms.platform ? chain.platform.asked : "";
    const line = stages[chain.stages[0] ?? 0]?.line ?? 1;
    const from = `FROM ${asked === "" ? "" : `--platform=${asked} `}${chain.image}`;
    const steps = [
      { text: from, stages: [], line, shown: from },
      ...chain.steps.map((step) => plainStep(step, stages, terms, stageChain)),
    ];
    if (isLast) {
      const kept = remembered(chain.steps);
      steps.push({ text: kept, stages: [], line: stages[at]?.line ?? 1, shown: `CMD and ONBUILD: ${kept}` });
    }
    const identity = sha256Hex(
      JSON.stringify(steps.map((one) => [one.text, one.stages.map((stage) => stage.identity)])),
    );
    return { identity, steps };
  };
  function stageChain(at: number): PlainChain {
    const there = known.get(at) ?? build(at, false);
    known.set(at, there);
    return there;
  }
  return build(stages.length - 1, true);
}

/** How far ahead a step is looked for that the other side does not have. */
const AHEAD = 20;

function* compare(one: PlainChain, other: PlainChain): Iterable<Difference> {
  if (one.identity === other.identity) return;
  let [a, b] = [0, 0];
  while (a < one.steps.length || b < other.steps.length) {
    const [left, right] = [one.steps[a], other.steps[b]];
    if (left && right && left.text === right.text) {
      for (const [at, stage] of left.stages.entries()) {
        const its = right.stages[at];
        if (its) yield* compare(stage, its);
      }
      a += 1;
      b += 1;
      continue;
    }
    const line = left?.line ?? one.steps.at(-1)?.line ?? 1;
    const isIn = (text: string | undefined, steps: readonly Plain[], from: number) =>
      text !== undefined && steps.slice(from, from + AHEAD).some((step) => step.text === text);
    const skipsLeft = left !== undefined && (right === undefined || isIn(right.text, one.steps, a));
    const skipsRight =
      right !== undefined && !skipsLeft && (left === undefined || isIn(left.text, other.steps, b));
    yield {
      line,
      dockerfile: skipsRight ? null : (left?.shown ?? null),
      stitched: skipsLeft ? null : (right?.shown ?? null),
    };
    if (!skipsRight) a += 1;
    if (!skipsLeft) b += 1;
  }
}

/** The most differences that are listed. */
const MOST = 50;

/**
 * Compares a Dockerfile with the one that was stitched in its place, as BuildKit would build their last stages: the same
 * images, and on each the same instructions in the same order, and the same in all stages that they copy from. Names of
 * stages do not matter, nor whether a stage starts from another one or repeats it.
 * @returns what differs; empty if nothing does
 */
export function differencesOf(
  original: { read: Original; terms: Terms },
  stitched: { read: Original; terms: Terms },
): Difference[] {
  const found: Difference[] = [];
  for (const one of compare(plainOf(original.read, original.terms), plainOf(stitched.read, stitched.terms))) {
    found.push(one);
    if (found.length >= MOST) break;
  }
  return found;
}
