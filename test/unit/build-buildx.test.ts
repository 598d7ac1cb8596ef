import { describe, expect, it } from "vitest";
import { createBuildx, parseInspect } from "../../src/tools/buildx.ts";
import type { Exec, ExecResult } from "../../src/tools/exec.ts";

const ok = (stdout: string): ExecResult => ({
  exitCode: 0,
  stdout,
  stderr: "",
  timedOut: false,
  aborted: false,
});
const failed = (stderr: string): ExecResult => ({ ...ok(""), exitCode: 1, stderr });

const INSPECT = `Name:          default
Driver:        docker
Last Activity: 2026-11-21 01:09:03 +0000 UTC

Nodes:
Name:             default
Status:           running
BuildKit version: v0.26.3
Platforms:        linux/amd64*, linux/amd64/v2, linux/arm64/v8, linux/arm/v7
Labels:
 org.mobyproject.buildkit.worker.executor: containerd
`;

/** An exec that answers by argv alone and throws on a call that was not scripted. */
function scripted(answers: Record<string, ExecResult>) {
  const calls: string[] = [];
  const exec: Exec = (file, argv) => {
    const call = [file, ...argv].join(" ");
    calls.push(call);
    const answer = answers[call];
    return answer ? Promise.resolve(answer) : Promise.reject(new Error(`unscripted: ${call}`));
  };
  return { exec, calls };
}

const VERSION = "docker version --format {{.Server.Version}}";
const PLUGIN = "docker buildx version";
const BUILDER = "docker buildx inspect --bootstrap";

const healthy = {
  [VERSION]: ok("28.5.2\n"),
  [PLUGIN]: ok("github.com/docker/buildx v0.29.1 a1b2c3\n"),
  [BUILDER]: ok(INSPECT),
};

describe("the builder", () => {
  it("is asked once, and its variants are folded", async () => {
    const { exec, calls } = scripted(healthy);
    const buildx = createBuildx(exec);
    expect(await buildx.platforms()).toEqual(["linux/amd64", "linux/arm/v7", "linux/arm64"]);
    expect(await buildx.driver()).toBe("docker");
    expect(calls).toEqual([BUILDER]);
  });

  it("may be asked ahead: the others wait for that answer, and throw its failure", async () => {
    const { exec, calls } = scripted(healthy);
    const buildx = createBuildx(exec);
    buildx.ask(new AbortController().signal);
    expect(calls).toEqual([BUILDER]);
    expect(await buildx.driver()).toBe("docker");
    expect(calls).toEqual([BUILDER]);

    const broken = createBuildx(scripted({ [BUILDER]: failed('ERROR: no builder "x" found') }).exec);
    broken.ask(new AbortController().signal);
    await expect(broken.platforms()).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });

  it("is told by a signal that nobody waits for its answer", () => {
    const signals: (AbortSignal | undefined)[] = [];
    const exec: Exec = (_file, _argv, options) => {
      signals.push(options?.signal);
      return Promise.resolve(failed("killed"));
    };
    const { signal } = new AbortController();
    createBuildx(exec).ask(signal);
    expect(signals).toEqual([signal]);
  });

  it("tells the versions; one that says nothing is null", async () => {
    expect(await createBuildx(scripted(healthy).exec).version()).toEqual({
      docker: "28.5.2",
      buildx: "0.29.1",
      buildkit: "v0.26.3",
    });
    expect(parseInspect("BuildKit version: v0.0.0+unknown\n").buildkit).toBeNull();
  });

  it("has the platforms of all its nodes", () => {
    const text =
      "Platforms:        linux/arm64\nStatus: running\nPlatforms:        linux/amd64*, linux/arm64\n";
    expect(parseInspect(text).platforms).toEqual(["linux/amd64", "linux/arm64"]);
  });
});

describe("an environment that lacks something", () => {
  it.each([
    ["ERROR: mkdir /home/me/.docker: read-only file system", "BUILDX_CONFIG"],
    ["ERROR: open /home/me/.docker/buildx/current: permission denied", "BUILDX_CONFIG"],
    ['ERROR: no builder "x" found', "`docker buildx ls`"],
  ])("says what to do about %s", async (said, fix) => {
    const { exec } = scripted({ ...healthy, [BUILDER]: failed(said) });
    await expect(createBuildx(exec).platforms()).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      fix: expect.stringContaining(fix) as string,
    });
  });

  const code = async (answers: Record<string, ExecResult>) =>
    createBuildx(scripted({ ...healthy, ...answers }).exec)
      .version()
      .then(
        () => "none",
        (error: { code?: string }) => error.code,
      );

  it("has no buildx", async () => {
    expect(await code({ [PLUGIN]: failed("docker: unknown command: docker buildx\n") })).toBe(
      "BUILDX_MISSING",
    );
    expect(await code({ [PLUGIN]: failed("docker: 'buildx' is not a docker command.\n") })).toBe(
      "BUILDX_MISSING",
    );
  });

  it("has an engine that is silent", async () => {
    expect(await code({ [VERSION]: failed("Cannot connect to the Docker daemon") })).toBe(
      "ENGINE_UNREACHABLE",
    );
    expect(await code({ [VERSION]: { ...failed(""), exitCode: null, timedOut: true } })).toBe(
      "ENGINE_UNREACHABLE",
    );
  });

  it("has a builder that is silent", async () => {
    const text = "Name: default\nDriver:\nError:         Cannot connect to the Docker daemon\n";
    expect(await code({ [BUILDER]: ok(text) })).toBe("ENGINE_UNREACHABLE");
  });
});

describe("bake", () => {
  it("is called with an argv array, and with leave to read what was named", async () => {
    const call =
      "docker buildx bake --file b.hcl --progress=rawjson --metadata-file m.json --allow=fs.read=/data -- core cell";
    const { exec, calls } = scripted({ [call]: ok("") });
    const options = {
      file: "b.hcl",
      targets: ["core", "cell"],
      cwd: "/",
      metadataFile: "m.json",
      read: ["/data"],
    };
    await createBuildx(exec).bake({ ...options, onLine: () => {} });
    expect(calls).toEqual([call]);
  });
});
