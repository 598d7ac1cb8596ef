import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellId, tagOf, targetName } from "../../src/plan/cell-names.ts";
import { platformSlug } from "../../src/model/platform.ts";

const id = fc.stringMatching(/^[a-z][a-z0-9]{0,8}((_{1,2}|-)[a-z0-9]{1,8}){0,2}$/);
const number = fc.nat({ max: 30 });
/** Pre-release and build parts that look like more of an id, or differ in case alone. */
const suffix = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  fc.constantFrom(
    "-rc.1",
    "-RC.1",
    "-rc-1",
    "+rc.1",
    "-rc.light-0.2.0",
    "-rc.linux-amd64",
    "-0.light-1.0.0",
    "+a-b.c-1.2.3",
  ),
  fc.stringMatching(/^[-+][0-9A-Za-z.-]{1,30}$/),
);
const version = fc.tuple(number, number, number, suffix).map(([a, b, c, more]) => `${a}.${b}.${c}${more}`);
const platform = fc.constantFrom("linux/amd64", "linux/arm64", "linux/arm/v7");
const choice = fc.record({
  manifest: id,
  chosen: fc.uniqueArray(fc.tuple(id, version), { maxLength: 5, selector: ([name]) => name }),
  platform,
});

describe("cellId", () => {
  it("names what was chosen", () => {
    expect(
      cellId(
        "llm",
        [
          ["core", "0.1.0"],
          ["light", "0.2.0-rc.1"],
        ],
        "linux/arm/v7",
      ),
    ).toBe("llm.core-0.1.0.light-0.2.0-rc.1.linux-arm-v7");
    expect(cellId("llm", [], "linux/amd64")).toBe("llm.linux-amd64");
  });

  it("has the form of the contract, and always the same for one choice", () => {
    fc.assert(
      fc.property(choice, ({ manifest, chosen, platform: one }) => {
        const made = cellId(manifest, chosen, one);
        expect(made).toMatch(/^[a-z0-9][a-z0-9._-]*$/);
        expect(made.length).toBeLessThanOrEqual(100);
        expect(cellId(manifest, chosen, one)).toBe(made);
        expect(targetName(made)).toMatch(/^[a-zA-Z0-9_-]+$/);
        const tag = tagOf(made.slice(manifest.length + 1));
        expect(tag).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
      }),
      { numRuns: 500 },
    );
  });

  it("differs for two choices", () => {
    fc.assert(
      fc.property(choice, choice, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(cellId(a.manifest, a.chosen, a.platform)).not.toBe(cellId(b.manifest, b.chosen, b.platform));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["case", [["core", "1.0.0-RC"]], [["core", "1.0.0-rc"]]],
    ["build metadata", [["core", "1.0.0+rc"]], [["core", "1.0.0-rc"]]],
    [
      "a version that reads like two",
      [["core", "1.0.0-rc.light-0.2.0"]],
      [
        ["core", "1.0.0-rc"],
        ["light", "0.2.0"],
      ],
    ],
    ["what is cut", [["core", `1.0.0-${"a".repeat(120)}`]], [["core", `1.0.0-${"a".repeat(121)}`]]],
    [
      "a cut in another place",
      [["core", `1.0.0-${"a".repeat(85)}.b-1`]],
      [["core", `1.0.0-${"a".repeat(85)}.b-2`]],
    ],
  ] as [string, [string, string][], [string, string][]][])("tells apart what differs in %s", (_, a, b) => {
    const ids = [cellId("m", a, "linux/amd64"), cellId("m", b, "linux/amd64")];
    expect(ids[0]).not.toBe(ids[1]);
    for (const one of ids) expect(one.length).toBeLessThanOrEqual(100);
  });

  it("ends in its platform and a hash where it is cut", () => {
    const cut = (platform: string) => cellId("m", [["core", `1.0.0-${"a".repeat(120)}`]], platform);
    expect(cut("linux/amd64")).toMatch(/^m\.core-1\.0\.0-a+\.linux-amd64_h[a-f0-9]{8}$/);
    expect(cut("linux/amd64")).toHaveLength(100);
    expect(cut("linux/arm/v7")).toMatch(/a\.linux-arm-v7_h[a-f0-9]{8}$/);
    // No dot or dash is left over at the cut.
    expect(cellId("m", [["core", `1.0.0-${"a.".repeat(60)}b`]], "linux/amd64")).toMatch(/a\.linux-amd64_h/);
    expect(cut(`linux/${"x".repeat(200)}`)).toHaveLength(100);
  });

  it("does not change where it is not cut", () => {
    const of = (length: number) => cellId("m", [["core", `1.0.0-${"a".repeat(length)}`]], "linux/amd64");
    expect(of(75)).toBe(`m.core-1.0.0-${"a".repeat(75)}.linux-amd64`);
    expect(of(75)).toHaveLength(100);
    expect(of(76)).toMatch(/a\.linux-amd64_h[a-f0-9]{8}$/);
  });
});

describe("tagOf", () => {
  it("is a tag, and differs where what is cut differs", () => {
    expect(tagOf("core-0.1.0+b.linux-amd64")).toBe("core-0.1.0-b.linux-amd64");
    expect(tagOf(".-a")).toBe("a");
    const long = ["a".repeat(200), "a".repeat(201)].map(tagOf);
    expect(long[0]).not.toBe(long[1]);
    expect(long.map((tag) => tag.length)).toEqual([128, 128]);
  });
});

it("platformSlug takes the place of slashes", () => {
  expect(platformSlug("linux/arm/v7")).toBe("linux-arm-v7");
});
