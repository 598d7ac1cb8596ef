import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choose, sizeOfAll } from "../../src/cleanup/cache-choice.ts";
import { partsOfTag, readCacheRef, type ReadRef } from "../../src/cleanup/cache-ref.ts";
import { sha256 } from "../../src/model/digest.ts";

const NOW = Date.parse("2026-11-21T00:00:00Z");
const DAY = 24 * 3600 * 1000;

interface Made {
  tag?: string;
  days?: number | null;
  blobs?: Record<string, number>;
  fragment?: string | null;
  digest?: string;
  kind?: "cache" | "other";
  names?: string[];
}

function refOf(
  name: string,
  { days = 1, blobs = { [name]: 10 }, fragment = "core", names = [], ...more }: Made = {},
): ReadRef {
  const all = new Map(Object.entries(blobs));
  return {
    ref: {
      tag: more.tag ?? name,
      digest: more.digest ?? name,
      kind: more.kind ?? "cache",
      fragment,
      version: "0.1.0",
      prefix: "0".repeat(12),
      platform: "linux-amd64",
      size: [...all.values()].reduce((sum, size) => sum + size, 0),
      made: days === null ? null : new Date(NOW - days * DAY).toISOString(),
    },
    blobs: all,
    names,
  };
}

const chosen = (refs: ReadRef[], rules: Parameters<typeof choose>[2], used: readonly string[] = []) =>
  choose(refs, (tag) => used.includes(tag), rules, NOW).map(({ read, why }) => `${read.ref.tag} ${why}`);

describe("choose", () => {
  const refs = [1, 2, 3, 4].map((days) => refOf(`d${days}`, { days }));

  it("keeps the newest of each fragment on each platform", () => {
    expect(chosen(refs, { keep: 2 })).toEqual(["d3 count", "d4 count"]);
    expect(chosen([...refs, refOf("other", { days: 9, fragment: "app" })], { keep: 1 })).toEqual([
      "d2 count",
      "d3 count",
      "d4 count",
    ]);
    expect(chosen(refs, { keep: 2 }, ["d3"])).toEqual(["d4 count"]);
  });

  it("lets go what is older, but for those that are kept by number", () => {
    expect(chosen(refs, { olderThanMs: 2.5 * DAY })).toEqual(["d3 age", "d4 age"]);
    expect(chosen(refs, { olderThanMs: DAY / 2, keep: 3 })).toEqual(["d4 age"]);
  });

  it("lets go the oldest until the others fit, with shared blobs counted once", () => {
    expect(chosen(refs, { maxSize: 25 })).toEqual(["d3 size", "d4 size"]);
    expect(chosen(refs, { maxSize: 40 })).toEqual([]);
    const shared = refs.map(({ ref }, at) =>
      refOf(ref.tag, { days: at + 1, blobs: { all: 100, [ref.tag]: 1 } }),
    );
    expect(chosen(shared, { maxSize: 103 })).toEqual(["d4 size"]);
  });

  it("keeps what is used, has no date, is no cache, or whose manifest something else has or names", () => {
    const rules = { olderThanMs: 0, maxSize: 0 };
    expect(chosen([refOf("a"), refOf("b")], rules, ["a"])).toEqual(["b age"]);
    expect(chosen([refOf("a", { days: null }), refOf("b", { fragment: null })], rules)).toEqual([]);
    expect(chosen([refOf("a", { kind: "other" })], rules)).toEqual([]);
    const twins = [refOf("a", { digest: "d" }), refOf("b", { digest: "d" })];
    expect(chosen(twins, rules, ["a"])).toEqual([]);
    expect(chosen(twins, rules)).toEqual(["a age", "b age"]);
    // A date from the future is no age.
    expect(chosen([refOf("a", { days: -400 })], { olderThanMs: DAY })).toEqual([]);
    // An index keeps what it names, and what that keeps.
    const index = refOf("index", { kind: "other", names: ["a"] });
    expect(chosen([index, refOf("a"), refOf("b")], rules)).toEqual(["b age"]);
    const chain = [index, refOf("a", { names: ["b"] }), refOf("b", { names: ["c"] }), refOf("c"), refOf("d")];
    expect(chosen(chain, rules)).toEqual(["d age"]);
  });

  it("gives the same for any order, leaves each held manifest, and fits where it can", () => {
    const ref = fc.record({
      name: fc.constantFrom("a", "b", "c", "d", "e", "f"),
      days: fc.option(fc.integer({ min: 0, max: 9 }), { freq: 5 }),
      digest: fc.constantFrom("x", "y", "z", "u", "v"),
      kind: fc.constantFrom("cache" as const, "cache" as const, "other" as const),
      fragment: fc.constantFrom("core", "light"),
      names: fc.subarray(["x", "y", "z"], { maxLength: 2 }),
      blobs: fc.dictionary(fc.constantFrom("p", "q", "r", "s"), fc.integer({ min: 1, max: 50 })),
    });
    const rules = fc.record(
      {
        keep: fc.integer({ min: 0, max: 3 }),
        olderThanMs: fc.integer({ min: 0, max: 9 }).map((days) => days * DAY),
        maxSize: fc.integer({ min: 0, max: 150 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(ref, { selector: ({ name }) => name, maxLength: 6 }),
        rules,
        fc.subarray(["a", "b", "c"]),
        fc.infiniteStream(fc.nat()),
        (made, asked, used, order) => {
          const sizes = { p: 10, q: 20, r: 30, s: 40 };
          const all = made.map(({ name, blobs, ...more }) => {
            const own = Object.keys(blobs).map((blob) => [blob, sizes[blob as keyof typeof sizes]] as const);
            return refOf(name, { ...more, blobs: Object.fromEntries(own) });
          });
          const isUsed = (tag: string) => used.includes(tag);
          const gone = choose(all, isUsed, asked, NOW);
          const keys = new Map(all.map((one) => [one, order.next().value ?? 0]));
          const other = [...all].sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
          expect(choose(other, isUsed, asked, NOW)).toEqual(gone);
          const away = new Set(gone.map(({ read }) => read));
          const left = all.filter((read) => !away.has(read));
          for (const { ref } of away) {
            expect(used).not.toContain(ref.tag);
            expect(ref.kind).toBe("cache");
            expect(ref.made).not.toBe(null);
            for (const stays of left) expect([stays.ref.digest, ...stays.names]).not.toContain(ref.digest);
          }
          for (const fragment of ["core", "light"]) {
            const own = (refs: Iterable<ReadRef>) =>
              [...refs].filter(({ ref }) => ref.kind === "cache" && ref.fragment === fragment).length;
            const dated = own(all);
            expect(own(left)).toBeGreaterThanOrEqual(Math.min(asked.keep ?? 0, dated));
          }
          // What could still go is only left where all others fit.
          const free = left.filter(({ ref }) => {
            const others = left.filter((one) => one.ref !== ref);
            const isHeld = others.some((one) => [one.ref.digest, ...one.names].includes(ref.digest));
            return ref.kind === "cache" && ref.made !== null && !used.includes(ref.tag) && !isHeld;
          });
          // Where manifests are shared or name each other, one that is held can be in the way.
          const areApart = made.every(({ digest, names }) => {
            return names.length === 0 && made.filter((one) => one.digest === digest).length === 1;
          });
          if (asked.maxSize !== undefined && asked.keep === undefined && areApart && free.length > 0)
            expect(sizeOfAll(left)).toBeLessThanOrEqual(asked.maxSize);
        },
      ),
    );
  });
});

describe("readCacheRef", () => {
  const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));
  const read = (value: unknown, tag = "core-0.1.0-dd5bf07a02d6-linux-amd64") => {
    const bytes = Buffer.isBuffer(value) ? value : bytesOf(value);
    return readCacheRef(tag, { bytes, digest: sha256(bytes) }, ["core-2", "core"]);
  };
  const layer = (name: string, size: number, made?: string) => ({
    digest: sha256(name),
    size,
    annotations: made === undefined ? null : { "buildkit/createdat": made },
  });
  const config = { mediaType: "application/vnd.buildkit.cacheconfig.v0", ...layer("config", 5) };

  it("knows a cache by its config, in a manifest or in an index, and its age by its newest part", () => {
    const layers = [
      layer("one", 10, "2026-01-01T00:00:00Z"),
      layer("two", 20, "2026-02-01T00:00:00.5Z"),
      layer("one", 10),
    ];
    for (const value of [{ config, layers }, { manifests: [...layers, config] }]) {
      const ref = read(value)?.ref;
      expect(ref).toMatchObject({ kind: "cache", made: "2026-02-01T00:00:00.500Z", fragment: "core" });
      expect(ref?.size).toBe(35 + JSON.stringify(value).length);
    }
  });

  it("takes nothing else for a cache, and no odd value for a size or a date", () => {
    expect(
      read({ config: { mediaType: "application/vnd.oci.image.config.v1+json" }, layers: [] })?.ref.kind,
    ).toBe("other");
    expect(read(Buffer.from("not JSON"))).toBe(null);
    expect(read(null)).toBe(null);
    for (const layers of [
      null,
      5,
      [null],
      [{ digest: "x", size: 5 }],
      [layer("a", NaN)],
      [{ ...layer("a", 1), size: "9" }],
    ])
      expect(read({ config, layers })?.ref).toMatchObject({ kind: "cache", made: null });
    expect(read({ config, layers: [layer("a", 1, "soon")] })?.ref.made).toBe(null);
  });

  it("splits a tag by the fragments that there are, or else at the first digit", () => {
    const end = "dd5bf07a02d6-linux-arm64-v8";
    const parts = (tag: string) => {
      const { fragment, version, platform } = partsOfTag(tag, ["core-2", "core"]);
      return [fragment, version, platform];
    };
    expect(parts(`core-2-0.1.0-${end}`)).toEqual(["core-2", "0.1.0", "linux-arm64-v8"]);
    expect(parts(`core-2.0.0-${end}`)).toEqual(["core", "2.0.0", "linux-arm64-v8"]);
    expect(parts(`model_serve-0.1.0-rc.1-${end}`)).toEqual(["model_serve", "0.1.0-rc.1", "linux-arm64-v8"]);
    expect(parts("latest")).toEqual([null, null, null]);
  });
});
