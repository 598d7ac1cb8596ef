import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

interface Step {
  id?: string;
  uses?: string;
  run?: string;
  if?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}
interface Job {
  if?: string;
  needs?: string | string[];
  permissions?: Record<string, string>;
  "timeout-minutes"?: number;
  strategy?: unknown;
  "continue-on-error"?: unknown;
  env?: Record<string, string>;
  outputs?: Record<string, string>;
  steps: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: unknown;
  concurrency: { group: string };
  env: Record<string, string>;
  jobs: Record<"plan" | "cell" | "verdict", Job>;
}

const file = new URL("../../.github/workflows/factory.yml", import.meta.url);
const text = readFileSync(file, "utf8");
const workflow = parse(text) as Workflow;
const { plan, cell, verdict } = workflow.jobs;
const jobs = Object.values(workflow.jobs);
const steps = jobs.flatMap((job) => job.steps);

/** The verdict job's own script, run as GitHub runs `shell: bash`; gives its exit code. */
function judge(planResult: string, cellResult: string, expected = "success"): number | null {
  const script = verdict.steps.map((step) => step.run).join("\n");
  const env = {
    PATH: process.env.PATH,
    PLAN_RESULT: planResult,
    CELL_RESULT: cellResult,
    EXPECTED: expected,
  };
  const argv = ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script];
  return spawnSync("bash", argv, { env, stdio: "ignore" }).status;
}

describe("the workflow", () => {
  it("uses actions by full commit only, with the version beside it", () => {
    const lines = text.split("\n").filter((line) => /\buses:/.test(line));
    expect(lines.length).toBe(steps.filter((step) => step.uses).length);
    for (const line of lines) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("never pastes an expression into a script", () => {
    const scripts = steps.flatMap((step) => (step.run === undefined ? [] : [step.run]));
    expect(scripts.length).toBeGreaterThan(5);
    for (const script of scripts) expect(script).not.toContain("${{");
  });

  it("has scripts that bash can read", () => {
    for (const { run } of steps) if (run) execFileSync("bash", ["-n", "-c", run]);
  });

  it("gives each job the least it needs, and never runs a stranger's code with a secret", () => {
    expect(workflow.permissions).toEqual({});
    expect(plan.permissions).toEqual({ contents: "read" });
    expect(cell.permissions).toEqual({ contents: "read", packages: "write" });
    expect(verdict.permissions).toEqual({});
    expect(Object.keys(workflow.on).sort()).toEqual(["push", "workflow_dispatch"]);
    const checkouts = steps.filter((step) => step.uses?.startsWith("actions/checkout@"));
    for (const step of checkouts) expect(step.with).toMatchObject({ "persist-credentials": false });
    expect(text.match(/secrets\.\w+/g)).toEqual(["secrets.GITHUB_TOKEN"]);
  });

  it("ends every job in time, and none twice at once", () => {
    for (const job of jobs) expect(job["timeout-minutes"]).toBeGreaterThan(0);
    expect(workflow.concurrency.group).toContain("github.ref");
  });

  it("takes the whole strategy from the plan, and the shard from its environment", () => {
    expect(plan.outputs).toEqual({ strategy: "${{ steps.plan.outputs.strategy }}" });
    expect(plan.steps.some((step) => step.id === "plan")).toBe(true);
    expect(cell.strategy).toBe("${{ fromJSON(needs.plan.outputs.strategy) }}");
    expect(cell.needs).toBe("plan");
    expect(cell.env).toEqual({ SHARD: "${{ matrix.shard }}" });
    const run = cell.steps.find((step) => step.run?.includes("cli.js run"));
    expect(run?.run).toContain('--plan "$PLAN_ID" --since "$SINCE" --shard "$SHARD" --reuse --push');
    expect(Object.keys(workflow.env)).toEqual([
      "PLAN_ID",
      "SINCE",
      "FACTORY_REPOSITORY",
      "FACTORY_CACHE_REPOSITORY",
    ]);
  });

  it("keeps record and evidence whatever happened, and misses them loudly", () => {
    const upload = cell.steps.at(-1);
    expect(upload?.uses).toContain("actions/upload-artifact@");
    expect(upload?.if).toBe("always()");
    expect(upload?.with).toMatchObject({ "if-no-files-found": "error", path: "records/*/**" });
  });

  it("hides no failure", () => {
    for (const job of jobs) expect(job["continue-on-error"]).toBeUndefined();
    expect(text).not.toMatch(/\|\| true|continue-on-error/);
  });

  it("passes its verdict only where plan and cells succeeded", () => {
    expect(verdict.if).toBe("always()");
    expect(verdict.needs).toEqual(["plan", "cell"]);
    expect(verdict.env).toMatchObject({
      PLAN_RESULT: "${{ needs.plan.result }}",
      CELL_RESULT: "${{ needs.cell.result }}",
    });
    expect(judge("success", "success")).toBe(0);
    expect(judge("success", "skipped", "skipped")).toBe(0);
    expect(judge("success", "skipped", "success")).toBe(1);
    for (const result of ["failure", "cancelled", "skipped", ""]) {
      expect(judge("success", result)).toBe(1);
      expect(judge(result, "success")).toBe(1);
    }
  });
});
