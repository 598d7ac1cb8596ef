import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { DeclaredTest } from "../../src/model/smoke.ts";
import { removeContainersOf, removeOrphans } from "../../src/smoke/containers.ts";
import { smokeTest } from "../../src/smoke/smoke.ts";
import type { SmokeRequest } from "../../src/smoke/smoke.ts";
import { createDocker } from "../../src/tools/docker.ts";
import type { Exec, ExecResult, ExecStream } from "../../src/tools/exec.ts";

type Script = Record<string, (argv: readonly string[]) => Partial<ExecResult>>;

/** A docker that answers by its first words, records every call and refuses what is not in the script. */
function scripted(script: Script) {
  const calls: (readonly string[])[] = [];
  const run: Exec = (file, argv) => {
    calls.push(argv);
    const answer = Object.entries(script).find(([words]) => argv.join(" ").startsWith(words))?.[1];
    if (file !== "docker" || !answer) throw new Error(`not in the script: ${file} ${argv.join(" ")}`);
    return Promise.resolve({
      exitCode: 0,
      stdout: "",
      stderr: "",
      timedOut: false,
      aborted: false,
      ...answer(argv),
    });
  };
  const execStream: ExecStream = () => Promise.reject(new Error("not in the script"));
  return { calls, deps: { docker: createDocker(run, execStream), execStream, clock: { now: () => 0 } } };
}

const inspect = () => ({ stdout: JSON.stringify([{ Id: "sha256:0", Config: {} }]) });
const command: DeclaredTest = { id: "c", from: "core", command: { argv: ["-x", "$(id)"] } };
const request: SmokeRequest = {
  image: "team/app:1",
  tests: [command],
  limits: { memory_mb: 64, pids: 32, timeout_s: 5 },
  owner: "host-1",
};

describe("smokeTest on a scripted engine", () => {
  it("starts every container within the sandbox", async () => {
    const { calls, deps } = scripted({
      "image inspect": inspect,
      create: () => ({}),
      start: () => ({}),
      rm: () => ({}),
    });
    const report = await smokeTest({ ...request, platform: "linux/arm64", gpus: 2 }, deps);
    expect(report.status).toBe("pass");
    const create = calls.find(([verb]) => verb === "create") ?? [];
    expect(create).toEqual(
      expect.arrayContaining([
        "--pull=never",
        "--label=io.factory.owner=host-1",
        "--platform=linux/arm64",
        "--gpus=2",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--memory=64m",
        "--memory-swap=64m",
        "--pids-limit=32",
        "--network=none",
        "--entrypoint=-x",
      ]),
    );
    expect(create.slice(-2)).toEqual(["team/app:1", "$(id)"]);
    const name = create.find((flag) => flag.startsWith("--name="))?.slice("--name=".length);
    expect(calls.at(-1)).toEqual(["rm", "--force", "--volumes", name]);
  });

  it("gives the engine's words where it refuses", async () => {
    const refusal = { exitCode: 1, stderr: "Error response from daemon: no GPU here\n" };
    const { calls, deps } = scripted({ "image inspect": inspect, create: () => refusal });
    const report = await smokeTest({ ...request, gpus: "all" }, deps);
    expect(report).toMatchObject({ status: "error", tests: [{ id: "core/c", actual: "no GPU here" }] });
    expect(calls.some(([verb]) => verb === "rm")).toBe(false);
  });

  it("throws where there is no image", async () => {
    const missing = () => ({ exitCode: 1, stderr: "Error: No such image: team/app:1" });
    const { deps } = scripted({ "image inspect": missing, create: missing });
    await expect(smokeTest(request, deps)).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  });

  it("says so where a container cannot be removed", async () => {
    const stuck = () => ({ exitCode: 1, stderr: "Error response from daemon: device is busy" });
    const { deps } = scripted({ "image inspect": inspect, create: () => ({}), start: () => ({}), rm: stuck });
    await expect(smokeTest(request, deps)).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });

  it("asks the engine nothing where it is interrupted already, or the image is a flag", async () => {
    const { calls, deps } = scripted({});
    await expect(smokeTest({ ...request, signal: AbortSignal.abort() }, deps)).rejects.toThrow(FactoryError);
    await expect(smokeTest({ ...request, image: "--privileged" }, deps)).rejects.toMatchObject({
      code: "USAGE",
    });
    expect(calls).toEqual([]);
  });

  it("gives an error for a test that checks nothing or has no program, and a pass for no tests", async () => {
    const { deps } = scripted({ "image inspect": inspect });
    const nothing: DeclaredTest = { id: "n", from: "core" };
    const noProgram: DeclaredTest = { id: "p", from: "core", command: { argv: ["", "true"] } };
    const report = await smokeTest({ ...request, tests: [nothing, noProgram] }, deps);
    expect(report.tests.map(({ status }) => status)).toEqual(["error", "error"]);
    expect(await smokeTest({ ...request, tests: [] }, deps)).toEqual({ status: "pass", tests: [] });
  });
});

describe("sweeping", () => {
  it("removes the containers of owners that are no more, and no others", async () => {
    const ps = () => ({ stdout: "id1\tdead\nid2\talive\nid3\tdead\n" });
    const { calls, deps } = scripted({ ps, rm: () => ({}) });
    expect(await removeOrphans(deps.docker, (owner) => owner === "alive")).toBe(2);
    expect(calls.at(-1)).toEqual(["rm", "--force", "--volumes", "id1", "id3"]);
  });

  it("removes nothing where there is nothing", async () => {
    const { calls, deps } = scripted({ ps: () => ({}) });
    expect(await removeContainersOf("me", deps.docker)).toBe(0);
    expect(calls[0]).toContain("--filter=label=io.factory.owner=me");
  });

  it("takes a container that is gone meanwhile", async () => {
    const gone = { exitCode: 1, stderr: "Error response from daemon: No such container: id1\n" };
    const { deps } = scripted({ ps: () => ({ stdout: "id1\tme\n" }), rm: () => gone });
    expect(await removeContainersOf("me", deps.docker)).toBe(1);
  });
});
