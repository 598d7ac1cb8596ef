import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ToldReport } from "../../src/commands/probe-plan.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { cellsIn, type MadeVerdict, pairs, putVerdict } from "./causes-made.ts";
import { factoryAtOnce, writeFiles } from "./workspace.ts";

async function explained(root: string, argv: readonly string[] = []) {
  const { status, stdout, stderr } = await factoryAtOnce(root, [
    "explain",
    "--failures",
    "demo",
    "--json",
    ...argv,
  ]);
  expect([status, stderr.replace(/^warning.*\n/gm, "")]).toEqual([0, ""]);
  return { report: JSON.parse(stdout) as ToldReport, stderr };
}

const isBad = ({ cell: { fragments } }: PlannedCell) =>
  fragments.core === "0.2.0" && fragments.app === "0.1.0";

/** Puts a record of every cell; `bad` ones fail. */
async function putAll(root: string, bad = isBad, more: Partial<MadeVerdict> = {}) {
  const records = [];
  for (const [at, planned] of cellsIn(root).entries())
    records.push(
      await putVerdict(root, planned, {
        hour: at,
        status: bad(planned) ? "fail" : "pass",
        ...(bad(planned) && more),
      }),
    );
  return records;
}

const LOG = [
  "manifest/answers: expected exits with 0",
  "manifest/answers: got Error: no module 7f00aa11bb22 at line 12",
];

describe("factory explain --failures", () => {
  it("names what fails, what shows it, and that nothing else explains it", async () => {
    const root = pairs();
    const records = await putAll(root, isBad, { log: LOG });
    const { report } = await explained(root);
    const failed = records.filter(({ result }) => result.status === "fail").map(({ record_id }) => record_id);
    expect(report).toMatchObject({ passing: 10, failing: 2, smallest: true, flaky: [] });
    const [cause, ...more] = report.causes;
    expect(more).toEqual([]);
    expect(cause).toMatchObject({
      values: { app: ["0.1.0"], core: ["0.2.0"] },
      records: failed.sort().reverse(),
      expected: false,
      planned: true,
      certain: true,
      possible: 1,
      alternatives: [],
      probe: null,
    });
    expect(cause?.passes_without.map(({ factor, value }) => [factor, value])).toEqual([
      ["app", "0.2.0"],
      ["core", "0.1.1"],
    ]);
    // The same root cause on two platforms is one group.
    expect(report.groups).toHaveLength(1);
    expect(report.groups[0]).toMatchObject({ causes: [0], records: failed });
    expect(report.groups[0]?.signature).toContain("Error: no module <digest> at line N");
  });

  it("says when it began, and what differs from when it passed", async () => {
    const root = pairs();
    await putAll(root, () => false);
    writeFiles(root, { "fragments/core/0.2.0/Dockerfile.hbs": "RUN install everything --new\n" });
    for (const [at, planned] of cellsIn(root).entries())
      await putVerdict(root, planned, { hour: 100 + at, status: isBad(planned) ? "fail" : "pass" });
    const { report } = await explained(root);
    expect(report.causes.map(({ values }) => values)).toEqual([{ app: ["0.1.0"], core: ["0.2.0"] }]);
    const { began } = report.causes[0] ?? {};
    expect(began).toMatchObject({ same_cell: true });
    expect(began?.changes.map(({ input }) => input)).toEqual(["fragments.core.digest"]);
    expect(began?.last_pass?.cell_id).toBe(began?.first_fail.cell_id);
  });

  it("leaves out what is no verdict on the files of today", async () => {
    const root = pairs();
    await putAll(root, () => true);
    // All of it failed once; what is known of one version is of other files now.
    writeFiles(root, { "fragments/core/0.2.0/Dockerfile.hbs": "RUN install everything --fixed\n" });
    const { report } = await explained(root);
    expect(report).toMatchObject({ passing: 0, failing: 8, left_out: { stale: 4 } });
    const cells = cellsIn(root).filter(({ cell }) => cell.fragments.core === "0.2.0");
    for (const [at, planned] of cells.entries())
      await putVerdict(root, planned, { hour: 50 + at, status: "error" });
    expect((await explained(root)).report).toMatchObject({ failing: 8, left_out: { stale: 4, error: 4 } });
  });

  it("calls flaky what passed and failed with equal keys, with its tests, and blames nothing for it", async () => {
    const root = pairs();
    const cells = cellsIn(root);
    await putAll(root);
    const good = cells.find((one) => !isBad(one));
    if (!good) throw new Error("there is none");
    await putVerdict(root, good, { hour: 90, status: "fail", tests: (id) => id.startsWith("manifest/") });
    const { report } = await explained(root);
    expect(report.flaky).toEqual([
      expect.objectContaining({
        cell_id: good.cell.cell_id,
        passed: 1,
        failed: 1,
        tests: ["manifest/answers"],
      }),
    ]);
    expect(report.causes.map(({ values }) => values)).toEqual([{ app: ["0.1.0"], core: ["0.2.0"] }]);
    expect(report.left_out.flaky).toBe(1);
  });

  it("explains failures that plans declare, and says that they are", async () => {
    const root = pairs();
    await putAll(root, isBad, { expected: true });
    const { report } = await explained(root);
    expect(report.causes).toEqual([expect.objectContaining({ expected: true, certain: true })]);
  });

  it("names a planned cell that decides between explanations, and a plan where there is none", async () => {
    const root = pairs();
    const cells = cellsIn(root);
    const at = (core: string, app: string) =>
      cells.filter(
        ({ cell }) =>
          cell.fragments.core === core && cell.fragments.app === app && cell.platform === "linux/amd64",
      );
    for (const [hour, planned] of [...at("0.2.0", "0.1.0"), ...at("0.1.0", "0.2.0")].entries())
      await putVerdict(root, planned, { hour, status: hour === 0 ? "fail" : "pass" });
    const { report } = await explained(root);
    const { probe, certain, possible } = report.causes[0] ?? {};
    expect([certain, possible, probe?.plan]).toEqual([false, 3, null]);
    expect(probe?.command).toBe(`factory run --plan grid --cell ${probe?.cell_id}`);
    expect([probe?.left_if_fails, probe?.left_if_passes].sort()).toEqual([1, 2]);

    writeFiles(root, {
      "control_plane/plans/grid.yaml":
        "schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {core: [0.2.0], app: [0.1.0]}\n",
    });
    const made = (await explained(root)).report.causes[0]?.probe;
    const { plan } = made ?? {};
    expect(made?.cell_id).toBeNull();
    writeFiles(root, { [plan?.path ?? ""]: plan?.text ?? "" });
    const planned = await factoryAtOnce(root, ["plan", "probe_demo_1", "--json"]);
    const own = (JSON.parse(planned.stdout) as { cells: { fragments: object; platform: string }[] }).cells;
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({
      fragments: made?.values.fragments,
      platform: made?.values.platform,
      args: made?.values.args,
    });
  });

  it("says that nothing is known, or that nothing fails, and knows no other manifest", async () => {
    const root = pairs();
    const text = async () => (await factoryAtOnce(root, ["explain", "--failures", "demo"])).stdout;
    expect(await text()).toContain("nothing is known of demo");
    await putAll(root, () => false);
    expect(await text()).toContain("nothing fails: 12 combinations of demo passed");
    const unknown = await factoryAtOnce(root, ["explain", "--failures", "dmeo"]);
    expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining("did you mean `demo`")]);
    const both = await factoryAtOnce(root, ["explain", "demo.x", "--failures", "demo"]);
    expect(both.status).toBe(2);
  });

  it("writes nothing but the index", async () => {
    const root = pairs();
    await putAll(root);
    const before = readdirSync(root);
    const { total } = await openStore(root).list({});
    await explained(root);
    expect(readdirSync(root).filter((name) => !before.includes(name) && name !== ".factory")).toEqual([]);
    expect((await openStore(root).list({})).total).toBe(total);
  });
});
