import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { DeclaredTest } from "../../src/model/smoke.ts";
import { smokeTest, type SmokeRequest } from "../../src/smoke/smoke.ts";
import type { Docker } from "../../src/tools/docker.ts";
import { tarOf } from "../fixtures/sbom/image.ts";
import { NO_CONTENTS, NO_SCRIPTS } from "./no-scripts.ts";
import { IMAGE, scriptedContainers, scriptedDocker } from "./scripted-docker.ts";

const LIMITS = { memory_mb: 64, pids: 32, timeout_s: 5 };

type Behaviour = Parameters<typeof scriptedContainers>[0];

/** Runs tests on a scripted engine. */
async function run(
  tests: readonly DeclaredTest[],
  behaviour: Behaviour = {},
  {
    docker = {},
    times = [],
    ...more
  }: Partial<SmokeRequest> & { docker?: Partial<Docker>; times?: number[] } = {},
) {
  const made = scriptedContainers(behaviour);
  const deps = {
    docker: scriptedDocker({ containers: made.containers, ...docker }),
    clock: { now: () => times.shift() ?? 0 },
  };
  const inspected = Promise.resolve(IMAGE);
  const outcome = await smokeTest(
    {
      image: "sha256:1",
      inspected,
      tests,
      limits: LIMITS,
      scripts: NO_SCRIPTS,
      contents: NO_CONTENTS,
      owner: "me",
      ...more,
    },
    deps,
  ).then(
    (report) => ({ report, error: undefined }),
    (error: unknown) => ({ report: undefined, error }),
  );
  return { ...outcome, ...made };
}

const file = (id: string): DeclaredTest => ({ id, from: "core", file: { path: `/${id}` } });
const size: DeclaredTest = { id: "size", from: "core", budget: { size: "1 kB" } };
const http = (id: string, port: number): DeclaredTest => ({ id, from: "core", http: { port, path: "/" } });
const command = (id: string): DeclaredTest => ({ id, from: "core", command: { argv: [id] } });

describe("a container that is only looked at", () => {
  const archive = async () => ({ value: Readable.from([await tarOf([{ name: "a", text: "x" }])]) });

  it("is made once for all files and the size, is never started, and goes at the end", async () => {
    const { report, specs, calls, there } = await run(
      [file("a"), size, file("b")],
      { more: { archive } },
      { docker: { unpackedSize: () => Promise.resolve(1000) } },
    );
    expect(report?.tests.map(({ status, actual }) => [status, actual])).toEqual([
      ["pass", "it is a file of 1 bytes"],
      ["pass", "1.0 kB (1000 bytes)"],
      ["pass", "it is a file of 1 bytes"],
    ]);
    expect(specs.map(({ spec }) => [spec.Entrypoint, spec.HostConfig.NetworkMode])).toEqual([
      [["/factory-only-looks"], "none"],
    ]);
    expect(calls).toEqual(["create c1", "remove c1"]);
    expect(there.size).toBe(0);
  });

  it("cannot be looked at where the engine refuses to make it", async () => {
    const { report } = await run([file("a"), size], { create: () => "no room" });
    expect(report).toMatchObject({
      status: "error",
      tests: [
        { id: "core/a", status: "error", actual: "no room" },
        { id: "core/size", status: "error", actual: "no room" },
      ],
    });
  });

  it("has the unpacked size of the image on its platform, or the engine's words", async () => {
    const asked: unknown[] = [];
    const told = new FactoryError("ENGINE_FAILED", "no such layer");
    const unpackedSize: Docker["unpackedSize"] = (image, options) => {
      asked.push(image, options?.platform, options?.signal instanceof AbortSignal);
      return Promise.reject(told);
    };
    const { report } = await run([size], {}, { docker: { unpackedSize }, platform: "linux/arm64" });
    expect(report?.tests).toMatchObject([{ status: "error", actual: "no such layer" }]);
    expect(asked).toEqual(["sha256:1", "linux/arm64", true]);
  });

  it("gives an error of ours on, and leaves nothing", async () => {
    const ours = new TypeError("ours");
    const { error, there } = await run([size], {}, { docker: { unpackedSize: () => Promise.reject(ours) } });
    expect(error).toBe(ours);
    expect(there.size).toBe(0);
  });
});

describe("a service", () => {
  it("is one for all tests that ask it, with each port once, and where it cannot start they are errors", async () => {
    const { report, specs, there } = await run([http("a", 80), http("b", 8080), http("c", 80), file("d")], {
      start: () => "the port is taken",
      more: { archive: () => Promise.resolve(undefined) },
    });
    const service = specs.filter(({ spec }) => spec.HostConfig.NetworkMode === "bridge");
    expect(service.map(({ spec }) => Object.keys(spec.ExposedPorts ?? {}))).toEqual([["80/tcp", "8080/tcp"]]);
    expect(report?.tests.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "core/a error",
      "core/b error",
      "core/c error",
      "core/d fail",
    ]);
    expect(there.size).toBe(0);
  });
});

describe("the results of a suite", () => {
  const together = { inspected: Promise.resolve({ ...IMAGE, Config: { User: "" } }) };

  it("stand in the order of the tests, whichever is done first, and progress tells each", async () => {
    const done: [number, number, string][] = [];
    const release: (() => void)[] = [];
    const { report } = await run(
      [command("slow"), command("quick")],
      {
        exec: ([name]) =>
          name === "slow"
            ? new Promise((resolve) => release.push(() => resolve({})))
            : (setImmediate(() => release.forEach((go) => go())), {}),
      },
      { ...together, onProgress: (...told) => void done.push(told) },
    );
    expect(report?.tests.map(({ id }) => id)).toEqual(["core/slow", "core/quick"]);
    expect(done).toEqual([
      [1, 2, "core/quick"],
      [2, 2, "core/slow"],
    ]);
  });

  it("have whole milliseconds, and none below 0 where the clock is set back", async () => {
    const timed = async (times: number[]) =>
      (await run([command("a")], {}, { ...together, times })).report?.tests[0]?.duration_ms;
    expect(await timed([1000, 1250.4])).toBe(250);
    expect(await timed([1000, 10])).toBe(0);
  });

  it("say what is wrong with a test that checks nothing", async () => {
    const { report } = await run([{ id: "n", from: "manifest" }]);
    expect(report?.tests).toEqual([
      {
        id: "manifest/n",
        status: "error",
        duration_ms: 0,
        expected: "a test that checks something",
        actual: "the test checks nothing",
      },
    ]);
  });

  it("are none where one thing goes wrong that is no result: the first is thrown", async () => {
    const ours = new TypeError("ours");
    const { error, there } = await run(
      [command("a"), command("b")],
      { exec: () => Promise.reject(ours) },
      together,
    );
    expect(error).toBe(ours);
    expect(there.size).toBe(0);
  });

  it("are none where the suite is interrupted, which is said", async () => {
    const { error } = await run([command("a")], {}, { signal: AbortSignal.abort() });
    expect(error).toMatchObject({ code: "INTERRUPTED", message: "interrupted during the smoke tests" });
    const flag = await run([command("a")], {}, { image: "-x" });
    expect(flag.error).toMatchObject({ code: "USAGE", message: "-x is not an image" });
  });

  it("are thrown away with the first container that cannot be removed, whichever it is", async () => {
    const stuck = new FactoryError("ENGINE_FAILED", "device is busy");
    const remove = (id: string) => {
      if (id === "c2") throw stuck;
    };
    const { error, calls } = await run([command("a"), command("b")], { remove }, together);
    expect(calls).toContain("remove c1");
    expect(error).toBe(stuck);
  });

  it("leave nothing to look for in the engine, unless the suite was interrupted", async () => {
    const asked: string[] = [];
    const list = (label: string) => {
      asked.push(label);
      return Promise.resolve([{ id: "late", labels: {}, ageS: 1 }]);
    };
    expect((await run([command("a")], { more: { list } })).report?.status).toBe("pass");
    const early = await run([command("a")], { more: { list } }, { signal: AbortSignal.abort() });
    expect([early.calls, asked]).toEqual([[], []]);
    const stop = new AbortController();
    const exec = () => {
      stop.abort();
      return {};
    };
    // A container that the engine was still making when the call was cut short.
    const { error, calls } = await run([command("a")], { exec, more: { list } }, { signal: stop.signal });
    expect(error).toMatchObject({ code: "INTERRUPTED" });
    expect(calls.at(-1)).toBe("remove late");
    expect(asked).toEqual([expect.stringMatching(/^io\.factory\.suite=[0-9a-f-]{36}$/)]);
  });

  it("are of the image on its platform", async () => {
    const asked: unknown[] = [];
    const inspectImage: Docker["inspectImage"] = (image, options) => {
      asked.push(image, options?.platform, options?.signal instanceof AbortSignal);
      return Promise.resolve(IMAGE);
    };
    const more = { docker: { inspectImage }, platform: "linux/arm64", inspected: undefined };
    expect((await run([command("a")], {}, more)).report?.status).toBe("pass");
    expect(asked).toEqual(["sha256:1", "linux/arm64", true]);
  });
});
