import type { Draw } from "./draw.ts";
import type { Open } from "./open.ts";
import type { Propagation } from "../../solver/propagation.ts";
import { permits, type Rules } from "../../solver/nogoods.ts";
import { placeIn } from "./tuples.ts";

/**
 * A row that covers many open combinations and has the `fixed` values (-1 means open), the best of some tries. null: all
 * tries failed, which does not prove that there is no such row.
 */
export type BuildRow = (fixed: Int32Array, tries: number) => Int32Array | null;

export interface Workshop {
  open: Open;
  rules: Rules;
  propagation: Propagation;
  draw: Draw;
}

/** How many open combinations each value of a column would cover together with the row's other values. */
function weigh({ places, open, left }: Open, row: Int32Array, column: number, gain: Int32Array): void {
  const { t, sizes, degree, incident, member, stride, offset } = places;
  const size = sizes[column]!;
  for (let value = 0; value < size; value += 1) gain[value] = 0;
  const from = column * degree;
  next: for (let at = from; at < from + degree; at += 1) {
    const set = incident[at]!;
    if (left[set] === 0) continue;
    let place = offset[set]!;
    let own = 0;
    for (let part = set * t; part < set * t + t; part += 1) {
      const other = member[part]!;
      if (other === column) own = stride[part]!;
      else if (row[other]! < 0) continue next;
      else place += row[other]! * stride[part]!;
    }
    for (let value = 0; value < size; value += 1, place += own) gain[value]! += open[place]!;
  }
}

/**
 * One row at a time, each the best of some candidates; a candidate fills its columns in random order, each with the value
 * that covers most open combinations [Cohen, Dalal, Fredman, Patton: The AETG system: an approach to testing based on
 * combinatorial design, 1997]. Then each value is reconsidered with all the others, until none can be improved. Propagation
 * keeps the rules while a candidate grows [Cohen, Dwyer, Shi: Constructing interaction test suites for
 * highly-configurable systems in the presence of constraints, 2008].
 */
export function createBuilder({ open, rules, propagation, draw }: Workshop): BuildRow {
  const { places } = open;
  const { sizes } = places;
  const columns = sizes.length;
  const gain = new Int32Array(Math.max(1, ...sizes));
  const row = new Int32Array(columns);
  const order = new Int32Array(columns);

  /** The live value that covers most; ties are drawn. -1: none is left. */
  const best = (column: number): number => {
    const first = rules.start[column]!;
    let chosen = -1;
    let equals = 0;
    for (let value = 0; value < sizes[column]!; value += 1) {
      if (!propagation.live[first + value] || gain[value]! < 0) continue;
      if (chosen < 0 || gain[value]! > gain[chosen]!) {
        chosen = value;
        equals = 1;
      } else if (gain[value] === gain[chosen]) {
        equals += 1;
        if (draw(equals) === 0) chosen = value;
      }
    }
    return chosen;
  };

  const fill = (column: number): boolean => {
    weigh(open, row, column, gain);
    for (let value = best(column); value >= 0; value = best(column)) {
      row[column] = value;
      if (!rules.bound[column]) return true;
      const mark = propagation.mark();
      if (propagation.assign(column, value)) return true;
      propagation.undo(mark);
      gain[value] = -1;
    }
    return false;
  };

  const score = (): number => {
    let covers = 0;
    for (let set = 0; set < places.sets; set += 1) covers += open.open[placeIn(places, set, row)]!;
    return covers;
  };

  /** Fills `row`. @returns how many open combinations it covers; -1: it could not be filled */
  const attempt = (fixed: Int32Array): number => {
    let count = 0;
    for (let column = 0; column < columns; column += 1) {
      row[column] = fixed[column]!;
      if (fixed[column]! >= 0) continue;
      const at = draw(count + 1);
      order[count] = order[at]!;
      order[at] = column;
      count += 1;
    }
    for (let at = 0; at < count; at += 1) if (!fill(order[at]!)) return -1;
    return score();
  };

  /** Changes single values as long as that improves the row. */
  const polish = (fixed: Int32Array) => {
    for (let quiet = 0, column = 0; quiet < columns; column = (column + 1) % columns) {
      quiet += 1;
      if (fixed[column]! >= 0) continue;
      weigh(open, row, column, gain);
      const before = row[column]!;
      let chosen = before;
      for (let value = 0; value < sizes[column]!; value += 1)
        if (gain[value]! > gain[chosen]! && permits(rules, row, column, value)) chosen = value;
      if (chosen !== before) quiet = 1;
      row[column] = chosen;
    }
  };

  return (fixed, tries) => {
    const root = propagation.mark();
    let most = -1;
    let found: Int32Array | null = null;
    let possible = true;
    for (let column = 0; column < columns && possible; column += 1)
      if (fixed[column]! >= 0) possible = propagation.assign(column, fixed[column]!);
    const start = propagation.mark();
    for (let at = 0; at < tries && possible; at += 1) {
      const covers = attempt(fixed);
      propagation.undo(start);
      if (covers <= most) continue;
      most = covers;
      found = row.slice();
    }
    propagation.undo(root);
    if (!found) return null;
    row.set(found);
    polish(fixed);
    return row.slice();
  };
}
