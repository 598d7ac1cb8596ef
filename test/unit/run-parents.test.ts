import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { Planned } from "../../src/plan/cell.ts";
import { planCells } from "../../src/plan/planner.ts";
import type { BakeOptions } from "../../src/tools/buildx.ts";
import { familyOf } from "./parents-made.ts";
import { BuildFails, type Images, runIn, scriptedImages } from "./run-world.ts";
import { scriptedPlaces } from "./scripted-places.ts";
import { type Files, makeWorkspace } from "./workspace.ts";

const DEBIAN = `debian@sha256:${"d".repeat(64)}`;

/** A workspace in which each manifest starts from another, or from a pinned image. */
function familyIn(parents: Readonly<Record<string, string | null>>, more: Files = {}): string {
  const files = Object.entries(familyOf(parents)).map(
    ([path, text]) => [path, text?.replace("debian:bookworm-slim", DEBIAN) ?? null] as const,
  );
  return makeWorkspace({
    ...Object.fromEntries(files),
    "factory.yaml": "schema_version: 1\nrepository: f\n",
    ...more,
  });
}

const idOf = (id: string) => `${id}.linux-amd64`;
const tagOf = (id: string) => `f/${id}:linux-amd64`;

/** What was baked: the cells, in order, with where each found the image that it starts from. */
interface Baked {
  target: string;
  parent: string | null;
  dockerfile: string;
}

/** A world that runs what it plans. */
function worldIn(root: string, images: Images = scriptedImages()) {
  const baked: Baked[] = [];
  let count = 0;
  let time = Date.UTC(2026, 0, 1);
  const clock = { now: () => (time += 1), date: () => new Date((time += 1)) };
  const plan = (
    requests: readonly ({ manifestId: string } | { planId: string })[],
    reuse = false,
  ): Promise<Planned> =>
    planCells(
      openCatalog(root),
      { requests, locked: false, reuse, force: false, needPushed: false, cells: [] },
      {
        now: Date.UTC(2026, 0, 2),
        places: scriptedPlaces({ engine: Object.fromEntries(images.tags) }),
        baseDigests: () => Promise.resolve(new Map()),
        attempts: (manifestIds) =>
          openStore(root).attempts({ manifestIds, now: () => Date.now() + 10_000, onNote: () => undefined }),
        workspaceAt: () => Promise.reject(new Error("unasked")),
        exists: () => true,
        note: () => undefined,
      },
    );
  const run = (planned: Planned, more: Partial<Parameters<typeof runIn>[0]> = {}) => {
    const { build, deps, ...rest } = more;
    return runIn({
      root,
      planned,
      images,
      gives: () => `sha256:${(count += 1).toString(16).padStart(64, "0")}`,
      ...rest,
      deps: { clock, ...deps },
      build: async (options: BakeOptions, target) => {
        const text = readFileSync(options.file, "utf8");
        baked.push({
          target,
          parent: /"docker-image:\/\/([^"]+)"/.exec(text)?.[1] ?? null,
          dockerfile: readFileSync(join(dirname(options.file), "Dockerfile"), "utf8"),
        });
        await build?.(options, target);
      },
    });
  };
  const order = () => baked.splice(0).map(({ target }) => target.replace("_linux-amd64", ""));
  const held = () => [...images.tags.keys()].filter((tag) => tag.includes("factory-run-"));
  const notes = () =>
    existsSync(join(root, ".factory/held")) ? readdirSync(join(root, ".factory/held")) : [];
  const records = (id: string) => {
    const folder = join(root, "records", id);
    const names = readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort();
    return names.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<string, never>);
  };
  return { plan, run, baked, order, held, notes, images, records, root };
}

const LINE = { a_leaf: "b_mid", b_mid: "c_root", c_root: null };
const LEAF = [{ manifestId: "a_leaf" }];

const edit = (root: string, id: string, change: (text: string) => string) => {
  const file = join(root, `manifests/${id}.yaml`);
  const before = readFileSync(file, "utf8");
  expect(change(before)).not.toBe(before);
  writeFileSync(file, change(before));
};
const newWord = (id: string) => (text: string) => text.replace(`word: ${id}`, `word: ${id}-new`);
const newTest = (text: string) => `${text}smoke: [{id: other, command: {argv: ["true"]}}]\n`;

describe("a run of cells that start from each other", () => {
  it("builds each after its parent, from the very image of that, which is held meanwhile", async () => {
    const world = worldIn(familyIn(LINE));
    const seen: string[][] = [];
    const planned = await world.plan(LEAF);
    const { value, finished } = await world.run(planned, { build: () => void seen.push(world.held()) });
    expect(value?.summary).toMatchObject({ pass: 3, unexpected: 0 });
    expect(finished).toEqual(["c_root", "b_mid", "a_leaf"].map((id) => `${idOf(id)} pass`));
    expect(world.baked.map(({ parent }) => parent)).toEqual([
      null,
      expect.stringMatching(/^f\/c_root:factory-run-[0-9a-z]+-0123abcd@sha256:0{63}1$/),
      expect.stringMatching(/^f\/b_mid:factory-run-[0-9a-z]+-0123abcd@sha256:0{63}2$/),
    ]);
    expect(world.baked[2]?.dockerfile).toContain(
      `FROM parent.invalid/b_mid@sha256:${"2".padStart(64, "0")} AS base`,
    );
    for (const at of [1, 2]) expect(seen[at]).toContain(world.baked[at]?.parent?.replace(/@.*/, ""));
    expect(world.held()).toEqual([]);
    expect(world.notes()).toEqual([]);
  });

  it("records that, and verifies it", async () => {
    const world = worldIn(familyIn(LINE));
    const { value, store } = await world.run(await world.plan(LEAF));
    const [mid] = world.records("b_mid") as unknown as [{ build_key: string; image: { digest: string } }];
    const [leaf] = world.records("a_leaf");
    expect(leaf).toMatchObject({
      base: { ref: "parent.invalid/b_mid", digest: mid.image.digest },
      parent: { manifest_id: "b_mid", build_key: mid.build_key },
      images: [{ role: "base", ref: "parent.invalid/b_mid", digest: mid.image.digest }],
    });
    expect(value?.results).toHaveLength(3);
    const verified = await store.verify({});
    expect(verified.problems).toEqual([]);
    expect(verified.verified).toBe(3);
  });

  it("keeps no slot for a cell that waits", async () => {
    const world = worldIn(familyIn({ ...LINE, z_other: null, y_other: null }));
    const planned = await world.plan([...LEAF, { manifestId: "z_other" }, { manifestId: "y_other" }]);
    const { value } = await world.run(planned, { jobs: 1 });
    expect(value?.summary).toMatchObject({ pass: 5 });
    const order = world.order();
    expect(order.filter((id) => id in LINE)).toEqual(["c_root", "b_mid", "a_leaf"]);
  });

  it("blocks all that starts from what failed, at no cost, with its id", async () => {
    const world = worldIn(familyIn({ ...LINE, other: null }));
    const planned = await world.plan([...LEAF, { manifestId: "other" }]);
    const { value } = await world.run(planned, {
      build: (_, target) => {
        if (target.startsWith("c_root"))
          throw new BuildFails("process did not complete successfully: exit code: 1");
      },
    });
    expect(world.order().sort()).toEqual(["c_root", "other"]);
    expect(value?.summary).toMatchObject({ pass: 1, fail: 1, error: 2, unexpected: 3 });
    const resultOf = (id: string) => value?.results.find(({ cell_id }) => cell_id === idOf(id));
    expect(resultOf("b_mid")).toMatchObject({
      status: "error",
      stage: "resolve",
      class: "blocked",
      expected: false,
    });
    expect(resultOf("b_mid")?.notes).toEqual([
      "blocked by c_root.linux-amd64: it starts from the image of c_root.linux-amd64, which did not pass: fail (step)",
    ]);
    expect(resultOf("a_leaf")?.notes).toEqual([
      "blocked by c_root.linux-amd64: it starts from the image of b_mid.linux-amd64, which is blocked too",
    ]);
    expect(world.held()).toEqual([]);
    const { problems } = await openStore(world.root).verify({});
    expect(problems).toEqual([]);
    const again = await world.plan(LEAF, true);
    expect(again.cells.map(({ cell }) => [cell.action, cell.reason, cell.changes[0]?.after])).toEqual([
      ["build", "PARENT", idOf("c_root")],
      ["build", "PARENT", idOf("c_root")],
      ["build", "NEW", undefined],
    ]);
  });

  it("blocks it as well, if the failure is what a plan declares", async () => {
    const plan = `schema_version: 1
plan_id: roots
manifest_id: c_root
expect: [{when: {word: 0.1.0}, result: fail, owner: "@us", reason: meant to, until: never}]
`;
    const world = worldIn(familyIn(LINE, { "control_plane/plans/roots.yaml": plan }));
    const planned = await world.plan([...LEAF, { planId: "roots" }]);
    const { value } = await world.run(planned, {
      build: () => {
        throw new BuildFails("process did not complete successfully: exit code: 1");
      },
    });
    expect(value?.summary).toMatchObject({ fail: 1, error: 2, unexpected: 2 });
  });

  it("starts from the parent by itself, whatever other cells of it there are", async () => {
    const world = worldIn(
      familyIn(
        { leaf: "root", root: null },
        {
          "control_plane/plans/roots.yaml":
            "schema_version: 1\nplan_id: roots\nmanifest_id: root\naxes: {word: [0.2.0]}\n",
          "fragments/word/0.2.0/fragment.yaml":
            "schema_version: 1\nname: word\nversion: 0.2.0\norder: 10\nargs: {word: {type: string}}\n",
          "fragments/word/0.2.0/Dockerfile.hbs": "RUN other\n",
        },
      ),
    );
    const requests = [{ planId: "roots" }, { manifestId: "leaf" }];
    const { value } = await world.run(await world.plan(requests), { jobs: 1 });
    const digest = value?.results.find(({ cell_id }) => cell_id === idOf("root"))?.image?.digest;
    expect(value?.summary).toMatchObject({ pass: 3 });
    expect(world.records("leaf")[0]).toMatchObject({ base: { digest } });
    const again = await world.plan(requests, true);
    expect(again.cells.map(({ cell }) => cell.action)).toEqual(["reuse", "reuse", "reuse"]);
  });

  it("refuses an image that was not built from the proven one", async () => {
    const world = worldIn(familyIn(LINE));
    const planned = await world.plan(LEAF);
    const { value } = await world.run(planned, {
      build: (options, target) => {
        if (!target.startsWith("b_mid")) return;
        const text = readFileSync(options.file, "utf8");
        writeFileSync(options.file, text.replace(/@sha256:[a-f0-9]{64}"$/gm, `@sha256:${"9".repeat(64)}"`));
      },
    });
    const mid = value?.results.find(({ manifest_id }) => manifest_id === "b_mid");
    expect(mid).toMatchObject({ status: "error", stage: "build", class: "builder" });
    expect(mid?.notes[0]).toContain("the proven image of c_root.linux-amd64");
    expect(value?.results.find(({ manifest_id }) => manifest_id === "a_leaf")).toMatchObject({
      class: "blocked",
    });
  });

  it("starts nothing more once it is interrupted, and holds nothing", async () => {
    const world = worldIn(familyIn(LINE));
    const controller = new AbortController();
    const { value } = await world.run(await world.plan(LEAF), {
      signal: controller.signal,
      build: (_, target) => {
        if (target.startsWith("b_mid")) controller.abort();
      },
    });
    expect(value?.interrupted).toBe(true);
    expect(value?.results.map(({ manifest_id, status }) => [manifest_id, status])).toEqual([
      ["b_mid", "error"],
      ["c_root", "pass"],
    ]);
    expect(world.held()).toEqual([]);
    expect(world.notes()).toEqual([]);
  });

  it("needs a builder that can read the engine's images, or pushed ones", async () => {
    const world = worldIn(familyIn({ mid: "root", root: null }));
    const planned = await world.plan([{ manifestId: "mid" }]);
    const { value } = await world.run(planned, { driver: "docker-container" });
    expect(value?.results[0]).toMatchObject({ class: "blocked" });
    expect(value?.results[0]?.notes[0]).toContain("which only the engine has: push it (--push)");
    world.order();
    const pushed = await world.run(planned, { driver: "docker-container", push: true });
    expect(pushed.value?.summary).toMatchObject({ pass: 2 });
    expect(world.baked[1]?.parent).toMatch(/^f\/root:linux-amd64@sha256:/);
  });
});

describe("a run of what is partly proven", () => {
  /** A world in which all of the line has passed. */
  const proven = async () => {
    const world = worldIn(familyIn(LINE));
    await world.run(await world.plan(LEAF));
    world.order();
    const actions = async () => (await world.plan(LEAF, true)).cells.map(({ cell }) => cell.action);
    expect(await actions()).toEqual(["reuse", "reuse", "reuse"]);
    return { ...world, actions };
  };
  const statuses = ({ value }: Awaited<ReturnType<ReturnType<typeof worldIn>["run"]>>) =>
    value?.results.map(({ manifest_id, status }) => `${manifest_id} ${status}`);

  it("builds all that is below a change, in one run", async () => {
    const world = await proven();
    edit(world.root, "c_root", newWord("c_root"));
    const { value } = await world.run(await world.plan(LEAF, true));
    expect(value?.summary).toMatchObject({ pass: 3 });
    expect(world.order()).toEqual(["c_root", "b_mid", "a_leaf"]);
    expect(await world.actions()).toEqual(["reuse", "reuse", "reuse"]);
  });

  it("starts from the image that a record proves, which is held meanwhile", async () => {
    const world = await proven();
    edit(world.root, "a_leaf", newWord("a_leaf"));
    const digest = world.images.tags.get(tagOf("b_mid"));
    const ran = await world.run(await world.plan(LEAF, true), {
      // Another run moves the tag.
      build: () => void world.images.tags.set(tagOf("b_mid"), `sha256:${"f".repeat(64)}`),
    });
    expect(statuses(ran)).toEqual(["a_leaf pass", "b_mid reused", "c_root reused"]);
    expect(world.baked).toHaveLength(1);
    expect(world.baked[0]?.parent).toMatch(new RegExp(`^f/b_mid:factory-run-[0-9a-z-]+@${digest}$`));
    expect(world.held()).toEqual([]);
    expect(world.records("a_leaf").at(-1)).toMatchObject({ base: { digest } });
  });

  it("builds a parent whose image is gone meanwhile, and all that starts from it", async () => {
    const world = await proven();
    edit(world.root, "a_leaf", newWord("a_leaf"));
    const planned = await world.plan(LEAF, true);
    world.images.tags.delete(tagOf("b_mid"));
    const ran = await world.run(planned);
    expect(statuses(ran)).toEqual(["a_leaf pass", "b_mid pass", "c_root reused"]);
    expect(world.order()).toEqual(["b_mid", "a_leaf"]);
    expect(await world.actions()).toEqual(["reuse", "reuse", "reuse"]);
  });

  it("tests again what starts from what is tested again, and builds nothing", async () => {
    const world = await proven();
    edit(world.root, "b_mid", newTest);
    const planned = await world.plan(LEAF, true);
    expect(planned.cells.map(({ cell }) => [cell.action, cell.reason])).toEqual([
      ["retest", "PARENT"],
      ["retest", "TESTS"],
      ["reuse", null],
    ]);
    expect(statuses(await world.run(planned))).toEqual(["a_leaf pass", "b_mid pass", "c_root reused"]);
    expect(world.order()).toEqual([]);
    expect(await world.actions()).toEqual(["reuse", "reuse", "reuse"]);
  });

  it("blocks what was to be tested again, or reused, if its parent fails now", async () => {
    const world = await proven();
    edit(world.root, "b_mid", newTest);
    const smokeTest = () => Promise.resolve({ status: "fail" as const, tests: [] });
    const ran = await world.run(await world.plan(LEAF, true), { deps: { smokeTest } });
    expect(statuses(ran)).toEqual(["a_leaf error", "b_mid fail", "c_root reused"]);
    expect(ran.value?.results[0]).toMatchObject({ class: "blocked", expected: false, image: null });
    expect(world.order()).toEqual([]);
    expect([...world.images.tags.keys()].filter((tag) => tag.startsWith("f/a_leaf"))).toEqual([
      tagOf("a_leaf"),
    ]);
  });

  it("builds what was to be tested again, if its parent turns out to be gone", async () => {
    const world = await proven();
    edit(world.root, "b_mid", newTest);
    const planned = await world.plan(LEAF, true);
    world.images.tags.delete(tagOf("b_mid"));
    expect(statuses(await world.run(planned))).toEqual(["a_leaf pass", "b_mid pass", "c_root reused"]);
    expect(world.order()).toEqual(["b_mid", "a_leaf"]);
    expect(await world.actions()).toEqual(["reuse", "reuse", "reuse"]);
  });

  it("waits with what is proven for a parent that gets its tag again, and builds it if the parent is built", async () => {
    const world = await proven();
    const digest = world.images.tags.get(tagOf("b_mid")) ?? "";
    const move = () => {
      world.images.tags.set("f/b_mid:kept", digest);
      world.images.tags.set(tagOf("b_mid"), world.images.tags.get(tagOf("c_root")) ?? "");
    };
    move();
    const planned = await world.plan(LEAF, true);
    expect(planned.cells.map(({ cell }) => cell.action)).toEqual(["reuse", "retag", "reuse"]);
    const { finished } = await world.run(planned);
    expect(finished.filter((line) => !line.startsWith("c_"))).toEqual([
      `${idOf("b_mid")} reused`,
      `${idOf("a_leaf")} reused`,
    ]);
    expect(world.order()).toEqual([]);
    move();
    const again = await world.plan(LEAF, true);
    world.images.tags.delete("f/b_mid:kept");
    expect(statuses(await world.run(again))).toEqual(["a_leaf pass", "b_mid pass", "c_root reused"]);
    expect(world.order()).toEqual(["b_mid", "a_leaf"]);
    expect(await world.actions()).toEqual(["reuse", "reuse", "reuse"]);
  });
});
