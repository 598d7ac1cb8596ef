import type { Catalog, Entry, FolderEntry } from "../catalog/catalog.ts";
import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { digestOf, sha256 } from "../model/digest.ts";
import { joinRecipeKey, joinSuiteHash, listJson, policyJson, type ReadSource } from "../model/inputs.ts";
import type { SecretNeed } from "../model/secret.ts";
import { declaredTests, hashedTests } from "../model/suite.ts";
import { quoted } from "../model/visible.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Template, Value } from "../schemas/types.ts";
import { argsByName } from "./args.ts";
import { type Chain, chainOf, emptyChain, type Prefix } from "./chain.ts";
import type { Resolved } from "./choice.ts";
import type { Body } from "./fragment-body.ts";
import { type Composed, compose, writeDockerfile } from "./frame.ts";
import type { ImagesRead } from "./images.ts";
import { labelInstruction, recipeLabels } from "./labels.ts";
import { keep, ofCatalog } from "./memo.ts";
import type { FragmentDigest, Piece } from "./piece.ts";
import { secretNeeds } from "./refuse-secrets.ts";
import { scriptHashes } from "./scripts.ts";
import type { Source } from "./source.ts";

/**
 * What cells have in common that differ only in their platform, or in the digests of their images. Its texts are not
 * kept: a plan of many cells would keep them all in memory.
 */
export interface Recipe {
  readonly template: Readonly<{ id: string; version: string; digest: string }>;
  /** In the order of the Dockerfile. */
  readonly fragments: readonly FragmentDigest[];
  /** By the argument's name if only one fragment declares it, else by `fragment.argument`; sorted. */
  readonly args: Readonly<Record<string, Value>>;
  readonly gpus: "all" | number | null;
  /** The images that are read, and the one that the last stage starts from. */
  readonly reads: ImagesRead;
  /** The sources that are read, sorted by path. */
  readonly sources: readonly ReadSource[];
  readonly prefixes: readonly Prefix[];
  readonly recipe_key: string;
  readonly test_suite_hash: string;
  /** See policyJson of src/model/inputs.ts. */
  readonly policy: string;
  /** The secrets that a build needs. Their ids are in the Dockerfile, and so in the keys. */
  readonly secrets: readonly SecretNeed[];
  /** The documents that say `reuse: never`: `fragments/x/1.0.0/fragment.yaml`. */
  readonly neverReused: readonly string[];
}

/** The Dockerfile without digests and without the labels that depend on them. */
export interface RecipeText {
  composed: Composed;
  labels: Record<string, string>;
  text: string;
}

const argsOf = ofCatalog(() => new Map<string, Recipe["args"]>());
const policiesOf = ofCatalog(() => new Map<Recipe["gpus"], string>());
const templatesOf = ofCatalog(() => new Map<FolderEntry<Template>, Recipe["template"]>());

function templateDigest({ document, dockerfile }: FolderEntry<Template>): Recipe["template"] {
  const { template_id: id, version, slots, reuse, secrets, ssh } = document;
  const digest = digestOf({
    scheme: "factory/template/2",
    slots: slots.map(({ name, optional = false, many = false, builder = false }) => ({
      name,
      optional,
      ...(many && { many }),
      ...(builder && { builder }),
    })),
    reuse: reuse ?? null,
    ...(secrets && { secrets }),
    ...(ssh && { ssh }),
    dockerfile: sha256(dockerfile.text),
  });
  return Object.freeze({ id, version, digest });
}

/** The text of a recipe, put together from checked parts. @throws FactoryError as compose does */
export function recipeText(catalog: Catalog, { manifest, template, pieces, base }: Resolved): RecipeText {
  const composed = compose(catalog, template, pieces, base);
  const fragments = pieces.map(({ label }) => label);
  const labels = recipeLabels(manifest, template, { base: composed.images.base, fragments });
  return { composed, labels, text: writeDockerfile(composed, labelInstruction(labels)) };
}

/**
 * The sources of all bodies, sorted by path, each once.
 * @throws FactoryError SOURCE_INVALID if two of them overlap: what one leaves out, the other would bring along
 */
export function sourcesOf(bodies: readonly Body[]): readonly Source[] {
  const sorted = bodies.flatMap(({ sources }) => sources).sort((a, b) => compareText(a.path, b.path));
  const own = sorted.filter((one, at) => {
    const before = sorted[at - 1];
    return one.path !== before?.path || one.sha256 !== before.sha256;
  });
  for (const inner of own) {
    const outer = own.find(
      (one) =>
        one !== inner &&
        (one.path === "." || one.path === inner.path || inner.path.startsWith(`${one.path}/`)),
    );
    if (!outer) continue;
    throw new FactoryError(
      "SOURCE_INVALID",
      `two sources overlap: ${quoted(outer.path)} and ${quoted(inner.path)}${outer.path === inner.path ? ", which leave out different things" : ""}`,
      {
        where: inner.where,
        fix: 'declare one source, and copy parts of it, such as {{source "app"}}/web',
      },
    );
  }
  return own;
}

/** The parts of a source that are in keys. */
function readSource({ path, entries, bytes, sha256: own }: Source): ReadSource {
  return { path, entries, bytes, sha256: own };
}

/** The files of all pieces as canonical JSON, sorted by path: each piece has its own folder. */
function filesJson(pieces: readonly Piece[]): string {
  const holding = pieces.filter((piece) => piece.filesJson() !== "");
  return holding
    .sort((a, b) => compareText(a.folder, b.folder))
    .map((piece) => piece.filesJson())
    .join(",");
}

function suiteHash(catalog: Catalog, pieces: readonly Piece[], manifest: Entry<Manifest>): string {
  const own = declaredTests("manifest", manifest.document.smoke);
  const parts = [
    ...pieces.map(({ testsJson }) => testsJson()),
    listJson(hashedTests(own, scriptHashes(catalog, manifest))),
  ];
  return joinSuiteHash(parts.filter((json) => json !== "").join(","));
}

function makeRecipe(catalog: Catalog, resolved: Resolved, chain: Chain): Recipe {
  const { manifest, template, pieces } = resolved;
  const { composed, text } = recipeText(catalog, resolved);
  const gpus = manifest.document.gpus ?? null;
  const sources = sourcesOf(composed.bodies).map(readSource);
  const documents = [template, ...pieces.map(({ entry }) => entry)];
  return Object.freeze({
    template: keep(templatesOf(catalog), template, () => templateDigest(template)),
    fragments: Object.freeze(pieces.map((piece) => piece.digest())),
    args: keep(argsOf(catalog), pieces.map(({ argsKey }) => argsKey).join("\n"), () => argsByName(pieces)),
    gpus,
    reads: composed.images,
    prefixes: chain.prefixes,
    sources: Object.freeze(sources),
    recipe_key: joinRecipeKey(sha256(text), filesJson(pieces), listJson(sources)),
    test_suite_hash: suiteHash(catalog, pieces, manifest),
    policy: keep(policiesOf(catalog), gpus, () => policyJson(gpus, catalog.settings().smoke)),
    secrets: secretNeeds([
      { label: `${template.document.template_id}@${template.document.version}`, uses: composed.secrets },
      ...pieces.map((piece) => ({ label: piece.label, uses: piece.body().secrets })),
    ]),
    neverReused: documents.flatMap(({ document, file }) => (document.reuse === "never" ? file : [])),
  });
}

const chainsOf = ofCatalog(() => new Map<string, Chain>());
const recipesOf = ofCatalog(() => new Map<Entry<Manifest>, Map<FolderEntry<Template>, Map<Chain, Recipe>>>());

/**
 * The recipe of an already resolved manifest: made once for all cells that have it.
 * @throws FactoryError TEMPLATE_*, ARG_*, FILE_*, SLOT_*, IMAGE_UNCLEAR, SOURCE_*, SECRET_*, COPY_*: the first one found
 */
export function recipeOf(catalog: Catalog, resolved: Resolved): Recipe {
  const { manifest, template, pieces, builders, base } = resolved;
  const ofManifest = keep(
    recipesOf(catalog),
    manifest,
    () => new Map<FolderEntry<Template>, Map<Chain, Recipe>>(),
  );
  const recipes = keep(ofManifest, template, () => new Map<Chain, Recipe>());
  const before = pieces.slice(0, builders).map((piece) => piece.linkJson());
  const chain = chainOf(
    keep(chainsOf(catalog), [base, ...before].join("\n"), () => emptyChain(base, before)),
    pieces.slice(builders),
  );
  return keep(recipes, chain, () => makeRecipe(catalog, resolved, chain));
}
