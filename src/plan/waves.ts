import type { PlannedCell } from "./cell.ts";
import { prefixTargets } from "./prefix.ts";

/** One thing to build in a wave. */
export interface WaveTarget {
  /** The name of its bake target. */
  target: string;
  platform: string;
  /** How many cells it serves; 1 for a cell itself. */
  cells: number;
  /** The first cell whose Dockerfile has it. */
  cell: PlannedCell;
}

/** What can be built at once after all earlier waves. */
export interface Wave {
  /** `cells` for the last wave; all others are of prefixes with one more fragment each. */
  kind: "prefixes" | "cells";
  targets: WaveTarget[];
}

/** A chain of fragments on one platform, while cells are counted. */
interface Shared {
  level: number;
  platform: string;
  cells: number;
  first: PlannedCell;
  /** null as long as it is the whole chain of every cell that has it, since such a chain has no target. */
  target: string | null;
}

/** The chains of all cells, by platform and id, in the order of the cells. */
function chainsOf(cells: readonly PlannedCell[]): Shared[] {
  const chains = new Map<string, Shared>();
  const named = new Map<string, string[]>();
  for (const planned of cells) {
    const { platform } = planned.cell;
    const { prefixes } = planned.keys;
    const whole = `${platform} ${prefixes.at(-1)?.id ?? ""}`;
    let names = named.get(whole);
    if (!names) named.set(whole, (names = prefixTargets([planned], null).map(({ target }) => target)));
    for (const [level, { id }] of prefixes.entries()) {
      const key = `${platform} ${id}`;
      const target = names[level] ?? null;
      const chain = chains.get(key);
      if (chain) {
        chain.cells += 1;
        chain.target ??= target;
      } else chains.set(key, { level, platform, cells: 1, first: planned, target });
    }
  }
  return [...chains.values()];
}

/**
 * The waves of a plan: first each shortest prefix that several cells share, once per platform; then each shared prefix
 * with one more fragment, and so on; the cells last. What only one cell has is built with that cell. Each wave is in the
 * order of the cells.
 */
export function waves(cells: readonly PlannedCell[]): Wave[] {
  if (cells.length === 0) return [];
  const levels: WaveTarget[][] = [];
  for (const { level, platform, cells: count, first, target } of chainsOf(cells)) {
    if (count < 2 || target === null) continue;
    (levels[level] ??= []).push({ target, platform, cells: count, cell: first });
  }
  const own = cells.map((planned): WaveTarget => {
    const { target, platform } = planned.cell;
    return { target, platform, cells: 1, cell: planned };
  });
  return [
    ...levels.filter(Boolean).map((targets): Wave => ({ kind: "prefixes", targets })),
    { kind: "cells", targets: own },
  ];
}

/**
 * The order in which to start cells that build their prefixes themselves: first one cell for each prefix of the first
 * wave, then one for each of the second wave that none of these has, and so on. So no two of the first cells do the same
 * work, and later ones find theirs done.
 */
export function waveOrder(cells: readonly PlannedCell[]): PlannedCell[] {
  return [...new Set(waves(cells).flatMap(({ targets }) => targets.map(({ cell }) => cell)))];
}
