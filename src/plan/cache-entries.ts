import { attribute, readAttributes } from "../model/attributes.ts";
import type { CachePlace } from "../model/cache-place.ts";
import { splitRef } from "./lint-names.ts";

/** What an entry says of a place, without its ref. */
function placeParts(place: CachePlace): string[] {
  if (place.type !== "s3") return [`type=${place.type}`];
  const { bucket, region, prefix, endpoint_url, use_path_style } = place;
  return [
    "type=s3",
    attribute("bucket", bucket),
    attribute("region", region),
    ...(endpoint_url === null ? [] : [attribute("endpoint_url", endpoint_url)]),
    ...(use_path_style ? ["use_path_style=true"] : []),
    ...(prefix === "" ? [] : [attribute("prefix", prefix)]),
  ];
}

/** What an entry calls a ref of its place; in a folder, reading and writing have names of their own. */
function refPart(place: CachePlace, tag: string, use: "from" | "to"): string {
  if (place.type === "registry") return `ref=${place.repository}:${tag}`;
  if (place.type === "gha") return `scope=${tag}`;
  if (place.type === "s3") return attribute("name", tag);
  return attribute(use === "from" ? "src" : "dest", `${place.folder}/${tag}`);
}

/** The `cache-from` entry of a ref, as buildx reads it. */
export function fromEntry(place: CachePlace, tag: string): string {
  return [...placeParts(place), refPart(place, tag, "from")].join(",");
}

/** The `cache-to` entry of a ref. A cache that is down costs time later, but never the build. */
export function toEntry(place: CachePlace, tag: string): string {
  const media = place.type === "registry" || place.type === "local";
  return [
    ...placeParts(place),
    refPart(place, tag, "to"),
    "mode=max",
    ...(media ? ["oci-mediatypes=true", "image-manifest=true"] : []),
    "ignore-error=true",
  ].join(",");
}

/** A ref that a `cache-to` entry writes. */
export interface WrittenRef {
  /** What stands before the tag, with what is between the two: `registry.example/cache:`. */
  before: string;
  tag: string;
  /** The repository, of a ref in a registry. */
  repository?: string;
}

/** The ref that a `cache-to` entry writes; undefined if it names none. */
export function writtenRef(entry: string): WrittenRef | undefined {
  const attributes = readAttributes(entry);
  const name = ["ref", "scope", "name", "dest"].flatMap((one) => attributes.get(one) ?? [])[0];
  if (name === undefined) return undefined;
  if (attributes.has("ref")) {
    const { repository, tag } = splitRef(name);
    return { before: tag === "" ? repository : `${repository}:`, tag, repository };
  }
  const at = name.lastIndexOf("/") + 1;
  return { before: name.slice(0, at), tag: name.slice(at) };
}
