import type { Catalog } from "../catalog/catalog.ts";

/** How much is kept at once of what a plan can ask for in any number: past it, all of it is forgotten. */
const LIMIT = 100_000;

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
export function keep<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const kept = known.get(key);
  if (kept !== undefined) return kept;
  const made = make();
  if (known.size >= LIMIT) known.clear();
  known.set(key, made);
  return made;
}
