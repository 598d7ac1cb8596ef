import type { ReadImage } from "../../model/inputs.ts";
import { valueText } from "../../model/value.ts";
import { manifestOfRef } from "../../model/parent.ts";
import type { Inputs } from "./attempts.ts";
import type { Change, Reason } from "../action.ts";
import type { PlannedCell } from "../cell.ts";

/** Why two cells, or a cell and an attempt, have different verdict keys. */
export interface Difference {
  reason: Reason;
  /** Changes of the reason's own kind come first. */
  changes: Change[];
}

/** A reason that comes from a cell's inputs, with the inputs that differ. */
type Kind = readonly [Reason, Change[]];

const SHORT = "sha256:".length + 12;

/** Digests in a text cut to 12 hex digits. */
function short(text: string): string {
  return text.replace(/sha256:[a-f0-9]{64}/g, (digest) => digest.slice(0, SHORT));
}

/** One input before and after; nothing if it is the same. Values that differ are also shown differently. */
function changed(input: string, before: string | null, after: string | null): Change[] {
  if (before === after) return [];
  const [was, is] = [before, after].map((text) => (text === null ? null : short(text)));
  return was === is ? [{ input, before, after }] : [{ input, before: was ?? null, after: is ?? null }];
}

function templateChanges(before: Inputs["template"], after: Inputs["template"]): Change[] {
  const named = changed("template", `${before.id}@${before.version}`, `${after.id}@${after.version}`);
  return named.length > 0 ? named : changed("template.digest", before.digest, after.digest);
}

/** The names of both sides: those of the new side in its order, then those that are gone. */
function namesOf(before: Iterable<string>, after: Iterable<string>): string[] {
  return [...new Set([...after, ...before])];
}

/** Fragments that are new, gone or of another version; and those with the same version but other contents. */
function fragmentChanges(before: Inputs["fragments"], after: Inputs["fragments"]) {
  const was = new Map(before.map((one) => [one.name, one]));
  const is = new Map(after.map((one) => [one.name, one]));
  const versions: Change[] = [];
  const files: Change[] = [];
  for (const name of namesOf(was.keys(), is.keys())) {
    const [old, own] = [was.get(name), is.get(name)];
    const version = changed(`fragments.${name}`, old?.version ?? null, own?.version ?? null);
    versions.push(...version);
    if (version.length === 0)
      files.push(...changed(`fragments.${name}.digest`, old?.digest ?? null, own?.digest ?? null));
  }
  // The same fragments in another order make another chain.
  const order = (list: Inputs["fragments"]) => list.map(({ name }) => name).join(", ");
  if (versions.length === 0) versions.push(...changed("fragments", order(before), order(after)));
  return { versions, files };
}

/** Values as text for people, unless both would look the same: the text `1` and the number 1 are two values. */
function argChanges(before: Inputs["args"], after: Inputs["args"]): Change[] {
  return namesOf(Object.keys(before), Object.keys(after)).flatMap((name) => {
    const [was, is] = [before, after].map((args) => (Object.hasOwn(args, name) ? args[name] : undefined));
    if (was === is) return [];
    const texts = [was, is].map((value) => (value === undefined ? null : valueText(value)));
    if (typeof was === "object" && typeof is === "object" && texts[0] === texts[1]) return [];
    const exact = [was, is].map((value) => (value === undefined ? null : JSON.stringify(value)));
    const [old = null, own = null] = texts[0] === texts[1] ? exact : texts;
    return changed(`args.${name}`, old, own);
  });
}

/** Whether a base is the image of a manifest. */
function startsFromParent({ base }: Pick<Inputs, "base">): boolean {
  return manifestOfRef(base.ref) !== null;
}

/** Another manifest to start from, another key of its image, or the same key and another image. */
function parentChanges(before: Inputs, after: Inputs): Change[] {
  const [was, is] = [before.parent, after.parent];
  return [
    ...(is && was ? changed("parent.build_key", was.build_key, is.build_key) : []),
    ...(startsFromParent(after) ? changed("parent.digest", before.base.digest, after.base.digest) : []),
  ];
}

/** Images beside the base whose digest has changed: `images.node:22`. An older record names none. */
function imageChanges(before: Inputs["images"], after: Inputs["images"]): Change[] {
  if (!before || !after) return [];
  const digests = (images: readonly ReadImage[]) =>
    new Map(images.flatMap(({ role, ref, digest }) => (role === "base" ? [] : [[ref, digest ?? "unknown"]])));
  const [was, is] = [digests(before), digests(after)];
  return namesOf(was.keys(), is.keys()).flatMap((ref) =>
    changed(`images.${ref}`, was.get(ref) ?? null, is.get(ref) ?? null),
  );
}

/** Sources that are new, gone, or have other contents: `sources.services/billing`. */
function sourceChanges(before: Inputs["sources"] = [], after: Inputs["sources"] = []): Change[] {
  const [was, is] = [before, after].map((list) => new Map(list.map(({ path, sha256 }) => [path, sha256])));
  if (!was || !is) return [];
  return namesOf(was.keys(), is.keys()).flatMap((path) =>
    changed(`sources.${path}`, was.get(path) ?? null, is.get(path) ?? null),
  );
}

/** What went into a planned cell, in the form that records have. */
export function inputsOf({ cell, keys }: PlannedCell): Inputs {
  const { template, fragments, args, base, images, sources, parent } = keys;
  const { build_key, verdict_key, test_suite_hash } = keys;
  const { platform } = cell;
  const known = { template, fragments, args, base, images, sources, parent };
  return { ...known, platform, test_suite_hash, build_key, verdict_key };
}

/**
 * How the second differs from the first: every input that differs, digests cut to 12 hex digits, and the first kind of
 * them as the reason. A base whose digest only one side knows counts as another base, since the keys cannot be compared.
 * If the build keys are equal the bits are the same, whatever else is written differently: then the reason is TESTS or
 * POLICY. null if the verdict keys are equal.
 */
export function compareInputs(before: Inputs, after: Inputs): Difference | null {
  if (before.verdict_key === after.verdict_key) return null;
  const fragments = fragmentChanges(before.fragments, after.fragments);
  const bits: Kind[] = [
    [
      "BASE",
      [
        ...changed("base", before.base.ref, after.base.ref),
        ...(startsFromParent(after) ? [] : changed("base.digest", before.base.digest, after.base.digest)),
        ...imageChanges(before.images, after.images),
      ],
    ],
    ["PARENT", parentChanges(before, after)],
    ["TEMPLATE", templateChanges(before.template, after.template)],
    ["FRAGMENT", fragments.versions],
    ["FILES", [...fragments.files, ...sourceChanges(before.sources, after.sources)]],
    ["ARGS", argChanges(before.args, after.args)],
  ];
  const tests: Kind = ["TESTS", changed("tests", before.test_suite_hash, after.test_suite_hash)];
  const platform = changed("platform", before.platform, after.platform);
  const sameBits = before.build_key === after.build_key;
  const named = bits.some(([, changes]) => changes.length > 0) || platform.length > 0;
  const policy: Change[] = [...platform];
  // None of the named inputs changed the key: it was a label, GPUs or limits.
  if (!sameBits && !named) policy.push(...changed("build_key", before.build_key, after.build_key));
  if (sameBits && tests[1].length === 0)
    policy.push(...changed("verdict_key", before.verdict_key, after.verdict_key));
  const kinds: Kind[] = sameBits
    ? [tests, ["POLICY", policy], ...bits]
    : [...bits, tests, ["POLICY", policy]];
  const [reason] = kinds.find(([, changes]) => changes.length > 0) ?? ["POLICY"];
  return { reason, changes: kinds.flatMap(([, changes]) => changes) };
}
