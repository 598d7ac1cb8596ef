import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import { compareText } from "../model/compare.ts";
import type { ReadImage } from "../model/inputs.ts";
import { manifestOfRef } from "../model/parent.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Template } from "../schemas/types.ts";

export const RECIPE_KEY_LABEL = "io.factory.recipe-key";
export const BUILD_KEY_LABEL = "io.factory.build-key";

/** `LABEL` with one pair per line, sorted. Values are quoted as Dockerfile words. */
export function labelInstruction(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => compareText(a, b));
  const words = pairs.map(([key, value]) => `${key}="${value.replace(/["\\$]/g, "\\$&")}"`);
  return `LABEL ${words.join(" \\\n      ")}`;
}

/**
 * What differs in the labels of an image that starts from that of another manifest: its base has no name that could be
 * looked up, and what it does not say itself is empty, since it would inherit what the other says of itself.
 */
function childLabels(parent: string, summary: string | undefined): Record<string, string> {
  return {
    "io.factory.parent": parent,
    "org.opencontainers.image.base.name": "",
    ...(summary === undefined ? { "org.opencontainers.image.description": "" } : {}),
  };
}

/**
 * The labels in a recipe's text: those that depend on neither digests nor keys.
 * @param about its base is that of the last stage; its fragments are as `core@0.1.0`
 */
export function recipeLabels(
  { document }: Entry<Manifest>,
  { document: template }: FolderEntry<Template>,
  about: { base: string; fragments: readonly string[] },
): Record<string, string> {
  const { manifest_id, summary } = document;
  const parent = manifestOfRef(about.base);
  // Labels are in NFC: a bake file cannot carry another form, and the Dockerfile's have to be the same.
  return {
    "org.opencontainers.image.title": manifest_id,
    ...(summary === undefined ? {} : { "org.opencontainers.image.description": summary.normalize("NFC") }),
    "org.opencontainers.image.base.name": about.base,
    ...(parent === null ? {} : childLabels(parent, summary)),
    "io.factory.manifest-id": manifest_id,
    "io.factory.template": `${template.template_id}@${template.version}`,
    "io.factory.fragments": about.fragments.join(","),
  };
}

/**
 * What labels say in OCI's words, as annotations of a platform's manifest and of the index around it: registries and tools read it
 * there without the image's configuration.
 */
export function annotationsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([name, value]) => name.startsWith("org.opencontainers.image.") && value !== "",
    ),
  );
}

/** Whether the digests of all images are known; `scratch` has none. */
export function knowsDigests(images: readonly ReadImage[]): boolean {
  return images.every(({ ref, digest }) => digest !== null || ref === "scratch");
}

/**
 * The labels that depend on images and keys: the base's digest if it is known, the recipe key, and the build key if it
 * determines the bits: with the digests of all images, and for one platform. An image that starts from that of another
 * manifest would inherit the labels of that one, so what is not known is empty there.
 */
export function derivedLabels(
  images: readonly ReadImage[],
  { recipe_key, build_key }: { recipe_key: string; build_key: string },
  platform: string | null,
): Record<string, string> {
  const base = images.find(({ role }) => role === "base");
  const digest = base?.digest ?? null;
  const inherits = base !== undefined && manifestOfRef(base.ref) !== null;
  return {
    ...(digest !== null || inherits ? { "org.opencontainers.image.base.digest": digest ?? "" } : {}),
    [RECIPE_KEY_LABEL]: recipe_key,
    ...(platform !== null && knowsDigests(images)
      ? { [BUILD_KEY_LABEL]: build_key }
      : inherits
        ? { [BUILD_KEY_LABEL]: "" }
        : {}),
  };
}
