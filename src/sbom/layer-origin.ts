import { BASE, TEMPLATE } from "../model/image-contents.ts";
import { parseDockerfile } from "../stitch/dockerfile.ts";
import { takeFlags } from "../stitch/words.ts";

/** An instruction of an image's history, as its configuration has it. */
export interface HistoryEntry {
  created_by: string;
  empty: boolean;
}

/** The history in an image's configuration; empty if it has none. */
export function historyIn({ history }: Readonly<Record<string, unknown>>): HistoryEntry[] {
  return (Array.isArray(history) ? (history as unknown[]) : []).map((one) => {
    const { created_by, empty_layer } = (one ?? {}) as Record<string, unknown>;
    return { created_by: typeof created_by === "string" ? created_by : "", empty: empty_layer === true };
  });
}

/** What is known of how an image was built. */
export interface Recipe {
  dockerfile: string;
  /** A stage of theirs has their name. */
  fragments: readonly { name: string; version: string }[];
}

/** What made a layer. */
export interface LayerOrigin {
  /** The stage of the Dockerfile. */
  stage: string;
  /** The fragment whose steps made it, as `core@0.1.0`; null for a step of the template. */
  fragment: string | null;
  /** As the image's history has it. */
  instruction: string;
  /** Of the Dockerfile, from 1. */
  line: number;
}

interface Step {
  keyword: string;
  stage: string;
  line: number;
  /** The stage that a COPY takes its files from. */
  from: string | null;
}

interface Stage {
  name: string;
  parent: string;
  steps: Step[];
}

/** Instructions that give a layer. */
const GIVES_LAYER = new Set(["RUN", "COPY", "ADD", "WORKDIR"]);

/** The steps that the last stage consists of, with those of the stages that it starts from, in their order. */
function stepsOf(dockerfile: string): Step[] {
  const stages: Stage[] = [];
  for (const { keyword, rest, line } of parseDockerfile(dockerfile)) {
    const { flags, rest: words } = takeFlags(rest);
    if (keyword === "FROM") {
      const [parent = "", , name = String(stages.length)] = words.trim().split(/\s+/);
      stages.push({ name: name.toLowerCase(), parent: parent.toLowerCase(), steps: [] });
      continue;
    }
    const stage = stages.at(-1);
    // Arguments in front of the first FROM belong to no stage.
    if (!stage) continue;
    const [, from = null] = flags.map((flag) => /^--from=(.*)$/s.exec(flag)).find(Boolean) ?? [];
    stage.steps.push({ keyword, stage: stage.name, line, from: from?.toLowerCase() ?? null });
  }
  const chain: Step[][] = [];
  for (let at = stages.length - 1; at >= 0;) {
    const stage = stages[at];
    if (!stage) break;
    chain.unshift(stage.steps);
    at = stages.slice(0, at).findLastIndex(({ name }) => name === stage.parent);
  }
  return chain.flat();
}

/** Steps by the place of their entry in the history. They are matched from the end: what is in front is the base's. */
function matched(
  steps: readonly Step[],
  history: readonly HistoryEntry[],
): { found: Map<number, Step>; isWhole: boolean } {
  const found = new Map<number, Step>();
  let at = history.length - 1;
  for (const step of [...steps].reverse()) {
    const fits = (one: HistoryEntry | undefined) =>
      one !== undefined && new RegExp(`^${step.keyword}(\\s|$)`).test(one.created_by);
    if (GIVES_LAYER.has(step.keyword)) while (at >= 0 && history[at]?.empty && !fits(history[at])) at -= 1;
    if (fits(history[at])) found.set(at--, step);
    // A step without a layer may leave nothing in the history; one with a layer always does.
    else if (GIVES_LAYER.has(step.keyword)) return { found, isWhole: false };
  }
  return { found, isWhole: true };
}

/** The fragment whose step it is. What is copied from a builder was made there. */
function fragmentOf<F extends { name: string }>(
  { stage, from }: Step,
  fragments: readonly F[],
): F | undefined {
  const named = (wanted: string | null) => fragments.find(({ name }) => name.toLowerCase() === wanted);
  return named(from) ?? named(stage);
}

interface Layered {
  history: readonly HistoryEntry[];
  layers: readonly unknown[];
}

/** @returns what made each layer, and whether all steps were found: then the others are the base's */
function originsIn(
  { dockerfile, fragments }: Recipe,
  { history, layers }: Layered,
): { origins: (LayerOrigin | null)[]; isWhole: boolean } {
  const { found, isWhole } = matched(stepsOf(dockerfile), history);
  const origins: (LayerOrigin | null)[] = layers.map(() => null);
  let layer = layers.length - 1;
  for (let at = history.length - 1; at >= 0 && layer >= 0; at -= 1) {
    const entry = history[at];
    if (!entry || entry.empty) continue;
    const step = found.get(at);
    if (step) {
      const { stage, line } = step;
      const own = fragmentOf(step, fragments);
      const fragment = own ? `${own.name}@${own.version}` : null;
      origins[layer] = { stage, fragment, instruction: entry.created_by.replace(/ # buildkit$/, ""), line };
    }
    layer -= 1;
  }
  return { origins, isWhole };
}

/** What made each layer of an image that was built from a Dockerfile; null for layers of its base. */
export function layerOrigins(
  dockerfile: string,
  image: Layered,
  fragments: Recipe["fragments"],
): (LayerOrigin | null)[] {
  return originsIn({ dockerfile, fragments }, image).origins;
}

/**
 * Whose each layer of an image is: a fragment as `core@0.1.0`, BASE or TEMPLATE. null where it is not known: with no recipe, and
 * where the image's history does not have all the steps of the recipe, since the layers below may be anybody's then.
 */
export function layerOwners(recipe: Recipe | undefined, image: Layered): (string | null)[] {
  if (!recipe) return image.layers.map(() => null);
  const { origins, isWhole } = originsIn(recipe, image);
  return origins.map((one) => (one ? (one.fragment ?? TEMPLATE) : isWhole ? BASE : null));
}

/**
 * Whose each entry of an image's history is: the name of a fragment, BASE or TEMPLATE. null if the history does not have all the
 * steps of the recipe.
 */
export function entryOwners(
  { dockerfile, fragments }: Recipe,
  history: readonly HistoryEntry[],
): string[] | null {
  const { found, isWhole } = matched(stepsOf(dockerfile), history);
  if (!isWhole) return null;
  const first = Math.min(...found.keys(), history.length);
  return history.map((_, at) => {
    const step = found.get(at);
    if (step) return fragmentOf(step, fragments)?.name ?? TEMPLATE;
    return at < first ? BASE : TEMPLATE;
  });
}

/** The instructions that give a layer each, of a Dockerfile's last stage and those that it starts from; those of the base are unknown. */
export function layerInstructions(dockerfile: string): HistoryEntry[] {
  return stepsOf(dockerfile)
    .filter(({ keyword }) => GIVES_LAYER.has(keyword))
    .map(({ keyword }) => ({ created_by: keyword, empty: false }));
}
