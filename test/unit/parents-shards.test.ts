import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Planned, type PlannedCell, withCell } from "../../src/plan/cell.ts";
import { parentCellId } from "../../src/plan/cell-names.ts";
import { expand } from "../../src/plan/expand.ts";
import { groupsOf } from "../../src/plan/shards/groups.ts";
import { shard } from "../../src/plan/shards/shard.ts";
import { takeShard } from "../../src/plan/shards/split.ts";
import { catalogOf, families, type Family, lineOf } from "./parents-families.ts";
import { familyOf } from "./parents-made.ts";
import { attemptAt, recordsOf } from "./plan-reason-cells.ts";
import { makeCatalog } from "./workspace.ts";

const PLATFORM = "linux/amd64";
const idOf = (id: string) => parentCellId(id, PLATFORM);

/** The cells of a family; those of `proven` are reused. */
function cellsOf(
  family: Family,
  proven: readonly string[] = [],
  record_id: string | null = null,
): PlannedCell[] {
  const catalog = catalogOf(makeCatalog(familyOf({ root: null })), family);
  return Object.keys(family).flatMap((manifestId) =>
    expand(catalog, { manifestId }, { today: "2026-01-01" }).cells.map((one) =>
      proven.includes(manifestId) ? withCell(one, { action: "reuse", reason: null, record_id }) : one,
    ),
  );
}

const options = (shards: number, isProven?: (planned: PlannedCell) => boolean) => ({
  shards,
  durationOf: () => null,
  runnerKey: () => "any",
  ...(isProven && { isProven }),
});

const member = (parent: string | null) => ({ parent, word: "w", test: "t" });
const LINE: Family = { leaf: member("mid"), mid: member("root"), root: member(null), alone: member(null) };
const namesIn = (cells: readonly PlannedCell[]) => cells.map(({ cell }) => cell.manifest_id);

describe("shards of a graph", () => {
  it("have a parent and all that starts from it in one, in the order of building", () => {
    const { shards } = shard(cellsOf(LINE), options(3));
    expect(shards.map(namesIn)).toEqual([["root", "mid", "leaf"], ["alone"], []]);
  });

  it("are freed by what is proven and pushed, as long as all above it is", () => {
    const freed = (proven: readonly string[]) =>
      groupsOf(cellsOf(LINE), ({ cell }) => proven.includes(cell.manifest_id)).map(({ cells }) =>
        namesIn(cells),
      );
    expect(freed(["root"])).toEqual([["alone"], ["root"], ["mid", "leaf"]]);
    expect(freed(["root", "mid"])).toEqual([["alone"], ["root"], ["mid"], ["leaf"]]);
    expect(freed(["mid"])).toEqual([["alone"], ["root", "mid", "leaf"]]);
  });

  it("go to a machine that all of a group can run on", () => {
    const [leaf, ...others] = cellsOf(LINE);
    if (!leaf) throw new Error("no cell");
    const wanting = { ...leaf, cell: leaf.cell, keys: { ...leaf.keys, gpus: 2 } } as PlannedCell;
    const [group] = groupsOf([wanting, ...others]).filter(({ cells }) => cells.length > 1);
    expect(group?.chief.cell.manifest_id).toBe("leaf");
  });

  it("bring what a shard starts from, where that is proven and in another shard", async () => {
    const attempts = (pushed: boolean) => {
      const told = cellsOf(LINE, ["root"]).map((one, at) => attemptAt(one, 1000 + at, { pushed }));
      const records = recordsOf(told);
      const record = told.find(({ attempt }) => attempt.manifest_id === "root")?.attempt.record_id ?? null;
      const planned: Planned = {
        plan_id: null,
        plan_ids: [],
        manifest_id: null,
        cells: cellsOf(LINE, ["root"], record),
        left_out: [],
        coverage: {},
      };
      const deps = {
        catalog: makeCatalog(familyOf({ root: null })),
        attempts: () => Promise.resolve(records),
      };
      return Promise.all(
        ["1/3", "2/3", "3/3"].map(async (text) => namesIn((await takeShard(planned, text, deps)).cells)),
      );
    };
    expect((await attempts(true)).sort()).toEqual([["alone"], ["root"], ["root", "mid", "leaf"]]);
    expect((await attempts(false)).sort()).toEqual([[], ["alone"], ["root", "mid", "leaf"]]);
  });

  it("have each cell once, with all unproven ones that it starts from, whatever the order", () => {
    const under = fc.tuple(families, fc.nat(), fc.integer({ min: 1, max: 15 }));
    fc.assert(
      fc.property(under, ([family, pick, count]) => {
        const cells = cellsOf(family);
        const proven = new Set(
          Object.keys(family)
            .filter((id, at) => (pick >> at) % 2 === 1)
            .map(idOf),
        );
        const isProven = ({ cell }: PlannedCell) => proven.has(cell.cell_id);
        const { shards } = shard(cells, options(count, isProven));
        expect(shards.flatMap(namesIn).sort()).toEqual(Object.keys(family).sort());
        for (const own of shards) {
          const names = namesIn(own);
          for (const [at, id] of names.entries()) {
            const above = lineOf(family, id).slice(1);
            const isFree = above.every((one) => proven.has(idOf(one)));
            if (!isFree) expect(names.slice(0, at)).toContain(above[0]);
          }
        }
        const again = shard([...cells].reverse(), options(count, isProven)).shards;
        expect(again.map(namesIn)).toEqual(shards.map(namesIn));
      }),
      { numRuns: 60 },
    );
  });
});
