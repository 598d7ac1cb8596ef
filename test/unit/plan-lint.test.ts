import { describe, expect, it } from "vitest";
import { bakeFiles } from "../../src/plan/formats/bake-files.ts";
import { withCell } from "../../src/plan/cell.ts";
import { lint } from "../../src/plan/lint.ts";
import { cacheTo } from "../../src/plan/prefix.ts";
import { CACHE, madeCell, madeGrid, PLACE, versions } from "./plan-made-cells.ts";

const PLATFORMS = ["linux/amd64", "linux/arm64", "linux/arm/v7"];
const OPTIONS = {
  dockerfile: () => "D",
  cache: { place: PLACE, writes: true },
  output: () => [],
  header: { command: "factory plan" },
};

/** A cell with other `cache-to`. */
function cachedTo(platform: string, version: string, ref: string) {
  const cell = madeCell({ fragments: { core: version }, platform });
  return withCell(cell, { cache_to: [`type=registry,ref=${ref},mode=max`] });
}

function codesOf(findings: ReturnType<typeof lint>): string[] {
  return findings.map(({ code }) => code);
}

describe("lint", () => {
  it("finds nothing in what Factory makes of cells", () => {
    const cells = [
      ...madeGrid(
        { security: versions(2), core: [...versions(3), "0.1.0-rc.1", "0.1.0+a"], app: versions(2) },
        PLATFORMS,
      ),
      ...madeGrid({ security: versions(2), core: versions(3) }, PLATFORMS, { manifest: "other" }),
      ...madeGrid({ core: versions(2) }, PLATFORMS, { manifest: "third", base: "scratch" }),
    ];
    const bake = [...bakeFiles(cells, OPTIONS)];
    expect(lint(cells, { bakeFiles: bake, platformsOf: () => PLATFORMS })).toEqual([]);
    expect(lint([], {})).toEqual([]);
  });

  describe("cache refs", () => {
    const ref = `${CACHE}:core-linux-amd64`;

    it("that two prefixes write", () => {
      const cells = [
        cachedTo("linux/amd64", "0.1.0", ref),
        cachedTo("linux/amd64", "0.2.0", ref),
        cachedTo("linux/amd64", "0.3.0", ref),
      ];
      const [id, other] = cells.map(({ keys }) => keys.prefixes[0]?.id);
      expect(lint(cells)).toEqual([
        {
          code: "CACHE_REF_SHARED",
          what: `the cache ref \`${ref}\` is written by the prefix core 0.1.0 (${id}) on linux/amd64 and the prefix core 0.2.0 (${other}) on linux/amd64, and 1 more`,
          fix: expect.stringContaining("its own ref") as string,
        },
      ]);
    });

    it("that two platforms write, and that do not name their platform", () => {
      const shared = `${CACHE}:core`;
      const findings = lint([
        cachedTo("linux/amd64", "0.1.0", shared),
        cachedTo("linux/arm64", "0.1.0", shared),
      ]);
      expect(codesOf(findings)).toEqual(["CACHE_REF_SHARED", "CACHE_REF_SHARED"]);
      expect(findings[0]?.what).toMatch(
        /on linux\/amd64 and the prefix core 0\.1\.0 \(\w+\) on linux\/arm64$/,
      );
      expect(findings[1]).toMatchObject({
        what: expect.stringContaining("does not name its platform") as string,
        fix: "make its tag end in `-linux-amd64`",
      });
    });

    it.each(["core-linux-arm", "corelinux-arm-v7", "core-linux-arm-v6", "linux-arm-v7-core"])(
      "whose tag is %s are not those of linux/arm/v7",
      (tag) => {
        expect(codesOf(lint([cachedTo("linux/arm/v7", "0.1.0", `${CACHE}:${tag}`)]))).toEqual([
          "CACHE_REF_SHARED",
        ]);
      },
    );

    it("of a shorter prefix count too", () => {
      const [cell] = madeGrid({ core: ["0.1.0"], app: ["0.1.0"] });
      if (!cell) throw new Error("no cell");
      const [first, last] = cell.keys.prefixes;
      const taken = cacheTo(PLACE, first ? [first] : [], "linux/amd64");
      const findings = lint([withCell(cell, { cache_to: taken })]);
      expect(codesOf(findings)).toEqual(["CACHE_REF_SHARED"]);
      expect(findings[0]?.what).toContain(`the prefix app 0.1.0 (${last?.id})`);
    });

    it("may be written by cells that have the whole chain in common", () => {
      const one = madeCell({ manifest: "one", fragments: { core: "0.1.0" } });
      const two = madeCell({ manifest: "two", fragments: { core: "0.1.0" } });
      expect(one.cell.cache_to).toEqual(two.cell.cache_to);
      expect(lint([one, two])).toEqual([]);
    });
  });

  it("names both cells of one tag, and counts the others", () => {
    const tags = ["registry.example/team/demo:x"];
    const cells = madeGrid({ core: versions(4) }).map((one) => withCell(one, { tags }));
    expect(lint(cells)).toEqual([
      {
        code: "TAG_COLLISION",
        what: "the cell demo.core-0.1.0.linux-amd64 and the cell demo.core-0.2.0.linux-amd64, and 2 more have one tag, `registry.example/team/demo:x`",
        fix: expect.any(String) as string,
      },
    ]);
  });

  describe("bake targets", () => {
    it("that two cells have, since dots become `_`", () => {
      const cells = [
        madeCell({ manifest: "m", fragments: { core: "0.1.0", app: "1.0.0" } }),
        madeCell({ manifest: "m_core-0_1_0", fragments: { app: "1.0.0" } }),
      ];
      const findings = lint(cells, { bakeFiles: bakeFiles(cells, OPTIONS) });
      expect(codesOf(findings)).toEqual(["TARGET_COLLISION"]);
      expect(findings[0]?.what).toContain(
        "m.core-0.1.0.app-1.0.0.linux-amd64 and the cell m_core-0_1_0.app-1.0.0.linux-amd64",
      );
    });

    it.each([
      ["default", "a group of the bake file"],
      ["prefix-core", "a group of the bake file"],
    ])("that have the name of the group %s", (target, other) => {
      const cells = madeGrid({ core: ["0.1.0"], app: ["0.1.0"] }).map((one) => withCell(one, { target }));
      const [finding, ...more] = lint(cells);
      expect(finding).toMatchObject({
        code: "TARGET_COLLISION",
        what: expect.stringContaining(other) as string,
      });
      expect(more).toEqual([]);
    });

    it("that have the name of a prefix, whichever comes first", () => {
      const [first, second] = madeGrid({ core: ["0.1.0", "0.2.0"], app: ["0.1.0"] });
      if (!first || !second) throw new Error("no cells");
      const id = first.keys.prefixes[0]?.id;
      const named = withCell(second, { target: `core-0_1_0-${id}-linux-amd64` });
      for (const cells of [
        [first, named],
        [named, first],
      ]) {
        const findings = lint(cells);
        expect(codesOf(findings)).toEqual(["TARGET_COLLISION"]);
        expect(findings[0]?.what).toContain(`the prefix core 0.1.0 (${id}) on linux/amd64`);
        expect(findings[0]?.what).toContain(`the cell ${second.cell.cell_id}`);
      }
    });

    it("that stand twice in a file", () => {
      const file = { name: "docker-bake-002.hcl", targets: ["a", "b"], prefixes: ["b"], groups: ["default"] };
      expect(lint([], { bakeFiles: [file, { ...file, prefixes: [], targets: ["b"] }] })).toMatchObject([
        {
          code: "TARGET_COLLISION",
          what: "docker-bake-002.hcl has the bake target `b` twice: of a prefix and a cell",
        },
      ]);
    });
  });

  describe("names", () => {
    const [cell] = madeGrid({ core: ["0.1.0"] });
    if (!cell) throw new Error("no cell");

    it.each([
      [
        "tag",
        { tags: [`r.example/demo:${"t".repeat(128)}`] },
        { tags: [`r.example/demo:${"t".repeat(129)}`] },
        129,
      ],
      [
        "repository",
        { tags: [`r.example:5000/${"a".repeat(240)}:t`] },
        { tags: [`r.example:5000/${"a".repeat(241)}:t`] },
        256,
      ],
      ["cell id", { cell_id: "c".repeat(100) }, { cell_id: "c".repeat(101) }, 101],
      ["bake target", { target: "b".repeat(100) }, { target: "b".repeat(101) }, 101],
      [
        "tag",
        { cache_to: [`type=registry,ref=c:${"t".repeat(116)}-linux-amd64,mode=max`] },
        { cache_to: [`type=registry,ref=c:${"t".repeat(117)}-linux-amd64,mode=max`] },
        129,
      ],
    ])("of a %s have a limit", (kind, atLimit, over, length) => {
      expect(lint([withCell(cell, atLimit)])).toEqual([]);
      const findings = lint([withCell(cell, over)]);
      expect(codesOf(findings)).toEqual(["NAME_TOO_LONG"]);
      expect(findings[0]?.what).toMatch(
        new RegExp(`^the ${kind} .* has ${length} characters; the limit is \\d+$`),
      );
    });

    it("that many cells have are found once", () => {
      const cells = madeGrid({ core: versions(5) }, ["linux/amd64"], { manifest: "x".repeat(300) }).map(
        (one, at) =>
          withCell(one, { cell_id: `c${at}`, target: `c${at}`, tags: [`${"x".repeat(256)}:${at}`] }),
      );
      expect(lint(cells)).toMatchObject([
        { code: "NAME_TOO_LONG", what: expect.stringContaining("and 4 more has 256") as string },
      ]);
    });
  });

  describe("bases", () => {
    const found = (platform: string, offered: string[] | undefined, base = "debian:bookworm-slim") =>
      lint(madeGrid({ core: versions(2) }, [platform], { base }), { platformsOf: () => offered });

    it("that lack the platform are named with the platform and the cells", () => {
      expect(found("linux/arm64", ["linux/amd64", "linux/386"])).toEqual([
        {
          code: "BASE_PLATFORM",
          what: "the base image debian:bookworm-slim, which demo.core-0.1.0.linux-arm64 and 1 more need, does not exist for linux/arm64",
          fix: "choose another base, or remove linux/arm64 from the platforms; this one exists for linux/amd64, linux/386",
        },
      ]);
      expect(codesOf(found("linux/amd64", []))).toEqual(["BASE_PLATFORM"]);
    });

    it.each([
      ["linux/arm64", "linux/arm64/v8"],
      ["linux/arm64/v8", "linux/arm64"],
      ["linux/arm", "linux/arm/v7"],
      ["linux/arm/v7", "linux/arm/v6"],
      ["linux/amd64/v3", "linux/amd64"],
    ])("serve %s where they are there for %s", (platform, offered) => {
      expect(found(platform, [offered])).toEqual([]);
    });

    it.each([
      ["linux/arm/v6", "linux/arm/v7"],
      ["linux/amd64", "linux/amd64/v3"],
      ["linux/arm64", "linux/arm/v7"],
      ["linux/amd64", "windows/amd64"],
    ])("do not serve %s where they are there for %s", (platform, offered) => {
      expect(codesOf(found(platform, [offered]))).toEqual(["BASE_PLATFORM"]);
    });

    it("are not judged where nobody knows, and scratch is there for all", () => {
      expect(found("linux/arm64", undefined)).toEqual([]);
      expect(found("linux/arm64", [], "scratch")).toEqual([]);
    });
  });
});
