import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RETRIES } from "../../src/model/retries.ts";
import { buildCell, type BuildOutcome } from "../../src/builder/build.ts";
import type { Snapshot } from "../../src/builder/progress.ts";
import { createBuildx } from "../../src/tools/buildx.ts";
import { exec } from "../../src/tools/exec.ts";
import {
  describeEngine,
  docker,
  engineOf,
  removeImageAfterwards,
  temporaryFolder,
  uniqueName,
} from "./engine.ts";

const buildx = createBuildx(exec);
const engine = engineOf();
const arch = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch;
const platform = `linux/${arch}`;

/** A workspace with one cell and one prefix target, and what a build of it said. */
function workspace(dockerfile: string) {
  const root = temporaryFolder();
  const image = `${uniqueName("factory-build")}:1`;
  removeImageAfterwards(image);
  mkdirSync(join(root, ".factory"));
  writeFileSync(join(root, ".factory/Dockerfile"), dockerfile);
  writeFileSync(join(root, "hello.txt"), image);
  const common = { context: ".", dockerfile: ".factory/Dockerfile", platforms: [platform] };
  const target = {
    prefix: { ...common, target: "core", output: ["type=cacheonly"] },
    cell: { ...common, tags: [image], output: ["type=docker"], attest: ["type=provenance,mode=max"] },
  };
  writeFileSync(join(root, ".factory/bake.json"), JSON.stringify({ target }));

  const log: string[] = [];
  const snapshots: Snapshot[] = [];
  const build = (
    more: { targets?: string[]; signal?: AbortSignal; onLog?: (line: string) => void } = {},
  ): Promise<BuildOutcome> =>
    buildCell(
      {
        root,
        bakeFile: ".factory/bake.json",
        targets: more.targets ?? ["cell"],
        target: "cell",
        image,
        platform,
        workDir: join(root, ".factory/work"),
        retries: RETRIES,
        signal: more.signal,
        onProgress: (snapshot) => void snapshots.push(snapshot),
      },
      {
        buildx,
        docker: engine,
        every: () => () => undefined,
        random: Math.random,
        sleep: () => Promise.reject(new Error("no retry was expected")),
        appendLog: (line) => {
          log.push(line);
          more.onLog?.(line);
        },
      },
    );
  return { root, image, log, snapshots, build };
}

describeEngine("buildCell on the real engine", () => {
  it("loads an image whose digests the engine knows, and again from the cache with the same manifest", async () => {
    const mark = uniqueName("mark");
    const { image, log, snapshots, build } = workspace(
      `FROM debian:bookworm-slim AS core\nCOPY hello.txt /\nRUN echo ${mark}-out\nFROM core AS app\nRUN echo last\n`,
    );
    const first = await build({ targets: ["prefix", "cell"] });
    if (first.status !== "built") throw new Error(log.join("\n"));
    expect(first.cache).toEqual({ hits: 0, total: 3 });
    expect(docker(["image", "inspect", "--format", "{{.Id}}", image]).trim()).toBe(first.digest);
    const manifest = docker([
      "image",
      "inspect",
      "--platform",
      platform,
      "--format",
      "{{.Id}}",
      image,
    ]).trim();
    expect(first.manifest_digest).toBe(manifest);
    expect(JSON.stringify(first.provenance)).toContain(`${mark}-out`);
    expect(log.filter((line) => line.endsWith(` ${mark}-out`) && !line.includes("RUN"))).toHaveLength(1);
    expect(snapshots.at(-1)).toMatchObject({ stage: "app", step: 3, steps: 3, cached: false });

    const second = await build();
    expect(second).toMatchObject({ status: "built", cache: { hits: 3, total: 3 }, retries: 0 });
    expect(second).toHaveProperty("manifest_digest", first.manifest_digest);
    expect(snapshots.at(-1)).toMatchObject({ step: 3, steps: 3, cached: true });
  });

  it("builds an image without a single step", async () => {
    const { image, build } = workspace("FROM scratch AS core\nLABEL a=b\n");
    const outcome = await build();
    expect(outcome).toMatchObject({ status: "built", cache: { hits: 0, total: 0 } });
    expect(outcome).toHaveProperty(
      "digest",
      docker(["image", "inspect", "--format", "{{.Id}}", image]).trim(),
    );
  });

  it.each([
    [
      "step",
      'FROM debian:bookworm-slim AS core\nRUN echo "boom: $((40+2))" >&2; exit 3\n',
      "boom: 42",
      "exit code: 3",
    ],
    ["copy", "FROM scratch AS core\nCOPY no-such-file /x\n", "no-such-file", "no-such-file"],
    ["base", "FROM debian:no-such-tag AS core\n", "no-such-tag", "not found"],
    ["dockerfile", "FROM scratch AS core\nBOGUS x\n", "BOGUS", "unknown instruction"],
  ])("tells a failure of the class %s", async (cause, dockerfile, inLog, inMessage) => {
    const { image, build } = workspace(dockerfile);
    const outcome = await build({ targets: ["prefix", "cell"] });
    if (outcome.status !== "failed") throw new Error("built");
    expect(outcome).toMatchObject({ class: cause, retries: 0 });
    expect(outcome.message).toContain(inMessage);
    expect(outcome.log_tail.join("\n")).toContain(inLog);
    expect(outcome.log_tail.length).toBeLessThanOrEqual(40);
    expect(() => docker(["image", "inspect", image])).toThrow();
  });

  it("leaves no process behind when it is interrupted in the middle of a step", async () => {
    const mark = uniqueName("interrupted");
    const { root, build } = workspace(
      `FROM debian:bookworm-slim AS core\nRUN echo ${mark}-up; exec sleep 3600\n`,
    );
    const controller = new AbortController();
    const onLog = (line: string) => {
      if (line.endsWith(` ${mark}-up`)) controller.abort();
    };
    await expect(build({ signal: controller.signal, onLog })).rejects.toMatchObject({ code: "INTERRUPTED" });
    const processes = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout.split("\n");
    expect(processes.filter((args) => args.includes(root) || args.includes(mark))).toEqual([]);
  });
});
