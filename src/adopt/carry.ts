import { exposedSecrets } from "../stitch/exposed.ts";
import { unclearReferences } from "../stitch/images.ts";
import { parseDockerfile } from "../stitch/dockerfile.ts";
import { secretUses } from "../stitch/secret-uses.ts";
import { openSources } from "../stitch/sources.ts";
import { readsOf } from "./context-reads.ts";
import { callAfter, escapeHandlebars } from "./escape.ts";
import { type Hole, holesOf } from "./holes.ts";
import type { Step } from "./stages.ts";

/** Something that is written in place of a part of a logical line. */
interface Edit {
  start: number;
  end: number;
  before: string;
  /** The call, such as `source "app"`. */
  call: string;
  after: string;
}

/** A step as it goes into a fragment. */
export interface Carried {
  step: Step;
  /** Two steps with the same key are the same but for the values of their holes. */
  key: string;
  edits: readonly Edit[];
  holes: readonly Hole[];
  /** Paths of the context that it reads. */
  paths: readonly string[];
  /** Whether it reads a file of the context, or of another stage. */
  reads: boolean;
  /** Why it cannot be carried. */
  problem?: string;
  /** What it takes from outside that nothing pins. */
  open?: string;
  secrets: readonly string[];
  ssh: readonly string[];
}

/** The source by which fragments read the build context. */
export const SOURCE = "app";

const SECRET_ID = /^(?!factory_)[A-Za-z][A-Za-z0-9._-]{0,62}$/;

function contextEdit({
  start,
  end,
  path,
  isMount,
}: {
  start: number;
  end: number;
  path: string;
  isMount: boolean;
}): Edit {
  const call = `source "${SOURCE}"`;
  if (start === end && isMount) return { start, end, before: ",source=", call, after: "" };
  const lead = /^(?:\.\/)*(?:\.$)?/.exec(path)?.[0].length ?? 0;
  const rest = path.slice(lead);
  const slash = rest === "" ? path.endsWith("/") : !rest.startsWith("/");
  return { start, end: start + lead, before: "", call, after: slash ? "/" : "" };
}

/**
 * How a step is carried over.
 * @param fragmentOf the fragment of the stage that a `--from=` names; undefined for an image
 */
export function carry(
  step: Step,
  fragmentOf: (name: string, byNumber: boolean) => string | undefined,
): Carried {
  const { written, instruction } = step;
  const { places, unclear } = readsOf(written);
  const edits: Edit[] = [];
  const paths: string[] = [];
  let problem = unclear;
  for (const place of places) {
    if (place.kind === "context") {
      edits.push(contextEdit(place));
      paths.push(place.path);
      continue;
    }
    const fragment = fragmentOf(place.name, !place.isMount);
    if (fragment !== undefined)
      edits.push({ start: place.start, end: place.end, before: "", call: `stage "${fragment}"`, after: "" });
  }
  const text = `${written.raw}${written.heredocs}`;
  const parsed = parseDockerfile(text);
  const [reference] = unclearReferences(text, parsed);
  const uses = secretUses([instruction]);
  problem ??= reference && `it is not clear which image ${reference.reference.name} is: ${reference.why}`;
  problem ??= exposedSecrets([instruction])[0]?.what;
  problem ??= uses.some(({ id }) => !SECRET_ID.test(id)) ? "the id of its secret is not plain" : undefined;
  edits.sort((a, b) => a.start - b.start);
  const holes = problem === undefined ? holesOf(written, edits) : [];
  const [open] = openSources([instruction]);
  const cuts = [
    ...edits.map(({ start, end, before, call, after }) => ({
      start,
      end,
      mark: `${before}\u0001${call}\u0001${after}`,
    })),
    ...holes.map(({ start, end, name }) => ({ start, end, mark: `\u0002${name}\u0002` })),
  ].sort((a, b) => a.start - b.start);
  let key = "";
  let at = 0;
  for (const { start, end, mark } of cuts) {
    key += written.line.slice(at, start) + mark;
    at = end;
  }
  key += written.line.slice(at).trimEnd() + written.heredocs;
  return {
    step,
    key,
    edits,
    holes,
    paths,
    reads: places.length > 0,
    ...(problem !== undefined && { problem }),
    ...(open && { open: open.what }),
    secrets: uses.flatMap(({ kind, id }) => (kind === "secret" ? [id] : [])),
    ssh: uses.flatMap(({ kind, id }) => (kind === "ssh" ? [id] : [])),
  };
}

/**
 * The text of a step for a Dockerfile.hbs.
 * @param argFor the argument that stands for a hole; undefined leaves its value
 */
export function writeStep(
  { step, edits, holes, problem }: Carried,
  argFor: (hole: number) => string | undefined,
): string {
  const { written, comments } = step;
  const lead = comments.map((comment) => `${escapeHandlebars(comment)}\n`).join("");
  const { raw, line, at } = written;
  if (problem !== undefined)
    return `${lead}# not carried over: line ${step.instruction.line} of the original`;
  const place = (logical: number): number =>
    logical < line.length ? (at[logical] ?? 0) : (at[line.length - 1] ?? -1) + 1;
  const cuts: Edit[] = [
    ...edits,
    ...holes.flatMap(({ start, end }, index): Edit[] => {
      const name = argFor(index);
      return name === undefined ? [] : [{ start, end, before: "", call: `args.${name}`, after: "" }];
    }),
  ].sort((a, b) => a.start - b.start);
  let text = "";
  let from = 0;
  for (const { start, end, before, call, after } of cuts) {
    const begin = place(start);
    text += escapeHandlebars(raw.slice(from, begin)) + before;
    text += callAfter(text, call) + after;
    from = end === start ? begin : (at[end - 1] ?? begin) + 1;
  }
  return `${lead}${text}${escapeHandlebars(raw.slice(from) + written.heredocs)}`;
}
