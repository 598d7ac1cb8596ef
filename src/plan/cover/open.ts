import type { Propagation } from "../../solver/propagation.ts";
import type { Rules } from "../../solver/nogoods.ts";
import { placeIn, type Places } from "./tuples.ts";

/** Which combinations still have to be covered. */
export interface Open {
  places: Places;
  /** 1 for a combination that is to be covered, by place. */
  open: Uint8Array;
  /** How many of them each set of columns has. */
  left: Int32Array;
  total: number;
}

/** All combinations. */
export function openAll(places: Places): Open {
  const left = new Int32Array(places.sets);
  for (let set = 0; set < places.sets; set += 1) left[set] = places.offset[set + 1]! - places.offset[set]!;
  return { places, open: new Uint8Array(places.total).fill(1), left, total: places.total };
}

/** Removes the combination at a place. */
export function closePlace(state: Open, set: number, place: number): void {
  if (!state.open[place]) return;
  state.open[place] = 0;
  state.left[set]! -= 1;
  state.total -= 1;
}

/** Removes what a row covers. @returns how many of these were open */
export function closeRow(state: Open, row: Int32Array): number {
  const before = state.total;
  for (let set = 0; set < state.places.sets; set += 1)
    closePlace(state, set, placeIn(state.places, set, row));
  return before - state.total;
}

/**
 * Removes what the rules forbid, as far as propagation sees it. A combination that is forbidden only by implication stays
 * open: whoever wants to cover it has to search.
 */
export function closeForbidden(state: Open, rules: Rules, propagation: Propagation): void {
  const { t, sets, sizes, member, stride, offset } = state.places;
  if (!rules.bound.includes(1) && !rules.alive.includes(0)) return;
  const values = new Int32Array(t);
  const closeBlock = (set: number, depth: number) => {
    let from = offset[set]!;
    for (let at = 0; at <= depth; at += 1) from += values[at]! * stride[set * t + at]!;
    const to = from + stride[set * t + depth]!;
    for (let place = from; place < to; place += 1) closePlace(state, set, place);
  };
  // Sets from `first` up to `end` have all members but the last in common.
  const descend = (first: number, end: number, depth: number) => {
    if (depth === t - 1) {
      for (let set = first; set < end; set += 1) {
        const column = member[set * t + depth]!;
        for (let value = 0; value < sizes[column]!; value += 1) {
          values[depth] = value;
          if (!propagation.live[rules.start[column]! + value]) closeBlock(set, depth);
        }
      }
      return;
    }
    const column = member[first * t + depth]!;
    for (let value = 0; value < sizes[column]!; value += 1) {
      values[depth] = value;
      const mark = propagation.mark();
      if (propagation.assign(column, value)) descend(first, end, depth + 1);
      else for (let set = first; set < end; set += 1) closeBlock(set, depth);
      propagation.undo(mark);
    }
  };
  for (let first = 0; first < sets;) {
    let end = first + 1;
    while (end < sets && member[end * t + t - 1]! > member[(end - 1) * t + t - 1]!) end += 1;
    descend(first, end, 0);
    first = end;
  }
}
