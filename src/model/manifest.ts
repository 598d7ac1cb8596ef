import type { ManifestDocument, ParentBase } from "../schemas/types.ts";

/**
 * A manifest with everything that it does not say itself: what it extends and the defaults of factory.yaml are filled in,
 * and a named base is the image that the name stands for.
 */
export interface Manifest extends Omit<
  ManifestDocument,
  "extends" | "abstract" | "template" | "base" | "fragments"
> {
  template: NonNullable<ManifestDocument["template"]>;
  base: string | ParentBase;
  fragments: NonNullable<ManifestDocument["fragments"]>;
}
