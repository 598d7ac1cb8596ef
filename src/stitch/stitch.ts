import type { Catalog } from "../catalog/catalog.ts";
import { compareText } from "../model/compare.ts";
import { sha256 } from "../model/digest.ts";
import type { Inputs } from "../model/inputs.ts";
import type { DeclaredTest } from "../model/smoke.ts";
import { effectiveTests, hashedTests } from "../model/suite.ts";
import { boundOwners } from "./bound-owners.ts";
import { dockerignoreOf } from "./dockerignore.ts";
import type { ContextFile } from "./files.ts";
import { finishDockerfile, pinDockerfile } from "./finish.ts";
import { writeDockerfile } from "./frame.ts";
import { type CellKeys, keysFor, type Target } from "./keys.ts";
import { derivedLabels, recipeLabels } from "./labels.ts";
import { parentOf } from "./parents.ts";
import { recipeOf, recipeText, sourcesOf } from "./recipe.ts";
import { type Choice, resolve, type Resolved } from "./resolve.ts";
import type { Lowered } from "./choice.ts";
import { scriptText } from "./scripts.ts";
import type { Source } from "./source.ts";

export type { Prefix } from "./chain.ts";
export type { CellKeys, DigestOf, Target } from "./keys.ts";
export { firstOf, keysFor } from "./keys.ts";

/** A manifest rendered to a Dockerfile, with its keys. */
export interface Stitched extends CellKeys {
  manifest_id: string;
  /** The fragments whose version was chosen to fit the others. */
  lowered: readonly Lowered[];
  tests: DeclaredTest[];
  readonly dockerfile: string;
  /** The same without digests and without the labels that depend on them: the recipe key is over this. */
  recipeText: string;
  /** The same with digests but without any label: cells that differ only in their labels share it. */
  readonly unlabelled: string;
  /** All labels of the image, including those of the keys. */
  labels: Record<string, string>;
  /** The text of the Dockerfile.dockerignore. */
  readonly dockerignore: string;
  /** What it copies, from the workspace's root: files and folders of its fragments, and its sources, sorted. */
  copied: string[];
  /** The files of fragments that this means, as they were read, sorted by path. */
  files: ContextFile[];
  /** Its sources as they were read, sorted by path. */
  contents: readonly Source[];
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
  const keys = keysFor(recipeOf(catalog, resolved), target, parentOf(catalog, resolved, target));
  const { composed, labels, text } = recipeText(catalog, resolved);
  const derived = derivedLabels(keys.images, keys, keys.platform);
  const allowed = [...new Set(composed.bodies.flatMap((body) => body.allowed))].sort(compareText);
  const contents = sourcesOf(composed.bodies);
  return {
    manifest_id,
    ...keys,
    lowered: resolved.lowered,
    tests: boundOwners(
      manifest.file,
      effectiveTests(
        pieces.map(({ entry: { document, folder } }) => ({ ...document, folder })),
        smoke,
      ),
      pieces.map(({ entry }) => entry.document.name),
    ),
    recipeText: text,
    get dockerfile() {
      return finishDockerfile(text, keys.images, derived);
    },
    get unlabelled() {
      return pinDockerfile(writeDockerfile(composed, ""), keys.images);
    },
    labels: { ...labels, ...derived },
    get dockerignore() {
      return dockerignoreOf(contents, allowed, catalog.onProgress);
    },
    copied: [...allowed, ...contents.map(({ path }) => path)].sort(compareText),
    files: composed.bodies.flatMap((body) => body.files).sort((a, b) => compareText(a.path, b.path)),
    contents,
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
  // Picked one by one: what is made on demand stays unmade.
  const stitched = stitchResolved(catalog, resolved, about);
  const { tests, files, recipeText: dockerfile, manifest_id } = stitched;
  const { template, fragments, args, images, parent, environment, gpus, sources } = stitched;
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
    ...(sources.length > 0 && { sources: sources.map((one) => ({ ...one })) }),
    images: images.map((image) => ({ ...image })),
    ...(parent && { parent: { ...parent } }),
    environment: { ...environment },
    tests: hashedTests(tests, (path) => sha256(scriptText(catalog, path))),
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
