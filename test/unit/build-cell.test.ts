import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { RETRIES } from "../../src/model/retries.ts";
import { resolveBases } from "../../src/builder/base.ts";
import { buildCell, type BuildOutcome, type BuildRequest } from "../../src/builder/build.ts";
import type { BakeOptions } from "../../src/tools/buildx.ts";

const digest = `sha256:${"a".repeat(64)}`;
const manifest = `sha256:${"b".repeat(64)}`;

type Script = { lines: string[]; exitCode: number; metadata?: object };

function step(name: string, more: object): string {
  const time = "2026-01-01T00:00:00Z";
  return JSON.stringify({
    vertexes: [{ digest: `sha256:${name}`, name, started: time, completed: time, ...more }],
  });
}

const done: Script = {
  lines: [
    step("[core 2/2] RUN a", { cached: true }),
    step("[app 1/1] RUN b", {}),
    JSON.stringify({ statuses: [{ id: `exporting manifest ${manifest}`, vertex: "sha256:x" }] }),
  ],
  exitCode: 0,
  metadata: { cell: { "containerimage.digest": digest, "buildx.build.provenance": { buildType: "x" } } },
};
const refused: Script = {
  lines: [step("[core 2/2] RUN a", {}), "ERROR: failed to solve: dial tcp: connect: connection refused"],
  exitCode: 1,
};

/** Plays scripts of a bake one after the other; throws when there is none left. */
async function build(scripts: Script[], request: Partial<BuildRequest> = {}) {
  const workDir = mkdtempSync(join(tmpdir(), "factory-test-"));
  onTestFinished(() => rmSync(workDir, { recursive: true, force: true }));
  const log: string[] = [];
  const waits: number[] = [];
  const bake = (options: BakeOptions) => {
    const script = scripts.shift();
    if (!script) throw new Error("unscripted bake");
    if (script.metadata) writeFileSync(options.metadataFile, JSON.stringify(script.metadata));
    script.lines.forEach(options.onLine);
    return Promise.resolve({
      exitCode: script.exitCode,
      stdout: "",
      stderr: "",
      timedOut: false,
      aborted: false,
    });
  };
  const base = {
    root: "/",
    bakeFile: "b.hcl",
    targets: ["cell"],
    target: "cell",
    image: "i",
    platform: "linux/amd64",
  };
  const outcome: BuildOutcome = await buildCell(
    { ...base, retries: RETRIES, workDir: join(workDir, "cell"), ...request },
    {
      buildx: { bake },
      docker: { inspectImage: () => Promise.reject(new Error("unscripted inspect")) },
      every: () => () => undefined,
      random: () => 0.5,
      sleep: (ms) => Promise.resolve(void waits.push(ms)),
      appendLog: (line) => log.push(line),
    },
  );
  return { outcome, log, waits };
}

describe("buildCell", () => {
  it("reads the digests and the provenance", async () => {
    const { outcome } = await build([done]);
    expect(outcome).toEqual({
      status: "built",
      digest,
      manifest_digest: manifest,
      provenance: { buildType: "x" },
      cache: { hits: 1, total: 2 },
      retries: 0,
      withoutCache: false,
    });
  });

  it("tries again with a warning; a step that the first attempt ran is no cache hit", async () => {
    const { outcome, log, waits } = await build([refused, done]);
    expect(outcome).toMatchObject({ status: "built", retries: 1, cache: { hits: 0, total: 2 } });
    expect(waits).toEqual([10_000]);
    expect(
      log.filter((line) => line.startsWith("warning: attempt 1 of 3 failed (registry-unavailable)")),
    ).toHaveLength(1);
  });

  it("gives up after its attempts, with the class and the end of the log", async () => {
    const { outcome, waits } = await build([refused, refused, refused]);
    expect(outcome).toMatchObject({ status: "failed", class: "registry-unavailable", retries: 2 });
    expect(waits).toEqual([10_000, 10_000]);
    if (outcome.status === "failed") expect(outcome.log_tail.at(-1)).toContain("connection refused");
  });

  it("keeps 40 lines of the log, none of them endless", async () => {
    const lines = Array.from({ length: 100 }, (_, index) => `${index} ${"x".repeat(3000)}`);
    const { outcome, log } = await build([{ lines, exitCode: 1 }]);
    expect(log).toHaveLength(100);
    if (outcome.status !== "failed") throw new Error("built");
    expect(outcome.log_tail).toHaveLength(40);
    expect(Math.max(...outcome.log_tail.map((line) => line.length))).toBe(1000);
  });

  it("takes no metadata of an earlier attempt for its own", async () => {
    const { outcome } = await build([
      { ...refused, metadata: done.metadata },
      { lines: [], exitCode: 0 },
    ]);
    expect(outcome).toMatchObject({ status: "failed", class: "builder", retries: 1 });
  });

  it("does not start once the signal has fired", async () => {
    await expect(build([], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  it("waits as the class asks for, and as factory.yaml says", async () => {
    const says = (text: string): Script => ({ lines: [`ERROR: ${text}`], exitCode: 1 });
    const limited = says("429 Too Many Requests");
    expect((await build([limited, limited, done])).waits).toEqual([30_000, 60_000]);
    const unknown = says("dial tcp: lookup registry.example: no such host");
    expect(await build([unknown, unknown])).toMatchObject({ waits: [10_000], outcome: { retries: 1 } });
    const retries = { tries: 4, wait_s: 2, most_s: 5 };
    const { outcome, waits, log } = await build([refused, refused, refused], { retries });
    expect([outcome.retries, waits]).toEqual([2, [2000, 2000]]);
    expect(log.filter((line) => line.includes("attempt 2 of 4 failed"))).toHaveLength(1);
    expect((await build([refused], { retries: { ...RETRIES, tries: 1 } })).waits).toEqual([]);
  });
});

describe("resolveBases without a builder", () => {
  const deps = {
    buildx: {
      bake: () => Promise.reject(new Error("unscripted bake")),
      driver: () => Promise.reject(new Error("unscripted inspect")),
    },
    docker: { inspectImage: () => Promise.reject(new Error("unscripted inspect")) },
  };
  const resolve = async (ref: string) =>
    (await resolveBases([{ ref, platform: "linux/amd64" }], deps)).get(`${ref} linux/amd64`);

  it("knows scratch and what is pinned", async () => {
    expect(await resolve("scratch")).toEqual({ digest: null, pinnable: false });
    expect(await resolve(`debian:x@${digest}`)).toEqual({ digest, pinnable: true });
  });

  it.each(["debian\nRUN evil", "debian ${x}", "$BASE", "-f", "a b", "", 'x"'])(
    "does not hand on %j",
    async (ref) => {
      expect(await resolve(ref)).toMatchObject({ digest: null, error: { class: "base" } });
    },
  );
});
