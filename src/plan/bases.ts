import type { Place } from "../errors.ts";
import { baseRef, manifestOfRef } from "../model/parent.ts";
import { valueText } from "../model/value.ts";
import type { Column } from "./axes.ts";
import type { PlannedCell } from "./cell.ts";
import { axisFinder } from "./selectors.ts";
import type { Space } from "./space.ts";

/** A base image on a platform, and where a plan or manifest asks for it. */
export interface BaseOn {
  ref: string;
  platform: string;
  where: Place;
}

/** An image on a platform whose digest is to be looked up. */
export interface ImageOn {
  ref: string;
  platform: string;
}

/**
 * The images of cells whose digests are not known, each once per platform. `scratch` has no digest, and the image of a
 * parent is in no registry under the reference that stands for it.
 */
export function openImages(cells: readonly PlannedCell[]): ImageOn[] {
  const open = new Map<string, ImageOn>();
  for (const { cell, keys } of cells) {
    for (const [at, { ref, platform }] of keys.reads.uses.entries()) {
      if (ref === "scratch" || manifestOfRef(ref) !== null) continue;
      if (typeof keys.images[at]?.digest === "string") continue;
      const image = { ref, platform: platform ?? cell.platform };
      open.set(`${image.ref} ${image.platform}`, image);
    }
  }
  return [...open.values()];
}

/** The value of an axis at each position of its column; only `fallback` if there is no such axis. */
function positionsOf(columns: readonly Column[], name: string, fallback: string) {
  const found = axisFinder(columns).get(name);
  if (!found) return [{ column: -1, at: -1, value: fallback }];
  return found.axis.values.map((value, at) => ({
    column: found.column,
    at,
    value: value === undefined ? fallback : valueText(value),
  }));
}

/**
 * The bases, with their platforms, that a cell of the plan or of the manifest by itself may have, without those that its
 * rules forbid. One may occur twice.
 */
export function basesOf({ entry, manifest, columns, rules }: Space): BaseOn[] {
  const platforms = positionsOf(columns, "platform", "");
  const own = baseRef(manifest.document.base);
  const baseAxis = axisFinder(columns).get("base")?.axis;
  const bases = positionsOf(columns, "base", own);
  const placeOf = (ref: string): Place => {
    const at = entry?.document.axes?.base?.indexOf(ref) ?? -1;
    if (at >= 0 && entry) return entry.place(["axes", "base", at]);
    const path = bases.find(({ value, column }) => column >= 0 && value === ref) && baseAxis?.path;
    return path && entry && ref !== own ? entry.place(path) : manifest.place(["base"]);
  };
  const of = new Set([...bases, ...platforms].map(({ column }) => column));
  const about = rules.filter((rule) => rule.columns.every((column) => of.has(column)));
  const pairs: BaseOn[] = [];
  for (const base of bases) {
    for (const platform of platforms) {
      // Zipped axes are one column, and a cell has one position in it.
      if (base.column === platform.column && base.at !== platform.at) continue;
      const taken = new Map([
        [base.column, base.at],
        [platform.column, platform.at],
      ]);
      const forbidden = about.some((rule) =>
        rule.columns.every((column, at) => rule.values[at]?.[taken.get(column) ?? -1] === 1),
      );
      if (!forbidden) pairs.push({ ref: base.value, platform: platform.value, where: placeOf(base.value) });
    }
  }
  for (const [at, include] of (entry?.document.include ?? []).entries()) {
    const ref = include.base ?? own;
    const where = entry && include.base !== undefined ? entry.place(["include", at, "base"]) : placeOf(ref);
    const values = include.platform === undefined ? platforms.map(({ value }) => value) : [include.platform];
    pairs.push(...values.map((platform) => ({ ref, platform, where })));
  }
  return pairs;
}
