import type { Scheme } from "./scheme.ts";

/** Commits, code names, anything: a version is only ever equal to itself. They are listed by their texts, numbers by size. */
export const opaque: Scheme = {
  name: "opaque",
  isVersion: () => true,
  isRange: (text) => /^[0-9A-Za-z][0-9A-Za-z.+-]*$/.test(text),
  compare: (a, b) => {
    const [left, right] = [a, b].map((text) => text.match(/\d+|\D+/g) ?? []);
    for (const [at, part] of (left ?? []).entries()) {
      const other = right?.[at];
      if (other === undefined) return 1;
      if (part === other) continue;
      const [one, two] = [Number(part), Number(other)];
      if (!Number.isNaN(one) && !Number.isNaN(two) && one !== two) return one - two;
      return part < other ? -1 : 1;
    }
    return (left?.length ?? 0) - (right?.length ?? 0);
  },
  satisfies: (version, range) => version === range,
  isRelease: () => true,
  minorOf: null,
  partsOf: null,
  examples: "an exact version",
};
