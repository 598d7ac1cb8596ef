import { describe, expect, it } from "vitest";
import type { DeclaredTest } from "../../src/model/smoke.ts";
import { removeOrphans } from "../../src/smoke/containers.ts";
import { smokeTest, type SmokeRequest } from "../../src/smoke/smoke.ts";
import { IMAGE, scriptedContainers, scriptedDocker } from "../unit/scripted-docker.ts";

const command: DeclaredTest = { id: "c", from: "core", command: { argv: ["runs"] } };
const request: SmokeRequest = {
  image: "sha256:1",
  inspected: Promise.resolve(IMAGE),
  tests: [command],
  limits: { memory_mb: 64, pids: 32, timeout_s: 5 },
  owner: "owner-1",
};

function scripted(behaviour: Parameters<typeof scriptedContainers>[0] = {}) {
  const made = scriptedContainers(behaviour);
  const deps = { docker: scriptedDocker({ containers: made.containers }), clock: { now: () => 0 } };
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
