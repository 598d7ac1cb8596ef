import { describe, expect, it, vi } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { DeclaredTest } from "../../src/model/smoke.ts";
import { smokeTest } from "../../src/smoke/smoke.ts";
import type { SmokeRequest } from "../../src/smoke/smoke.ts";
import type { Docker } from "../../src/tools/docker.ts";
import { NO_CONTENTS, NO_SCRIPTS } from "./no-scripts.ts";
import { IMAGE, scriptedContainers, scriptedDocker } from "./scripted-docker.ts";

const command: DeclaredTest = { id: "c", from: "core", command: { argv: ["-x", "$(id)"] } };
const second: DeclaredTest = { id: "d", from: "core", command: { argv: ["second"] } };
const request: SmokeRequest = {
  image: "sha256:1",
  inspected: Promise.resolve(IMAGE),
  tests: [command],
  limits: { memory_mb: 64, pids: 32, timeout_s: 5 },
  scripts: NO_SCRIPTS,
  contents: NO_CONTENTS,
  owner: "owner-1",
};

function engine(behaviour: Parameters<typeof scriptedContainers>[0] = {}, more: Partial<Docker> = {}) {
  const made = scriptedContainers(behaviour);
  const deps = { docker: scriptedDocker({ containers: made.containers, ...more }), clock: { now: () => 0 } };
  return { ...made, deps };
}

describe("smokeTest on a scripted engine", () => {
  it("makes every container within the sandbox", async () => {
    const { specs, calls, deps, there } = engine();
    const report = await smokeTest({ ...request, platform: "linux/arm64", gpus: 2 }, deps);
    expect(report.status).toBe("pass");
    expect(specs).toHaveLength(1);
    expect(specs[0]).toMatchObject({
      platform: "linux/arm64",
      spec: {
        Image: "sha256:1",
        Entrypoint: ["sleep"],
        Labels: { "io.factory.owner": "owner-1", "io.factory.life-s": "1210" },
        Healthcheck: { Test: ["NONE"] },
        HostConfig: {
          NetworkMode: "none",
          ReadonlyRootfs: true,
          CapDrop: ["ALL"],
          SecurityOpt: ["no-new-privileges"],
          Memory: 64 * 1024 * 1024,
          MemorySwap: 64 * 1024 * 1024,
          PidsLimit: 33,
          Tmpfs: { "/tmp": "rw,exec,nosuid,nodev,size=64m,mode=1777" },
          DeviceRequests: [{ Driver: "", Count: 2, Capabilities: [["gpu"]] }],
        },
      },
    });
    expect(calls).toEqual(["create c1", "start c1", "exec c1 -x $(id)", "remove c1"]);
    expect(there.size).toBe(0);
  });

  it("gives the engine's words where it refuses", async () => {
    const { calls, deps } = engine({ create: () => "no GPU here" });
    const report = await smokeTest({ ...request, gpus: "all" }, deps);
    expect(report).toMatchObject({ status: "error", tests: [{ id: "core/c", actual: "no GPU here" }] });
    expect(calls).toEqual([]);
  });

  it("throws where there is no image", async () => {
    const missing = () => Promise.reject(new FactoryError("IMAGE_NOT_FOUND", "no such image"));
    const { deps } = engine({}, { inspectImage: missing });
    await expect(smokeTest({ ...request, inspected: undefined }, deps)).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
  });

  it("says so where a container cannot be removed", async () => {
    const stuck = () => {
      throw new FactoryError("ENGINE_FAILED", "device is busy");
    };
    const { deps } = engine({ remove: stuck });
    await expect(smokeTest(request, deps)).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });

  it("asks the engine nothing where it is interrupted already, or the image is a flag", async () => {
    const { calls, deps } = engine();
    await expect(smokeTest({ ...request, signal: AbortSignal.abort() }, deps)).rejects.toThrow(FactoryError);
    await expect(smokeTest({ ...request, image: "--privileged" }, deps)).rejects.toMatchObject({
      code: "USAGE",
    });
    expect(calls).toEqual([]);
  });

  it("gives an error for a test that checks nothing or has no program, and a pass for no tests", async () => {
    const { deps } = engine();
    const nothing: DeclaredTest = { id: "n", from: "core" };
    const noProgram: DeclaredTest = { id: "p", from: "core", command: { argv: ["", "true"] } };
    const report = await smokeTest({ ...request, tests: [nothing, noProgram] }, deps);
    expect(report.tests.map(({ status }) => status)).toEqual(["error", "error"]);
    expect(await smokeTest({ ...request, tests: [] }, deps)).toEqual({ status: "pass", tests: [] });
  });
});

describe("the verdict of a suite", () => {
  it("is a fail where one test fails, and tells it", async () => {
    const { deps } = engine({ exec: ([file]) => ({ exitCode: file === "second" ? 3 : 0 }) });
    const report = await smokeTest({ ...request, tests: [command, second] }, deps);
    expect(report.status).toBe("fail");
    expect(report.tests.map(({ id, status }) => `${id} ${status}`)).toEqual(["core/c pass", "core/d fail"]);
  });

  it("is an error where one test could not be run, whatever the others say", async () => {
    const { deps } = engine({ create: (spec) => (spec.HostConfig.LogConfig ? undefined : "no") });
    const nothing: DeclaredTest = { id: "n", from: "core" };
    const report = await smokeTest({ ...request, tests: [command, nothing] }, deps);
    expect(report.status).toBe("error");
    const both = engine({ exec: () => ({ exitCode: 1 }) });
    expect((await smokeTest({ ...request, tests: [command, nothing] }, both.deps)).status).toBe("error");
  });

  it("is none where the suite is interrupted: everything ends at once, and nothing is left", async () => {
    const interrupt = new AbortController();
    const { deps, there, calls } = engine({
      exec: (_argv, _made, signal) =>
        new Promise((_, fail) => {
          signal?.addEventListener("abort", () => fail(new FactoryError("INTERRUPTED", "interrupted")));
          queueMicrotask(() => interrupt.abort());
        }),
    });
    const run = smokeTest({ ...request, tests: [command, second], signal: interrupt.signal }, deps);
    await expect(run).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(there.size).toBe(0);
    expect(calls.filter((call) => call.startsWith("exec"))).toEqual(["exec c1 -x $(id)"]);
  });

  it("is none where the suite is interrupted after its last test", async () => {
    const interrupt = new AbortController();
    const { deps, there } = engine({});
    const onProgress = () => interrupt.abort();
    const run = smokeTest({ ...request, tests: [command], signal: interrupt.signal, onProgress }, deps);
    await expect(run).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(there.size).toBe(0);
  });

  it("does not come from a test that was cut short by its time", async () => {
    const { deps } = engine({
      exec: (_argv, _made, signal) =>
        new Promise((done) => {
          signal?.addEventListener("abort", () => done({ exitCode: null, stdout: "half" }));
        }),
    });
    const slow = { ...command, timeout_s: 0.01, command: { argv: ["slow"], isolated: true } };
    const report = await smokeTest({ ...request, tests: [slow] }, deps);
    expect(report).toMatchObject({ status: "fail", tests: [{ id: "core/c" }] });
    expect(report.tests[0]?.actual).toBe('did not end within 0.01 s; stdout "half"; stderr ""');
  });
});

describe("commands that share a container", () => {
  const tests = [command, second, { ...second, id: "e", command: { argv: ["third"] } }];
  const execsOf = (calls: string[]) => calls.filter((call) => call.startsWith("exec"));

  it("run in one, one after the other, where each leaves nothing behind", async () => {
    const { deps, calls, specs } = engine();
    expect((await smokeTest({ ...request, tests }, deps)).status).toBe("pass");
    expect(execsOf(calls)).toEqual(["exec c1 -x $(id)", "exec c1 second", "exec c1 third"]);
    expect(specs[0]?.spec.HostConfig).toMatchObject({ Tmpfs: {}, Sysctls: { "kernel.shmmni": "0" } });
    expect(calls.at(-1)).toBe("remove c1");
  });

  const left: [string, Parameters<typeof scriptedContainers>[0]][] = [
    ["a process", { more: { processes: () => Promise.resolve(2) } }],
    ["what nobody can count", { more: { processes: () => Promise.resolve(null) } }],
    [
      "a file in /tmp",
      { more: { stat: (_id, path) => Promise.resolve({ size: path === "/tmp/." ? 60 : 40, mode: 0 }) } },
    ],
    [
      "a file in /dev/shm",
      { more: { stat: (_id, path) => Promise.resolve({ size: path === "/dev/shm/." ? 60 : 40, mode: 0 }) } },
    ],
    ["what cannot be seen", { more: { stat: () => Promise.resolve(undefined) } }],
  ];
  it.each(left)("get a new one after a test that left %s", async (_, behaviour) => {
    const { deps, calls, there } = engine(behaviour);
    expect((await smokeTest({ ...request, tests }, deps)).status).toBe("pass");
    expect(execsOf(calls)).toEqual(["exec c1 -x $(id)", "exec c2 second", "exec c3 third"]);
    expect(there.size).toBe(0);
  });

  it("leave a container that nobody looks at after the last of them", async () => {
    let looked = 0;
    const processes = () => Promise.resolve((looked += 1));
    const { deps } = engine({ more: { processes } });
    await smokeTest({ ...request, tests: [command] }, deps);
    expect(looked).toBe(0);
    await smokeTest({ ...request, tests: [command, second] }, deps);
    expect(looked).toBe(1);
  });

  it("are believed where they pass, and run again alone, with all of the sandbox, where they fail", async () => {
    const { deps, calls, specs } = engine({
      exec: ([file], { spec }) => ({ exitCode: file === "second" && spec.HostConfig.Sysctls ? 1 : 0 }),
    });
    const report = await smokeTest({ ...request, tests }, deps);
    expect(report.status).toBe("pass");
    expect(execsOf(calls)).toEqual(["exec c1 -x $(id)", "exec c1 second", "exec c2 second", "exec c3 third"]);
    expect(specs[1]?.spec.HostConfig).not.toHaveProperty("Sysctls");
  });

  const alone: [string, Partial<SmokeRequest>][] = [
    ["the image's user is root", { inspected: Promise.resolve({ ...IMAGE, Config: { User: "" } }) }],
    ["its user is root by number", { inspected: Promise.resolve({ ...IMAGE, Config: { User: "0:1000" } }) }],
    [
      "its user is a name, which may be root's",
      { inspected: Promise.resolve({ ...IMAGE, Config: { User: "app" } }) },
    ],
    [
      "it has a volume",
      { inspected: Promise.resolve({ ...IMAGE, Config: { User: "1", Volumes: { "/data": {} } } }) },
    ],
    ["there are GPUs", { gpus: 1 }],
    [
      "each is declared to",
      { tests: tests.map((test) => ({ ...test, command: { argv: ["x"], isolated: true } })) },
    ],
  ];
  it.each(alone)("have one each where %s", async (_, change) => {
    const { deps, calls } = engine();
    expect((await smokeTest({ ...request, tests, ...change }, deps)).status).toBe("pass");
    expect(execsOf(calls).map((call) => call.split(" ")[1])).toEqual(["c1", "c2", "c3"]);
  });

  it("have one each where the engine does not allow what keeps a shared one clean", async () => {
    const { deps, calls, there } = engine({
      start: ({ spec }) =>
        spec.HostConfig.Sysctls ? "sysctl is not in a separate kernel namespace" : undefined,
    });
    expect((await smokeTest({ ...request, tests }, deps)).status).toBe("pass");
    expect(execsOf(calls).map((call) => call.split(" ")[1])).toEqual(["c2", "c3", "c4"]);
    expect(there.size).toBe(0);
  });
});

it("a container goes as soon as the last test that needs it is done, while others run", async () => {
  const scripted = engine({
    exec: async () => {
      await vi.waitUntil(() => scripted.calls.some((call) => call.startsWith("remove")));
      return {};
    },
    more: { archive: () => Promise.resolve(undefined) },
  });
  const gone: DeclaredTest = { id: "g", from: "core", file: { path: "/a", exists: false } };
  expect((await smokeTest({ ...request, tests: [gone, command] }, scripted.deps)).status).toBe("pass");
  expect(scripted.there.size).toBe(0);
});

describe("an image without sleep", () => {
  const withoutSleep = (ends: { exitCode: number; oom?: boolean; gone?: boolean; killed?: boolean }) => {
    const scripted = engine({
      start: (made) => {
        if (made.spec.Entrypoint?.[0] === "sleep") {
          made.state = { ...made.state, ExitCode: 127, Error: "no sleep" };
          return "no sleep";
        }
        return undefined;
      },
      more: {
        attach: () =>
          Promise.resolve({
            value: { ended: Promise.resolve({ stdout: "out", stderr: "", overflowed: false }) },
          }),
        wait: (id) => {
          const made = scripted.there.get(id);
          if (ends.gone) scripted.there.delete(id);
          if (made)
            made.state = {
              ...made.state,
              Running: false,
              ExitCode: ends.exitCode,
              OOMKilled: ends.oom === true,
            };
          return Promise.resolve();
        },
        wasKilled: () => Promise.resolve(ends.killed === true),
      },
    });
    return smokeTest({ ...request, tests: [command] }, scripted.deps);
  };

  it("has each command as the first process of a container", async () => {
    expect((await withoutSleep({ exitCode: 0 })).status).toBe("pass");
    expect((await withoutSleep({ exitCode: 1 })).tests[0]).toMatchObject({ status: "fail" });
  });

  it("tells memory that ran out from a kill from outside, which is an error", async () => {
    expect((await withoutSleep({ exitCode: 137, oom: true })).tests[0]).toMatchObject({ status: "fail" });
    expect((await withoutSleep({ exitCode: 137 })).tests[0]).toMatchObject({ status: "error" });
    expect((await withoutSleep({ exitCode: 143, killed: true })).tests[0]).toMatchObject({ status: "error" });
    expect((await withoutSleep({ exitCode: 0, gone: true })).tests[0]).toMatchObject({ status: "error" });
  });
});
