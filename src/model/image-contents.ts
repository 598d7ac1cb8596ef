/** Layers that were there before the first step of a recipe, and those of the steps of its template. */
export const BASE = "base";
export const TEMPLATE = "template";

/** What was asked of an image, or why it cannot be told. */
export type Told<T> = T | { error: string };

/** A layer that has bytes. */
export interface OwnedLayer {
  /** The name of the fragment whose step made it, BASE or TEMPLATE. */
  owner: string;
  /** Unpacked, as the engine counts them. */
  bytes: number;
}

/** A package of an image. */
export interface OwnedPackage {
  name: string;
  version: string;
  /** As of a layer; null if it is not known who brought it. */
  owner: string | null;
  /** SPDX ids, expressions, and names that are neither; empty if nothing says it. */
  licenses: readonly string[];
}

/** Where the bytes and the packages of an image come from. */
export interface ImageContents {
  /** Its layers are unpacked by now. @throws FactoryError INTERRUPTED, ENGINE_UNREACHABLE */
  layers: () => Promise<Told<readonly OwnedLayer[]>>;
  /** @throws as `layers` */
  packages: () => Promise<Told<readonly OwnedPackage[]>>;
  /**
   * The record of the image that this one has the files of, in other layers: what was proven of the owners of its layers holds for
   * this one too. null for an image of its own.
   */
  filesOf: string | null;
}
