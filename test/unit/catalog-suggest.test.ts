import { semver } from "../../src/catalog/schemes/semver.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { didYouMean } from "../../src/catalog/suggest.ts";
import { isVersion, sortVersions, versionsIn } from "../../src/catalog/versions.ts";

describe("didYouMean", () => {
  it.each([
    ["platfroms", ["platforms", "template"], "platforms"],
    ["Core", ["core", "cure"], "core"],
    ["xyz", ["core", "light"], undefined],
    ["ab", ["cd"], undefined],
    ["bsae", ["base", "core"], "base"],
    ["", ["a"], undefined],
    ["lite", ["site", "kite"], "kite"],
  ])("%j among %j is %j", (word, candidates, expected) => {
    expect(didYouMean(word, candidates)).toBe(expected);
  });

  it("does not depend on the order, and finds what is there", () => {
    const words = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 });
    fc.assert(
      fc.property(words, fc.stringMatching(/^[a-z]{1,8}$/), (candidates, word) => {
        expect(didYouMean(word, [...candidates].reverse())).toBe(didYouMean(word, candidates));
        expect(didYouMean(candidates[0] ?? "", candidates)).toBe(candidates[0]);
      }),
    );
  });
});

describe("versions", () => {
  it("are sorted by semver", () => {
    expect(sortVersions(["1.0.0", "0.10.0", "0.2.0", "1.0.0-rc.2", "1.0.0-rc.10"], semver)).toEqual([
      "0.2.0",
      "0.10.0",
      "1.0.0-rc.2",
      "1.0.0-rc.10",
      "1.0.0",
    ]);
  });

  it("satisfy ranges; an exact one stands for itself", () => {
    expect(versionsIn("~0.1", ["0.1.0", "0.1.9", "0.2.0-rc.1", "0.2.0"], semver)).toEqual(["0.1.0", "0.1.9"]);
    expect(versionsIn("1.0.0+a", ["1.0.0+a", "1.0.0+b"], semver)).toEqual(["1.0.0+a"]);
    expect(isVersion("1.0.0-01", semver)).toBe(false);
  });
});
