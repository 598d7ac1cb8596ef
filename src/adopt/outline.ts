import type { Original } from "./original.ts";
import { type Chain, chainOf, type Stage, stageNamed, stagesOf } from "./stages.ts";
import { readsOf } from "./context-reads.ts";

/** Something of a Dockerfile that does not get into the workspace. */
export interface NotCarried {
  file: string;
  /** From 1. */
  line: number;
  what: string;
  why: string;
}

/** What a Dockerfile builds: its last stage, and the stages that this one copies from. */
export interface Outline {
  original: Original;
  stages: readonly Stage[];
  image: Chain;
  /** The stages that something copies from, in their order. */
  builders: readonly { stage: number; name: string; chain: Chain }[];
  /** The platform that the image is for, if its FROM says so. */
  platform: string | null;
  notCarried: readonly NotCarried[];
}

const CONSTANT = /^linux\/[a-z0-9]+(\/[a-z0-9]+)?$/;

/** @throws FactoryError DOCKERFILE_INVALID */
export function outlineOf(original: Original): Outline {
  const { file } = original;
  const stages = stagesOf(original);
  const image = chainOf(stages, stages.length - 1);
  const wanted = new Set<number>();
  const used = new Set<number>();
  const follow = (chain: Chain): void => {
    for (const stage of chain.stages) used.add(stage);
    for (const { written, stage } of chain.steps) {
      for (const place of readsOf(written).places) {
        if (place.kind !== "from") continue;
        const named = stageNamed(stages, stage, { name: place.name, byNumber: !place.isMount });
        if (named < 0 || wanted.has(named)) continue;
        wanted.add(named);
        follow(chainOf(stages, named));
      }
    }
  };
  follow(image);
  const builders = [...wanted]
    .sort((a, b) => a - b)
    .map((stage) => ({
      stage,
      name: stages[stage]?.name ?? `stage-${stage}`,
      chain: chainOf(stages, stage),
    }));

  const notCarried: NotCarried[] = [];
  const platform =
    image.platform !== null && CONSTANT.test(image.platform.asked) ? image.platform.asked : null;
  for (const chain of [image, ...builders.map((one) => one.chain)]) {
    if (chain.platform === null || chain.platform.asked === platform) continue;
    notCarried.push({
      file,
      line: chain.platform.line,
      what: `--platform=${chain.platform.asked}`,
      why: "a stage of a workspace is for the platform of its image: what depends on the machine that builds is in no key",
    });
  }
  for (const [at, { line, name }] of stages.entries()) {
    if (used.has(at)) continue;
    notCarried.push({
      file,
      line,
      what: `the stage ${name ?? at}`,
      why: "the last stage takes nothing from it: if it is an image of its own, adopt a Dockerfile that ends with it",
    });
  }
  // What ONBUILD declares in a stage is done by the stage on top of it; a builder has no stage on top of another.
  for (const { chain } of builders) {
    for (const [at, { instruction, stage }] of chain.steps.entries()) {
      const isBelow =
        chain.steps.slice(at).some((step) => step.stage !== stage) || stage !== chain.stages.at(-1);
      if (instruction.keyword === "ONBUILD" && isBelow)
        notCarried.push({
          file,
          line: instruction.line,
          what: "ONBUILD",
          why: "a stage that something copies from starts from this one",
        });
    }
  }
  return { original, stages, image, builders, platform, notCarried };
}
