import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import type { BakeOptions } from "../../src/tools/buildx.ts";
import { selectPlatforms } from "../../src/run/platforms.ts";
import { isExpected } from "../../src/run/record.ts";
import { selectCells } from "../../src/plan/select.ts";
import { BuildFails, manyCells, runIn } from "./run-world.ts";
import { errorFrom, filesBelow } from "./workspace.ts";

function swapForPipe(file: string): void {
  rmSync(file);
  execFileSync("mkfifo", [file]);
}

const idsOf = (cells: readonly PlannedCell[]) => cells.map(({ cell }) => cell.cell_id);

describe("selectPlatforms", () => {
  const select = (wanted: string | undefined, able: string[]) => {
    const { cells, leftOut } = selectPlatforms(manyCells().planned.cells, wanted, able);
    return [cells.length, leftOut.length];
  };

  it.each([
    [undefined, ["linux/amd64"], [5, 1]],
    [undefined, ["linux/amd64", "linux/arm64"], [6, 0]],
    ["linux/amd64", ["linux/amd64"], [5, 0]],
    ["linux/arm64", ["linux/amd64", "linux/arm64"], [1, 0]],
    ["all", ["linux/amd64", "linux/arm64"], [6, 0]],
  ])("with %s on an engine for %j", (wanted, able, counts) => {
    expect(select(wanted, able)).toEqual(counts);
  });

  it.each([
    ["all", ["linux/amd64"], "ENGINE_PLATFORM", "cannot build linux/arm64; it builds linux/amd64"],
    ["linux/arm64", ["linux/amd64"], "ENGINE_PLATFORM", "cannot build linux/arm64"],
    [undefined, ["linux/s390x"], "ENGINE_PLATFORM", "cannot build linux/amd64, linux/arm64"],
    ["linux/riscv64", ["linux/amd64"], "USAGE", "no cell is for the platform"],
    ["linux/amd", ["linux/amd64"], "USAGE", "no cell is for the platform"],
  ])("refuses %s on an engine for %j", (wanted, able, code, what) => {
    const error = errorFrom(() => select(wanted, able));
    expect(error).toMatchObject({ code, exitCode: code === "USAGE" ? 2 : 3 });
    expect(error.message).toContain(what);
    expect(error.fix).toBeTruthy();
  });
});

describe("selectCells", () => {
  const { selected, refused } = {
    selected: (ids: (all: string[]) => string[]) => {
      const { planned, ids: all } = manyCells();
      return idsOf(selectCells(planned, ids(all)).cells);
    },
    refused: (id: string) => errorFrom(() => selectCells(manyCells().planned, [id])),
  };

  it("takes the named ones, each once, or all", () => {
    expect(selected(() => [])).toHaveLength(6);
    expect(selected((all) => [all[1] ?? "", all[0] ?? "", all[1] ?? ""])).toEqual([
      "demo.core-0.2.1.linux-amd64",
      "demo.core-0.2.0.linux-amd64",
    ]);
  });

  it("guesses what was meant", () => {
    expect(refused("demo.core-0.2.1.linux-amd46")).toMatchObject({
      code: "UNKNOWN_CELL",
      fix: "did you mean demo.core-0.2.1.linux-amd64?",
    });
    expect(refused("x\n").message).toBe('there is no cell "x\\n" in many');
    expect(refused("constructor").fix).toBe("see `factory plan`");
  });
});

it("isExpected holds a status to what the plan declares", () => {
  const [passes, , , fails] = manyCells().planned.cells.filter(({ cell }) => cell.platform === "linux/amd64");
  if (!passes || !fails) throw new Error("no cells");
  const statuses = ["pass", "fail", "error"] as const;
  expect(statuses.map((status) => isExpected(passes, status))).toEqual([true, false, false]);
  // An error is no proof of what was said to fail.
  expect(statuses.map((status) => isExpected(fails, status))).toEqual([false, true, false]);
});

describe("runCells", () => {
  it("leaves a record and its evidence for each cell, in the order of the plan, and names what it left out", async () => {
    const world = manyCells();
    const { value, notes, store } = await runIn(world);
    expect(value?.results.map(({ cell_id }) => cell_id)).toEqual(world.ids);
    expect(value?.summary).toEqual({ pass: 5, fail: 0, error: 0, reused: 0, unexpected: 1 });
    expect(value?.left_out).toEqual([
      { cell_id: world.idOf("0.2.0", "linux-arm64"), platform: "linux/arm64" },
    ]);
    expect(notes).toEqual([expect.stringContaining("left out demo.core-0.2.0.linux-arm64")]);
    const record = await store.get(value?.results[0]?.record_id ?? "");
    expect(record).toMatchObject({
      plan_id: "many",
      cell_id: world.ids[0],
      result: { status: "pass", stage: "done", class: null },
    });
    expect(Object.keys(record.evidence).sort()).toEqual([
      "bake_file",
      "build_log",
      "buildkit_provenance",
      "dockerfile",
      "inputs",
      "provenance",
      "sbom",
      "smoke_report",
    ]);
    expect((await store.verify()).problems).toEqual([]);
    // Its own folders are gone.
    expect(readdirSync(join(world.root, ".factory/run"))).toEqual([]);
  });

  it("records the versions of the tools, and no result is lost where one cannot be told", async () => {
    const toolsOf = async (version?: () => Promise<never>) => {
      const world = manyCells();
      const { value, store } = await runIn({ ...world, platform: "linux/amd64", version });
      const records = await Promise.all((value?.results ?? []).map(({ record_id }) => store.get(record_id)));
      expect((await store.verify()).problems).toEqual([]);
      return new Set(records.map(({ tools }) => JSON.stringify(tools)));
    };
    expect(await toolsOf()).toEqual(new Set(['{"factory":"0.1.0","docker":"1","buildx":"2"}']));
    const silent = () => Promise.reject(new FactoryError("ENGINE_UNREACHABLE", "no answer within 30 s"));
    expect(await toolsOf(silent)).toEqual(new Set(['{"factory":"0.1.0"}']));
  });

  it("says of a cell that was meant to fail whether it did", async () => {
    const world = manyCells();
    const { value } = await runIn({
      ...world,
      build: (_, target) => {
        if (target.includes("0_2_3"))
          throw new BuildFails('process "/bin/sh -c x" did not complete successfully: exit code: 3');
      },
    });
    const result = value?.results[3];
    expect(result).toMatchObject({ status: "fail", expected: true, stage: "build", class: "step" });
    expect(result?.notes).toEqual([expect.stringContaining("exit code: 3"), "expected to fail: meant to"]);
    expect(value?.summary).toMatchObject({ pass: 4, fail: 1, unexpected: 0 });

    const passed = (await runIn(world)).value?.results[3];
    expect(passed).toMatchObject({ status: "pass", expected: false });
    expect(passed?.notes).toEqual(["was expected to fail, and did not: meant to"]);
  });

  it("goes on where a cell fails, at whatever stage", async () => {
    const world = manyCells();
    const { value, store, finished } = await runIn({
      ...world,
      jobs: 1,
      build: (_, target) => {
        if (target.includes("0_2_0")) throw new BuildFails("failed to calculate checksum: not found");
      },
      deps: {
        smokeTest: (_image, _inspected, { cell, inputs }) => {
          const [{ from, id } = { from: "", id: "" }] = inputs.tests;
          const test = { id: `${from}/${id}`, duration_ms: 1, expected: "a", actual: "b\nc" };
          if (cell.fragments.core === "0.2.1")
            return Promise.resolve({ status: "fail", tests: [{ ...test, status: "fail" }] });
          if (cell.fragments.core === "0.2.2")
            return Promise.reject(new FactoryError("ENGINE_FAILED", "docker run: boom"));
          return Promise.resolve({ status: "pass", tests: [{ ...test, status: "pass" }] });
        },
        makeSbom: ({ name }) =>
          name.includes("0.2.3")
            ? Promise.reject(new FactoryError("IMAGE_UNREADABLE", "no layer"))
            : Promise.resolve({ json: '{"bomFormat":"CycloneDX"}', warnings: [] }),
      },
    });
    expect(value?.results.map(({ status, stage, class: cause }) => [status, stage, cause])).toEqual([
      ["fail", "build", "copy"],
      ["fail", "smoke", "smoke-test"],
      ["error", "smoke", "environment"],
      ["error", "sbom", "sbom"],
      ["pass", "done", null],
    ]);
    expect(finished).toHaveLength(5);
    const failed = await store.get(value?.results[1]?.record_id ?? "");
    const id = failed.tests[0]?.id ?? "";
    expect(id).toMatch(/^[a-z]+\/[a-z-]+$/);
    expect(failed.result.log_excerpt).toEqual([`${id}: expected a`, `${id}: got b`, `${id}: got c`]);
    expect(failed.tests).toEqual([{ id, status: "fail", duration_ms: 1 }]);
    expect((await store.verify()).problems).toEqual([]);
  });

  it.each([1, 3])("runs no more than %d at once", async (jobs) => {
    const world = manyCells();
    let running = 0;
    let most = 0;
    let release: () => void = () => undefined;
    const allStarted = new Promise<void>((resolve) => (release = resolve));
    await runIn({
      ...world,
      jobs,
      build: async () => {
        running += 1;
        most = Math.max(most, running);
        if (running === jobs) release();
        await allStarted;
        // One too many would start here.
        for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
        running -= 1;
      },
    });
    expect(most).toBe(jobs);
  });

  it("ends what runs when it is interrupted, with its record, and starts nothing more", async () => {
    const world = manyCells();
    const controller = new AbortController();
    const started: string[] = [];
    const bothStarted = new Promise<void>((resolve) => {
      controller.signal.addEventListener("abort", () => resolve());
    });
    const { value, store } = await runIn({
      ...world,
      jobs: 2,
      signal: controller.signal,
      build: ({ signal }, target) => {
        started.push(target);
        if (started.length === 2) controller.abort();
        return bothStarted.then(() => expect(signal?.aborted).toBe(true));
      },
    });
    expect(started).toHaveLength(2);
    expect(value).toMatchObject({ interrupted: true, summary: { error: 2 } });
    expect(value?.results.map((one) => one.class)).toEqual(["interrupted", "interrupted"]);
    expect((await store.list({})).total).toBe(2);
    expect(readdirSync(join(world.root, ".factory/run"))).toEqual([]);
  });

  it("starts nothing at all where it was interrupted before", async () => {
    const { value, error, store } = await runIn({
      ...manyCells(),
      signal: AbortSignal.abort(),
      build: () => expect.unreachable(),
    });
    expect(value?.interrupted ?? (error as FactoryError).code === "INTERRUPTED").toBe(true);
    expect((await store.list({})).total).toBe(0);
  });

  it("stops at a full disk, and says so", async () => {
    const world = manyCells();
    const started: string[] = [];
    const full = new FactoryError("WRITE_FAILED", "cannot write x: ENOSPC: no space left on device");
    const { error } = await runIn({
      ...world,
      jobs: 1,
      build: (_, target) => void started.push(target),
      deps: { makeSbom: () => Promise.reject(full) },
    });
    expect(error).toBe(full);
    expect(started).toHaveLength(1);
    expect(readdirSync(join(world.root, ".factory/run"))).toEqual([]);
  });

  it("finishes the other cells where it has a bug in one, keeps a record of that one too, and then says so", async () => {
    const world = manyCells();
    const started: string[] = [];
    const { error, store } = await runIn({
      ...world,
      jobs: 1,
      build: (_, target) => {
        started.push(target);
        if (started.length === 1) throw new TypeError("a bug");
      },
    });
    expect(error).toBeInstanceOf(TypeError);
    expect(started).toHaveLength(5);
    const { records } = await store.list({});
    expect(records.map((one) => one.class).sort()).toEqual([null, null, null, null, "unknown"].sort());
  });

  it.each<[string, (root: string) => void]>([
    ["changed", (root) => writeFileSync(join(root, "fragments/app/0.1.0/data/b.txt"), "other\n")],
    ["was swapped for a pipe", (root) => swapForPipe(join(root, "fragments/app/0.1.0/data/b.txt"))],
    ["changed its mode", (root) => chmodSync(join(root, "fragments/app/0.1.0/data/b.txt"), 0o755)],
    ["went away", (root) => rmSync(join(root, "fragments/app/0.1.0/data/b.txt"))],
  ])("builds no cell of which a copied file %s since it was planned", async (_, change) => {
    const world = manyCells();
    change(world.root);
    const { value } = await runIn({
      ...world,
      planned: { ...world.planned, cells: world.planned.cells.slice(0, 1) },
      build: () => Promise.reject(new Error("it is built")),
    });
    expect(value?.summary).toMatchObject({ pass: 0, error: 1 });
    expect(value?.results[0]).toMatchObject({ stage: "stitch", class: "environment", image: null });
    expect(value?.results[0]?.notes.join()).toMatch(
      /fragments\/app\/0\.1\.0\/data\/b\.txt .* since its cell was planned/,
    );
  });

  it("gives the builder the bytes that were hashed, whatever happens to the workspace meanwhile", async () => {
    const world = manyCells();
    const folder = "fragments/app/0.1.0/data";
    const seen: string[] = [];
    const { value, error } = await runIn({
      ...world,
      build: (options) => {
        writeFileSync(join(world.root, folder, "b.txt"), "other\n");
        writeFileSync(join(world.root, folder, "more.txt"), "more\n");
        const [, context = ""] = /context = "([^"]*)"/.exec(readFileSync(options.file, "utf8")) ?? [];
        const files = filesBelow(join(options.cwd, context));
        expect(files).toEqual({
          [`${folder}/a.txt`]: "a\n",
          [`${folder}/b.txt`]: "b\n",
          "fragments/app/0.1.0/server.py": "print('hello')\n",
        });
        seen.push(context);
      },
    });
    expect(error).toBeUndefined();
    expect(value?.summary).toMatchObject({ pass: 5, error: 0 });
    // Cells with the same files are built from one copy of them.
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatch(/^\.factory\/run\/0123456789abcdef\/files\//);
    expect(readdirSync(join(world.root, ".factory/run"))).toEqual([]);
  });

  it.each([
    [null, 2, []],
    ["r.example/cache does not answer", 1, [expect.stringContaining("r.example/cache does not answer")]],
  ])("fills the cache only where nothing is known against it: %s", async (trouble, targets, said) => {
    const world = manyCells();
    const counts: number[] = [];
    const { notes } = await runIn({
      ...world,
      planned: { ...world.planned, cells: world.planned.cells.slice(0, 1) },
      cache: { place: { type: "registry", repository: "r.example/cache" }, writes: true },
      deps: { cacheTrouble: () => Promise.resolve(trouble) },
      build: (options) => void counts.push(options.targets.length),
    });
    expect(counts).toEqual([targets]);
    expect(notes).toEqual(said);
  });

  it.each([true, false])("writes the cache only if it is to: %s", async (writes) => {
    const world = manyCells();
    const seen: BakeOptions[] = [];
    const files: string[] = [];
    await runIn({
      ...world,
      cache: { place: { type: "registry", repository: "r.example/cache" }, writes },
      build: (options) => {
        seen.push(options);
        files.push(readFileSync(join(options.cwd, options.file), "utf8"));
      },
    });
    const cells = new Set(world.planned.cells.map(({ cell }) => cell.target));
    const filling = seen.flatMap(({ targets }) => targets).filter((target) => !cells.has(target));
    expect(filling.length > 0).toBe(writes);
    expect(seen.length).toBeGreaterThan(1);
    for (const file of files) {
      expect(file).toContain("cache-from");
      expect(file.includes("cache-to")).toBe(writes);
    }
  });
});
