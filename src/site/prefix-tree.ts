import type { SiteCell } from "./site-model.ts";

/** A chain of fragments that cells have in common. */
export interface PrefixNode {
  /** `core 0.1.0`, or the base. */
  name: string;
  /** Ids of cells that begin like this, sorted. */
  cells: string[];
  next: PrefixNode[];
}

export interface PrefixTree {
  /** One for each base and platform. */
  roots: PrefixNode[];
  /** How many fragments all cells have together, and how many different prefixes those are. */
  fragments: number;
  distinct: number;
}

/** What cells begin with in common, by the newest record of each. A cell without a record has no place. */
export function prefixTree(cells: readonly SiteCell[]): PrefixTree {
  const roots: PrefixNode[] = [];
  const places = new Map<string, PrefixNode>();
  const take = (key: string, name: string, among: PrefixNode[], cell: string): PrefixNode => {
    let node = places.get(key);
    if (!node) {
      node = { name, cells: [], next: [] };
      places.set(key, node);
      among.push(node);
    }
    node.cells.push(cell);
    return node;
  };
  let fragments = 0;
  for (const { cell_id, entries } of cells) {
    const [newest] = entries;
    if (!newest) continue;
    const { base, platform } = newest;
    const chain: string[] = [base, platform];
    let node = take(JSON.stringify(chain), `${base} on ${platform}`, roots, cell_id);
    for (const [name, version] of newest.fragments) {
      chain.push(name, version);
      fragments += 1;
      node = take(JSON.stringify(chain), `${name} ${version}`, node.next, cell_id);
    }
  }
  return { roots, fragments, distinct: places.size - roots.length };
}
