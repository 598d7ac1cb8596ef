import { build } from "./build.ts";
import { provenance } from "./provenance.ts";
import { push } from "./push.ts";
import { resolve } from "./resolve.ts";
import { EVERYWHERE } from "./run-stages.ts";
import { sbom } from "./sbom.ts";
import { smoke } from "./smoke.ts";
import type { Part, Stage } from "./stage.ts";
import { stitch } from "./stitch.ts";
import { tag } from "./tag.ts";

/** The stages of an attempt, in order. A new one is a file beside this and a line here. */
export const STAGES: readonly Stage[] = [resolve, stitch, build, provenance, smoke, sbom, tag, push];

/** Parts that an action takes over from the record of an image that is known. */
const TAKEN_OVER: Record<"build" | "retest" | "retag", readonly Part[]> = {
  build: [],
  retest: ["image"],
  retag: ["image", "proof"],
};

/** What is done about a cell that is not simply reused. */
export type Path = keyof typeof TAKEN_OVER;

/** Splits stages into those that an action runs, and those whose evidence it takes over. */
export function stagesOf(stages: readonly Stage[], path: Path): { run: Stage[]; takenOver: Stage[] } {
  const parts = TAKEN_OVER[path];
  return {
    run: stages.filter(({ part }) => !parts.includes(part)),
    takenOver: stages.filter(({ part }) => parts.includes(part)),
  };
}

/**
 * Kinds of evidence without which a record of this result proves nothing: those of every stage that it passed, and what its last
 * one leaves where it fails by what was asked for. A stage that is only wanted now and then counts where it ran.
 */
export function requiredEvidence(
  stages: readonly Stage[],
  result: { stage: string; status: string; stages_ms: Readonly<Record<string, number>> },
): string[] {
  const end = stages.findIndex(({ name }) => name === result.stage);
  const passed = end < 0 ? stages : stages.slice(0, end);
  const ran = ({ name, wanted }: Stage) => !wanted || Object.hasOwn(result.stages_ms, name);
  const last = result.status === "fail" ? (stages[end]?.provesFail ?? []) : [];
  return [...passed.filter(ran).flatMap(({ evidence }) => Object.keys(evidence)), ...last].sort();
}

/** What is wrong with how a record says that it ended; undefined where a stage of the table can end like that. */
export function oddEnd(
  stages: readonly Stage[],
  { stage, class: name, status }: { stage: string; class: string | null; status: string },
): string | undefined {
  if (stage === "done")
    return name === null && status === "pass"
      ? undefined
      : `it says done, but ${status} (${name ?? "no class"})`;
  const found = stages.find((one) => one.name === stage);
  if (!found) return `there is no stage ${stage}`;
  if (name === null) return `it ended in ${stage} without a class`;
  const declared: Readonly<Record<string, string>> = { ...EVERYWHERE, ...found.classes };
  const fault = Object.hasOwn(declared, name) ? declared[name] : undefined;
  if (fault === undefined) return `the stage ${stage} has no failure ${name}`;
  return fault === status ? undefined : `${name} in ${stage} means ${fault}, not ${status}`;
}
