import { compareText } from "../model/compare.ts";
import { hasVersionForm } from "./names.ts";
import type { Scheme } from "./schemes/scheme.ts";
import { SCHEMES } from "./schemes/schemes.ts";

/** Whether a text is an exact version of a scheme in the form that folders may have. */
export function isVersion(text: string, scheme: Scheme): boolean {
  return hasVersionForm(text) && scheme.isVersion(text);
}

/** Whether a text is an exact version or a range of some scheme: of which one, its fragment says. */
export function isSomeRange(text: string): boolean {
  return Object.values(SCHEMES).some((scheme) => scheme.isRange(text));
}

/** Versions by their scheme, lowest first; those that are equal to it are ordered by code unit. */
export function sortVersions(versions: Iterable<string>, scheme: Scheme): string[] {
  return [...versions].sort((a, b) => scheme.compare(a, b) || compareText(a, b));
}

/**
 * The versions that a version or range allows, in the given order. An exact version that exists allows only itself.
 * A pre-release counts only if the range names one.
 */
export function versionsIn(range: string, versions: readonly string[], scheme: Scheme): string[] {
  if (versions.includes(range)) return [range];
  return versions.filter((version) => scheme.satisfies(version, range));
}
