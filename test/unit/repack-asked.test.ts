import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { provable } from "../../bench/provable.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import type { Inputs, Repacked } from "../../src/model/inputs.ts";
import { tieTo } from "../../src/model/other-layers.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { type CellRepack, isDone } from "../../src/plan/cell.ts";
import { planCells, type Question } from "../../src/plan/planner.ts";
import type { RepackEnd, RepackStep } from "../../src/run/types.ts";
import { FactoryError } from "../../src/errors.ts";
import { scriptedPlaces } from "./scripted-places.ts";
import { manyCells, planUnasked, runIn } from "./run-world.ts";
import { factoryAtOnce, type Files, makeWorkspace, SMALL } from "./workspace.ts";

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 0, 10);
const BASE = `debian@sha256:${"e".repeat(64)}`;
const [ORIGINAL, LAYERS] = [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`];
const TAG = "factory/demo:linux-amd64";

const product = (repack: string, more = "") => ({
  "control_plane/products/demo.yaml": `schema_version: 1
product_id: demo
manifest_id: demo
repository: registry.example/public/demo
repack: ${repack}
${more}
`,
});

const FILES: Files = {
  "manifests/demo.yaml": (SMALL["manifests/demo.yaml"] ?? "")
    .replace("base: debian:bookworm-slim", `base: ${BASE}`)
    .replace("platforms: [linux/amd64, linux/arm64]", "platforms: [linux/amd64]"),
  "factory.yaml": "schema_version: 1\nrepository: factory\nreuse: {max_age: 30d}\n",
};

interface Asked extends Partial<Question> {
  version?: string | null;
  now?: number;
  engine?: Record<string, string>;
  registry?: Record<string, string>;
  /** What somebody else does once it is known which records there are. */
  meanwhile?: () => void;
}

/** Plans the one cell of a workspace. Gives it, and what people are told. */
async function plan(
  root: string,
  { version = null, now = NOW, engine, registry, meanwhile, ...question }: Asked = {},
) {
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const { cells } = await planCells(
    openCatalog(root),
    {
      requests: [{ manifestId: "demo" }],
      locked: false,
      reuse: true,
      force: false,
      needPushed: false,
      cells: [],
      ...question,
    },
    {
      now,
      places: scriptedPlaces({
        engine: engine ?? { [TAG]: ORIGINAL, [`${TAG}-repacked`]: LAYERS },
        registry,
      }),
      baseDigests: () => Promise.resolve(new Map()),
      attempts: async (manifestIds) => {
        const attempts = await openStore(root).attempts({
          manifestIds,
          now: () => Date.now() + 10_000,
          onNote: note,
        });
        meanwhile?.();
        return attempts;
      },
      workspaceAt: () => Promise.reject(new Error("nobody asked for another commit")),
      exists: () => false,
      dockerRepackVersion: () => Promise.resolve(version),
      note,
    },
  );
  const [only] = cells;
  if (!only) throw new Error("there is no cell");
  return { ...only.cell, inputs: only.inputs, notes };
}

/** Puts the record of a pass of some inputs. */
async function put(
  root: string,
  inputs: Inputs,
  {
    at,
    digest,
    ref,
    status = "pass",
    saving,
    pushed = false,
  }: {
    at: number;
    digest: string;
    ref: string;
    status?: "pass" | "fail";
    saving?: number | undefined;
    pushed?: boolean;
  },
) {
  const store = openStore(root);
  const start = new Date(at);
  const { draft, evidence } = provable(inputs, { start, duration_ms: 1000, digest, ref });
  for (const [kind, { text, mediaType }] of Object.entries(evidence))
    draft.evidence[kind] = await store.keep(inputs.manifest_id, text, mediaType);
  const { repacked } = inputs;
  const image = draft.image && { ...draft.image, ...(pushed && { pushed }) };
  const failed = { status, stage: "smoke", class: "smoke-test", expected: false };
  const result = status === "pass" ? draft.result : { ...draft.result, ...failed };
  return store.put(
    { ...draft, image, ...(repacked && { repacked, ...(saving !== undefined && { saving }) }), result },
    start,
  );
}

const AT = NOW - DAY;

/** A workspace whose cell is proven, and of which other layers are asked for. */
async function proven(
  repack = "{with: zstd}",
  files: Files = {},
  { pushed = false }: { pushed?: boolean } = {},
) {
  const root = makeWorkspace({ ...FILES, ...product(repack), ...files });
  const { inputs } = await plan(root, { reuse: false });
  const original = await put(root, inputs, { at: AT, digest: ORIGINAL, ref: TAG, pushed });
  const { image } = original;
  if (!image) throw new Error("there is no image");
  const tie = tieTo({ ...original, image }, { with: "zstd", target_size: 1, version: null });
  const layers = (
    change: Partial<Repacked> = {},
    about: { at?: number; status?: "pass" | "fail"; ref?: string; saving?: number | undefined } = {},
  ) =>
    put(
      root,
      { ...inputs, repacked: { ...tie, ...change } },
      { at: AT + 1000, digest: LAYERS, ref: `${TAG}-repacked`, ...about },
    );
  return { root, original, layers };
}

const repackOf = async (root: string, asked?: Asked): Promise<CellRepack | undefined> =>
  (await plan(root, asked)).repack;

const MADE = { action: "repack", record_id: null };

describe("a product or a plan that asks for other layers", () => {
  it("is told in the plan, with every default filled in; nobody else is", async () => {
    const root = makeWorkspace({ ...FILES, ...product("{with: docker-repack}") });
    expect(await repackOf(root, { reuse: false })).toEqual({
      with: "docker-repack",
      target_size: 50e6,
      tag_suffix: "-repacked",
      action: "repack",
      reason: "NOT_ASKED",
      record_id: null,
      kept_back: null,
    });
    expect(await repackOf(makeWorkspace(FILES), { reuse: false })).toBeUndefined();
    const table = factoryAtOnce(root, ["plan", "--manifest-id", "demo"]);
    expect((await table).stdout).toMatch(/REPACK\n.*repack, by docker-repack/);
  });

  it("means the cells of its own plans, and none that is meant to fail", async () => {
    const { root } = manyCells(product("{with: zstd}", "plans: [many]"));
    const { stdout } = await factoryAtOnce(root, ["plan", "many", "--json"]);
    const { cells } = JSON.parse(stdout) as { cells: { cell_id: string; repack?: object }[] };
    const without = cells.filter(({ repack }) => !repack).map(({ cell_id }) => cell_id);
    expect(without).toEqual(["demo.core-0.2.3.linux-amd64"]);
    // The manifest by itself is no cell of those plans.
    expect(await repackOf(root, { reuse: false })).toBeUndefined();
  });

  it("may not ask for something else than another document does", async () => {
    const plan = (repack: string) =>
      `schema_version: 1\nplan_id: nightly\nmanifest_id: demo\nrepack: ${repack}\n`;
    const of = (repack: string) =>
      makeWorkspace({
        ...FILES,
        ...product("{with: zstd}"),
        "control_plane/plans/nightly.yaml": plan(repack),
      });
    const other = of("{with: zstd, tag_suffix: -small}");
    for (const args of [["validate"], ["plan", "nightly"]]) {
      const { status, stdout } = await factoryAtOnce(other, [...args, "--json"]);
      expect(status).toBe(2);
      expect(stdout).toContain("REPACK_CONFLICT");
    }
    // A size makes no difference to zstd.
    const { status, stdout } = await factoryAtOnce(of("{with: zstd, target_size: 9MB}"), ["validate"]);
    expect(status, stdout).toBe(0);
  });

  it.each(["{}", "{with: gzip}", "{with: zstd, target_size: 50kB}", "{with: zstd, tag_suffix: /x}"])(
    "says which program, a size and the end of a tag: %s is a finding",
    async (repack) => {
      const root = makeWorkspace({ ...FILES, ...product(repack) });
      const { status, stdout } = await factoryAtOnce(root, ["validate", "--json"]);
      expect(status).toBe(2);
      expect(stdout).toMatch(/"SCHEMA/);
    },
  );
});

describe("layers that a record proves", () => {
  it("are not made again", async () => {
    const { root, layers } = await proven();
    expect(await repackOf(root)).toMatchObject({ ...MADE, reason: "NEW" });
    const own = await layers();
    const cell = await plan(root);
    expect(cell.repack).toMatchObject({ action: "reuse", reason: null, record_id: own.record_id });
    expect(cell.action).toBe("reuse");
    expect(isDone(cell)).toBe(true);
  });

  it.each<[string, Partial<Repacked>]>([
    ["another record", { record_id: "20260108t000000000z-0000000000000001" }],
    ["another image", { digest: `sha256:${"9".repeat(64)}` }],
    ["another manifest", { manifest_digest: `sha256:${"9".repeat(64)}` }],
    ["another program", { with: "docker-repack", target_size: 50e6, version: "0.5.0" }],
  ])("prove nothing if they were made from, or by, %s", async (_, change) => {
    const { root, layers } = await proven();
    await layers(change);
    const cell = await plan(root);
    expect(cell).toMatchObject({ action: "reuse", repack: { ...MADE, reason: "NEW" } });
    expect(isDone(cell)).toBe(false);
  });

  it("depend on the size and the version of docker-repack, where something is going to be made", async () => {
    const { root, layers } = await proven("{with: docker-repack, target_size: 20MB}");
    const tie = { with: "docker-repack", target_size: 20e6, version: "0.5.0" } as const;
    await layers({ ...tie, target_size: 30e6 });
    expect(await repackOf(root, { version: "0.5.0" })).toMatchObject(MADE);
    const own = await layers(tie, { at: AT + 2000 });
    const reused = { action: "reuse", record_id: own.record_id };
    expect(await repackOf(root, { version: "0.5.0" })).toMatchObject(reused);
    for (const version of ["0.6.0", null]) expect(await repackOf(root, { version })).toMatchObject(MADE);
    // To publish what is there, no program is needed.
    expect(await repackOf(root, { onlyProven: true })).toMatchObject(reused);
    expect(await repackOf(root, { onlyProven: true, engine: {} })).toMatchObject(MADE);
  });

  it("prove nothing after a failure, when too old, from the future, unpushed, or where the image is gone", async () => {
    const { root, layers } = await proven();
    await layers();
    expect(await repackOf(root, { now: NOW + 400 * DAY })).toMatchObject(MADE);
    expect(await repackOf(root, { engine: { [TAG]: ORIGINAL } })).toMatchObject({ ...MADE, reason: "IMAGE" });
    const moved = { [TAG]: ORIGINAL, [`${TAG}-repacked`]: ORIGINAL };
    expect(await repackOf(root, { engine: moved })).toMatchObject(MADE);
    expect(await repackOf(root, { needPushed: true })).toMatchObject(MADE);
    await layers({}, { at: AT + 5000, status: "fail" });
    expect(await repackOf(root)).toMatchObject(MADE);
  });

  it("prove nothing without their evidence: that is told, and nothing is held against the cell", async () => {
    const { root, layers } = await proven();
    const own = await layers();
    rmSync(join(root, "records/demo", own.evidence.smoke_report?.path ?? ""));
    const cell = await plan(root);
    expect(cell).toMatchObject({ action: "reuse", repack: MADE });
    expect(cell.notes.join("\n")).toMatch(
      /warning: demo.linux-amd64 is not proven in other layers: .*EVIDENCE_GONE/,
    );
  });

  describe("that save too little", () => {
    const policy = (least: number) => ({
      ...product("{with: zstd}", "policy: release"),
      "control_plane/policies/release.yaml": `schema_version: 1\npolicy_id: release\nrepack: {min_saving: ${least}}\n`,
    });
    const elsewhere = { needPushed: true, registry: { [TAG]: ORIGINAL }, engine: {} };

    it("are kept back: nothing is made again, and nobody asks where they are", async () => {
      const { root, layers } = await proven("{with: zstd}", policy(0.2), { pushed: true });
      const { record_id } = await layers({}, { saving: 0.1 });
      const kept_back = "it saves 10.0 %, and the policy asks for 20.0 %";
      const back = { action: "reuse", reason: null, record_id, kept_back };
      expect(await repackOf(root, elsewhere)).toMatchObject(back);
      expect(await repackOf(root, { ...elsewhere, onlyProven: true })).toMatchObject(back);
      // Who wants the image here gets it.
      expect(await repackOf(root, { engine: { [TAG]: ORIGINAL } })).toMatchObject({
        ...MADE,
        reason: "IMAGE",
      });
      // A proof like any other: it can be too old, and followed by a failure.
      expect(await repackOf(root, { ...elsewhere, now: NOW + 400 * DAY })).toMatchObject(MADE);
      await layers({}, { at: AT + 5000, saving: 0.1, status: "fail" });
      expect(await repackOf(root, elsewhere)).toMatchObject({ ...MADE, kept_back: null });
    });

    it.each([
      [
        "no policy asks for anything, and they are larger",
        0,
        -0.05,
        "it is 5.0 % larger, and a larger one is not published",
      ],
      ["they save just enough", 0.2, 0.2, null],
      ["nobody said what they save", 0.2, undefined, null],
    ])("are kept back or made again where %s", async (_, least, saving, kept_back) => {
      const { root, layers } = await proven("{with: zstd}", policy(least), { pushed: true });
      await layers({}, { saving });
      const action = kept_back === null ? "repack" : "reuse";
      expect(await repackOf(root, elsewhere)).toMatchObject({ action, kept_back });
    });

    it("are not kept back by a record that was changed", async () => {
      const { root, layers } = await proven("{with: zstd}", policy(0.2), { pushed: true });
      const { record_id } = await layers({}, { saving: 0.3 });
      const path = join(root, `records/demo/${record_id}.json`);
      writeFileSync(path, readFileSync(path, "utf8").replace('"saving": 0.3', '"saving": 0.1'));
      const cell = await plan(root, elsewhere);
      expect(cell).toMatchObject({ repack: { ...MADE, kept_back: null } });
      expect(cell.notes.join("\n")).toMatch(/warning: demo.linux-amd64 is not proven in other layers: /);
    });
  });

  it("prove nothing where their record goes meanwhile: the plan goes on without it", async () => {
    const { root, layers } = await proven("{with: zstd}", {}, { pushed: true });
    const { record_id } = await layers({}, { saving: 0.3 });
    const cell = await plan(root, {
      needPushed: true,
      registry: { [TAG]: ORIGINAL, [`${TAG}-repacked`]: LAYERS },
      meanwhile: () => rmSync(join(root, `records/demo/${record_id}.json`)),
    });
    expect(cell).toMatchObject({ action: "reuse", repack: { ...MADE, kept_back: null } });
    expect(cell.notes.join("\n")).toContain(`warning: ${record_id} says nothing about other layers: `);
  });

  it("are made with the cell that is built, whatever proves those of before", async () => {
    const { root, layers } = await proven();
    await layers();
    expect(await repackOf(root, { force: true })).toMatchObject({ ...MADE, reason: "FORCED" });
    const gone = await plan(root, { engine: { [`${TAG}-repacked`]: LAYERS } });
    expect(gone).toMatchObject({ action: "build", repack: { ...MADE, reason: "IMAGE" } });
  });
});

const CORE = "demo.core-0.2.0.linux-amd64";

/** Runs all cells of which other layers are asked for, with a step that answers. */
async function ran(step: RepackStep, more: { signal?: AbortSignal } = {}) {
  const { root } = manyCells(product("{with: zstd}"));
  const planned = await planUnasked(root, { planId: "many" }, NOW);
  return runIn({ root, planned, platform: "linux/amd64", deps: { repack: step }, ...more });
}

const PASS: RepackEnd = {
  status: "pass",
  record_id: "20260108t000000000z-0000000000000001",
  record: "records/demo/x.json",
  image: { ref: "demo:x-repacked", digest: LAYERS },
  saving: 0.25,
  pushed: false,
  why: null,
};

describe("a run that is asked for other layers", () => {
  it("has them made of what passed, each once, with the record that proves it, after its verdict", async () => {
    const made = new Map<string, string>();
    const { value, events } = await ran(({ cell }, record) => {
      expect(made.has(cell.cell_id)).toBe(false);
      made.set(cell.cell_id, record.record_id);
      expect(record.result.status).toBe("pass");
      return Promise.resolve(PASS);
    });
    expect(made.size).toBe(4);
    for (const { cell_id, record_id, repack } of value?.results ?? [])
      expect(repack?.status).toBe(made.get(cell_id) === record_id ? "pass" : undefined);
    expect(value?.summary.repacks).toEqual({ pass: 4, reused: 0, failed: 0, left_out: 0 });
    const types = events.filter((one) => "cell_id" in one && one.cell_id === CORE).map(({ type }) => type);
    expect(types.indexOf("cell-repacked")).toBeGreaterThan(types.indexOf("cell-ended"));
    expect(events.at(-1)?.type).toBe("run-ended");
  });

  it("goes on where one is refused or cannot be made: the cell has passed all the same", async () => {
    const { value, error } = await ran(({ cell }) => {
      if (cell.cell_id === CORE) throw new FactoryError("TOOL_MISSING", "docker-repack is not installed");
      return Promise.resolve({
        ...PASS,
        status: "refused",
        record_id: null,
        record: null,
        why: "files differ",
      });
    });
    expect(error).toBeUndefined();
    const one = value?.results.find(({ cell_id }) => cell_id === CORE);
    expect(one).toMatchObject({
      status: "pass",
      expected: true,
      repack: { status: "error", why: "docker-repack is not installed", record_id: null },
    });
    expect(value?.summary).toMatchObject({ pass: 5, repacks: { pass: 0, failed: 4 } });
  });

  it("ends where the disk is full, and starts no other one", async () => {
    const asked: string[] = [];
    const { error } = await ran(({ cell }) => {
      asked.push(cell.cell_id);
      return Promise.reject(new FactoryError("WRITE_FAILED", "no space left"));
    });
    expect(error).toMatchObject({ code: "WRITE_FAILED" });
    expect(asked.length).toBeLessThanOrEqual(2);
  });

  it("ends when it is interrupted, without a verdict on those", async () => {
    const stop = new AbortController();
    const { value, error } = await ran(
      () => {
        stop.abort();
        return Promise.reject(new FactoryError("INTERRUPTED", "interrupted while repacking"));
      },
      { signal: stop.signal },
    );
    expect(error).toBeUndefined();
    expect(value?.interrupted).toBe(true);
    expect(value?.results.some(({ repack }) => repack?.status === "pass")).toBe(false);
  });
});
