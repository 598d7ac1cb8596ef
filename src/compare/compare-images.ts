import { canonicalJson } from "../model/digest.ts";
import { compareText } from "../model/compare.ts";
import { type Difference, differences, pathText } from "./file-entry.ts";
import { type LayerEntries, NOTHING_IN_IT, readEntries, type ReadOptions } from "./layer-entries.ts";
import type { StoredImage } from "./stored-image.ts";

/** How much two layers, or two images, are the same; the last one is not known. */
export type Sameness = "identical" | "same-content" | "different" | "unknown";

/** One path that two layers do not have alike, beyond its times. */
export interface Change {
  /** Absolute, as people read it. */
  path: string;
  how: Difference[];
}

/** Two layers at one place. */
export interface LayerComparison {
  /** Hashes of what they unpack to; null where one of the images has no layer there. */
  before: string | null;
  after: string | null;
  same: Sameness;
  /** Sorted by path. */
  changes: Change[];
  /** How many paths differ in their times alone. */
  times: number;
  /** The bytes of files that were asked for, of both. */
  kept: Map<string, Buffer>[];
}

/** Where the entries of two layers differ. */
export function compareEntries(
  before: LayerEntries["entries"],
  after: LayerEntries["entries"],
): { changes: Change[]; times: number } {
  const changes: Change[] = [];
  let times = 0;
  for (const [key, entry] of before) {
    const other = after.get(key);
    const how: Difference[] = other === undefined ? ["removed"] : differences(entry, other);
    if (how.length === 0) continue;
    if (how.length === 1 && how[0] === "times") times += 1;
    else changes.push({ path: pathText(key), how });
  }
  for (const key of after.keys()) if (!before.has(key)) changes.push({ path: pathText(key), how: ["added"] });
  changes.sort((a, b) => compareText(a.path, b.path));
  return { changes, times };
}

/**
 * Compares two images layer by layer, one pair at a time. Layers with one digest are not read; of the others every file is.
 * @throws FactoryError IMAGE_UNREADABLE, INTERRUPTED
 */
export async function compareLayers(
  before: StoredImage,
  after: StoredImage,
  options: ReadOptions,
): Promise<LayerComparison[]> {
  const found: LayerComparison[] = [];
  for (let at = 0; at < Math.max(before.layers.length, after.layers.length); at += 1) {
    const ids = { before: before.diffIds[at] ?? null, after: after.diffIds[at] ?? null };
    const blob = before.layers[at]?.digest;
    if (blob !== undefined && blob === after.layers[at]?.digest) {
      found.push({ ...ids, same: "identical", changes: [], times: 0, kept: [] });
      continue;
    }
    const one = before.layers[at] ? await readEntries(before, at, options) : NOTHING_IN_IT;
    const two = after.layers[at] ? await readEntries(after, at, options) : NOTHING_IN_IT;
    const { changes, times } = compareEntries(one.entries, two.entries);
    const isMissing = ids.before === null || ids.after === null;
    const same: Sameness =
      changes.length > 0 || isMissing ? "different" : ids.before === ids.after ? "identical" : "same-content";
    found.push({ ...ids, same, changes, times, kept: [one.kept, two.kept] });
  }
  return found;
}

/** Fields of a configuration that say when and how it was built, or that the layers say. */
const NOT_COMPARED = new Set(["created", "history", "rootfs", "author", "config"]);

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** Empty texts, lists and objects mean the same as nothing. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/**
 * Names of the fields in which the configurations of two images differ, such as `config.Env` and `architecture`: all that a
 * container gets, and the platform. When they were built is not compared.
 */
export function compareConfigs(before: StoredImage["config"], after: StoredImage["config"]): string[] {
  const differing = (one: Record<string, unknown>, two: Record<string, unknown>, prefix: string) =>
    [...new Set([...Object.keys(one), ...Object.keys(two)])]
      .filter((name) => prefix !== "" || !NOT_COMPARED.has(name))
      .filter((name) => !(isNothing(one[name]) && isNothing(two[name])))
      .filter((name) => canonicalJson(one[name] ?? null) !== canonicalJson(two[name] ?? null))
      .map((name) => prefix + name);
  return [
    ...differing({ ...before }, { ...after }, ""),
    ...differing(fieldsOf(before.config), fieldsOf(after.config), "config."),
  ].sort(compareText);
}
