import { describe, expect, it } from "vitest";
import { withCell } from "../../src/plan/cell.ts";
import { placementsOf } from "../../src/plan/decide/placement.ts";
import { BUILT, OWN_TAG, plan, proven } from "../unit/reuse-world.ts";
import { manyCells, runIn } from "../unit/run-world.ts";
import { scriptedPlaces } from "../unit/scripted-places.ts";
import { attemptAt, cellOf } from "../unit/plan-reason-cells.ts";

const OTHER = `sha256:${"d".repeat(64)}`;
const short = (digest: string) => digest.slice(0, 19);

describe("A5 the image that a record proves", () => {
  it.each<[string, Parameters<typeof scriptedPlaces>[0], object]>([
    ["is there", { engine: { [OWN_TAG]: BUILT } }, { action: "reuse", reason: null, seen: "engine" }],
    ["is gone", { engine: {} }, { action: "build", reason: "IMAGE" }],
    [
      "is gone, and its tag names another",
      { engine: { [OWN_TAG]: OTHER } },
      {
        action: "build",
        reason: "IMAGE",
        changes: [{ input: "tag", before: short(BUILT), after: short(OTHER) }],
      },
    ],
    [
      "lost its tag to another",
      { engine: { [OWN_TAG]: OTHER }, held: [BUILT] },
      {
        action: "retag",
        reason: "IMAGE",
        changes: [{ input: "tag", before: short(BUILT), after: short(OTHER) }],
      },
    ],
    ["has no name any more", { engine: {}, held: [BUILT] }, { action: "retag", reason: "IMAGE" }],
    [
      "has no name any more, which is no other image's either",
      { engine: {}, held: [BUILT] },
      { changes: [{ input: "tag", before: short(BUILT), after: null }] },
    ],
    // It was never pushed: what a registry has under its name is not it.
    [
      "is gone, and a registry has the name",
      { engine: {}, registry: { [OWN_TAG]: BUILT } },
      { action: "build" },
    ],
  ])("A5 %s", async (_, world, expected) => {
    const { root } = await proven();
    const [cell] = await plan(root, { places: scriptedPlaces(world) });
    expect(cell).toMatchObject(expected);
  });

  it.each<[string, Parameters<typeof scriptedPlaces>[0], boolean, object]>([
    [
      "is in its registry alone",
      { engine: {}, registry: { [OWN_TAG]: BUILT } },
      false,
      { action: "reuse", seen: "registry" },
    ],
    [
      "is in its registry, and no engine answers",
      { registry: { [OWN_TAG]: BUILT } },
      true,
      { action: "reuse", seen: "registry" },
    ],
    [
      "was overwritten in its registry, and is wanted there",
      { engine: { [OWN_TAG]: BUILT }, registry: { [OWN_TAG]: OTHER } },
      true,
      {
        action: "retag",
        reason: "IMAGE",
        changes: [{ input: "registry", before: short(BUILT), after: short(OTHER) }],
      },
    ],
    [
      "was overwritten in its registry, and is gone here",
      { engine: {}, registry: { [OWN_TAG]: OTHER } },
      true,
      { action: "build", reason: "IMAGE" },
    ],
    [
      "was removed from its registry, and is wanted there",
      { engine: { [OWN_TAG]: BUILT }, registry: {} },
      true,
      { action: "retag", reason: "IMAGE" },
    ],
    [
      "was overwritten in its registry, and is wanted here",
      { engine: { [OWN_TAG]: BUILT }, registry: { [OWN_TAG]: OTHER } },
      false,
      { action: "reuse", seen: "engine" },
    ],
    [
      "is here, and its registry cannot be asked",
      { engine: { [OWN_TAG]: BUILT } },
      true,
      {
        action: "retag",
        reason: "IMAGE",
        changes: [{ input: "registry", before: short(BUILT), after: "unknown" }],
      },
    ],
    [
      "is gone here, and its registry cannot be asked",
      { engine: {} },
      true,
      {
        action: "build",
        reason: "IMAGE",
        changes: [{ input: "tag", before: short(BUILT), after: null }],
      },
    ],
    [
      "was overwritten in its registry, and no engine answers",
      { registry: { [OWN_TAG]: OTHER } },
      false,
      { action: "build", reason: "IMAGE" },
    ],
    [
      "was overwritten in its registry and lost its tag here, where it is wanted",
      { engine: {}, held: [BUILT], registry: { [OWN_TAG]: OTHER } },
      false,
      {
        action: "retag",
        reason: "IMAGE",
        changes: [{ input: "tag", before: short(BUILT), after: null }],
      },
    ],
    ...[true, false].map((wanted): [string, Parameters<typeof scriptedPlaces>[0], boolean, object] => [
      `lost its tag in its registry, which still has it, and is gone here (${wanted})`,
      {
        engine: {},
        registry: { [OWN_TAG]: OTHER, [`${OWN_TAG.slice(0, OWN_TAG.lastIndexOf(":"))}@${BUILT}`]: BUILT },
      },
      wanted,
      { action: "retag", reason: "IMAGE" },
    ]),
    [
      "has no tag in its registry, which still has it, where no engine answers",
      { registry: { [`${OWN_TAG.slice(0, OWN_TAG.lastIndexOf(":"))}@${BUILT}`]: BUILT } },
      true,
      { action: "retag", reason: "IMAGE" },
    ],
    [
      "was removed from its registry, and is gone here, and is wanted there",
      { engine: {}, registry: {} },
      true,
      {
        action: "build",
        reason: "IMAGE",
        changes: [{ input: "registry", before: short(BUILT), after: null }],
      },
    ],
  ])("A5 that was pushed %s", async (_, world, needPushed, expected) => {
    const { root } = await proven({ push: true });
    const [cell] = await plan(root, { places: scriptedPlaces(world), needPushed });
    expect(cell).toMatchObject(expected);
  });

  it("A5 is taken on the record's word where nobody can be asked, and that is said", async () => {
    const { root } = await proven();
    const notes: string[] = [];
    const [cell] = await plan(root, { places: scriptedPlaces(), note: (text) => notes.push(text) });
    expect(cell).toMatchObject({ action: "reuse", seen: "unasked" });
    expect(notes).toEqual([expect.stringContaining("1 cell is proven by the record alone")]);

    const world = manyCells();
    const [first] = world.planned.cells;
    if (!first) throw new Error("no cell");
    const reused = withCell(first, { action: "reuse", record_id: "r", seen: "unasked" });
    const { value } = await runIn({ ...world, planned: { ...world.planned, cells: [reused] } });
    expect(value?.results[0]?.notes).toEqual([expect.stringContaining("proven by the record alone")]);
  });

  it("A5 is looked for where there are images alone, in each of their repositories once", async () => {
    const places = scriptedPlaces({ engine: {}, registry: {} });
    expect(await placementsOf([], places, true)).toEqual([]);
    expect(places.asked).toEqual({ engine: [], registry: [] });
    const refs = ["z.example/z:1", "a.example/a:1", "z.example/z:2"];
    await placementsOf(
      refs.map((ref) => attemptAt(cellOf(), 0, { ref, pushed: false }).attempt),
      places,
      true,
    );
    expect(places.asked).toEqual({ engine: [["a.example/a", "z.example/z"]], registry: [] });
  });

  it("A5 of a thousand cells is one question to the engine, and none to a registry for what was not pushed", async () => {
    const cell = cellOf();
    const proofs = Array.from({ length: 1000 }, (_, at) => {
      const digest = `sha256:${at.toString(16).padStart(64, "0")}`;
      return attemptAt(cell, 0, { ref: `r.example/team/demo:${at}`, digest, pushed: at >= 990 }).attempt;
    });
    const engine = Object.fromEntries(
      proofs.slice(0, 990).map(({ ref, digest }) => [ref ?? "", digest ?? ""]),
    );
    const places = scriptedPlaces({ engine, registry: {} });
    const found = await placementsOf(proofs, places, false);
    expect(found.filter(({ action }) => action === "reuse")).toHaveLength(990);
    expect(found.slice(990).every(({ action }) => action === "build")).toBe(true);
    expect(places.asked.engine).toEqual([["r.example/team/demo"]]);
    // About each of those that were pushed twice: by its tag, and by its digest.
    expect(new Set(places.asked.registry).size).toBe(20);
    expect(places.asked.registry).toHaveLength(20);
  });
});
