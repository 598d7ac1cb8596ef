import type { Value } from "../schemas/types.ts";
import { canonicalJson, sha256 } from "./digest.ts";
import type { SmokeLimits } from "./smoke.ts";
import type { HashedTest } from "./suite.ts";

export type { HashedTest } from "./suite.ts";

/** The role of an image that a build reads. `base` is the one that the last stage starts from. */
export type ImageRole = "base" | "stage" | "copy" | "mount" | "syntax";

/** An image that a build reads. */
export interface ReadImage {
  role: ImageRole;
  /** As in the Dockerfile: `debian:bookworm-slim`, `scratch`. */
  ref: string;
  /** `sha256:…` as the builder resolves it; null if nobody was asked, and for `scratch`. */
  digest: string | null;
}

/** The manifest whose image a cell starts from. The image itself is among the images that the build reads. */
export interface Parent {
  manifest_id: string;
  /** The build key of that image, as far as it is known. */
  build_key: string;
}

/** A file, folder or link that a build reads. */
export interface ReadFile {
  /** From the workspace's root, with `/`; a folder's ends in `/`. */
  path: string;
  /** One of git's: `0644` and `0755`, and `120000` for a link, which only a source may have. */
  mode: string;
  /** `sha256:…` of the contents; of nothing for a folder, and of what it leads to, as it is written, for a link. */
  sha256: string;
}

/**
 * A file or folder of the workspace, outside fragments, that a build reads. A folder may have very many files, so they are
 * one hash here, over the listing of `src/files/listing.ts`.
 */
export interface ReadSource {
  /** From the workspace's root, with `/` and without links; `.` for the workspace itself. */
  path: string;
  /** How many files, folders and links there are. */
  entries: number;
  /** How large the files are together. */
  bytes: number;
  /** `sha256:…` of the listing. */
  sha256: string;
}

/** The image of another record, of which this one has the same files in other layers. */
export interface Repacked {
  record_id: string;
  /** `sha256:…` of the image, and of its platform's manifest. */
  digest: string;
  manifest_digest: string;
  /** The program that made the layers. */
  with: "zstd" | "docker-repack";
  /** How large docker-repack's layers were to be, packed, in bytes, and its version; missing for zstd, which has no choice. */
  target_size?: number;
  version?: string;
}

/**
 * Everything that went into one cell: the evidence from which its keys are computed again. A record whose keys, base,
 * platform or versions differ from its inputs is false.
 */
export interface Inputs {
  schema_version: 1;
  manifest_id: string;
  cell_id: string;
  platform: string;
  template: { id: string; version: string; digest: string };
  fragments: { name: string; version: string; digest: string }[];
  args: Record<string, Value>;
  /** The Dockerfile without the digests of images and without the labels with keys. */
  dockerfile: string;
  /** Those of fragments, sorted by path. */
  files: ReadFile[];
  /** Sorted by path; missing if there is none. */
  sources?: ReadSource[];
  /** Sorted by role and reference. */
  images: ReadImage[];
  /** Only of a manifest that starts from the image of another. */
  parent?: Parent;
  /** Only of an image in other layers than it was built with: its verdict is another one. */
  repacked?: Repacked;
  /** Values that the environment passes to a build, such as SOURCE_DATE_EPOCH, by name. */
  environment: Record<string, string>;
  tests: HashedTest[];
  gpus: "all" | number | null;
  limits: SmokeLimits;
}

/** The keys of a cell, each as `sha256:` and 64 hex digits. */
export interface Keys {
  /** Over the recipe: what is known before any image is resolved or a platform chosen. */
  recipe_key: string;
  /** Over the recipe, the platform, the digests of all images and the environment: everything that can change the image's bits. */
  build_key: string;
  /** Over the smoke tests. */
  test_suite_hash: string;
  /** Over the build key and everything that can change the verdict. */
  verdict_key: string;
}

/*
 * RFC 8785 sorts the keys of an object and puts nothing between the parts: canonical JSON of a whole is joined from that
 * of its parts. Cells share most parts, so their texts are made once. The scheme's name is part of each key: another way
 * to compute one is another scheme, and never matches an old key.
 */

/**
 * @param filesJson canonical JSON of the files, without the brackets
 * @param sourcesJson the same of the sources; a recipe without any has the key that it had before there were sources
 */
export function joinRecipeKey(dockerfileSha256: string, filesJson: string, sourcesJson = ""): string {
  const sources = sourcesJson === "" ? "" : `,"sources":[${sourcesJson}]`;
  return sha256(
    `{"dockerfile":"${dockerfileSha256}","files":[${filesJson}],"scheme":"factory/recipe/1"${sources}}`,
  );
}

/**
 * @param imagesJson canonical JSON of the images, without the brackets
 * @param parent part of the key only where there is one, so that all other keys stay as they are
 */
export function joinBuildKey(
  recipe_key: string,
  parts: { imagesJson: string; parent?: Parent | undefined; platformJson: string; environmentJson: string },
): string {
  const { imagesJson, parent, platformJson, environmentJson } = parts;
  const parentJson = parent === undefined ? "" : `"parent":${canonicalJson(parent)},`;
  return sha256(
    `{"environment":${environmentJson},"images":[${imagesJson}],${parentJson}"platform":${platformJson},"recipe_key":"${recipe_key}","scheme":"factory/build/2"}`,
  );
}

/** @param testsJson canonical JSON of the tests, without the brackets */
export function joinSuiteHash(testsJson: string): string {
  return sha256(`{"gpus":null,"scheme":"factory/suite/1","tests":[${testsJson}]}`);
}

/** The part of a verdict key that a manifest and a workspace decide, as canonical JSON without the braces. */
export function policyJson(gpus: "all" | number | null, { memory_mb, pids, timeout_s }: SmokeLimits): string {
  return `"gpus":${canonicalJson(gpus)},"limits":${canonicalJson({ memory_mb, pids, timeout_s })}`;
}

/**
 * The verdict key from a build key, the hash of its suite and `policyJson`.
 * @param repacked part of the key only where there is one: an image in other layers proves nothing of the one that was built
 */
export function joinVerdictKey(
  build_key: string,
  suite_hash: string,
  policy: string,
  repacked?: Repacked,
): string {
  const other = repacked === undefined ? "" : `"repacked":${canonicalJson(repacked)},`;
  return sha256(
    `{"build_key":"${build_key}",${policy},${other}"scheme":"factory/verdict/1","tests":"${suite_hash}"}`,
  );
}

/** Canonical JSON of a list, without the brackets. */
export function listJson(values: readonly unknown[]): string {
  return values.map((value) => canonicalJson(value)).join(",");
}

/** The keys that follow from the inputs of a cell. */
export function keysOf(inputs: Inputs): Keys {
  const {
    dockerfile,
    files,
    sources = [],
    images,
    parent,
    repacked,
    platform,
    environment,
    tests,
    gpus,
    limits,
  } = inputs;
  const recipe_key = joinRecipeKey(sha256(dockerfile), listJson(files), listJson(sources));
  const build_key = joinBuildKey(recipe_key, {
    imagesJson: listJson(images),
    parent,
    platformJson: canonicalJson(platform),
    environmentJson: canonicalJson(environment),
  });
  const test_suite_hash = joinSuiteHash(listJson(tests));
  return {
    recipe_key,
    build_key,
    test_suite_hash,
    verdict_key: joinVerdictKey(build_key, test_suite_hash, policyJson(gpus, limits), repacked),
  };
}
