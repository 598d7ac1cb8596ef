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
  jobs: Record<"plan" | "cell" | "publish" | "verdict", Job>;
}

const read = (path: string) => readFileSync(new URL(`../../.github/${path}`, import.meta.url), "utf8");
const text = read("workflows/factory.yml");
const workflow = parse(text) as Workflow;
const { plan, cell, publish, verdict } = workflow.jobs;
const action = parse(read("actions/log-in/action.yml")) as {
  inputs: Record<string, unknown>;
  runs: { steps: Step[] };
};
const forkText = read("workflows/fork.yml");
const fork = parse(forkText) as Omit<Workflow, "jobs"> & { jobs: Record<"plan" | "cell" | "verdict", Job> };
const jobs = Object.values(workflow.jobs);
const steps = [
  ...jobs.flatMap((job) => job.steps),
  ...Object.values(fork.jobs).flatMap((job) => job.steps),
  ...action.runs.steps,
];
/** Where a product is published from. */
const ON_DEFAULT = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)";

/** The step that logs in, run as GitHub runs `shell: bash`, with a docker that says what it is called with. */
function logIn(env: Record<string, string>): { status: number | null; calls: string[]; stdout: string } {
  const [step] = action.runs.steps;
  const script = `docker() { echo "$* <$(cat)" >&2; }\n${step?.run}`;
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
    {
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        GITHUB_ACTOR: "me",
        GITHUB_REGISTRY_TOKEN: "own",
        // Variables and secrets that are not set are empty.
        ...Object.fromEntries(
          Object.keys(step?.env ?? {}).flatMap((name) =>
            name === "GITHUB_REGISTRY_TOKEN" ? [] : [[name, ""]],
          ),
        ),
        ...env,
      },
    },
  );
  return { status, stdout, calls: stderr.split("\n").filter((line) => line !== "") };
}

/** The verdict job's own script, run as GitHub runs `shell: bash`; gives its exit code. */
function judge(
  planResult: string,
  cellResult: string,
  expected = "success",
  [published, wanted] = ["skipped", "skipped"],
  by: Job = verdict,
): number | null {
  const script = by.steps.map((step) => step.run).join("\n");
  const env = {
    PATH: process.env.PATH,
    PLAN_RESULT: planResult,
    CELL_RESULT: cellResult,
    EXPECTED: expected,
    PUBLISH_RESULT: published,
    PUBLISHED: wanted,
  };
  const argv = ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script];
  return spawnSync("bash", argv, { env, stdio: "ignore" }).status;
}

describe("the workflow", () => {
  it("B2.8 uses actions by full commit only, with the version beside it", () => {
    const lines = [text, forkText].flatMap((one) =>
      one.split("\n").filter((line) => /\buses: (?!\.\/)/.test(line)),
    );
    expect(lines.length).toBe(steps.filter((step) => step.uses?.startsWith("./") === false).length);
    for (const line of lines) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("B2.8 never pastes an expression into a script", () => {
    const scripts = steps.flatMap((step) => (step.run === undefined ? [] : [step.run]));
    expect(scripts.length).toBeGreaterThan(5);
    for (const script of scripts) expect(script).not.toContain("${{");
  });

  it("B2.8 has scripts that bash can read", () => {
    for (const { run } of steps) if (run) execFileSync("bash", ["-n", "-c", run]);
  });

  it("B2.8 gives each job the least it needs, and never runs a stranger's code with a secret", () => {
    expect(workflow.permissions).toEqual({});
    expect(plan.permissions).toEqual({ contents: "read" });
    expect(cell.permissions).toEqual({ contents: "read", packages: "write" });
    expect(publish.permissions).toEqual({ contents: "read", packages: "write" });
    expect(verdict.permissions).toEqual({});
    expect(Object.keys(workflow.on).sort()).toEqual(["push", "workflow_dispatch"]);
    const checkouts = steps.filter((step) => step.uses?.startsWith("actions/checkout@"));
    for (const step of checkouts) expect(step.with).toMatchObject({ "persist-credentials": false });
    const own = [
      "secrets.GITHUB_TOKEN",
      "secrets.REGISTRY_TOKEN",
      "secrets.CACHE_REGISTRY_TOKEN",
      "secrets.RECORDS_REGISTRY_TOKEN",
    ];
    // The key is for the step that publishes, and for no other: not for the code that npm installs.
    const key = ["secrets.COSIGN_PRIVATE_KEY", "secrets.COSIGN_PASSWORD"];
    expect(text.match(/secrets\.\w+/g)).toEqual([...own, ...own, ...key]);
    const signs = steps.filter((step) => JSON.stringify(step).includes("secrets.COSIGN"));
    expect(signs.map(({ run }) => run?.split(" ")[2])).toEqual(["publish"]);
    for (const { steps } of [cell, publish]) {
      const logsIn = steps.find(({ uses }) => uses === "./.github/actions/log-in");
      expect(Object.keys(logsIn?.with ?? {})).toEqual(Object.keys(action.inputs));
    }
  });

  it("B2.8 pushes on the default branch alone, which no tag of that name is", () => {
    expect(workflow.on.push).toEqual({ branches: ["**"] });
    expect(workflow.env.PUSH).toBe(
      "${{ github.ref == format('refs/heads/{0}', github.event.repository.default_branch) && 'yes' || '' }}",
    );
    expect(text.match(/--push\b/g)).toEqual(["--push"]);
    const run = cell.steps.find((step) => step.run?.includes("cli.js run"))?.run ?? "";
    for (const [PUSH, pushes] of [
      ["yes", true],
      ["", false],
    ] as const) {
      const script = `node() { printf '%s\\n' "$@"; }\n${run}`;
      const env = { PUSH, PLAN_ID: "p", SINCE: "s", SHARD: "1/2" };
      const argv = execFileSync("bash", ["--norc", "-c", script], { env, encoding: "utf8" })
        .trim()
        .split("\n");
      expect(argv).toEqual([
        ...["dist/cli.js", "run", "--plan", "p", "--since", "s", "--shard", "1/2", "--reuse"],
        ...(pushes ? ["--push"] : []),
      ]);
    }
  });

  it("B2.8 logs in to the registries that the variables name, and gives each only its own token", () => {
    const ghcr = "ghcr.io/me/x";
    const cache = { CACHE_REGISTRY_USER: "c", CACHE_REGISTRY_TOKEN: "cc" };
    const images = { REGISTRY_USER: "i", REGISTRY_TOKEN: "ii" };
    const login = (host: string, user: string, token: string) =>
      `login ${host} --username ${user} --password-stdin <${token}`;
    const calls = (FACTORY_REPOSITORY: string, FACTORY_CACHE_REPOSITORY: string) => {
      const FACTORY_RECORDS_REMOTE = `oci://${FACTORY_REPOSITORY}/records`;
      return logIn({
        FACTORY_REPOSITORY,
        FACTORY_CACHE_REPOSITORY,
        FACTORY_RECORDS_REMOTE,
        ...images,
        ...cache,
      }).calls;
    };
    expect(calls(ghcr, `${ghcr}/cache`)).toEqual([login("ghcr.io", "me", "own")]);
    expect(calls("r.example:5000/x", ghcr)).toEqual([
      login("r.example:5000", "i", "ii"),
      login("ghcr.io", "me", "own"),
    ]);
    expect(calls("r.example/x", "r.example/cache")).toEqual([login("r.example", "i", "ii")]);
    expect(calls("team/x", "localhost/cache")).toEqual([
      login("docker.io", "i", "ii"),
      login("localhost", "c", "cc"),
    ]);
    const records = { RECORDS_REGISTRY_USER: "r", RECORDS_REGISTRY_TOKEN: "rr" };
    const elsewhere = (FACTORY_RECORDS_REMOTE: string) => {
      const repositories = { FACTORY_REPOSITORY: ghcr, FACTORY_CACHE_REPOSITORY: "c.example/x" };
      return logIn({ ...repositories, FACTORY_RECORDS_REMOTE, ...cache, ...records }).calls;
    };
    const both = [login("ghcr.io", "me", "own"), login("c.example", "c", "cc")];
    expect(elsewhere(`oci://${ghcr}/records`)).toEqual(both);
    expect(elsewhere("oci://c.example/records")).toEqual(both);
    expect(elsewhere("oci://r.example:5000/records")).toEqual([...both, login("r.example:5000", "r", "rr")]);
    const without = logIn({
      FACTORY_REPOSITORY: "r.example/x",
      FACTORY_CACHE_REPOSITORY: ghcr,
      FACTORY_RECORDS_REMOTE: `oci://${ghcr}/records`,
    });
    expect(without).toMatchObject({ status: 1, calls: [] });
    expect(without.stdout).toContain("set the variable REGISTRY_USER and the secret REGISTRY_TOKEN");
  });

  it("B2.8 ends every job in time, and none twice at once", () => {
    for (const job of jobs) expect(job["timeout-minutes"]).toBeGreaterThan(0);
    expect(workflow.concurrency.group).toContain("github.ref");
  });

  it("B2.8 takes matrix and strategy from the plan, in parts that linters can read, and the shard from its environment", () => {
    expect(plan.outputs).toEqual({ strategy: "${{ steps.plan.outputs.strategy }}" });
    expect(plan.steps.some((step) => step.id === "plan")).toBe(true);
    expect(cell.strategy).toEqual({
      "fail-fast": "${{ fromJSON(needs.plan.outputs.strategy).fail-fast }}",
      matrix: "${{ fromJSON(needs.plan.outputs.strategy).matrix }}",
    });
    expect(cell.needs).toBe("plan");
    expect(cell.env).toEqual({ SHARD: "${{ matrix.shard }}" });
    expect(Object.keys(workflow.env)).toEqual([
      "PLAN_ID",
      "SINCE",
      "PUSH",
      "FACTORY_REPOSITORY",
      "FACTORY_RECORDS_REMOTE",
      "PRODUCT_ID",
      "FACTORY_CACHE_REPOSITORY",
    ]);
  });

  it("B2.8 splits a plan in one way in all jobs: none looks for records that only some have", () => {
    const planned = plan.steps.find((step) => step.id === "plan")?.run ?? "";
    const run = cell.steps.find((step) => step.run?.includes("cli.js run"))?.run ?? "";
    for (const script of [planned, run]) expect(script).toContain('"$PLAN_ID" --since "$SINCE"');
    // What is proven changes while the jobs run: it decides about the cells of a shard, and not which these are.
    expect(planned).not.toContain("--reuse");
    expect(run).toContain('--shard "$SHARD" --reuse');
  });

  it("B2.8 keeps records with evidence and ledger whatever happened, and misses them loudly", () => {
    const upload = cell.steps.at(-1);
    expect(upload?.uses).toContain("actions/upload-artifact@");
    expect(upload?.if).toBe("always()");
    expect(upload?.with).toMatchObject({ "if-no-files-found": "error", path: "records/*/**" });
  });

  it("B2.8 hides no failure", () => {
    for (const job of jobs) expect(job["continue-on-error"]).toBeUndefined();
    for (const one of [text, forkText]) expect(one).not.toMatch(/\|\| true|continue-on-error/);
  });

  it("9.13 publishes on the default branch alone, where a product is named, and after cells that did not fail", () => {
    const condition = publish.if ?? "";
    expect(publish.needs).toEqual(["plan", "cell"]);
    expect(condition).toContain(ON_DEFAULT);
    for (const part of [
      "!cancelled()",
      "needs.plan.result == 'success'",
      "vars.FACTORY_PRODUCT != ''",
      `contains(fromJSON('["success", "skipped"]'), needs.cell.result)`,
    ])
      expect(condition.split("&&").map((one) => one.trim())).toContain(part);
    const script = publish.steps.at(-1)?.run;
    expect(script).toBe('node dist/cli.js publish --product "$PRODUCT_ID" --wait 600');
    expect(verdict.env?.PUBLISHED).toBe(
      `\${{ ${ON_DEFAULT} && vars.FACTORY_PRODUCT != '' && 'success' || 'skipped' }}`,
    );
    expect(judge("success", "success", "success", ["success", "success"])).toBe(0);
    for (const result of ["failure", "cancelled", "skipped", ""])
      expect(judge("success", "success", "success", [result, "success"])).toBe(1);
  });

  it("9.13 gives pull requests from forks no secret, no right to write and no remote, and pushes nothing", () => {
    expect(fork.on).toBe("pull_request");
    expect(fork.permissions).toEqual({});
    for (const job of Object.values(fork.jobs)) {
      expect(["{}", '{"contents":"read"}']).toContain(JSON.stringify(job.permissions));
      expect(job["timeout-minutes"]).toBeGreaterThan(0);
    }
    expect(forkText).not.toMatch(/secrets\.|write|--push|--reuse|log-in|docker login|pull_request_target/);
    expect(Object.keys(fork.env)).toEqual(["PLAN_ID", "SINCE"]);
    const others = "github.event.pull_request.head.repo.full_name != github.repository";
    expect(fork.jobs.plan.if).toBe(others);
    expect(fork.jobs.verdict.if).toBe(`always() && ${others}`);
    const uploads = fork.jobs.cell.steps.at(-1);
    expect(uploads?.if).toBe("always()");
    expect(uploads?.with).toMatchObject({ "if-no-files-found": "error", path: "records/*/**" });
    expect(judge("success", "success", "success", undefined, fork.jobs.verdict)).toBe(0);
    for (const result of ["failure", "cancelled", "skipped", ""])
      expect(judge("success", result, "success", undefined, fork.jobs.verdict)).toBe(1);
  });

  it("B2.8 passes its verdict only where plan and cells succeeded", () => {
    expect(verdict.if).toBe("always()");
    expect(verdict.needs).toEqual(["plan", "cell", "publish"]);
    expect(verdict.env).toMatchObject({
      PLAN_RESULT: "${{ needs.plan.result }}",
      CELL_RESULT: "${{ needs.cell.result }}",
      PUBLISH_RESULT: "${{ needs.publish.result }}",
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
