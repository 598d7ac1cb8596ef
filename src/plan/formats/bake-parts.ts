import type { PlannedCell } from "../cell.ts";

/** The prefixes of cells as numbers: those of cell `at` are `ids[from[at]] … ids[from[at + 1] - 1]`, the whole chain last. */
interface Chains {
  from: Int32Array;
  ids: Int32Array;
  /** A number for the platform of each cell, and how many there are. */
  platforms: Int32Array;
  platformCount: number;
  idCount: number;
}

function numberIn(known: Map<string, number>, name: string): number {
  const number = known.get(name) ?? known.size;
  if (number === known.size) known.set(name, number);
  return number;
}

function chainsOf(cells: readonly PlannedCell[]): Chains {
  const from = new Int32Array(cells.length + 1);
  const platforms = new Int32Array(cells.length);
  const ids: number[] = [];
  const knownIds = new Map<string, number>();
  const knownPlatforms = new Map<string, number>();
  for (let at = 0; at < cells.length; at += 1) {
    const planned = cells[at];
    if (!planned) continue;
    platforms[at] = numberIn(knownPlatforms, planned.cell.platform);
    for (const { id } of planned.keys.prefixes) ids.push(numberIn(knownIds, id));
    from[at + 1] = ids.length;
  }
  return {
    from,
    ids: Int32Array.from(ids),
    platforms,
    platformCount: knownPlatforms.size,
    idCount: knownIds.size,
  };
}

/** Means no part: parts are numbered from 1. */
const NONE = -1;

/**
 * Splits cells into parts of at most `limit` bake targets: the cells and their prefixes, which are targets of each part that
 * needs them. Neighbours that share prefixes stay in one part: a family is split only if it is larger than a part, and then
 * into the families of its next fragment. Two parts in a row would not fit into one.
 * @param cells sorted so that those that share a prefix are together; the parts keep their order
 */
export function bakeParts(cells: readonly PlannedCell[], limit: number): (readonly PlannedCell[])[] {
  const { from, ids, platforms, platformCount, idCount } = chainsOf(cells);
  // The last question, and the last part, in which a prefix target was counted.
  const asked = new Int32Array(idCount * platformCount);
  const placed = new Int32Array(idCount * platformCount);
  let question = 0;
  const ends: number[] = [];
  let part = 1;
  let used = 0;

  /** How many targets the cells from `a` to before `b` need beside those of a part; counting stops just over the limit. */
  const needed = (a: number, b: number, beside: number): number => {
    question += 1;
    let targets = b - a;
    for (let cell = a; cell < b && targets <= limit; cell += 1) {
      // The whole chain is not a target of its own.
      const end = (from[cell + 1] ?? 0) - 1;
      for (let at = from[cell] ?? 0; at < end; at += 1) {
        const target = (ids[at] ?? 0) * platformCount + (platforms[cell] ?? 0);
        if (asked[target] === question || placed[target] === beside) continue;
        asked[target] = question;
        targets += 1;
      }
    }
    return targets;
  };
  const close = (at: number) => {
    if (used === 0) return;
    ends.push(at);
    part += 1;
    used = 0;
  };
  const add = (a: number, b: number, targets: number) => {
    used += targets;
    for (let cell = a; cell < b; cell += 1) {
      const end = (from[cell + 1] ?? 0) - 1;
      for (let at = from[cell] ?? 0; at < end; at += 1)
        placed[(ids[at] ?? 0) * platformCount + (platforms[cell] ?? 0)] = part;
    }
  };
  /** The prefix of a cell at a level; a number of its own past the chain's end, so that nothing keeps such cells together. */
  const familyOf = (cell: number, level: number): number => {
    const at = (from[cell] ?? 0) + level;
    return at < (from[cell + 1] ?? 0) ? (ids[at] ?? 0) : NONE - cell;
  };
  const place = (a: number, b: number, level: number): void => {
    const more = needed(a, b, part);
    if (used + more <= limit) return add(a, b, more);
    const alone = needed(a, b, NONE);
    if (alone <= limit || b - a === 1) {
      close(a);
      return add(a, b, alone);
    }
    let start = a;
    let family = familyOf(a, level);
    for (let at = a + 1; at <= b; at += 1) {
      const next = at < b ? familyOf(at, level) : undefined;
      if (next === family) continue;
      place(start, at, level + 1);
      start = at;
      family = next ?? NONE;
    }
  };
  if (cells.length > 0) place(0, cells.length, 0);
  close(cells.length);
  return ends.map((end, at) => cells.slice(ends[at - 1] ?? 0, end));
}
