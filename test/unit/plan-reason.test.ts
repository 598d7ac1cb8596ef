import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareInputs, inputsOf } from "../../src/plan/decide/reason.ts";
import { cellOf, MUTATIONS, RECIPE, type Recipe } from "./plan-reason-cells.ts";

const compare = (before: Partial<Recipe>, after: Partial<Recipe> = {}) =>
  compareInputs(inputsOf(cellOf(before)), inputsOf(cellOf(after)));

const ORDER = ["BASE", "TEMPLATE", "FRAGMENT", "FILES", "ARGS", "TESTS", "POLICY"];

describe("compareInputs", () => {
  it("finds nothing where the verdict key is the same", () => {
    expect(compare({}, {})).toBeNull();
    const inputs = inputsOf(cellOf());
    expect(compareInputs(inputs, { ...inputs, fragments: [], args: {} })).toBeNull();
  });

  it.each(MUTATIONS)("tells another %s", (_name, changes, reason, names) => {
    for (const difference of [compare({}, changes), compare(changes, {})]) {
      expect(difference?.reason).toBe(reason);
      expect(difference?.changes.map(({ input }) => input)).toEqual(names);
      for (const { before, after } of difference?.changes ?? []) expect(before).not.toBe(after);
    }
  });

  it("says what was and what is, with short digests", () => {
    const pinned = `debian@sha256:${"a".repeat(64)}`;
    expect(
      compare(
        { base: { ref: "debian:1", digest: null } },
        { base: { ref: pinned, digest: `sha256:${"b".repeat(64)}` } },
      ),
    ).toEqual({
      reason: "BASE",
      changes: [
        { input: "base", before: "debian:1", after: `debian@sha256:${"a".repeat(12)}` },
        { input: "base.digest", before: null, after: `sha256:${"b".repeat(12)}` },
      ],
    });
    expect(compare({ args: { port: 80, gone: true } }, { args: { port: 8080, name: "x" } })?.changes).toEqual(
      [
        { input: "args.port", before: "80", after: "8080" },
        { input: "args.name", before: null, after: "x" },
        { input: "args.gone", before: "true", after: null },
      ],
    );
    expect(compare({ args: { port: "80" } }, { args: { port: 80 } })?.changes).toEqual([
      { input: "args.port", before: '"80"', after: "80" },
    ]);
    expect(compare({ args: {} }, { args: { name: "null" } })?.changes).toEqual([
      { input: "args.name", before: null, after: "null" },
    ]);
  });

  it("tells another platform as policy", () => {
    const changes = [{ input: "platform", before: "linux/amd64", after: "linux/arm64" }];
    expect(compare({}, { platform: "linux/arm64" })).toEqual({ reason: "POLICY", changes });
  });

  it("names the order of fragments, before and after", () => {
    expect(compare({}, { fragments: [...RECIPE.fragments].reverse() })?.changes).toEqual([
      { input: "fragments", before: "core, app", after: "app, core" },
    ]);
  });

  it("tells another digest of an image beside the base, and not that of the base twice", () => {
    const image = (ref: string, hex: string | null) => {
      const digest = hex === null ? null : `sha256:${hex.repeat(64)}`;
      return { role: "copy" as const, ref, digest };
    };
    const before = { images: [image("node:22", "a"), image("gone:1", "b"), image("same:1", "c")] };
    const after = { images: [image("node:22", null), image("same:1", "c"), image("new:1", "d")] };
    expect(compare(before, after)).toEqual({
      reason: "BASE",
      changes: [
        { input: "images.node:22", before: `sha256:${"a".repeat(12)}`, after: "unknown" },
        { input: "images.new:1", before: null, after: `sha256:${"d".repeat(12)}` },
        { input: "images.gone:1", before: `sha256:${"b".repeat(12)}`, after: null },
      ],
    });
    const base = { base: { ref: "debian:1", digest: null } };
    expect(compare(base, { base: { ref: "debian:2", digest: null } })?.changes).toEqual([
      { input: "base", before: "debian:1", after: "debian:2" },
    ]);
  });

  it("tells no image of a record of older times, which names none", () => {
    const [now, then] = [{ images: [{ role: "copy" as const, ref: "node:22", digest: null }] }, {}].map(
      (one) => inputsOf(cellOf({ ...one, args: { port: 1 } })),
    );
    const old = { ...inputsOf(cellOf()), images: undefined };
    for (const pair of [
      [old, now],
      [now, old],
      [old, then],
    ] as const)
      expect(compareInputs(pair[0]!, pair[1]!)?.reason).toBe("ARGS");
  });

  it("writes digests out where their beginnings are the same", () => {
    const digest = (end: string) => `sha256:${"a".repeat(63)}${end}`;
    expect(
      compare({ base: { ref: "a", digest: digest("0") } }, { base: { ref: "a", digest: digest("1") } })
        ?.changes,
    ).toEqual([{ input: "base.digest", before: digest("0"), after: digest("1") }]);
  });

  it("takes an argument named like a part of every object as any other", () => {
    expect(compare({ args: {} }, { args: { constructor: "x" } })?.changes).toEqual([
      { input: "args.constructor", before: null, after: "x" },
    ]);
  });

  it("has the reason in the tests where the bits are the same, whatever else was written otherwise", () => {
    const before = inputsOf(cellOf());
    const after = inputsOf(cellOf({ tests: "others" }));
    const fragments = after.fragments.map((one) => ({ ...one, digest: `sha256:${"c".repeat(64)}` }));
    const difference = compareInputs(before, { ...after, fragments });
    expect(difference?.reason).toBe("TESTS");
    expect(difference?.changes.map(({ input }) => input)).toEqual([
      "tests",
      "fragments.core.digest",
      "fragments.app.digest",
    ]);
  });

  it("lists every mutation of several, the first kind as the reason, and nothing that stayed", () => {
    // Another label is told only where nothing else explains another image.
    const one = fc.constantFrom(...MUTATIONS.filter(([name]) => name !== "label"));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 6 }), (mutations) => {
        const recipe = Object.assign({}, ...mutations.map(([, changes]) => changes)) as Partial<Recipe>;
        const difference = compare({}, recipe);
        // Of two mutations of one field the later holds.
        const holding = mutations.filter(([, changes]) =>
          Object.entries(changes).every(([key, value]) => recipe[key as keyof Recipe] === value),
        );
        const expected = new Set(holding.flatMap(([, , , names]) => names));
        // Other limits cannot be told from other bits.
        const bits = holding.some(([name]) => name !== "tests" && name !== "limits");
        if (bits || expected.has("tests")) expected.delete("verdict_key");
        expect(new Set(difference?.changes.map(({ input }) => input))).toEqual(expected);
        const reasons = holding
          .filter(([name]) => name !== "limits" || expected.has("verdict_key"))
          .map(([, , reason]) => reason);
        expect(difference?.reason).toBe(ORDER.find((reason) => reasons.includes(reason)));
      }),
    );
  });
});

describe("inputsOf", () => {
  it("is what a record of the cell holds", () => {
    const { cell, keys } = cellOf();
    expect(inputsOf(cellOf())).toEqual({
      template: keys.template,
      fragments: keys.fragments,
      args: RECIPE.args,
      base: RECIPE.base,
      images: [{ role: "base", ...RECIPE.base }],
      sources: RECIPE.sources,
      platform: "linux/amd64",
      test_suite_hash: keys.test_suite_hash,
      build_key: cell.build_key,
      verdict_key: cell.verdict_key,
    });
  });
});
