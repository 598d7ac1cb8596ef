import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RETRIES } from "../../src/model/retries.ts";
import { buildCell } from "../../src/builder/build.ts";
import { BLOCKED_S, CACHE_WAIT_S } from "../../src/builder/cache-watch.ts";
import { withCell } from "../../src/plan/cell.ts";
import { RECORD_ID } from "../../src/records/record-id.ts";
import type { BakeOptions } from "../../src/tools/buildx.ts";
import type { ExecResult } from "../../src/tools/exec.ts";
import { BuildFails, DIGEST, manyCells, runIn, scriptedImages } from "../unit/run-world.ts";
import { temporaryFolder } from "../unit/workspace.ts";

const ABORTED: ExecResult = { exitCode: null, stdout: "", stderr: "", timedOut: false, aborted: true };

/** The cells of a world, changed one by one. */
function changed(
  world: ReturnType<typeof manyCells>,
  change: (id: string) => Parameters<typeof withCell>[1],
) {
  const cells = world.planned.cells.map((one) => withCell(one, change(one.cell.cell_id)));
  return { ...world, planned: { ...world.planned, cells } };
}

describe("A7 two runs of one cell", () => {
  it("A7 the cell's own tag moves last, and each attempt holds its image by a tag that no other has", async () => {
    const world = manyCells();
    const images = scriptedImages();
    const own = "factory/demo:core-0.2.0.linux-amd64";
    images.tags.set(own, `sha256:${"c".repeat(64)}`);
    const during: string[][] = [];
    await runIn({
      ...world,
      planned: { ...world.planned, cells: world.planned.cells.slice(0, 1) },
      images,
      deps: {
        smokeTest: () => {
          during.push([...images.tags].map(([ref, digest]) => `${ref} ${digest}`));
          return Promise.resolve({ status: "pass", tests: [] });
        },
      },
    });
    expect(during).toEqual([
      [
        `${own} sha256:${"c".repeat(64)}`,
        expect.stringMatching(new RegExp(`^factory/demo:factory-run-[0-9a-z]+-[0-9a-f]{8} ${DIGEST}$`)),
      ],
    ]);
    expect([...images.tags]).toEqual([[own, DIGEST]]);
  });

  it("A7 an image that was not proven leaves the cell's tag where it was", async () => {
    const world = manyCells();
    const images = scriptedImages();
    const before = `sha256:${"c".repeat(64)}`;
    images.tags.set("factory/demo:core-0.2.0.linux-amd64", before);
    const { value, store } = await runIn({
      ...world,
      planned: { ...world.planned, cells: world.planned.cells.slice(0, 1) },
      images,
      deps: {
        smokeTest: () =>
          Promise.resolve({
            status: "fail",
            tests: [{ id: "x", status: "fail", duration_ms: 1, expected: "a", actual: "b" }],
          }),
      },
    });
    expect([...images.tags]).toEqual([
      ["factory/demo:core-0.2.0.linux-amd64", before],
      ["factory/demo:failed-core-0.2.0.linux-amd64", DIGEST],
    ]);
    const record = await store.get(value?.results[0]?.record_id ?? "");
    expect(record.image?.ref).toBe("factory/demo:failed-core-0.2.0.linux-amd64");
  });

  it("A7 nothing of a killed run's images stays for ever, and a live run's stay", async () => {
    const world = manyCells();
    const images = scriptedImages();
    const now = Date.UTC(2026, 0, 1);
    const held = (hours: number) => `other/x:factory-run-${(now - hours * 3_600_000).toString(36)}-0123abcd`;
    const folder = join(world.root, ".factory/held");
    const note = (hours: number, owner: string, ref = held(hours)) => {
      images.tags.set(ref, DIGEST);
      writeFileSync(join(folder, held(hours).slice("other/x:".length)), `${ref}\n${owner}\n`);
    };
    mkdirSync(folder, { recursive: true });
    note(1, "dead");
    note(2, "elsewhere");
    note(25, "elsewhere");
    note(26, "test");
    // What was written by others names no tag that may go.
    note(30, "dead", "other/x:1");
    symlinkSync("/dev/zero", join(folder, held(31).slice("other/x:".length)));
    await runIn({ ...world, images });
    const left = [...images.tags.keys()].filter((ref) => ref.startsWith("other/"));
    expect(left).toEqual([held(2), held(26), "other/x:1"]);
    // Its own are gone.
    expect(readdirSync(folder)).toHaveLength(4);
  });
});

describe("A8 what is left out or does not answer", () => {
  it("A8 arm64 left out of a run whose other cells are reused is named, and loses nothing", async () => {
    const world = changed(manyCells(), (id) =>
      id.endsWith("arm64") ? {} : { action: "reuse", record_id: "20260101t000000000z-0123abcd" },
    );
    const { value, error } = await runIn({ ...world, build: () => expect.unreachable() });
    expect(error).toBe(undefined);
    expect(value?.summary).toMatchObject({ reused: 5, unexpected: 0 });
    expect(value?.left_out).toEqual([
      { cell_id: world.idOf("0.2.0", "linux-arm64"), platform: "linux/arm64" },
    ]);
    for (const { record_id } of value?.results ?? []) expect(record_id).toMatch(RECORD_ID);
    // Whoever insists is still told that it cannot be.
    expect((await runIn({ ...world, platform: "all" })).error).toMatchObject({ code: "ENGINE_PLATFORM" });
  });

  it("A8 a cache registry that does not answer is out of the bake, not only out of the words", async () => {
    const world = changed(manyCells(), () => ({
      cache_from: ["type=registry,ref=127.0.0.1:1/cache:x"],
      cache_to: ["type=registry,ref=127.0.0.1:1/cache:x,ignore-error=true"],
    }));
    const files: string[] = [];
    const { value, notes } = await runIn({
      ...world,
      cache: { place: { type: "registry" as const, repository: "127.0.0.1:1/cache" }, writes: true },
      deps: { cacheTrouble: () => Promise.resolve("the cache registry 127.0.0.1:1/cache does not answer") },
      build: ({ file }) => void files.push(readFileSync(file, "utf8")),
    });
    expect(value?.summary.pass).toBe(5);
    expect(files).toHaveLength(5);
    for (const text of files) expect(text).not.toMatch(/127\.0\.0\.1:1|cache-(from|to) = \[\s*"/);
    expect(notes).toContainEqual(expect.stringContaining("building without it"));
  });

  /** Builds a cell whose cache registry goes silent; `second` is what the builder does when it is asked again. */
  async function buildSilently(
    second: (options: BakeOptions, tick: (seconds: number) => void) => ExecResult,
  ) {
    const folder = temporaryFolder();
    const ticks: (() => void)[] = [];
    const tick = (seconds: number) => {
      for (let at = 0; at < seconds; at += 1) ticks.forEach((call) => call());
    };
    const bakes: BakeOptions[] = [];
    const lines: string[] = [];
    const outcome = await buildCell(
      {
        root: folder,
        bakeFile: "docker-bake.hcl",
        targets: ["prefix", "cell"],
        target: "cell",
        image: "x:1",
        platform: "linux/amd64",
        workDir: folder,
        retries: RETRIES,
      },
      {
        docker: { inspectImage: () => Promise.reject(new Error("unscripted")) },
        random: () => 0.5,
        sleep: () => Promise.reject(new Error("unscripted sleep")),
        appendLog: (line) => void lines.push(line),
        every: (_, call) => {
          ticks.push(call);
          return () => void ticks.splice(ticks.indexOf(call), 1);
        },
        buildx: {
          bake: (options) => {
            bakes.push(options);
            if (bakes.length === 2) return Promise.resolve(second(options, tick));
            const say = (name: string, more: object) =>
              options.onLine(JSON.stringify({ vertexes: [{ digest: `sha256:${name}`, name, ...more }] }));
            const started = "2026-01-01T00:00:00Z";
            // A builder that is busy elsewhere, and a step that says nothing, may take as long as they like.
            tick(10 * CACHE_WAIT_S);
            say("[2/2] RUN sleep", { started });
            tick(10 * CACHE_WAIT_S);
            expect(options.signal?.aborted).toBe(false);
            say("[2/2] RUN sleep", { started, completed: started });
            say("importing cache manifest from r.example/cache:x", { started });
            tick(CACHE_WAIT_S);
            expect(options.signal?.aborted).toBe(true);
            return Promise.resolve(ABORTED);
          },
        },
      },
    );
    expect(ticks).toEqual([]);
    return { outcome, bakes, lines };
  }

  it("A8 a cache registry that goes silent during a build ends the wait, and the build goes on without it", async () => {
    const { outcome, bakes, lines } = await buildSilently(({ metadataFile, onLine }) => {
      writeFileSync(metadataFile, JSON.stringify({ cell: { "containerimage.digest": DIGEST } }));
      onLine(JSON.stringify({ statuses: [{ id: `exporting manifest ${DIGEST}`, vertex: "sha256:x" }] }));
      return { ...ABORTED, exitCode: 0, aborted: false };
    });
    expect(outcome).toMatchObject({ status: "built", withoutCache: true, digest: DIGEST });
    expect(bakes.map(({ targets, set }) => [targets, set])).toEqual([
      [["prefix", "cell"], []],
      [["cell"], ["*.cache-from=", "*.cache-to="]],
    ]);
    expect(lines).toContainEqual(expect.stringContaining("has not answered"));
  });

  it("A8 a builder that goes on waiting for it is no reason to wait for ever", async () => {
    const { outcome, bakes } = await buildSilently((options, tick) => {
      tick(BLOCKED_S);
      expect(options.signal?.aborted).toBe(true);
      return ABORTED;
    });
    expect(outcome).toMatchObject({ status: "failed", class: "registry-unavailable" });
    expect(bakes).toHaveLength(2);
  });
});

describe("B3 a full disk", () => {
  it("B3 the engine's full disk ends the run with 3, and what was finished or failed by then is recorded", async () => {
    const world = manyCells();
    const built: string[] = [];
    const { error, store } = await runIn({
      ...world,
      jobs: 1,
      build: (_, target) => {
        built.push(target);
        if (built.length === 2) throw new BuildFails("write /x: no space left on device");
      },
    });
    expect(error).toMatchObject({ code: "WRITE_FAILED", exitCode: 3 });
    expect(built).toHaveLength(2);
    const { records } = await store.list({});
    expect(records.map((one) => [one.status, one.class]).sort()).toEqual([
      ["error", "disk"],
      ["pass", null],
    ]);
  });
});
