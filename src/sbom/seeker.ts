/** What is kept of a program: what its compiler wrote into it about the packages that it is made of. */
export interface Program {
  /** Go's build information. */
  go?: { version: string; modules: string };
  /** The JSON that cargo-auditable adds. */
  audit?: string;
}

/** Something that may be anywhere in a program. */
export interface Seeker {
  /** The bytes that it may begin with. */
  needles: readonly Buffer[];
  /**
   * How many bytes to take from a place where a needle is; 0 if what is sought is not there. At least MARGIN bytes follow
   * the place unless the program ends before. It is called for each needle in a program, so it has to be cheap.
   * @param at where the needle is in `window`
   * @param offset where it is in the program
   */
  measure: (window: Buffer, at: number, offset: number) => number;
  /** What the bytes say; null if they are not what is sought. */
  read: (bytes: Buffer) => Partial<Program> | null;
}

/** So many bytes after a needle are looked at. */
export const MARGIN = 4096;
