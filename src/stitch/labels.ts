import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import { compareText } from "../model/compare.ts";
import { canonicalJson } from "../model/digest.ts";
import type { Manifest, Template } from "../schemas/types.ts";
import { keep } from "./memo.ts";

const FRAGMENTS_LABEL = "io.factory.fragments";
/** Stands where the list of fragments will: no text of a document has control characters. */
const LIST = "\u0006";

/** A value as it stands between double quotes. */
export function quotedValue(value: string): string {
  return value.replace(/["\\$]/g, "\\$&");
}

/** `LABEL` with one sorted pair a line. Values are quoted as Dockerfile words. */
export function labelInstruction(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => compareText(a, b));
  return `LABEL ${pairs.map(([key, value]) => `${key}="${quotedValue(value)}"`).join(" \\\n      ")}`;
}

/** What the images of one manifest and template on one base have in common. */
export interface Ground {
  base: Readonly<{ ref: string; digest: string | null }>;
  /** The base as canonical JSON, and its reference alone. */
  baseJson: string;
  refJson: string;
  /** The reference behind FROM, pinned where a digest is known. */
  from: string;
  /** The labels, without the build key, for a list of fragments such as `core@0.1.0,app@0.1.0`. */
  labels: (fragments: string) => Record<string, string>;
  /** What stands in their instruction before the list of fragments, and behind it. */
  beforeList: string;
  behindList: string;
}

/** The reference behind FROM: pinned where a digest is known and not already part of it. */
function pinned(ref: string, digest: string | null): string {
  return digest === null || ref.includes("@") || ref === "scratch" ? ref : `${ref}@${digest}`;
}

function makeGround(
  { document }: Entry<Manifest>,
  template: FolderEntry<Template>,
  ref: string,
  baseDigest: string | null,
): Ground {
  const { manifest_id, summary } = document;
  const digest = /@(sha256:[a-f0-9]{64})$/.exec(ref)?.[1] ?? baseDigest;
  const base = Object.freeze({ ref, digest });
  // Labels are in NFC: a bake file cannot carry another form, and the Dockerfile's have to be the same.
  const labels = (fragments: string) => ({
    "org.opencontainers.image.title": manifest_id,
    ...(summary === undefined ? {} : { "org.opencontainers.image.description": summary.normalize("NFC") }),
    "org.opencontainers.image.base.name": ref,
    ...(digest === null ? {} : { "org.opencontainers.image.base.digest": digest }),
    "io.factory.manifest-id": manifest_id,
    "io.factory.template": `${template.document.template_id}@${template.document.version}`,
    [FRAGMENTS_LABEL]: fragments,
  });
  const instruction = labelInstruction(labels(LIST));
  // A quote inside of a value stands behind a backslash: this can be the label alone.
  const at = instruction.indexOf(`${FRAGMENTS_LABEL}="${LIST}"`) + `${FRAGMENTS_LABEL}="`.length;
  return {
    base,
    baseJson: canonicalJson(base),
    refJson: canonicalJson(ref),
    from: pinned(ref, digest),
    labels,
    beforeList: instruction.slice(0, at),
    behindList: instruction.slice(at + LIST.length),
  };
}

const grounds = new WeakMap<Entry<Manifest>, WeakMap<FolderEntry<Template>, Map<string, Ground>>>();

/** @param baseDigest of the base as the builder resolves it; null where it is not known */
export function groundOf(
  manifest: Entry<Manifest>,
  template: FolderEntry<Template>,
  ref: string,
  baseDigest: string | null,
): Ground {
  let byTemplate = grounds.get(manifest);
  if (!byTemplate) grounds.set(manifest, (byTemplate = new WeakMap()));
  let byBase = byTemplate.get(template);
  if (!byBase) byTemplate.set(template, (byBase = new Map<string, Ground>()));
  return keep(byBase, `${ref}\n${baseDigest ?? ""}`, () => makeGround(manifest, template, ref, baseDigest));
}
