import compareBuild from "semver/functions/compare-build.js";
import parse from "semver/functions/parse.js";
import satisfies from "semver/functions/satisfies.js";
import validRange from "semver/ranges/valid.js";
import { compareText } from "../model/compare.ts";
import { hasVersionForm } from "./names.ts";

/** Whether a text is an exact semver version in the form that folders may have. */
export function isVersion(text: string): boolean {
  return hasVersionForm(text) && parse(text) !== null;
}

/** Whether a text is an exact version or a semver range. */
export function isRange(text: string): boolean {
  return text.trim() !== "" && validRange(text) !== null;
}

/** Versions by semver precedence, lowest first; those that are equal to semver are ordered by code unit. */
export function sortVersions(versions: Iterable<string>): string[] {
  return [...versions].sort((a, b) => compareBuild(a, b) || compareText(a, b));
}

/**
 * The versions that a version or range allows, in the given order. An exact version that exists allows only itself.
 * Ranges follow semver: a pre-release counts only if the range names one of the same version.
 */
export function versionsIn(range: string, versions: readonly string[]): string[] {
  if (versions.includes(range)) return [range];
  return versions.filter((version) => satisfies(version, range));
}
