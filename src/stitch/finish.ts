import { type Inputs, keysOf, type ReadImage } from "../model/inputs.ts";
import { pinImages } from "./images.ts";
import { derivedLabels, labelInstruction } from "./labels.ts";

/** The recipe's text with the known digests of its images after their references. */
export function pinDockerfile(recipe: string, images: readonly ReadImage[]): string {
  const digests = new Map(
    images.flatMap(({ ref, digest }) => (digest === null || ref.includes("@") ? [] : [[ref, digest]])),
  );
  return digests.size === 0 ? recipe : pinImages(recipe, (ref) => digests.get(ref));
}

/**
 * The Dockerfile that is built: the recipe's text with digests after its images' references, and with the labels that
 * depend on them and on the keys (see derivedLabels) at its end, which is in its last stage.
 */
export function finishDockerfile(
  recipe: string,
  images: readonly ReadImage[],
  labels: Readonly<Record<string, string>>,
): string {
  return `${pinDockerfile(recipe, images)}${labelInstruction(labels)}\n`;
}

/** The Dockerfile that a record with these inputs was built from. */
export function dockerfileOf(inputs: Inputs): string {
  const { dockerfile, images, platform } = inputs;
  return finishDockerfile(dockerfile, images, derivedLabels(images, keysOf(inputs), platform));
}
