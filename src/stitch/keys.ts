import { canonicalJson } from "../model/digest.ts";
import {
  joinBuildKey,
  joinVerdictKey,
  type Keys,
  listJson,
  type Parent,
  type ReadImage,
} from "../model/inputs.ts";
import type { ImagesRead, ImageUse } from "./images.ts";
import { manifestOfRef } from "../model/parent.ts";
import { keep } from "./memo.ts";
import type { Recipe } from "./recipe.ts";

/**
 * The digest that the builder resolves an image to on a platform, `sha256:…`; null if nobody was asked. For the reference
 * that stands for a manifest's image it is the digest of that cell's proven image.
 */
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
  extends
    Keys,
    Pick<Recipe, "template" | "fragments" | "args" | "gpus" | "prefixes" | "reads" | "secrets" | "sources"> {
  /** The manifest that it starts from; missing if it starts from an image. */
  parent?: Parent;
  /** The image that the last stage starts from. */
  base: Readonly<{ ref: string; digest: string | null }>;
  /** All images that are read, sorted by role and reference. */
  images: readonly ReadImage[];
  platform: string | null;
  environment: Readonly<Record<string, string>>;
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

/**
 * The keys of a recipe with what is known beside it. Nothing is rendered.
 * @param parent what `parentOf` gives for the recipe
 */
export function keysFor(recipe: Recipe, target: Target = {}, parent?: Parent): CellKeys {
  const { template, fragments, args, gpus, prefixes, reads, secrets, sources } = recipe;
  const { recipe_key, test_suite_hash, policy } = recipe;
  const { platform = null, environment = NO_ENVIRONMENT } = target;
  const { images, base, json } = resolveImages(reads, target);
  const build_key = joinBuildKey(recipe_key, {
    imagesJson: json,
    parent,
    platformJson: canonicalJson(platform),
    environmentJson: canonicalJson(environment),
  });
  return {
    template,
    ...(parent && { parent }),
    base,
    images,
    reads,
    secrets,
    sources,
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

const joined = new WeakMap<DigestOf, WeakMap<DigestOf, DigestOf>>();

/**
 * Asks one and, where it knows nothing, the other; about the image of a manifest first the other, since what is known later
 * counts. It is the same function for the same two, by which keys are kept.
 */
export function firstOf(one: DigestOf, other: DigestOf): DigestOf {
  const known = joined.get(one) ?? new WeakMap<DigestOf, DigestOf>();
  joined.set(one, known);
  const made =
    known.get(other) ??
    ((ref, platform) =>
      manifestOfRef(ref) === null
        ? (one(ref, platform) ?? other(ref, platform))
        : (other(ref, platform) ?? one(ref, platform)));
  known.set(other, made);
  return made;
}
