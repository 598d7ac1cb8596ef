import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { DeclaredTest } from "../../src/model/smoke.ts";
import { hashedTests } from "../../src/model/suite.ts";
import { loosened, settingsOf } from "../../src/smoke/settings.ts";
import { smokeTest, type SmokeRequest } from "../../src/smoke/smoke.ts";
import type { Docker } from "../../src/tools/docker.ts";
import type { Networks } from "../../src/tools/networks.ts";
import { NO_CONTENTS, NO_SCRIPTS } from "./no-scripts.ts";
import { IMAGE, scriptedContainers, scriptedDocker, scriptedNetworks } from "./scripted-docker.ts";

const PINNED = `postgres:17@sha256:${"a".repeat(64)}`;
const test = (id: string, more: Partial<DeclaredTest> = {}): DeclaredTest => ({
  id,
  from: "manifest",
  command: { argv: [id] },
  ...more,
});

async function run(
  tests: readonly DeclaredTest[],
  behaviour: Parameters<typeof scriptedContainers>[0] = {},
  {
    docker = {},
    networks = {},
    ...more
  }: Partial<SmokeRequest> & { docker?: Partial<Docker>; networks?: Partial<Networks> } = {},
) {
  const made = scriptedContainers(behaviour);
  const deps = {
    docker: scriptedDocker({
      containers: made.containers,
      networks: scriptedNetworks(made.calls, networks),
      isLocal: () => true,
      ...docker,
    }),
    clock: { now: () => 0 },
  };
  const request: SmokeRequest = {
    image: "sha256:1",
    inspected: Promise.resolve(IMAGE),
    tests,
    limits: { memory_mb: 64, pids: 32, timeout_s: 5 },
    scripts: NO_SCRIPTS,
    contents: NO_CONTENTS,
    owner: "me",
    ...more,
  };
  const outcome = await smokeTest(request, deps).then(
    (report) => ({ report, error: undefined }),
    (error: unknown) => ({ report: undefined, error }),
  );
  return { ...outcome, ...made };
}

describe("the settings of a test", () => {
  it("are in the hash only where they say something", () => {
    const none = test("a");
    expect(hashedTests([none], NO_SCRIPTS.text)[0]).not.toHaveProperty("settings");
    expect(settingsOf({ ...none, env: {}, shm_mb: 64 })).toBeUndefined();
    expect(settingsOf({ ...none, tmpfs: ["/b", "/a"], services: { db: { env: {}, shm_mb: 64 } } })).toEqual({
      tmpfs: ["/a", "/b"],
      services: { db: {} },
    });
    const changed = [
      { env: { A: "1" } },
      { user: "0" },
      { memory_mb: 64 },
      { shm_mb: 65 },
      { tmpfs: ["/run"] },
      { services: { db: { image: PINNED } } },
      { after: "b" },
    ].map((more) => JSON.stringify(hashedTests([{ ...none, ...more }], NO_SCRIPTS.text)));
    expect(new Set([...changed, JSON.stringify(hashedTests([none], NO_SCRIPTS.text))]).size).toBe(8);
  });

  it("reach the container, and what is looser than the sandbox stands in the result", async () => {
    const { report, specs, there } = await run([
      test("a", {
        env: { A: "1", B: "x y" },
        user: "0:0",
        memory_mb: 128,
        shm_mb: 256,
        tmpfs: ["/run/app"],
      }),
      test("plain"),
    ]);
    const settled = specs.find(({ spec }) => spec.User !== undefined)?.spec;
    expect(settled).toMatchObject({
      User: "0:0",
      Env: ["A=1", "B=x y"],
      HostConfig: {
        NetworkMode: "none",
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        Memory: 128 << 20,
        MemorySwap: 128 << 20,
        ShmSize: 256 << 20,
        Tmpfs: { "/tmp": expect.any(String) as string },
        Mounts: [{ Type: "volume", Target: "/run/app", VolumeOptions: { NoCopy: true } }],
      },
    });
    expect(report?.tests).toMatchObject([
      { status: "pass", loosened: ["user 0:0", "memory 128 MiB", "/dev/shm 256 MiB", "writable /run/app"] },
      { status: "pass" },
    ]);
    expect(report?.tests[1]).not.toHaveProperty("loosened");
    expect(there.size).toBe(0);
  });

  it("tell nothing where they are stricter", () => {
    const check = { kind: "command" };
    expect(
      loosened({ settings: { memory_mb: 32, shm_mb: 1, env: { A: "1" } }, check }, { memory_mb: 64 }),
    ).toEqual([]);
  });
});

describe("a test after another", () => {
  it("runs in its container, which nobody else gets, and goes at the end", async () => {
    const { calls, there, report } = await run([
      test("write"),
      test("other"),
      test("read", { after: "write" }),
      test("more", { after: "read", user: "0", env: { A: "1" } }),
    ]);
    expect(report?.status).toBe("pass");
    const execs = calls.filter((call) => call.startsWith("exec"));
    const of = (name: string) => execs.find((call) => call.endsWith(` ${name}`))?.split(" ")[1];
    expect(of("read")).toBe(of("write"));
    expect(of("more")).toBe(of("write"));
    expect(of("other")).not.toBe(of("write"));
    expect(there.size).toBe(0);
  });

  it("is skipped where that did not pass, and the suite fails by that one", async () => {
    const { report, calls } = await run(
      [test("write"), test("read", { after: "write" }), test("again", { after: "read" })],
      { exec: () => ({ exitCode: 1 }) },
    );
    expect(report?.status).toBe("fail");
    expect(report?.tests.map(({ status }) => status)).toEqual(["fail", "skipped", "skipped"]);
    expect(report?.tests[1]).toMatchObject({ expected: "write passes first", actual: "write did not pass" });
    expect(calls.filter((call) => call.startsWith("exec"))).toHaveLength(1);
  });

  it("cannot run in an image that holds no container", async () => {
    const { report, there } = await run([test("write"), test("read", { after: "write" })], {
      start: (made) => {
        if (made.spec.Entrypoint?.[0] !== "sleep") return undefined;
        made.state = { ...made.state, ExitCode: 127, Error: "no sleep" };
        return "no sleep";
      },
      more: {
        attach: () =>
          Promise.resolve({
            value: { ended: Promise.resolve({ stdout: "", stderr: "", overflowed: false }) },
          }),
        wait: () => Promise.resolve(),
        inspect: (id) =>
          Promise.resolve({
            State: {
              Running: false,
              OOMKilled: false,
              ExitCode: id === "c1" ? 127 : 0,
              Error: id === "c1" ? "no sleep" : "",
              StartedAt: id === "c1" ? "0001-01-01T00:00:00Z" : "2026-01-01T00:00:00Z",
              FinishedAt: "2026-01-01T00:00:00Z",
            },
          }),
      },
    });
    expect(report?.tests).toMatchObject([
      { status: "pass" },
      { status: "error", actual: expect.stringContaining("has ended") as string },
    ]);
    expect(there.size).toBe(0);
  });
});

describe("services beside a test", () => {
  const services = { db: { image: PINNED, argv: ["-c", "x"], env: { A: "1" }, memory_mb: 100 }, cache: {} };

  it("run in a private network that tests with the same services share, and all of it goes", async () => {
    const { report, specs, calls, there } = await run([
      test("a", { services }),
      test("b", { services, user: "5" }),
      test("alone"),
    ]);
    expect(report?.status).toBe("pass");
    const network = calls.find((call) => call.startsWith("network "))?.slice("network ".length) ?? "";
    expect(calls.filter((call) => call.startsWith("network "))).toHaveLength(1);
    const db = specs.filter(({ spec }) => spec.Image === PINNED);
    expect(db).toHaveLength(1);
    expect(db[0]?.spec).toMatchObject({
      Cmd: ["-c", "x"],
      Env: ["A=1"],
      NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: ["db"] } } },
      HostConfig: { NetworkMode: network, ReadonlyRootfs: true, CapDrop: ["ALL"], Memory: 100 << 20 },
    });
    expect(db[0]?.spec).not.toHaveProperty("Entrypoint");
    const cache = specs.filter(
      ({ spec }) => spec.NetworkingConfig?.EndpointsConfig[network]?.Aliases[0] === "cache",
    );
    expect(cache.map(({ spec }) => spec.Image)).toEqual(["sha256:1"]);
    const modes = specs
      .filter(({ spec }) => spec.Entrypoint?.[0] === "sleep")
      .map(({ spec }) => spec.HostConfig.NetworkMode);
    expect(modes.sort()).toEqual([network, network, "none"].sort());
    expect(there.size).toBe(0);
    expect(calls.at(-1)).toBe(`remove network ${network}`);
    expect(report?.tests[0]?.loosened).toEqual([
      `network with db (${PINNED})`,
      "network with cache (the same image)",
    ]);
  });

  it("are used by their tests in the declared order, whatever else these set", async () => {
    const { calls } = await run([
      test("a", { services, user: "5" }),
      test("b", { services }),
      test("c", { services, user: "5" }),
    ]);
    const ran = calls.flatMap((call) => /^exec \S+ (.*)$/.exec(call)?.[1] ?? []);
    expect(ran).toEqual(["a", "b", "c"]);
  });

  it("are pulled once where the engine lacks them, and an error where they cannot be had", async () => {
    const pulled: string[] = [];
    let there = false;
    const create = (spec: { Image: string }) =>
      spec.Image === PINNED && !there ? `No such image: ${PINNED}` : undefined;
    const pull: Docker["pull"] = (ref) => {
      pulled.push(ref);
      there = true;
      return Promise.resolve(undefined);
    };
    const one = { services: { db: { image: PINNED } } };
    expect(
      (await run([test("a", one), test("b", one)], { create }, { docker: { pull } })).report?.status,
    ).toBe("pass");
    expect(pulled).toEqual([PINNED]);
    there = false;
    const refused = await run(
      [test("a", one)],
      { create },
      { docker: { pull: () => Promise.resolve("denied") } },
    );
    expect(refused.report?.tests).toMatchObject([{ status: "error", actual: "denied" }]);
    expect(refused.there.size).toBe(0);
  });

  it("are waited for: each test is an error, or a fail where the tested image is the service", async () => {
    const dead = (image: string | undefined) =>
      run(
        [
          test("a", { timeout_s: 1, services: { db: { image, wait_for: { command: ["ready"] } } } }),
          test("b"),
        ],
        {
          exec: ([file], made) => {
            if (file !== "ready") return {};
            made.state = { ...made.state, Running: false, ExitCode: 3 };
            return { exitCode: 1, stderr: "not yet" };
          },
          more: { logs: () => Promise.resolve({ stdout: "", stderr: "boom", overflowed: false }) },
        },
      );
    const foreign = await dead(PINNED);
    expect(foreign.report?.tests).toMatchObject([
      { status: "error", actual: 'it exited with 3; last lines "boom"' },
      { status: "pass" },
    ]);
    expect((await dead(undefined)).report?.tests[0]?.status).toBe("fail");
    expect(foreign.there.size).toBe(0);
  });

  it("are ready when their log says so", async () => {
    let asked = 0;
    const wait_for = { log: { matches: "^ready$" } };
    const { report } = await run([test("a", { services: { db: { image: PINNED, wait_for } } })], {
      more: {
        logs: () =>
          Promise.resolve({
            stdout: (asked += 1) > 2 ? "starting\nready\n" : "starting\n",
            stderr: "",
            overflowed: false,
          }),
      },
    });
    expect(report?.status).toBe("pass");
    expect(asked).toBe(3);
  });

  it("leave no network where the suite is interrupted or one cannot be made", async () => {
    const refused = await run(
      [test("a", { services })],
      {},
      { networks: { create: () => Promise.resolve({ refused: "no pool" }) } },
    );
    expect(refused.report?.tests).toMatchObject([{ status: "error", actual: "no pool" }]);
    const interrupt = new AbortController();
    const { error, there, calls } = await run(
      [test("a", { services })],
      {
        exec: (_argv, _made, signal) =>
          new Promise((_, fail) => {
            signal?.addEventListener("abort", () => fail(new FactoryError("INTERRUPTED", "interrupted")));
            queueMicrotask(() => interrupt.abort());
          }),
      },
      { signal: interrupt.signal },
    );
    expect(error).toMatchObject({ code: "INTERRUPTED" });
    expect(there.size).toBe(0);
    expect(calls.at(-1)).toMatch(/^remove network factory-smoke-/);
  });

  it("say so where the network cannot be removed", async () => {
    const remove = () => Promise.reject(new FactoryError("ENGINE_FAILED", "it has active endpoints"));
    const { error } = await run([test("a", { services })], {}, { networks: { remove } });
    expect(error).toMatchObject({ code: "ENGINE_FAILED" });
  });
});

describe("a script", () => {
  const script = (more: object = {}): DeclaredTest => ({
    id: "s",
    from: "manifest",
    script: { path: "tests/check.py", interpreter: ["python3"], args: ["--fast"], ...more },
  });
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), "factory-scripts-"));
    onTestFinished(() => rmSync(made, { recursive: true, force: true }));
    return made;
  };

  it("is a private copy of what was hashed, mounted read-only at a place that follows from its path", async () => {
    const own = folder();
    const { report, specs, calls } = await run(
      [script()],
      {},
      { scripts: { text: () => "print(1)\n", folder: () => own } },
    );
    expect(report?.tests).toMatchObject([{ status: "pass", loosened: ["mounted tests/check.py"] }]);
    const [mount] = specs[0]?.spec.HostConfig.Mounts as {
      Source: string;
      Target: string;
      ReadOnly: boolean;
      Type: string;
    }[];
    expect(mount).toMatchObject({ Type: "bind", Target: "/run/factory/tests/check.py", ReadOnly: true });
    expect(readFileSync(mount?.Source ?? "", "utf8")).toBe("print(1)\n");
    expect(statSync(mount?.Source ?? "").mode & 0o777).toBe(0o555);
    expect(calls).toContain("exec c1 python3 /run/factory/tests/check.py --fast");
  });

  it("changes the hash with its text", () => {
    const hash = (text: string) => JSON.stringify(hashedTests([script()], () => text));
    expect(hash("sha256:1")).not.toBe(hash("sha256:2"));
  });

  it("cannot be mounted into an engine elsewhere", async () => {
    const { report, calls } = await run(
      [script()],
      {},
      {
        docker: { isLocal: () => false },
        scripts: { text: () => "", folder },
      },
    );
    expect(report?.tests).toMatchObject([
      { status: "error", actual: expect.stringContaining("elsewhere") as string },
    ]);
    expect(calls).toEqual([]);
  });
});
