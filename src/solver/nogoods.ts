import type { Model, Values } from "./model.ts";

/** Forbidden combinations, prepared for propagation. Values have consecutive ids through all columns. */
export interface Rules {
  /** No row is allowed: a column has no value left. */
  contradiction: boolean;
  /** The id of each column's first value, and of what follows the last column. */
  start: Int32Array;
  /** The column of a value, by id. */
  columnOf: Int32Array;
  /** 1 for a value that no rule about its column alone removes, by id. */
  alive: Uint8Array;
  /** 1 for a column that a rule combines with others. */
  bound: Uint8Array;
  /** The ids that a value cannot be combined with: `conflicts[conflictStart[id]]` up to `conflictStart[id + 1]`. */
  conflictStart: Int32Array;
  conflicts: Int32Array;
  /** Rules over three or more columns, with masks over all ids; `longAt` has, by value, those that it takes part in. */
  long: { columns: Int32Array; mask: Uint8Array }[];
  longStart: Int32Array;
  longAt: Int32Array;
}

type Condition = Map<number, Uint8Array>;

/** Conditions by column; a column that occurs twice has to fulfil both. undefined: no row can break it. */
function conditionOf(columns: readonly number[], values: readonly Uint8Array[]): Condition {
  const condition: Condition = new Map();
  for (const [at, column] of columns.entries()) {
    const before = condition.get(column);
    const mask = values[at]!;
    condition.set(column, before ? before.map((one, value) => one & (mask[value] ?? 0)) : mask);
  }
  return condition;
}

/** Removes what rules over one column forbid, until nothing changes; gives the remaining rules. */
function simplify(model: Model, start: Int32Array, alive: Uint8Array): Condition[] | null {
  let rest = model.forbidden.map(({ columns, values }) => conditionOf(columns, values));
  for (let changed = true; changed;) {
    changed = false;
    const next: Condition[] = [];
    for (const condition of rest) {
      const kept: Condition = new Map();
      let breakable = true;
      for (const [column, mask] of condition) {
        let inside = 0;
        let outside = 0;
        for (let value = 0; value < model.sizes[column]!; value += 1) {
          if (!alive[start[column]! + value]) continue;
          if (mask[value]) inside += 1;
          else outside += 1;
        }
        if (inside === 0) breakable = false;
        if (outside > 0) kept.set(column, mask);
      }
      if (!breakable) continue;
      if (kept.size === 0) return null;
      if (kept.size > 1) {
        next.push(kept);
        continue;
      }
      for (const [column, mask] of kept) {
        for (let value = 0; value < model.sizes[column]!; value += 1)
          if (mask[value]) alive[start[column]! + value] = 0;
      }
      changed = true;
    }
    rest = next;
  }
  return rest;
}

/** Lists by value id, one after the other: where each begins, and all of them. */
function listsOf(ids: number, fill: (add: (id: number, item: number) => void) => void) {
  const start = new Int32Array(ids + 1);
  fill((id) => {
    start[id + 1]! += 1;
  });
  for (let id = 0; id < ids; id += 1) start[id + 1]! += start[id]!;
  const items = new Int32Array(start[ids]!);
  const next = start.slice();
  fill((id, item) => {
    items[next[id]!] = item;
    next[id]! += 1;
  });
  return { start, items };
}

/** Prepares a model's rules. Forbidden pairs become lists of neighbours, each pair once. */
export function compileRules(model: Model): Rules {
  const { sizes } = model;
  const start = new Int32Array(sizes.length + 1);
  for (const [column, size] of sizes.entries()) start[column + 1] = start[column]! + size;
  const ids = start[sizes.length]!;
  const columnOf = new Int32Array(ids);
  for (let column = 0; column < sizes.length; column += 1)
    columnOf.fill(column, start[column], start[column + 1]);
  const alive = new Uint8Array(ids).fill(1);
  const rest = simplify(model, start, alive);

  const bound = new Uint8Array(sizes.length);
  const long: Rules["long"] = [];
  const pairs = new Map<number, { a: number; b: number; matrix: Uint8Array }>();
  for (const condition of rest ?? []) {
    for (const column of condition.keys()) bound[column] = 1;
    const columns = Int32Array.from(condition.keys()).sort();
    if (columns.length === 2) {
      const [a, b] = [columns[0]!, columns[1]!];
      const width = sizes[b]!;
      const key = a * sizes.length + b;
      let pair = pairs.get(key);
      if (!pair) pairs.set(key, (pair = { a, b, matrix: new Uint8Array(sizes[a]! * width) }));
      const [left, right] = [condition.get(a)!, condition.get(b)!];
      for (let x = 0; x < sizes[a]!; x += 1)
        for (let y = 0; left[x] && y < width; y += 1) if (right[y]) pair.matrix[x * width + y] = 1;
      continue;
    }
    const mask = new Uint8Array(ids);
    for (const [column, values] of condition) mask.set(values.subarray(0, sizes[column]), start[column]);
    long.push({ columns, mask });
  }
  const neighbours = listsOf(ids, (add) => {
    for (const { a, b, matrix } of pairs.values()) {
      for (let at = 0; at < matrix.length; at += 1) {
        if (!matrix[at]) continue;
        const x = start[a]! + Math.floor(at / sizes[b]!);
        const y = start[b]! + (at % sizes[b]!);
        add(x, y);
        add(y, x);
      }
    }
  });
  const parts = listsOf(ids, (add) => {
    for (const [at, { mask }] of long.entries())
      for (let id = 0; id < ids; id += 1) if (mask[id]) add(id, at);
  });
  const empty = sizes.some((_, column) => !alive.subarray(start[column], start[column + 1]).includes(1));
  return {
    contradiction: rest === null || empty,
    start,
    columnOf,
    alive,
    bound,
    conflictStart: neighbours.start,
    conflicts: neighbours.items,
    long,
    longStart: parts.start,
    longAt: parts.items,
  };
}

/**
 * Whether a value in a column fits the row's other values (-1 means open). Nothing else is checked, so an allowed row
 * stays allowed.
 */
export function permits(rules: Rules, row: Values, column: number, value: number): boolean {
  const { start, columnOf, conflictStart, conflicts, longStart, longAt, long } = rules;
  const id = start[column]! + value;
  if (!rules.alive[id]) return false;
  if (!rules.bound[column]) return true;
  for (let at = conflictStart[id]!; at < conflictStart[id + 1]!; at += 1) {
    const other = conflicts[at]!;
    const beside = columnOf[other]!;
    if (row[beside] === other - start[beside]!) return false;
  }
  next: for (let at = longStart[id]!; at < longStart[id + 1]!; at += 1) {
    const { columns, mask } = long[longAt[at]!]!;
    for (const one of columns)
      if (one !== column && (row[one] === -1 || !mask[start[one]! + row[one]!])) continue next;
    return false;
  }
  return true;
}

/** Whether a row breaks no rule. A value that its column does not have breaks one. */
export function permitsAll(rules: Rules, row: Values): boolean {
  for (let column = 0; column < row.length; column += 1) {
    const value = row[column]!;
    if (value === -1) continue;
    const size = rules.start[column + 1]! - rules.start[column]!;
    if (!(value >= 0 && value < size) || !permits(rules, row, column, value)) return false;
  }
  return true;
}
