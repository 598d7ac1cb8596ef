import { placeIn, type Places } from "./tuples.ts";

/** How often the rows have each combination, which ones are missing, and how many. */
export interface Counts {
  places: Places;
  required: Uint8Array;
  counts: Uint32Array;
  missing: Int32Array;
  standsAt: Int32Array;
  lacking: number;
}

function add(state: Counts, place: number): void {
  state.counts[place]! += 1;
  if (state.counts[place] !== 1 || !state.required[place]) return;
  state.lacking -= 1;
  const last = state.missing[state.lacking]!;
  const hole = state.standsAt[place]!;
  state.missing[hole] = last;
  state.standsAt[last] = hole;
}

function drop(state: Counts, place: number): void {
  state.counts[place]! -= 1;
  if (state.counts[place] !== 0 || !state.required[place]) return;
  state.missing[state.lacking] = place;
  state.standsAt[place] = state.lacking;
  state.lacking += 1;
}

export function change(state: Counts, row: Int32Array, column: number, value: number): void {
  const { degree, incident } = state.places;
  const before = row[column]!;
  for (let at = column * degree; at < (column + 1) * degree; at += 1) {
    const set = incident[at]!;
    drop(state, placeIn(state.places, set, row));
    row[column] = value;
    add(state, placeIn(state.places, set, row));
    row[column] = before;
  }
  row[column] = value;
}

/** How many more combinations are missing after a change. */
export function costOf(
  { places, required, counts }: Counts,
  row: Int32Array,
  column: number,
  value: number,
): number {
  const { t, degree, incident, offset, member, stride } = places;
  const before = row[column]!;
  let sum = 0;
  for (let at = column * degree; at < (column + 1) * degree; at += 1) {
    const set = incident[at]!;
    let place = offset[set]!;
    let own = 0;
    for (let part = set * t; part < set * t + t; part += 1) {
      const other = member[part]!;
      if (other === column) own = stride[part]!;
      else place += row[other]! * stride[part]!;
    }
    if (counts[place + before * own] === 1) sum += required[place + before * own]!;
    if (counts[place + value * own] === 0) sum -= required[place + value * own]!;
  }
  return sum;
}

/** How many required combinations only this row has; counting stops at `enough`. */
export function alone({ places, required, counts }: Counts, row: Int32Array, enough: number): number {
  let sum = 0;
  for (let set = 0; set < places.sets && sum < enough; set += 1) {
    const place = placeIn(places, set, row);
    if (counts[place] === 1) sum += required[place]!;
  }
  return sum;
}

/** Counts all rows. A required combination that none of them has is missing. */
export function countRows(places: Places, required: Uint8Array, rows: Iterable<Int32Array>): Counts {
  const state: Counts = {
    places,
    required,
    counts: new Uint32Array(places.total),
    missing: new Int32Array(places.total),
    standsAt: new Int32Array(places.total),
    lacking: 0,
  };
  for (const row of rows)
    for (let set = 0; set < places.sets; set += 1) state.counts[placeIn(places, set, row)]! += 1;
  for (let place = 0; place < places.total; place += 1) {
    if (!required[place] || state.counts[place]! > 0) continue;
    state.missing[state.lacking] = place;
    state.standsAt[place] = state.lacking;
    state.lacking += 1;
  }
  return state;
}

/** Stops counting a row. */
export function removeRow(state: Counts, row: Int32Array): void {
  for (let set = 0; set < state.places.sets; set += 1) drop(state, placeIn(state.places, set, row));
}
