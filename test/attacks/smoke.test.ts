import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openCatalog } from "../../src/catalog/open.ts";
import type { Inputs } from "../../src/model/inputs.ts";
import type { SmokeEvidence } from "../../src/model/smoke.ts";
import { smokeProblems } from "../../src/records/proof/prove-smoke.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { scriptText } from "../../src/stitch/scripts.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { errorFrom, makeWorkspace, SMALL } from "../unit/workspace.ts";
import { NO_CONTENTS, NO_SCRIPTS } from "../unit/no-scripts.ts";
import { describe, expect, it } from "vitest";
import type { DeclaredTest } from "../../src/model/smoke.ts";
import { removeOrphans } from "../../src/smoke/containers.ts";
import { smokeTest, type SmokeRequest } from "../../src/smoke/smoke.ts";
import { IMAGE, scriptedContainers, scriptedDocker, scriptedNetworks } from "../unit/scripted-docker.ts";

const command: DeclaredTest = { id: "c", from: "core", command: { argv: ["runs"] } };
const request: SmokeRequest = {
  image: "sha256:1",
  inspected: Promise.resolve(IMAGE),
  tests: [command],
  limits: { memory_mb: 64, pids: 32, timeout_s: 5 },
  scripts: NO_SCRIPTS,
  contents: NO_CONTENTS,
  owner: "owner-1",
};

function scripted(behaviour: Parameters<typeof scriptedContainers>[0] = {}) {
  const made = scriptedContainers(behaviour);
  const deps = {
    docker: scriptedDocker({ containers: made.containers, networks: scriptedNetworks(made.calls) }),
    clock: { now: () => 0 },
  };
  return { ...made, deps };
}

describe("A6 a container that was killed from outside", () => {
  const killing = (change: (made: { state: object }) => object | undefined) => {
    const world = scripted({
      exec: (_argv, made) => {
        const state = change(made);
        if (state) made.state = state as typeof made.state;
        else world.there.delete(made.id);
        return { exitCode: 137 };
      },
    });
    return smokeTest({ ...request, tests: [command] }, world.deps);
  };

  it("A6 is an error, never a fail, and the test is not run again", async () => {
    const killed = await killing(({ state }) => ({ ...state, Running: false, ExitCode: 137 }));
    expect(killed).toMatchObject({ status: "error", tests: [{ status: "error" }] });
    expect(killed.tests[0]?.actual).toContain("not by this run");
    const paused = await killing(({ state }) => ({ ...state, Paused: true }));
    expect(paused.tests[0]).toMatchObject({ status: "error" });
    expect(paused.tests[0]?.actual).toContain("was paused");
    const removed = await killing(() => undefined);
    expect(removed).toMatchObject({ status: "error" });
    expect(removed.tests[0]?.actual).toContain("was removed");
  });

  it("A6 is told from one that ran out of the memory it was given, and from a command that failed by itself", async () => {
    const oom = await killing(({ state }) => ({ ...state, OOMKilled: true }));
    expect(oom.tests[0]).toMatchObject({ status: "fail" });
    expect(oom.tests[0]?.actual).toContain("more than 64 MiB of memory");
    expect((await killing(({ state }) => state)).tests[0]).toMatchObject({ status: "fail" });
  });
});

describe("A6 a sweep", () => {
  const labels = (owner: string, life?: number) => ({
    "io.factory.owner": owner,
    ...(life === undefined ? {} : { "io.factory.life-s": String(life) }),
  });
  const stateOf = (owner: string) => (owner === "dead" ? "dead" : owner === "live" ? "alive" : "unknown");
  const day = 24 * 3600;

  it("A6 removes what belongs to the dead, and to those of whom nothing is known when its time is over", async () => {
    const listed = [
      { id: "dead", labels: labels("dead", 900), ageS: 1 },
      { id: "live", labels: labels("live", 1), ageS: 10 * day },
      { id: "elsewhere", labels: labels("elsewhere", 900), ageS: 899 },
      { id: "elsewhere-late", labels: labels("elsewhere", 900), ageS: 901 },
      { id: "old-version", labels: labels("host:12"), ageS: day - 1 },
      { id: "old-version-late", labels: labels("host:12"), ageS: day + 1 },
    ];
    const removed: string[] = [];
    const { deps } = scripted({ listed, remove: (id) => void removed.push(id) });
    expect(await removeOrphans(deps.docker, stateOf)).toBe(3);
    expect(removed.sort()).toEqual(["dead", "elsewhere-late", "old-version-late"]);
  });
});

describe("8.10 scripts and services", () => {
  const script = (path: string) => ({
    "manifests/demo.yaml": SMALL["manifests/demo.yaml"]?.replace(
      /smoke:[^]*/,
      `smoke: [{id: s, script: {path: ${path}}}]\n`,
    ) as string,
  });

  it("8.10 a script that leads out of the workspace, or is a pipe, is a finding and never a hang", () => {
    for (const plant of [
      (path: string) => symlinkSync("/etc/hostname", path),
      (path: string) => void execFileSync("mkfifo", [path]),
    ]) {
      const root = makeWorkspace(script("check.sh"));
      plant(join(root, "check.sh"));
      const error = errorFrom(() => stitch(openCatalog(root), "demo"));
      expect(["FILE_OUTSIDE", "FILE_UNREADABLE"]).toContain(error.code);
      expect(error.where?.file).toBe("manifests/demo.yaml");
    }
  });

  it("8.10 a script that is swapped after planning does not run: what was hashed does", () => {
    const root = makeWorkspace({ ...script("check.sh"), "check.sh": "true\n" });
    const catalog = openCatalog(root);
    const { test_suite_hash } = stitch(catalog, "demo");
    writeFileSync(join(root, "check.sh"), "false\n");
    expect(scriptText(catalog, "check.sh")).toBe("true\n");
    expect(stitch(catalog, "demo").test_suite_hash).toBe(test_suite_hash);
    expect(stitch(openCatalog(root), "demo").test_suite_hash).not.toBe(test_suite_hash);
  });

  it("8.10 a sweep removes the networks of the dead, after their containers, and no others", async () => {
    const made = scriptedContainers({
      listed: [{ id: "c", labels: { "io.factory.owner": "dead" }, ageS: 1 }],
    });
    const list = () =>
      Promise.resolve(
        ["dead", "alive"].map((owner) => ({
          name: `of-${owner}`,
          labels: { "io.factory.owner": owner },
          ageS: 1,
        })),
      );
    const docker = scriptedDocker({
      containers: made.containers,
      networks: scriptedNetworks(made.calls, { list }),
    });
    expect(await removeOrphans(docker, (owner) => (owner === "dead" ? "dead" : "alive"))).toBe(1);
    expect(made.calls).toEqual(["remove c", "remove network of-dead"]);
  });

  it("8.10 a report that hides what was loosened is caught", () => {
    const inputs = {
      tests: [{ from: "manifest", id: "a", timeout_s: null, check: null, settings: { user: "0" } }],
      limits: { memory_mb: 64, pids: 32, timeout_s: 5 },
    } as unknown as Inputs;
    const image = { digest: "d", manifest_digest: "m", size: 1, layers: 1 };
    const test = { id: "manifest/a", status: "pass" as const, duration_ms: 1 };
    const problems = (loosened?: string[]) => {
      const tests = [{ ...test, ...(loosened ? { loosened } : {}) }];
      const keys = { platform: "p", test_suite_hash: "h", verdict_key: "v" };
      const record = { ...keys, image, tests } as unknown as FactoryRecord;
      const report = { ...keys, image, tests, status: "pass" } as unknown as SmokeEvidence;
      return smokeProblems(record, report, inputs).map(({ code, what }) => `${code} ${what}`);
    };
    expect(problems(["user 0"])).toEqual([]);
    expect(problems().join()).toContain("TESTS_MISMATCH");
    expect(problems(["user 1"]).join()).toContain("TESTS_MISMATCH");
  });
});
