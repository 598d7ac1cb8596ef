/**
 * A forbidden combination: a row breaks it where, in each of `columns`, the row's value is one of `values[i]` (1 in the
 * mask). One without columns is broken by every row.
 */
export interface Nogood {
  readonly columns: readonly number[];
  readonly values: readonly Uint8Array[];
}

/** Columns with their number of values, and the forbidden combinations. */
export interface Model {
  readonly sizes: readonly number[];
  readonly forbidden: readonly Nogood[];
}

/** A value's index by column; -1 if it is open, which only occurs in seeds and questions. */
export type Row = readonly number[];

/** A row in whatever array. */
export type Values = ArrayLike<number>;
