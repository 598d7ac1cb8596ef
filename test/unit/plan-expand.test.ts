import { describe, expect, it } from "vitest";
import { bakeFile } from "../../src/plan/formats/bake-files.ts";
import { expand } from "../../src/plan/expand.ts";
import { cacheTag, prefixTargets } from "../../src/plan/prefix.ts";
import { errorFrom, type Files, findingsFrom, makeCatalog, SMALL } from "./workspace.ts";

const TODAY = { today: "2026-01-01" };

/** The plan `grid` with these lines below its head. */
function plan(lines: string): Files {
  return {
    "control_plane/plans/grid.yaml": `schema_version: 1\nplan_id: grid\nmanifest_id: demo\n${lines}`,
    "fragments/app/0.2.0/fragment.yaml":
      "schema_version: 1\nname: app\nversion: 0.2.0\norder: 30\nrequires: {core: '>=0.2'}\nargs: {port: {type: integer, default: 80}}\n",
    "fragments/app/0.2.0/Dockerfile.hbs": "EXPOSE {{args.port}}\n",
  };
}

const expanded = (lines: string, more: Files = {}) =>
  expand(makeCatalog({ ...plan(lines), ...more }), { planId: "grid" }, TODAY);
const idsOf = (lines: string, more: Files = {}) =>
  expanded(lines, more).cells.map(({ cell }) => cell.cell_id);

describe("expand", () => {
  it("is the product of the axes and the platforms, sorted by versions in Dockerfile order", () => {
    expect(idsOf("axes: {core: [0.2.0, 0.1.0]}\n")).toEqual([
      "demo.core-0.1.0.linux-amd64",
      "demo.core-0.1.0.linux-arm64",
      "demo.core-0.2.0.linux-amd64",
      "demo.core-0.2.0.linux-arm64",
    ]);
  });

  it("sorts by semver", () => {
    const version = (one: string): Files => ({
      [`fragments/core/${one}/fragment.yaml`]: `schema_version: 1\nname: core\nversion: ${one}\norder: 10\n`,
      [`fragments/core/${one}/Dockerfile.hbs`]: "RUN a\n",
    });
    const more = { ...version("0.10.0"), ...version("0.9.0") };
    expect(idsOf("axes: {core: [0.10.0, 0.9.0, 0.2.0]}\nplatforms: [linux/amd64]\n", more)).toEqual([
      "demo.core-0.2.0.linux-amd64",
      "demo.core-0.9.0.linux-amd64",
      "demo.core-0.10.0.linux-amd64",
    ]);
  });

  it("has what is fixed in every cell, and its platforms in place of the manifest's", () => {
    const { cells } = expanded("fixed: {core: '>=0.2'}\nplatforms: [linux/arm64]\n");
    expect(cells.map(({ cell }) => [cell.cell_id, cell.fragments])).toEqual([
      ["demo.core-0.2.0.linux-arm64", { core: "0.2.0", app: "0.1.0" }],
    ]);
  });

  it("adds what is included, which no exclusion takes out", () => {
    const lines = "axes: {core: [0.1.0, 0.2.0]}\nplatforms: [linux/amd64]\nexclude: [{core: 0.2.0}]\n";
    expect(idsOf(lines)).toEqual(["demo.core-0.1.0.linux-amd64"]);
    expect(idsOf(`${lines}include: [{core: 0.2.0, app: 0.2.0, platform: linux/arm64}]\n`)).toEqual([
      "demo.core-0.1.0.linux-amd64",
      "demo.core-0.2.0.app-0.2.0.linux-arm64",
    ]);
  });

  it("excludes by ranges and platforms, all of which have to hold", () => {
    const lines = "axes: {core: [0.1.0, 0.1.1, 0.2.0]}\n";
    expect(idsOf(`${lines}exclude: [{core: ~0.1, platform: linux/arm64}, {core: 0.2.0}]\n`)).toEqual([
      "demo.core-0.1.0.linux-amd64",
      "demo.core-0.1.1.linux-amd64",
    ]);
  });

  it("takes overlapping exclusions, and refuses one that matches nothing", () => {
    const lines = "axes: {core: [0.1.0, 0.2.0]}\nexclude:\n";
    expect(idsOf(`${lines}  - {core: 0.2.0}\n  - {core: '>0.1'}\n`)).toHaveLength(2);
    expect(errorFrom(() => expanded(`${lines}  - {core: 0.2.0}\n  - {core: '>1'}\n`))).toMatchObject({
      code: "RULE_UNUSED",
      where: { file: "control_plane/plans/grid.yaml", line: 7 },
    });
  });

  it("leaves out what the fragments' contracts rule out, and says why", () => {
    const { cells, left_out } = expanded("axes: {app: [0.1.0, 0.2.0], core: [0.1.0, 0.2.0]}\n");
    expect(cells).toHaveLength(6);
    expect(left_out).toEqual([
      { values: { app: "0.2.0", core: "not >=0.2" }, what: "app@0.2.0 requires core >=0.2" },
    ]);
  });

  it("leaves out the platforms on which a fragment does not work", () => {
    const more = {
      "fragments/core/0.2.0/fragment.yaml": `${SMALL["fragments/core/0.2.0/fragment.yaml"]}platforms: [linux/arm64]\n`,
    };
    const { cells, left_out } = expanded("fixed: {core: 0.2.0}\n", more);
    expect(cells.map(({ cell }) => cell.platform)).toEqual(["linux/arm64"]);
    expect(left_out).toEqual([
      {
        values: { core: "0.2.0", platform: "not linux/arm64" },
        what: "core@0.2.0 only works on linux/arm64",
      },
      {
        values: { platform: "linux/amd64" },
        what: "is in no cell, since core@0.2.0 only works on linux/arm64",
      },
    ]);
  });

  it("knows which cells are meant to fail, and why", () => {
    const expect_ =
      "expect:\n  - {when: {core: 0.2.0}, result: fail, owner: '@a', reason: one, until: never}\n  - {when: {platform: linux/arm64}, result: fail, owner: '@b', reason: two, until: '2026-01-01'}\n";
    const { cells } = expanded(`axes: {core: [0.1.0, 0.2.0]}\n${expect_}`);
    expect(cells.map(({ cell }) => cell.expect?.reason)).toEqual([undefined, "two", "one", "one; two"]);
    expect(
      errorFrom(() =>
        expanded(
          "axes: {core: [0.1.0]}\nexpect: [{when: {core: 9.0.0}, result: fail, owner: '@a', reason: a, until: never}]\n",
        ),
      ),
    ).toMatchObject({ code: "RULE_UNUSED" });
  });

  it("is the manifest's own cells without a plan", () => {
    const catalog = makeCatalog();
    const { plan_id, cells } = expand(catalog, { manifestId: "demo" }, TODAY);
    expect(plan_id).toBeNull();
    expect(cells.map(({ cell }) => cell.cell_id)).toEqual(["demo.linux-amd64", "demo.linux-arm64"]);
    const chosen = expand(
      catalog,
      { manifestId: "demo", set: { core: "0.2.0" }, args: { port: "9" } },
      TODAY,
    );
    expect(chosen.cells[0]?.cell).toMatchObject({
      cell_id: "demo.core-0.2.0.linux-amd64",
      args: { port: 9 },
    });
  });

  it.each([
    ["no cell", "axes: {core: [0.1.0]}\nexclude: [{core: '*'}]\n", "RULE_REMOVES_ALL"],
    ["no cell for its contracts", "axes: {core: [0.1.0]}\nfixed: {app: 0.2.0}\n", "PLAN_EMPTY"],
    ["versions that never go together", "fixed: {core: 0.1.0, app: 0.2.0}\n", "REQUIRES_VERSION"],
    [
      "one cell twice",
      "axes: {core: [0.1.0]}\ninclude: [{core: 0.1.0, platform: linux/amd64}]\n",
      "CELL_DUPLICATE",
    ],
    ["a version that is not there", "axes: {core: [0.1.0, 7.0.0]}\n", "RANGE_UNSATISFIED"],
    ["a fragment that the manifest has not", "axes: {extra: [0.1.0]}\n", "UNKNOWN_AXIS"],
  ])("refuses a plan with %s", (_, lines, code) => {
    const findings = findingsFrom(() => expanded(lines));
    expect(findings.map((one) => one.code)).toContain(code);
  });

  it("refuses axes that multiply beyond all bounds, before it multiplies them", () => {
    const many = Array.from({ length: 1000 }, (_, at) => at + 1).join(", ");
    const names = Array.from({ length: 1000 }, (_, at) => `n${at}`).join(", ");
    const lines = `axes: {args: {port: [${many}], name: [${names}]}}\n`;
    expect(errorFrom(() => expanded(lines))).toMatchObject({
      code: "PLAN_TOO_LARGE",
      where: { file: "control_plane/plans/grid.yaml", line: 4 },
    });
  });

  it("pins a cell to its base's digest: other keys, the same id", () => {
    const [one] = expanded("axes: {core: [0.1.0]}\n").cells;
    const digest = `sha256:${"c".repeat(64)}`;
    const pinned = one?.pin(() => digest);
    expect(pinned?.cell).toMatchObject({
      cell_id: one?.cell.cell_id,
      base: { digest },
      tags: one?.cell.tags,
    });
    expect(pinned?.cell.build_key).not.toBe(one?.cell.build_key);
    expect(pinned?.render().dockerfile).toContain(`FROM debian:bookworm-slim@${digest} AS base`);
  });
});

describe("cache refs and prefixes", () => {
  it("are one for each prefix and platform, longest first; written by the longest alone", () => {
    const { cells } = expanded("axes: {core: [0.1.0]}\n");
    const [amd, arm] = cells;
    const refs = (list: string[] | undefined) =>
      (list ?? []).map((one) => /ref=([^,]+)/.exec(one)?.[1] ?? "");
    expect(refs(amd?.cell.cache_from)).toEqual([
      expect.stringMatching(/^registry\.example\/team\/cache:app-0\.1\.0-[a-f0-9]{12}-linux-amd64$/),
      expect.stringMatching(/^registry\.example\/team\/cache:core-0\.1\.0-[a-f0-9]{12}-linux-amd64$/),
    ]);
    expect(refs(amd?.cell.cache_to)).toEqual(refs(amd?.cell.cache_from).slice(0, 1));
    expect(amd?.cell.cache_to[0]).toMatch(
      /,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true$/,
    );
    expect(refs(arm?.cell.cache_from).filter((ref) => refs(amd?.cell.cache_from).includes(ref))).toEqual([]);
  });

  it("are shared by the cells that share a prefix, and by no others", () => {
    const { cells } = expanded(
      "axes: {app: [0.1.0, 0.2.0], core: [0.1.0, 0.2.0]}\nplatforms: [linux/amd64]\n",
    );
    const targets = prefixTargets(cells, {
      place: { type: "registry", repository: "registry.example/team/cache" },
      writes: true,
    });
    expect(targets.map(({ target }) => target)).toEqual([
      expect.stringMatching(/^core-0_1_0-[a-f0-9]{12}-linux-amd64$/),
      expect.stringMatching(/^core-0_2_0-[a-f0-9]{12}-linux-amd64$/),
    ]);
    const last = (cell: (typeof cells)[number]) => cell.cell.cache_from.at(-1);
    expect(cells.map((cell) => targets.findIndex((one) => one.cache_from[0] === last(cell)))).toEqual([
      0, 1, 1,
    ]);
  });

  it("are none without a cache repository", () => {
    const { cells } = expanded("axes: {core: [0.1.0]}\n", { "factory.yaml": "schema_version: 1\n" });
    expect(cells[0]?.cell).toMatchObject({
      cache_from: [],
      cache_to: [],
      tags: ["factory/demo:core-0.1.0.linux-amd64"],
    });
    const { text } = bakeFile(cells, {
      dockerfile: () => "D",
      cache: null,
      output: () => ["type=docker"],
    });
    expect(text).not.toContain("cache-");
  });

  it("stay tags, however long names are", () => {
    const prefix = {
      fragment: "f".repeat(63),
      version: `1.0.0-${"a".repeat(64)}+${"b".repeat(64)}`,
      id: "0".repeat(12),
    };
    const ref = cacheTag(prefix, "linux/arm/v7");
    expect(ref).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
    expect(ref).toContain(`-${prefix.id}-linux-arm-v7`);
  });
});
