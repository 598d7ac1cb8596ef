import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { ToldReport } from "../../src/commands/probe-plan.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { cellsIn, type MadeVerdict, pairs, putVerdict } from "../unit/causes-made.ts";
import { factoryAtOnce } from "../unit/workspace.ts";

async function explained(root: string) {
  const { status, stdout, stderr } = await factoryAtOnce(root, ["explain", "--failures", "demo", "--json"]);
  expect(status).toBe(0);
  return { report: JSON.parse(stdout) as ToldReport, stderr };
}

const isBad = ({ cell: { fragments } }: PlannedCell) =>
  fragments.core === "0.2.0" && fragments.app === "0.1.0";

async function putAll(root: string, more: Partial<MadeVerdict> = {}) {
  const records = [];
  for (const [at, planned] of cellsIn(root).entries()) {
    const bad = isBad(planned);
    records.push(
      await putVerdict(root, planned, { hour: at, status: bad ? "fail" : "pass", ...(bad && more) }),
    );
  }
  return records;
}

it("9.15 does not believe a pass that its evidence does not prove", async () => {
  const root = pairs();
  await putAll(root);
  const [bad] = cellsIn(root).filter(isBad);
  if (!bad) throw new Error("there is none");
  // With the pass of one failing cell, something else would be to blame.
  const forged = await putVerdict(root, bad, { hour: 60 });
  const path = join(root, "records/demo", forged.evidence.smoke_report?.path ?? "");
  writeFileSync(path, "{}");
  const { report, stderr } = await explained(root);
  expect(stderr).toContain(forged.record_id);
  expect(report).toMatchObject({ passing: 10, failing: 1, flaky: [], left_out: { unbelievable: 1 } });
  expect(report.causes[0]?.records).not.toContain(forged.record_id);
});

it("9.15 believes no record that was edited to be a pass", async () => {
  const root = pairs();
  const records = await putAll(root);
  const bad = records.find(({ result }) => result.status === "fail");
  const file = join(root, "records/demo", `${bad?.record_id}.json`);
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace(
      '"status": "fail",\n    "stage": "smoke"',
      '"status": "pass",\n    "stage": "done"',
    ),
  );
  const { report } = await explained(root);
  expect(report.failing).toBe(1);
  expect(report.left_out.unbelievable).toBe(1);
});

it("9.15 acts on no terminal, whatever logs and tests say", async () => {
  const root = pairs();
  const hostile = ["\u001b]0;owned\u0007Error: \u202e<script>alert(1)</script>\u001b[2J\r\u0000"];
  await putAll(root, { log: hostile });
  const { stdout } = await factoryAtOnce(root, ["explain", "--failures", "demo"]);
  expect(stdout).toContain("Error: \\u202e<script>");
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
});

it("9.15 serves the rest where records are pipes, links, no JSON, or of another manifest", async () => {
  const root = pairs();
  const [first, second] = await putAll(root);
  const folder = join(root, "records/demo");
  const text = readFileSync(join(folder, `${first?.record_id}.json`), "utf8");
  const id = (at: number) => `20260201t00000000${at}z-0123456789abcdef`;
  spawnSync("mkfifo", [join(folder, `${id(1)}.json`)]);
  symlinkSync(`${second?.record_id}.json`, join(folder, `${id(2)}.json`));
  writeFileSync(join(folder, `${id(3)}.json`), '{"a":');
  writeFileSync(join(folder, `${id(4)}.json`), text);
  mkdirSync(join(folder, `${id(5)}.json`));
  const { report, stderr } = await explained(root);
  expect(report).toMatchObject({ passing: 10, failing: 2 });
  expect(report.causes.map(({ values }) => values)).toEqual([{ app: ["0.1.0"], core: ["0.2.0"] }]);
  for (const at of [1, 2, 3, 4]) expect(stderr).toContain(id(at));
});
