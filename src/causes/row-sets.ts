/** Which of some rows have a value, as bits. */
export type RowSet = Uint32Array;

const WORD = 32;

export function allRows(count: number): RowSet {
  const set = new Uint32Array(Math.ceil(count / WORD)).fill(0xffffffff);
  if (count % WORD !== 0 && set.length > 0) set[set.length - 1] = 2 ** (count % WORD) - 1;
  return set;
}

/** For each value, the rows that have it. @param ids how many values there are */
export function rowsByValue(rows: readonly (readonly number[])[], ids: number): RowSet[] {
  const words = Math.ceil(rows.length / WORD);
  const sets = Array.from({ length: ids }, () => new Uint32Array(words));
  for (const [at, row] of rows.entries())
    for (const id of row) {
      const set = sets[id];
      if (set) set[at >> 5] = (set[at >> 5] ?? 0) | (1 << (at & 31));
    }
  return sets;
}

export function common(a: RowSet, b: RowSet): RowSet {
  const set = new Uint32Array(a.length);
  for (let at = 0; at < a.length; at += 1) set[at] = (a[at] ?? 0) & (b[at] ?? 0);
  return set;
}

export function areDisjoint(a: RowSet, b: RowSet): boolean {
  for (let at = 0; at < a.length; at += 1) if (((a[at] ?? 0) & (b[at] ?? 0)) !== 0) return false;
  return true;
}

export function isNone(set: RowSet): boolean {
  return set.every((word) => word === 0);
}

/** The rows of a set, ascending. */
export function rowsIn(set: RowSet): number[] {
  const rows: number[] = [];
  for (const [at, word] of set.entries())
    for (let rest = word; rest !== 0; rest &= rest - 1)
      rows.push(at * WORD + (31 - Math.clz32(rest & -rest)));
  return rows;
}

/** The rows that have all of these values. */
export function rowsWith(byValue: readonly RowSet[], ids: readonly number[], count: number): RowSet {
  return ids.reduce((rows, id) => common(rows, byValue[id] ?? rows), allRows(count));
}
