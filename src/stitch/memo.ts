import type { Catalog } from "../catalog/catalog.ts";

/** How many values are kept of what a plan can ask for in any number. Beyond it, all of them are forgotten. */
const LIMIT = 100_000;

/** Values that are made once for a catalog and live as long as it does: a workspace that is opened again is read again. */
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

/** The kept value for a key, else a new one. What `make` throws is not kept. */
export function keep<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const kept = known.get(key);
  if (kept !== undefined) return kept;
  const made = make();
  if (known.size >= LIMIT) known.clear();
  known.set(key, made);
  return made;
}
