import compareBuild from "semver/functions/compare-build.js";
import parse from "semver/functions/parse.js";
import { pep440 } from "../../catalog/schemes/pep440.ts";
import { compareAlpine } from "../../model/alpine-version.ts";
import { compareDebian } from "../../model/debian-version.ts";

/** Below 0 if `a` is earlier, 0 if neither is, above 0 if it is later; null if that cannot be said. */
type Order = (a: string, b: string) => number | null;

/** A wanted version may leave out parts that a Semantic Version has to have: `2` stands for `2.0.0`. */
function completed(version: string): string {
  const [, numbers = "", rest = ""] = /^v?(\d+(?:\.\d+){0,2})(.*)$/s.exec(version) ?? [];
  const missing = 3 - numbers.split(".").length;
  return numbers === "" ? version : `${numbers}${".0".repeat(missing)}${rest}`;
}

const semantic: Order = (a, b) => {
  const [own, other] = [parse(completed(a)), parse(completed(b))];
  return own && other ? compareBuild(own, other) : null;
};

const DEBIAN = /^(\d+:)?[0-9A-Za-z.+~:-]+$/;

/** How versions are ordered, by the type of a package URL. A type that is not here has no order that Factory knows. */
const ORDERS: Readonly<Record<string, Order>> = {
  deb: (a, b) => (DEBIAN.test(a) && DEBIAN.test(b) ? compareDebian(a, b) : null),
  apk: compareAlpine,
  npm: semantic,
  cargo: semantic,
  golang: semantic,
  pypi: (a, b) => (pep440.isVersion(a) && pep440.isVersion(b) ? pep440.compare(a, b) : null),
};

/** Compares two versions by the rules of their ecosystem; null if there are none, or if one of the two has no order by them. */
export function compareVersions(type: string, a: string, b: string): number | null {
  if (a === b) return 0;
  return ORDERS[type]?.(a, b) ?? null;
}
