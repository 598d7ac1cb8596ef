import compareBuild from "semver/functions/compare-build.js";
import major from "semver/functions/major.js";
import minor from "semver/functions/minor.js";
import parse from "semver/functions/parse.js";
import patch from "semver/functions/patch.js";
import prerelease from "semver/functions/prerelease.js";
import satisfies from "semver/functions/satisfies.js";
import validRange from "semver/ranges/valid.js";
import common from "../../schemas/common.schema.json" with { type: "json" };
import type { Scheme } from "./scheme.ts";

const FORM = new RegExp(common.definitions.semver.pattern, "u");

/** https://semver.org, with the ranges of npm. */
export const semver: Scheme = {
  name: "semver",
  isVersion: (text) => FORM.test(text) && parse(text) !== null,
  isRange: (text) => text.trim() !== "" && validRange(text) !== null,
  compare: compareBuild,
  satisfies: (version, range, prereleases = false) =>
    satisfies(version, range, { includePrerelease: prereleases }),
  isRelease: (version) => prerelease(version) === null,
  minorOf: (version) => `${major(version)}.${minor(version)}`,
  partsOf: (version) => [major(version), minor(version), patch(version)].map(String),
  examples: '`0.1.0`, `~0.1` or `">=0.1 <0.3"`',
};
