import type { Catalog } from "../catalog/catalog.ts";
import { FactoryError } from "../errors.ts";

/** How much is kept at once of what a plan can ask for in any number: past it, all of it is forgotten. */
const LIMIT = 10_000;

/** What is made once for a catalog, and gone with it: a workspace that is opened anew is read anew. */
export function ofCatalog<T extends object>(make: (catalog: Catalog) => T): (catalog: Catalog) => T {
  const known = new WeakMap<Catalog, T>();
  return (catalog) => {
    const kept = known.get(catalog);
    if (kept) return kept;
    const made = make(catalog);
    known.set(catalog, made);
    return made;
  };
}

/** The value that is kept for a key, else the one that is made now. What `make` throws is not kept. */
export function keep<K, V extends object | string>(
  known: Map<K, V>,
  key: K,
  make: () => V,
  limit = LIMIT,
): V {
  const kept = known.get(key);
  if (kept !== undefined) return kept;
  const made = make();
  if (known.size >= limit) known.clear();
  known.set(key, made);
  return made;
}

/** Gives each text a number of its own: lists of long texts become short keys. */
export function numberTexts(): { numberOf: (text: string) => number } {
  const numbers = new Map<string, number>();
  return {
    numberOf: (text) => {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, numbers.size + 1);
      return numbers.size;
    },
  };
}

/** What a call gives; undefined where it refuses: a slower way can then say why. */
export function unlessRefused<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof FactoryError) return undefined;
    throw error;
  }
}
