import { FactoryError } from "../errors.ts";
import type { Instruction } from "../stitch/dockerfile.ts";
import { takeFlags } from "../stitch/words.ts";
import { type Written, writtenOf } from "./logical.ts";
import type { Original } from "./original.ts";

/** An instruction of a stage. */
export interface Step {
  instruction: Instruction;
  written: Written;
  /** The comment lines in front of it. */
  comments: readonly string[];
}

/** A stage of a Dockerfile. */
export interface Stage {
  /** In lower case; null if it has none. */
  name: string | null;
  /** The line of its FROM, from 1. */
  line: number;
  /** The image that it starts from, or the earlier stage. */
  from: { image: string } | { stage: number };
  /** The platform that its FROM asks for; null if that is the one that is built. */
  platform: string | null;
  steps: readonly Step[];
}

/** An ARG in front of the first FROM: its default as it is written, and what it means. */
interface Global {
  raw: string;
  value: string;
}

const PLATFORM_BUILT = /^\$(TARGETPLATFORM|\{TARGETPLATFORM\})$/;

/** The words of an ARG, with quotes: `NAME` or `NAME=value`. */
function argWords(rest: string): { name: string; raw: string | undefined }[] {
  const words = rest.match(/(?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s"'\\])+/g) ?? [];
  return words.map((word) => {
    const [, name = word, raw] = /^([^=]*)=([\s\S]*)$/.exec(word) ?? [];
    return { name, raw };
  });
}

/** A text with its variables filled in; undefined if it has one that is not known, or of another form. */
function expanded(text: string, known: ReadonlyMap<string, Global>): string | undefined {
  let isKnown = true;
  const value = text
    .replace(/^"([^"\\]*)"$|^'([^'$\\]*)'$/, "$1$2")
    .replace(/\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^${}]*))?\})/g, (_, plain, braced, sign, word) => {
      const given = known.get(String(plain ?? braced))?.value;
      const isGiven = given !== undefined && (given !== "" || !String(sign ?? "").startsWith(":"));
      if (String(sign ?? "").endsWith("+")) return isGiven ? String(word) : "";
      if (isGiven) return given;
      if (sign === undefined) isKnown = false;
      return String(word ?? "");
    });
  return !isKnown || /["'\\$]/.test(value) ? undefined : value;
}

function globalsOf(instructions: readonly Instruction[]): Map<string, Global> {
  const globals = new Map<string, Global>();
  for (const { rest } of instructions) {
    for (const { name, raw } of argWords(rest)) {
      if (raw === undefined) continue;
      const value = expanded(raw, globals);
      if (value !== undefined) globals.set(name, { value, raw: raw.includes("$") ? value : raw });
    }
  }
  return globals;
}

/** An ARG with the default that it takes over from one in front of the first FROM. */
function withDefaults(step: Step, globals: ReadonlyMap<string, Global>): Step {
  const { instruction } = step;
  const words = argWords(instruction.rest);
  if (!words.some(({ name, raw }) => raw === undefined && globals.has(name))) return step;
  const rest = words
    .map(({ name, raw }) => {
      const own = raw ?? globals.get(name)?.raw;
      return own === undefined ? name : `${name}=${own}`;
    })
    .join(" ");
  const line = `ARG ${rest}`;
  const written: Written = { raw: line, line, at: Array.from(line, (_, at) => at), heredocs: "" };
  return { ...step, instruction: { ...instruction, rest }, written };
}

function refuse({ file }: Original, line: number, what: string, fix: string): never {
  throw new FactoryError("DOCKERFILE_INVALID", what, { where: { file, line }, fix });
}

/**
 * The stages of a Dockerfile. What its FROMs name is filled in from the ARGs in front of the first one, and an ARG that
 * takes over the default of one of those has it.
 * @throws FactoryError DOCKERFILE_INVALID
 */
export function stagesOf(original: Original): Stage[] {
  const { instructions, lines, directives } = original;
  const first = instructions.findIndex(({ keyword }) => keyword === "FROM");
  const globals = globalsOf(instructions.slice(0, first));
  const stages: (Stage & { steps: Step[] })[] = [];
  let comments: string[] = [];
  let before = directives.length;
  for (const instruction of instructions) {
    for (const text of lines.slice(before, instruction.line - 1)) if (/\S/.test(text)) comments.push(text);
    before = instruction.last;
    const { keyword, rest, line } = instruction;
    if (keyword !== "FROM") {
      const step = { instruction, written: writtenOf(original, instruction), comments };
      stages.at(-1)?.steps.push(keyword === "ARG" ? withDefaults(step, globals) : step);
      if (stages.length > 0) comments = [];
      continue;
    }
    const { flags, rest: words } = takeFlags(rest);
    const [written = "", as, name, more] = words.trim().split(/\s+/);
    const isNamed = as?.toLowerCase() === "as" && name !== undefined;
    if (more !== undefined || (as !== undefined && !isNamed))
      refuse(
        original,
        line,
        `FROM is followed by \`${words.trim().slice(0, 80)}\``,
        "write FROM IMAGE AS NAME",
      );
    const image = expanded(written, globals);
    if (image === undefined || image === "")
      refuse(
        original,
        line,
        `it is not known which image \`${written}\` is`,
        "give its ARG a default in front of the first FROM",
      );
    const asked = flags.map((flag) => /^--platform=(.*)$/s.exec(flag)?.[1]).find((one) => one) ?? null;
    const parent = stages.findLastIndex((stage) => stage.name === image?.toLowerCase());
    stages.push({
      name: isNamed ? name.toLowerCase() : null,
      line,
      from: parent >= 0 ? { stage: parent } : { image: image ?? "" },
      platform: asked === null || PLATFORM_BUILT.test(asked) ? null : (expanded(asked, globals) ?? asked),
      steps: [],
    });
  }
  return stages;
}

/** A step of a chain. */
export interface ChainStep extends Step {
  /** Whether a stage on top of another one starts with it. */
  opens: boolean;
  /** The number of its stage. */
  stage: number;
}

/** All that a stage consists of: an image, and the steps of the stages that it starts from and of itself. */
export interface Chain {
  image: string;
  /** The platform that a FROM of it asks for, and its line. */
  platform: { asked: string; line: number } | null;
  steps: readonly ChainStep[];
  /** The stages, the first one first. */
  stages: readonly number[];
}

/** What a stage consists of. */
export function chainOf(stages: readonly Stage[], at: number): Chain {
  const stage = stages[at];
  if (!stage) throw new Error(`there is no stage ${at}`);
  const { from, platform, line, steps } = stage;
  const below: Chain =
    "image" in from
      ? { image: from.image, platform: null, steps: [], stages: [] }
      : chainOf(stages, from.stage);
  return {
    image: below.image,
    platform: platform === null ? below.platform : { asked: platform, line },
    steps: [
      ...below.steps,
      ...steps.map((step, place) => ({ ...step, stage: at, opens: place === 0 && "stage" in from })),
    ],
    stages: [...below.stages, at],
  };
}

/**
 * The stage that `--from=` or `from=` names, among those before a stage; -1 for an image.
 * @param byNumber whether it may be a number
 */
export function stageNamed(
  stages: readonly Stage[],
  before: number,
  { name, byNumber }: { name: string; byNumber: boolean },
): number {
  if (byNumber && /^\d+$/.test(name) && Number(name) < before) return Number(name);
  return stages.slice(0, before).findLastIndex((stage) => stage.name === name.toLowerCase());
}
