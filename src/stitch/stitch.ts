import type { Catalog } from "../catalog/catalog.ts";
import { compareText } from "../model/compare.ts";
import { canonicalJson } from "../model/digest.ts";
import {
  type Inputs,
  joinBuildKey,
  joinVerdictKey,
  type Keys,
  listJson,
  type ReadImage,
} from "../model/inputs.ts";
import type { DeclaredTest } from "../model/smoke.ts";
import { effectiveTests, hashedTests } from "../model/suite.ts";
import type { ContextFile } from "./files.ts";
import { finishDockerfile, pinDockerfile } from "./finish.ts";
import { writeDockerfile } from "./frame.ts";
import type { ImagesRead, ImageUse } from "./images.ts";
import { derivedLabels, recipeLabels } from "./labels.ts";
import { keep } from "./memo.ts";
import { type Recipe, recipeOf, recipeText } from "./recipe.ts";
import { type Choice, resolve, type Resolved } from "./resolve.ts";

export type { Prefix } from "./chain.ts";

/** The digest that the builder resolves an image to on a platform, `sha256:…`; null if nobody was asked. */
export type DigestOf = (ref: string, platform: string) => string | null;

/** What is known beside the recipe. Everything may be unknown: stitching asks nobody. */
export interface Target {
  digestOf?: DigestOf;
  /** null, or left out, for no particular platform. */
  platform?: string | null;
  /** Values that the environment passes to a build, such as SOURCE_DATE_EPOCH. */
  environment?: Readonly<Record<string, string>>;
}

/**
 * A cell's keys and everything that went into them, without the texts: what a plan of many cells keeps of each. Parts are
 * shared between cells, and frozen.
 */
export interface CellKeys
  extends Keys, Pick<Recipe, "template" | "fragments" | "args" | "gpus" | "prefixes" | "reads"> {
  /** The image that the last stage starts from. */
  base: Readonly<{ ref: string; digest: string | null }>;
  /** All images that are read, sorted by role and reference. */
  images: readonly ReadImage[];
  platform: string | null;
  environment: Readonly<Record<string, string>>;
}

/** A manifest rendered to a Dockerfile, with its keys. */
export interface Stitched extends CellKeys {
  manifest_id: string;
  tests: DeclaredTest[];
  readonly dockerfile: string;
  /** The same without digests and without the labels that depend on them: the recipe key is over this. */
  recipeText: string;
  /** The same with digests but without any label: cells that differ only in their labels share it. */
  readonly unlabelled: string;
  /** All labels of the image, including those of the keys. */
  labels: Record<string, string>;
  /** The text of the Dockerfile.dockerignore. */
  dockerignore: string;
  /** What it copies, from the workspace's root: files and folders of its fragments, sorted. */
  copied: string[];
  /** The files that this means, as they were read, sorted by path. */
  files: ContextFile[];
}

/** Images with their digests, as a list and as the text that is hashed. */
interface Resolution {
  images: readonly ReadImage[];
  base: CellKeys["base"];
  json: string;
}

const NOBODY: DigestOf = () => null;
const NO_ENVIRONMENT = Object.freeze({});
const resolutions = new WeakMap<readonly ImageUse[], Map<string, Resolution>>();

function makeResolution({ uses, base: ref }: ImagesRead, digests: readonly (string | null)[]): Resolution {
  const images = uses.map(({ role, ref: own }, at) =>
    Object.freeze({ role, ref: own, digest: digests[at] ?? null }),
  );
  const digest = images.find(({ role }) => role === "base")?.digest ?? null;
  return { images: Object.freeze(images), base: Object.freeze({ ref, digest }), json: listJson(images) };
}

/** The digest of an image that is used: the one in its reference, or the builder's. */
function digestOfUse({ ref, platform }: ImageUse, digestOf: DigestOf, own: string): string | null {
  if (ref === "scratch") return null;
  return /@(sha256:[a-f0-9]{64})$/.exec(ref)?.[1] ?? digestOf(ref, platform ?? own);
}

/** The resolved images: the same for all cells with the same known digests. */
function resolveImages(images: ImagesRead, { digestOf = NOBODY, platform }: Target): Resolution {
  const digests = images.uses.map((use) => digestOfUse(use, digestOf, platform ?? ""));
  let known = resolutions.get(images.uses);
  if (!known) resolutions.set(images.uses, (known = new Map<string, Resolution>()));
  return keep(known, digests.join(), () => makeResolution(images, digests));
}

/** The keys of a recipe with what is known beside it. Nothing is rendered. */
export function keysFor(recipe: Recipe, target: Target = {}): CellKeys {
  const { template, fragments, args, gpus, prefixes, reads, recipe_key, test_suite_hash, policy } = recipe;
  const { platform = null, environment = NO_ENVIRONMENT } = target;
  const { images, base, json } = resolveImages(reads, target);
  const build_key = joinBuildKey(recipe_key, {
    imagesJson: json,
    platformJson: canonicalJson(platform),
    environmentJson: canonicalJson(environment),
  });
  return {
    template,
    base,
    images,
    reads,
    fragments,
    args,
    gpus,
    recipe_key,
    build_key,
    test_suite_hash,
    verdict_key: joinVerdictKey(build_key, test_suite_hash, policy),
    platform,
    environment,
    prefixes,
  };
}

/** All labels of an image, without rendering it: those of `stitchResolved` with the same keys. */
export function imageLabels(
  { manifest, template, pieces }: Resolved,
  keys: CellKeys,
): Record<string, string> {
  const fragments = pieces.map(({ label }) => label);
  return {
    ...recipeLabels(manifest, template, { base: keys.base.ref, fragments }),
    ...derivedLabels(keys.images, keys, keys.platform),
  };
}

/**
 * Renders an already resolved manifest.
 * @throws FactoryError as recipeOf does
 */
export function stitchResolved(catalog: Catalog, resolved: Resolved, target: Target = {}): Stitched {
  const { manifest, pieces } = resolved;
  const { manifest_id, smoke } = manifest.document;
  const keys = keysFor(recipeOf(catalog, resolved), target);
  const { composed, labels, text } = recipeText(catalog, resolved);
  const derived = derivedLabels(keys.images, keys, keys.platform);
  const copied = [...new Set(composed.bodies.flatMap((body) => body.allowed))].sort(compareText);
  return {
    manifest_id,
    ...keys,
    tests: effectiveTests(
      pieces.map(({ entry }) => entry.document),
      smoke,
    ),
    recipeText: text,
    get dockerfile() {
      return finishDockerfile(text, keys.images, derived);
    },
    get unlabelled() {
      return pinDockerfile(writeDockerfile(composed, ""), keys.images);
    },
    labels: { ...labels, ...derived },
    dockerignore: ["*", ...copied.map((path) => `!${path}`), ""].join("\n"),
    copied,
    files: composed.bodies.flatMap((body) => body.files).sort((a, b) => compareText(a.path, b.path)),
  };
}

/**
 * Everything that goes into the keys of a cell, as one document, from which `keysOf` computes the same keys.
 * @throws FactoryError as recipeOf does
 */
export function cellInputs(
  catalog: Catalog,
  resolved: Resolved,
  about: Target & { platform: string; cell_id: string },
): Inputs {
  const { cell_id, platform } = about;
  const {
    tests,
    files,
    recipeText: dockerfile,
    manifest_id,
    ...keys
  } = stitchResolved(catalog, resolved, about);
  const { template, fragments, args, images, environment, gpus } = keys;
  const { memory_mb, pids, timeout_s } = catalog.settings().smoke;
  return {
    schema_version: 1,
    manifest_id,
    cell_id,
    platform,
    template: { ...template },
    fragments: fragments.map((one) => ({ ...one })),
    args: { ...args },
    dockerfile,
    files,
    images: images.map((image) => ({ ...image })),
    environment: { ...environment },
    tests: tests.flatMap((test) => hashedTests(test.from, [test])),
    gpus,
    limits: { memory_mb, pids, timeout_s },
  };
}

/**
 * Renders a manifest to a Dockerfile: the same input gives the same bytes, whatever the clock, the locale, the order of
 * directories and the path of the workspace.
 * @throws FactoryError with all findings of the documents, or the first one of the rendering
 */
export function stitch(
  catalog: Catalog,
  manifestId: string,
  choice: Choice = {},
  target: Target = {},
): Stitched {
  return stitchResolved(catalog, resolve(catalog, manifestId, choice), target);
}
