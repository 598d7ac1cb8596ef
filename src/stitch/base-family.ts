import type { Catalog } from "../catalog/catalog.ts";
import { baseRef, manifestOfRef } from "../model/parent.ts";
import { ancestorsOf } from "./parent-chain.ts";

/**
 * The image at the bottom of a base: the base itself, or, where it stands for a manifest's image, the one that the
 * uppermost manifest starts from.
 * @throws FactoryError as ancestorsOf does
 */
export function rootBase(catalog: Catalog, ref: string): string {
  const id = manifestOfRef(ref);
  if (id === null) return ref;
  return baseRef(catalog.manifest(ancestorsOf(catalog, id).at(-1) ?? id).document.base);
}

/**
 * Whether an image is of one of some families: `debian` means `debian:12` as well as `registry.example/mirror/debian@sha256:…`,
 * `nvidia/cuda` only what ends in both.
 */
export function isOfFamily(ref: string, families: readonly string[]): boolean {
  const [name = ""] = ref.split("@");
  const tag = name.lastIndexOf(":");
  const path = `/${tag > name.lastIndexOf("/") ? name.slice(0, tag) : name}`;
  return families.some((family) => path.endsWith(`/${family}`));
}
