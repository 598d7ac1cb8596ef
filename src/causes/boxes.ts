/** Values by factor; of a list, any. null: the combination has no such fragment or argument. */
export type CauseValues = Record<string, (string | null)[]>;

/** Values by factor; null where the factor is missing. What they have in common is that each combination of them fails. */
export interface Box<T> {
  values: ReadonlyMap<string, (string | null)[]>;
  /** What it was made of. */
  parts: readonly T[];
}

/** The one factor in which two boxes differ; undefined if there is none, or more. */
function onlyDifference<T>(a: Box<T>, b: Box<T>): string | undefined {
  if (a.values.size !== b.values.size) return undefined;
  const different: string[] = [];
  for (const [name, values] of a.values) {
    const others = b.values.get(name);
    if (!others) return undefined;
    if (JSON.stringify(values) !== JSON.stringify(others)) different.push(name);
  }
  return different.length === 1 ? different[0] : undefined;
}

/**
 * Joins combinations that differ in the values of one factor alone: `core 0.3.0 × light 0.1.0` and `core 0.3.1 × light 0.1.0`
 * are `core 0.3.0, 0.3.1 × light 0.1.0`. Only what was given is in the result.
 */
export function joinedBoxes<T>(
  all: readonly Box<T>[],
  compare: (factor: string) => (a: string, b: string) => number,
): Box<T>[] {
  const boxes = [...all];
  for (let at = 0; at < boxes.length; at += 1) {
    for (let other = at + 1; other < boxes.length; other += 1) {
      const [a, b] = [boxes[at], boxes[other]];
      const factor = a && b && onlyDifference(a, b);
      if (factor === undefined) continue;
      const order = compare(factor);
      const both = [...new Set([...(a?.values.get(factor) ?? []), ...(b?.values.get(factor) ?? [])])];
      both.sort((x, y) => (x === null || y === null ? Number(y === null) - Number(x === null) : order(x, y)));
      boxes[at] = {
        values: new Map(a ? [...a.values, [factor, both]] : []),
        parts: [...(a?.parts ?? []), ...(b?.parts ?? [])],
      };
      boxes.splice(other, 1);
      // What could not be joined before may be now.
      at = -1;
      break;
    }
  }
  return boxes;
}
