import { describe, expect, it } from "vitest";
import type { OpenCatalog } from "../../src/catalog/open.ts";
import type { Cell, Planned } from "../../src/plan/cell.ts";
import { bakeFiles } from "../../src/plan/formats/bake-files.ts";
import { updateLock } from "../../src/plan/lock/draft.ts";
import { planCells, type Question } from "../../src/plan/planner.ts";
import { familyOf, manifestOn } from "./parents-made.ts";
import { NOW } from "./plan-reason-cells.ts";
import { scriptedPlaces } from "./scripted-places.ts";
import { type Files, makeCatalog } from "./workspace.ts";

const FAMILY = familyOf({ root: null, mid: "root", leaf: "mid", other: null });
const TWO = "platforms: [linux/amd64, linux/arm64]\n";

function planOf(catalog: OpenCatalog, question: Partial<Question>, before?: OpenCatalog): Promise<Planned> {
  const asked = {
    requests: [],
    locked: false,
    reuse: false,
    force: false,
    needPushed: false,
    cells: [],
    ...question,
  };
  return planCells(catalog, asked, {
    now: NOW,
    places: scriptedPlaces(),
    baseDigests: () => Promise.reject(new Error("unasked")),
    attempts: () => Promise.reject(new Error("unasked")),
    workspaceAt: () =>
      before
        ? Promise.resolve({ catalog: before, remove: () => undefined })
        : Promise.reject(new Error("unasked")),
    exists: () => true,
    note: (text) => expect.fail(text),
  });
}

const short = ({ cells }: Planned) =>
  cells.map(({ cell }) => [cell.cell_id, cell.reason, ...cell.changes.map(({ after }) => after)]);
const ALL = { requests: ["root", "mid", "leaf", "other"].map((manifestId) => ({ manifestId })) };
const LEAF = { requests: [{ manifestId: "leaf" }] };

describe("planning a manifest that starts from others", () => {
  it("brings in all of them, each once, on the platforms that are needed", async () => {
    const catalog = makeCatalog({
      ...FAMILY,
      "manifests/root.yaml": manifestOn("root", null, TWO),
      "manifests/mid.yaml": manifestOn("mid", "root", TWO),
      "manifests/wide.yaml": manifestOn("wide", "mid", TWO),
    });
    const ids = (planned: Planned) => planned.cells.map(({ cell }) => cell.cell_id);
    expect(ids(await planOf(catalog, LEAF))).toEqual([
      "leaf.linux-amd64",
      "mid.linux-amd64",
      "root.linux-amd64",
    ]);
    const both = await planOf(catalog, { requests: [...LEAF.requests, { manifestId: "wide" }] });
    expect(ids(both)).toEqual(
      ["leaf.linux-amd64", "mid.", "root.", "wide."].flatMap((id) =>
        id.endsWith(".") ? [`${id}linux-amd64`, `${id}linux-arm64`] : [id],
      ),
    );
    expect(both.cells.map(({ cell }) => cell.parent ?? null)).toEqual([
      "mid.linux-amd64",
      "root.linux-amd64",
      "root.linux-arm64",
      null,
      null,
      "mid.linux-amd64",
      "mid.linux-arm64",
    ]);
  });

  it("takes the cell of a plan that is the manifest by itself, with what that declares", async () => {
    const plan = (more: string) => ({
      "control_plane/plans/roots.yaml": `schema_version: 1\nplan_id: roots\nmanifest_id: root\n${more}`,
    });
    const fails =
      'expect: [{when: {word: 0.1.0}, result: fail, owner: "@us", reason: meant to, until: never}]\n';
    const requests = [{ planId: "roots" }, { manifestId: "leaf" }];
    const { cells } = await planOf(makeCatalog({ ...FAMILY, ...plan(fails) }), { requests });
    const root = cells.find(({ cell }) => cell.cell_id === "root.linux-amd64")?.cell;
    expect(cells).toHaveLength(3);
    expect(root).toMatchObject({ plan_ids: ["roots"], expect: { result: "fail" } });
  });

  it("plans from one cell all that it starts from, and nothing that starts from it", async () => {
    const planned = await planOf(makeCatalog(FAMILY), { ...ALL, cells: ["mid.linux-amd64"] });
    expect(planned.cells.map(({ cell }) => cell.cell_id)).toEqual(["root.linux-amd64", "mid.linux-amd64"]);
  });

  it("refuses a platform that the parent does not have, where the parent is named", () => {
    const catalog = makeCatalog({
      ...FAMILY,
      "control_plane/plans/arm.yaml":
        "schema_version: 1\nplan_id: arm\nmanifest_id: leaf\nplatforms: [linux/arm64]\n",
    });
    return expect(planOf(catalog, { requests: [{ planId: "arm" }] })).rejects.toMatchObject({
      code: "BASE_PLATFORM",
      where: { file: "manifests/leaf.yaml", line: 4 },
    });
  });
});

describe("a change above", () => {
  const changed = {
    ...FAMILY,
    "manifests/root.yaml": manifestOn("root", null).replace("word: root", "word: new"),
  };
  const below: Files = {
    ...FAMILY,
    "manifests/leaf.yaml": manifestOn("leaf", "mid").replace("word: leaf", "word: new"),
  };

  it("spreads to all that start from it, with its name, since a commit", async () => {
    const planned = await planOf(makeCatalog(changed), { ...ALL, since: "main" }, makeCatalog(FAMILY));
    expect(short(planned)).toEqual([
      ["leaf.linux-amd64", "PARENT", "root.linux-amd64"],
      ["mid.linux-amd64", "PARENT", "root.linux-amd64"],
      ["root.linux-amd64", "ARGS", "new"],
    ]);
  });

  it("spreads likewise from changed paths", async () => {
    const planned = await planOf(makeCatalog(FAMILY), { ...ALL, changedFiles: ["manifests/root.yaml"] });
    expect(short(planned)).toEqual([
      ["leaf.linux-amd64", "PARENT", "root.linux-amd64"],
      ["mid.linux-amd64", "PARENT", "root.linux-amd64"],
      ["root.linux-amd64", "POLICY", "manifests/root.yaml"],
    ]);
  });

  it.each([
    ["since a commit", { since: "main" }, "ARGS", "new"],
    ["from changed paths", { changedFiles: ["manifests/leaf.yaml"] }, "POLICY", "manifests/leaf.yaml"],
  ])("does not spread upwards, but what is above is needed: %s", async (_, question, reason, after) => {
    const planned = await planOf(makeCatalog(below), { ...ALL, ...question }, makeCatalog(FAMILY));
    expect(short(planned)).toEqual([
      ["leaf.linux-amd64", reason, after],
      ["mid.linux-amd64", "NEEDED", "leaf.linux-amd64"],
      ["root.linux-amd64", "NEEDED", "mid.linux-amd64"],
    ]);
  });

  it("is told of a changed base in the lock, for all that start from it", () => {
    const { needs } = updateLock(makeCatalog(FAMILY));
    const touched = [...needs.values()].find(({ name }) => name === "debian:bookworm-slim")?.manifests;
    expect(touched).toEqual(["leaf", "mid", "other", "root"]);
  });
});

describe("a bake file of a graph", () => {
  const options = {
    dockerfile: ({ cell }: { cell: Cell }) => `${cell.manifest_id}.Dockerfile`,
    cache: null,
    output: () => [],
    header: { command: "x" },
  };

  it("links a child's target to its parent's, by the name in the Dockerfile", async () => {
    const { cells } = await planOf(makeCatalog(FAMILY), ALL);
    const [file, ...more] = bakeFiles(cells, options);
    expect(more).toEqual([]);
    expect(file?.targets).toEqual(["other", "root", "mid", "leaf"].map((id) => `${id}_linux-amd64`));
    expect(file?.text).toContain(
      'dockerfile = "leaf.Dockerfile"\n  contexts = {\n    "parent.invalid/mid" = "target:mid_linux-amd64"\n  }\n',
    );
    expect(file?.text.match(/contexts/g)).toHaveLength(2);
  });

  it("can be used alone, if a graph does not fit into one: what is above is a target of each", async () => {
    const ids = Array.from({ length: 700 }, (_, at) => `c${at}`);
    const catalog = makeCatalog(familyOf({ top: null, ...Object.fromEntries(ids.map((id) => [id, "top"])) }));
    const { cells } = await planOf(catalog, { requests: ids.map((manifestId) => ({ manifestId })) });
    const files = [...bakeFiles(cells, options)];
    expect(files).toHaveLength(2);
    expect(files.flatMap(({ targets }) => targets)).toHaveLength(701);
    for (const { text } of files) {
      const defined = new Set([...text.matchAll(/^target "([^"]+)"/gm)].map(([, name]) => name));
      const linked = [...text.matchAll(/"target:([^"]+)"/g)].map(([, name]) => name);
      expect(linked.filter((name) => !defined.has(name))).toEqual([]);
    }
  });
});
