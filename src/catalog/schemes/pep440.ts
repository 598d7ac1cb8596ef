import pep from "@renovatebot/pep440";
import type { Scheme } from "./scheme.ts";

/** The specifiers of a range. An exact version stands for `==`. */
function specifiers(range: string): string {
  return pep.valid(range) === null ? range : `==${range}`;
}

/** Whether a range names a pre-release: then it allows others, too. */
function namesPrerelease(range: string): boolean {
  return range.split(",").some((specifier) => {
    const version = specifier.replace(/^[^0-9]+|\.\*\s*$/g, "").trim();
    return pep.explain(version)?.is_prerelease === true;
  });
}

/** Versions of Python packages, and of Python: PEP 440, with its version specifiers. */
export const pep440: Scheme = {
  name: "pep440",
  isVersion: (text) => /^[0-9]/.test(text) && pep.valid(text) !== null,
  // `===` compares texts, whatever they are.
  isRange: (text) => text.trim() !== "" && !text.includes("===") && pep.validRange(specifiers(text)),
  compare: pep.compare,
  satisfies: (version, range, prereleases = false) =>
    pep440.isRange(range) &&
    pep.satisfies(version, specifiers(range), { prereleases: prereleases || namesPrerelease(range) }),
  isRelease: (version) => pep.explain(version)?.is_prerelease === false,
  minorOf: (version) => {
    const { epoch = 0, release = [] } = pep.explain(version) ?? {};
    return `${epoch}!${release[0] ?? 0}.${release[1] ?? 0}`;
  },
  partsOf: (version) => {
    const { release = [] } = pep.explain(version) ?? {};
    return [0, 1, 2].map((at) => String(release[at] ?? 0));
  },
  examples: '`"3.12"`, `~=3.12` or `">=3.11, <3.13"`',
};
