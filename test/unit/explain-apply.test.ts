import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AppliedRules } from "../../src/commands/apply-rules.ts";
import type { ToldReport } from "../../src/commands/probe-plan.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { cellsIn, pairs, putVerdict } from "./causes-made.ts";
import { factoryAtOnce, writeFiles } from "./workspace.ts";

const PLAN = "control_plane/plans/grid.yaml";

async function applied(root: string) {
  const { status, stdout } = await factoryAtOnce(root, [
    "explain",
    "--failures",
    "demo",
    "--apply",
    "--json",
  ]);
  return { status, ...(JSON.parse(stdout) as ToldReport & AppliedRules) };
}

const isBad = ({ cell: { fragments } }: PlannedCell) =>
  fragments.core === "0.2.0" && fragments.app === "0.1.0";

async function putAll(root: string, bad = isBad, cells = cellsIn(root)) {
  for (const [hour, planned] of cells.entries())
    await putVerdict(root, planned, { hour, status: bad(planned) ? "fail" : "pass" });
}

describe("factory explain --failures --apply", () => {
  it("excludes what fails from its plans, and has nothing to do after that", async () => {
    const root = pairs();
    await putAll(root);
    const before = readFileSync(join(root, PLAN), "utf8");
    const first = await applied(root);
    expect([first.status, first.skipped]).toEqual([0, []]);
    expect(first.applied).toEqual([
      { file: PLAN, plan_id: "grid", exclude: { app: "0.1.0", core: "0.2.0" } },
    ]);
    expect(readFileSync(join(root, PLAN), "utf8")).toBe(
      `${before}exclude:\n  - { app: 0.1.0, core: 0.2.0 }\n`,
    );
    expect((await factoryAtOnce(root, ["validate"])).status).toBe(0);
    expect(cellsIn(root)).toHaveLength(10);
    const second = await applied(root);
    expect(second).toMatchObject({ status: 0, applied: [], skipped: [] });
    expect(second.causes).toEqual([expect.objectContaining({ planned: false })]);
  });

  it("leaves a plan alone that would not be sound, and says why", async () => {
    const root = pairs();
    await putAll(root, ({ cell }) => cell.fragments.core === "0.2.0");
    writeFiles(root, {
      "control_plane/plans/narrow.yaml":
        "schema_version: 1\nplan_id: narrow\nmanifest_id: demo\naxes: {core: [0.2.0], app: [0.1.0]}\n",
    });
    const narrow = readFileSync(join(root, "control_plane/plans/narrow.yaml"), "utf8");
    const { status, applied: rules, skipped } = await applied(root);
    expect(status).toBe(1);
    expect(rules.map(({ plan_id }) => plan_id)).toEqual(["grid"]);
    expect(skipped).toEqual([
      { cause: "core 0.2.0", plan_id: "narrow", what: expect.stringContaining("every cell") as string },
    ]);
    expect(readFileSync(join(root, "control_plane/plans/narrow.yaml"), "utf8")).toBe(narrow);
  });

  it("writes nothing of what is not certain, or expected", async () => {
    const root = pairs();
    const before = readFileSync(join(root, PLAN), "utf8");
    await putAll(
      root,
      isBad,
      cellsIn(root).filter((one) => isBad(one) || one.cell.fragments.core === "0.1.0"),
    );
    const doubtful = await applied(root);
    expect([doubtful.status, doubtful.applied]).toEqual([1, []]);
    expect(doubtful.skipped[0]?.what).toContain("other explanations");
    expect(readFileSync(join(root, PLAN), "utf8")).toBe(before);

    const other = pairs();
    for (const [hour, planned] of cellsIn(other).entries())
      await putVerdict(other, planned, { hour, status: isBad(planned) ? "fail" : "pass", expected: true });
    expect(await applied(other)).toMatchObject({ status: 0, applied: [], skipped: [] });
  });

  it("writes through a link within the workspace, and goes nowhere else", async () => {
    const root = pairs({ [PLAN]: null, "shared/grid.yaml": null });
    writeFiles(root, {
      "shared/grid.yaml":
        "schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {core: [0.1.0, 0.2.0], app: [0.1.0, 0.2.0]}\n",
    });
    symlinkSync("../../shared/grid.yaml", join(root, PLAN));
    await putAll(root);
    expect((await applied(root)).status).toBe(0);
    expect(readFileSync(join(root, "shared/grid.yaml"), "utf8")).toContain("exclude:");
  });

  it("goes with --failures alone", async () => {
    const { status, stderr } = await factoryAtOnce(pairs(), ["explain", "demo.x", "--apply"]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("--apply goes with --failures")]);
  });

  it("leaves a plan alone that cannot be read", async () => {
    const root = pairs();
    await putAll(root);
    writeFileSync(join(root, PLAN), "plan_id: [\n");
    const { status, stderr } = await factoryAtOnce(root, ["explain", "--failures", "demo", "--apply"]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(PLAN)]);
    expect(readFileSync(join(root, PLAN), "utf8")).toBe("plan_id: [\n");
  });
});
