import type { Manifest } from "./manifest.ts";

/**
 * The host of references that stand for the images of manifests. `.invalid` is reserved (RFC 2606): no registry can have
 * this name, so that such a reference never means an image from elsewhere, whatever a manifest is called.
 */
const HOST = "parent.invalid/";

/** The reference by which a Dockerfile names the image of another manifest: the same for every repository and platform. */
export function parentRef(manifestId: string): string {
  return `${HOST}${manifestId}`;
}

/** The manifest whose image a reference stands for, with or without a digest; null for the reference of an image. */
export function manifestOfRef(ref: string): string | null {
  return ref.startsWith(HOST) ? (ref.slice(HOST.length).split(/[:@]/, 1)[0] ?? "") : null;
}

/** The manifest that a manifest starts from; null if it starts from an image. */
export function parentIn(base: Manifest["base"]): string | null {
  return typeof base === "string" ? null : base.manifest;
}

/** What a manifest's Dockerfile names after FROM. */
export function baseRef(base: Manifest["base"]): string {
  return typeof base === "string" ? base : parentRef(base.manifest);
}

/** A base in words for people: `debian:bookworm-slim`, `the image of minimal_notebook`. */
export function baseText(ref: string): string {
  const id = manifestOfRef(ref);
  return id === null ? ref : `the image of ${id}`;
}
