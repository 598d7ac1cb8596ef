/** The most combinations that `cover` and `verifyCoverage` accept: they need some bytes for each. */
export const MAX_TUPLES = 50_000_000;

/** The most columns that are combined. */
export const MAX_STRENGTH = 6;

/** How many combinations `t` columns' values have, over all choices of `t` columns: the `t`-th elementary symmetric sum. */
export function tupleCount(sizes: readonly number[], t: number): number {
  const sums = [1, ...Array.from({ length: t }, () => 0)];
  for (const size of sizes) for (let at = t; at > 0; at -= 1) sums[at]! += size * sums[at - 1]!;
  return sums[t] ?? 0;
}

/**
 * The places of the combinations of `t` columns' values in one array. A set of columns (there are `sets` of them, in
 * lexicographic order) has its members, ascending, at `member[set * t]` and following; a combination's place is
 * `offset[set]` and, for each member, its value times the member's `stride`.
 */
export interface Places {
  t: number;
  sizes: readonly number[];
  sets: number;
  total: number;
  member: Int32Array;
  stride: Int32Array;
  /** One more than there are sets: the last is `total`. */
  offset: Int32Array;
  /** The sets that contain a column: `degree` of them at `incident[column * degree]` and following. */
  degree: number;
  incident: Int32Array;
}

/** The place of a whole row's values in a set of columns. */
export function placeIn({ t, offset, member, stride }: Places, set: number, row: Int32Array): number {
  let place = offset[set]!;
  for (let at = set * t; at < set * t + t; at += 1) place += row[member[at]!]! * stride[at]!;
  return place;
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let at = 1; at <= k; at += 1) ways = (ways * (n - k + at)) / at;
  return Math.round(ways);
}

/** @param t 1 to the number of columns */
export function placesOf(sizes: readonly number[], t: number): Places {
  const columns = sizes.length;
  const sets = choose(columns, t);
  const degree = choose(columns - 1, t - 1);
  const member = new Int32Array(sets * t);
  const stride = new Int32Array(sets * t);
  const offset = new Int32Array(sets + 1);
  const incident = new Int32Array(columns * degree);
  const filled = new Int32Array(columns);
  const chosen = Int32Array.from({ length: t }, (_, at) => at);
  let total = 0;
  for (let set = 0; set < sets; set += 1) {
    offset[set] = total;
    let product = 1;
    for (let at = t - 1; at >= 0; at -= 1) {
      const column = chosen[at]!;
      member[set * t + at] = column;
      stride[set * t + at] = product;
      product *= sizes[column]!;
      incident[column * degree + filled[column]!] = set;
      filled[column]! += 1;
    }
    total += product;
    let at = t - 1;
    while (at >= 0 && chosen[at] === columns - t + at) at -= 1;
    if (at < 0) continue;
    chosen[at]! += 1;
    for (let after = at + 1; after < t; after += 1) chosen[after] = chosen[after - 1]! + 1;
  }
  offset[sets] = total;
  return { t, sizes, sets, total, member, stride, offset, degree, incident };
}
