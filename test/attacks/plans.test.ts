import { describe, expect, it } from "vitest";
import { expand } from "../../src/plan/expand.ts";
import { cellId } from "../../src/plan/cell-names.ts";
import { type Files, findingsFrom, makeCatalog } from "../unit/workspace.ts";

const TODAY = { today: "2026-11-26" };

const plan = (lines: string): Files => ({
  "control_plane/plans/grid.yaml": `schema_version: 1\nplan_id: grid\nmanifest_id: demo\n${lines}`,
});
const expanded = (lines: string) => expand(makeCatalog(plan(lines)), { planId: "grid" }, TODAY);

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
