import { describe, expect, it } from "vitest";
import { expand } from "../../src/plan/expand.ts";
import { cellId } from "../../src/plan/cell-names.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { type Files, findingsFrom, makeCatalog } from "../unit/workspace.ts";

const TODAY = { today: "2026-11-26" };

const plan = (lines: string): Files => ({
  "control_plane/plans/grid.yaml": `schema_version: 1\nplan_id: grid\nmanifest_id: demo\n${lines}`,
});
const expanded = (lines: string) => expand(makeCatalog(plan(lines)), { planId: "grid" }, TODAY);

/** A search that needs more tries than there is time for: so many in a row, all different, with one value too few. */
const PIGEONS = 13;

describe("hard questions", () => {
  it("8.9 a plan whose rules take too long to decide ends with an error", () => {
    const names = Array.from({ length: PIGEONS }, (_, at) => `p${at}`);
    const holes = Array.from({ length: PIGEONS - 1 }, (_, at) => at);
    const args = names.map((name) => `${name}: {type: integer, default: 0}`).join(", ");
    const exclude = names.flatMap((a, at) =>
      names.slice(at + 1).flatMap((b) => holes.map((hole) => `{args: {${a}: ${hole}, ${b}: ${hole}}}`)),
    );
    const files = {
      "fragments/app/0.1.0/fragment.yaml": `schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nargs: {${args}}\n`,
      "fragments/app/0.1.0/Dockerfile.hbs": "RUN app\n",
      "manifests/demo.yaml":
        "schema_version: 1\nmanifest_id: demo\ntemplate: plain@~0.1\nbase: debian:12\nfragments: {core: 0.1.0, app: 0.1.0}\n",
      ...plan(
        `axes: {args: {${names.map((name) => `${name}: [${holes.join(", ")}]`).join(", ")}}}\nstrategy: pairwise\nexclude: [${exclude.slice(0, 1000).join(", ")}]\n`,
      ),
    };
    const findings = findingsFrom(() => expand(makeCatalog(files), { planId: "grid" }, TODAY));
    expect(findings).toMatchObject([
      { code: "SEARCH_TOO_LONG", where: { file: "control_plane/plans/grid.yaml" } },
    ]);
  }, 120_000);

  it("8.9 ranges that take too long to solve end with an error", () => {
    const names = Array.from({ length: PIGEONS }, (_, at) => `p${at}`);
    const versions = Array.from({ length: PIGEONS - 1 }, (_, at) => `${at + 1}.0.0`);
    const files: Record<string, string | null> = {
      "control_plane/plans/grid.yaml": null,
      "templates/plain/0.1.0/template.yaml": `schema_version: 1\ntemplate_id: plain\nversion: 0.1.0\nslots: [${names.map((name) => `{name: ${name}}`).join(", ")}]\n`,
      "templates/plain/0.1.0/Dockerfile.hbs": `FROM {{base}} AS base\n\n${names.map((name) => `{{slot "${name}"}}\n\n`).join("")}FROM {{last}} AS image\n{{labels}}\n`,
      "manifests/demo.yaml": `schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: debian:12\nfragments: {${names.map((name) => `${name}: "*"`).join(", ")}}\n`,
    };
    for (const [at, name] of names.entries())
      for (const version of versions) {
        const others = names.filter((other) => other !== name).map((other) => `${other}: ${version}`);
        files[`fragments/${name}/${version}/fragment.yaml`] =
          `schema_version: 1\nname: ${name}\nversion: ${version}\norder: ${at}\nconflicts: {${others.join(", ")}}\n`;
        files[`fragments/${name}/${version}/Dockerfile.hbs`] = "RUN x\n";
      }
    const catalog = makeCatalog(files);
    expect(findingsFrom(() => stitch(catalog, "demo"))).toMatchObject([
      { code: "SEARCH_TOO_LONG", where: { file: "manifests/demo.yaml" } },
    ]);
  }, 120_000);
});

describe("named axes", () => {
  it.each([
    "__proto__",
    "constructor",
    "a b",
    "${x}",
    "../up",
    "A",
    "a_b",
    "a..b",
    "-a",
    "a.",
    "%{x}",
    "x".repeat(64),
    '""',
  ])("8.9 a value named %s is refused", (name) => {
    const findings = findingsFrom(() =>
      expanded(`zip: [{name: v, values: {${JSON.stringify(name)}: {args: {port: 1}}}}]\n`),
    );
    expect(findings[0]?.where).toMatchObject({ file: "control_plane/plans/grid.yaml" });
  });

  it.each(["__proto__", "constructor", "args", "base", "platform", "core", "a.b", "a b"])(
    "8.9 an axis named %s is refused, or is only a name",
    (name) => {
      const lines = `zip: [{name: ${JSON.stringify(name)}, values: {a: {args: {port: 1}}}}]\nplatforms: [linux/amd64]\n`;
      if (name === "constructor")
        expect(expanded(lines).cells.map(({ cell }) => cell.cell_id)).toEqual([
          "demo.constructor-a.linux-amd64",
        ]);
      else expect(findingsFrom(() => expanded(lines))).not.toEqual([]);
    },
  );

  it("8.9 a value that reads like another id does not get that id", () => {
    const of = (...chosen: [string, string][]) => cellId("demo", chosen, "linux/amd64");
    expect(of(["x", "a.y-b"])).not.toBe(of(["x", "a"], ["y", "b"]));
    expect(of(["x", "a.linux-amd64"])).not.toBe(of(["x", "a"]));
  });

  it("8.9 a thousand values are as many cells, each with its own id", () => {
    const values = Array.from({ length: 1000 }, (_, at) => `v${at}: {args: {port: ${at + 1}}}`).join(", ");
    const lines = `zip: [{name: many, values: {${values}}}]\nplatforms: [linux/amd64]\n`;
    const { cells } = expanded(lines);
    expect(new Set(cells.map(({ cell }) => cell.cell_id)).size).toBe(1000);
    expect(cells.find(({ cell }) => cell.named?.many === "v7")?.cell.args.port).toBe(8);
  });

  it("8.9 values that are in no cell are all named, also if there are hundreds", () => {
    const ports = Array.from({ length: 600 }, (_, at) => at + 1).join(", ");
    const { cells, left_out } = expanded(
      `axes: {args: {port: [${ports}]}}\nplatforms: [linux/amd64]\nexclude: [{args: {port: ">1"}}]\n`,
    );
    expect(cells).toHaveLength(1);
    expect(left_out).toHaveLength(599);
  });
});
