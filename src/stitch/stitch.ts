import type { Catalog, Entry, FolderEntry } from "../catalog/catalog.ts";
import { compareText } from "../model/compare.ts";
import { canonicalJson, digestOf, sha256 } from "../model/digest.ts";
import type { DeclaredTest } from "../model/smoke.ts";
import { effectiveTests } from "../model/suite.ts";
import type { Manifest, Template, Value } from "../schemas/types.ts";
import type { ContextFile } from "./files.ts";
import { type Composed, compose, writeDockerfile } from "./frame.ts";
import { joinBuildKey, joinSuiteHash, joinVerdictKey, policyJson, testsJson } from "./keys.ts";
import { type Ground, groundOf, labelInstruction } from "./labels.ts";
import { keep, ofCatalog } from "./memo.ts";
import type { Piece, Share } from "./piece.ts";
import { type Named, type Prefix, withPrefixes } from "./prefixes.ts";
import { BUILD_KEY_LABEL } from "./render.ts";
import { type Choice, resolve, type Resolved } from "./resolve.ts";

export type { Prefix } from "./prefixes.ts";

/** What is known of the base and the platform. Both may be unknown: stitching asks nobody. */
export interface Target {
  /** `sha256:…` of the base as the builder resolves it. */
  baseDigest?: string | null;
  /** null or left out for the recipe as such. */
  platform?: string | null;
}

/**
 * All that went into a cell's keys, without the texts: what a plan of many cells holds of each. Parts are shared between
 * cells and frozen.
 */
export interface CellKeys {
  template: Readonly<{ id: string; version: string; digest: string }>;
  base: Readonly<{ ref: string; digest: string | null }>;
  /** In the order of the Dockerfile. */
  fragments: Named[];
  args: Readonly<Record<string, Value>>;
  gpus: "all" | number | null;
  build_key: string;
  verdict_key: string;
  /** `suiteHash` of the tests. */
  suite_hash: string;
  readonly prefixes: Prefix[];
  platform: string | null;
}

/** A manifest rendered to a Dockerfile, with its keys. */
export interface Stitched extends CellKeys {
  manifest_id: string;
  tests: DeclaredTest[];
  dockerfile: string;
  /** All labels of the image, the build key's among them. */
  labels: Record<string, string>;
  /** The text of the Dockerfile.dockerignore. */
  dockerignore: string;
  /** What it copies, from the workspace's root: files and folders of its fragments, sorted. */
  copied: string[];
  /** The files behind that, as they were read. */
  files: ContextFile[];
}

/** What a manifest gives to the keys of its cells. */
interface Terms {
  gpus: "all" | number | null;
  testsJson: string;
  policyJson: string;
  /** Hashes of suites, by the numbers of the fragments' tests. */
  suites: Map<string, string>;
}

const termsOf = ofCatalog(() => new Map<Entry<Manifest>, Terms>());
const templatesOf = ofCatalog(() => new Map<FolderEntry<Template>, CellKeys["template"]>());

function makeTerms(catalog: Catalog, { document }: Entry<Manifest>): Terms {
  const gpus = document.gpus ?? null;
  return {
    gpus,
    testsJson: testsJson("manifest", document.smoke),
    policyJson: policyJson(gpus, catalog.settings().smoke),
    suites: new Map(),
  };
}

function templateKeys({ document, dockerfile }: FolderEntry<Template>): CellKeys["template"] {
  const { template_id: id, version, slots } = document;
  const digest = digestOf({
    scheme: "factory/template/1",
    slots: slots.map(({ name, optional }) => ({ name, optional: optional ?? false })),
    dockerfile: sha256(dockerfile.text),
  });
  return Object.freeze({ id, version, digest });
}

/** The files of all pieces as canonical JSON, sorted by path: each piece's stand in a folder of its own. */
function filesJson(pieces: readonly Piece[], shares: readonly Share[]): string {
  const holding: { folder: string; json: string }[] = [];
  for (let at = 0; at < pieces.length; at += 1) {
    const json = shares[at]?.filesJson ?? "";
    if (json !== "") holding.push({ folder: pieces[at]?.folder ?? "", json });
  }
  holding.sort((a, b) => compareText(a.folder, b.folder));
  let all = "";
  for (const { json } of holding) all += all === "" ? json : `,${json}`;
  return all;
}

/** The hash of the pieces' tests and the manifest's. */
function suiteHashOf(suites: Map<string, string>, pieces: readonly Piece[], manifestTests: string): string {
  let key = "";
  for (const piece of pieces) {
    const { number } = piece.tests();
    if (number > 0) key += `${number},`;
  }
  return keep(suites, key, () =>
    joinSuiteHash(
      [...pieces.map((piece) => piece.tests().json), manifestTests].filter((json) => json !== "").join(","),
    ),
  );
}

interface Parts {
  keys: CellKeys;
  ground: Ground;
  composed: Composed;
}

function partsOf(
  catalog: Catalog,
  resolved: Resolved,
  { baseDigest = null, platform = null }: Target,
): Parts {
  const { manifest, template, pieces, base: ref, args } = resolved;
  const ground = groundOf(manifest, template, ref, baseDigest);
  const composed = compose(catalog, template, pieces, ground.from);
  const shares: Share[] = [];
  const fragments: CellKeys["fragments"] = [];
  let list = "";
  for (const piece of pieces) {
    const share = piece.share(composed.keepsModes);
    shares.push(share);
    fragments.push(share.named);
    list += list === "" ? piece.label : `,${piece.label}`;
  }
  const dockerfile = writeDockerfile(composed, `${ground.beforeList}${list}${ground.behindList}`);
  const build_key = joinBuildKey(dockerfile, {
    filesJson: filesJson(pieces, shares),
    baseJson: ground.baseJson,
    platformJson: canonicalJson(platform),
  });
  const terms = keep(termsOf(catalog), manifest, () => makeTerms(catalog, manifest));
  const suite_hash = suiteHashOf(terms.suites, pieces, terms.testsJson);
  const keys = withPrefixes({
    template: keep(templatesOf(catalog), template, () => templateKeys(template)),
    base: ground.base,
    fragments,
    args,
    gpus: terms.gpus,
    build_key,
    verdict_key: joinVerdictKey(build_key, suite_hash, terms.policyJson),
    suite_hash,
    platform,
  });
  return { keys, ground, composed };
}

/**
 * The keys of an already resolved manifest, without its texts.
 * @throws FactoryError as stitchResolved does
 */
export function cellKeys(catalog: Catalog, resolved: Resolved, target: Target = {}): CellKeys {
  return partsOf(catalog, resolved, target).keys;
}

function labelsWith(ground: Ground, { fragments, build_key }: CellKeys): Record<string, string> {
  const list = fragments.map(({ name, version }) => `${name}@${version}`).join(",");
  return { ...ground.labels(list), [BUILD_KEY_LABEL]: build_key };
}

/** All labels of an image, without rendering it: those of `stitchResolved` with the same keys. */
export function imageLabels({ manifest, template }: Resolved, keys: CellKeys): Record<string, string> {
  return labelsWith(groundOf(manifest, template, keys.base.ref, keys.base.digest), keys);
}

/**
 * Renders an already resolved manifest.
 * @throws FactoryError TEMPLATE_*, ARG_*, FILE_*, SLOT_*: the first that is met
 */
export function stitchResolved(catalog: Catalog, resolved: Resolved, target: Target = {}): Stitched {
  const { keys, ground, composed } = partsOf(catalog, resolved, target);
  const { manifest_id, smoke } = resolved.manifest.document;
  const documents = resolved.fragments.map(({ document }) => document);
  const labels = labelsWith(ground, keys);
  const copied = [...new Set(composed.bodies.flatMap((body) => body.allowed))].sort(compareText);
  return {
    manifest_id,
    ...keys,
    tests: effectiveTests(documents, smoke),
    dockerfile: writeDockerfile(composed, labelInstruction(labels)),
    labels,
    dockerignore: ["*", ...copied.map((path) => `!${path}`), ""].join("\n"),
    copied,
    files: composed.bodies.flatMap((body) => body.files),
  };
}

/**
 * Renders a manifest to a Dockerfile: the same input gives the same bytes, whatever the clock, the locale, the
 * directory order and the place of the workspace.
 * @throws FactoryError with all findings of the documents, or the first of the rendering
 */
export function stitch(
  catalog: Catalog,
  manifestId: string,
  choice: Choice = {},
  target: Target = {},
): Stitched {
  return stitchResolved(catalog, resolve(catalog, manifestId, choice), target);
}
