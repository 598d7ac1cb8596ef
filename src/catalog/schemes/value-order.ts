import { compareText } from "../../model/compare.ts";
import type { Scheme } from "./scheme.ts";

/** Orders the values of what has a name: versions by its scheme, all else as text. */
export function valueOrder(
  schemeOf: (name: string) => Scheme,
): (name: string) => (a: string, b: string) => number {
  return (name) => {
    const scheme = schemeOf(name);
    return (a, b) =>
      scheme.isVersion(a) && scheme.isVersion(b)
        ? scheme.compare(a, b) || compareText(a, b)
        : compareText(a, b);
  };
}
