import type { Path } from "./yaml-value.ts";

/** A document without the parts that were wrong. */
export type Sound<T> = T extends readonly (infer E)[]
  ? (Sound<E> | undefined)[]
  : T extends object
    ? { [K in keyof T]?: Sound<T[K]> | undefined }
    : T;

/** The paths to remove, as nested maps; `true` removes the whole value. */
type Holes = Map<string | number, Holes | true>;

function nest(paths: readonly Path[]): Holes | true {
  const root: Holes = new Map();
  for (const path of paths) {
    if (path.length === 0) return true;
    let holes = root;
    for (const [index, step] of path.entries()) {
      const below = holes.get(step);
      if (below === true) break;
      if (index === path.length - 1) holes.set(step, true);
      else if (below) holes = below;
      else {
        const next: Holes = new Map();
        holes.set(step, next);
        holes = next;
      }
    }
  }
  return root;
}

function copy(value: unknown, holes: Holes | true | undefined): unknown {
  if (holes === true) return undefined;
  if (Array.isArray(value)) return value.map((item, index) => copy(item, holes?.get(index)));
  if (value === null || typeof value !== "object") return value;
  const result = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) {
    const below = holes?.get(key);
    if (below !== true) result[key] = copy(item, below);
  }
  return result;
}

/**
 * A deep copy of JSON values without the values at the paths. Its objects have no prototype, so that a name that a
 * person chose never reaches one. Removed list items become undefined, so that indexes stay the same.
 */
export function withoutPaths(value: unknown, paths: readonly Path[]): unknown {
  return copy(value, nest(paths));
}
