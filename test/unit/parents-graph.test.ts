import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OpenCatalog } from "../../src/catalog/open.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { planCells, type Question } from "../../src/plan/planner.ts";
import { topological } from "../../src/plan/topology.ts";
import { catalogOf, families, type Family, lineOf, type Member } from "./parents-families.ts";
import { familyOf } from "./parents-made.ts";
import { attemptAt, NOW, recordsOf, type Told } from "./plan-reason-cells.ts";
import { scriptedPlaces } from "./scripted-places.ts";
import { makeCatalog } from "./workspace.ts";

/** A world in which runs leave records and images. A build gives another image each time, as real ones do. */
function worldOn(under: OpenCatalog) {
  const told: Told[] = [];
  const tags: Record<string, string> = {};
  /** What is in an image: the words of the chain, by its digest. */
  const contents = new Map<string, string[]>();
  let count = 0;
  let clock = NOW - 1_000_000;

  const plan = async (family: Family, question: Partial<Question> = {}): Promise<PlannedCell[]> => {
    const requests = question.requests ?? Object.keys(family).map((manifestId) => ({ manifestId }));
    const asked = {
      locked: false,
      reuse: true,
      force: false,
      needPushed: false,
      cells: [],
      ...question,
      requests,
    };
    const { cells } = await planCells(catalogOf(under, family), asked, {
      now: NOW,
      places: scriptedPlaces({ engine: tags }),
      baseDigests: () => Promise.resolve(new Map()),
      attempts: () => Promise.resolve(recordsOf(told)),
      workspaceAt: () => Promise.reject(new Error("nobody asked for another commit")),
      exists: () => true,
      note: () => undefined,
    });
    return cells;
  };

  /** Does what was planned, in order, as a run does it. */
  const run = (family: Family, cells: readonly PlannedCell[]): string[] => {
    const built: string[] = [];
    for (const planned of topological(cells)) {
      const { manifest_id, action, record_id } = planned.cell;
      if (action === "reuse") continue;
      const parent = family[manifest_id]?.parent ?? null;
      const from = parent === null ? null : (tags[`registry.example/team/${parent}:linux-amd64`] ?? null);
      if (parent !== null && from === null) throw new Error(`${manifest_id} starts before ${parent}`);
      const own = planned.pin(
        (ref) => tags[`registry.example/team/${ref.replace("parent.invalid/", "")}:linux-amd64`] ?? null,
      );
      const before = told.find(({ attempt }) => attempt.record_id === record_id)?.attempt.digest ?? "";
      if (action === "build") {
        built.push(manifest_id);
        count += 1;
      }
      const digest = action === "build" ? `sha256:${count.toString(16).padStart(64, "0")}` : before;
      if (action === "build")
        contents.set(digest, [...(contents.get(from ?? "") ?? []), family[manifest_id]?.word ?? ""]);
      tags[own.cell.tags[0] ?? ""] = digest;
      clock += 10;
      told.push(attemptAt(own, NOW - clock, { digest }));
    }
    return built;
  };
  const contentOf = (id: string) => contents.get(tags[`registry.example/team/${id}:linux-amd64`] ?? "") ?? [];
  return { plan, run, contentOf, tags };
}

const withChange = (family: Family, ids: readonly string[], change: (member: Member) => Member): Family =>
  Object.fromEntries(
    Object.entries(family).map(([id, member]) => [id, ids.includes(id) ? change(member) : member]),
  );

describe("planning a graph of manifests", () => {
  it("builds what is new each once, after what it starts from, and then reuses all of it", async () => {
    const under = makeCatalog(familyOf({ root: null }));
    await fc.assert(
      fc.asyncProperty(families, async (family) => {
        const world = worldOn(under);
        const cells = await world.plan(family);
        expect(cells.map(({ cell }) => cell.manifest_id).sort()).toEqual(Object.keys(family).sort());
        const built = world.run(family, cells);
        expect([...built].sort()).toEqual(Object.keys(family).sort());
        for (const [at, id] of built.entries())
          for (const parent of lineOf(family, id).slice(1)) expect(built.indexOf(parent)).toBeLessThan(at);
        expect((await world.plan(family)).every(({ cell }) => cell.action === "reuse")).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("reuses a cell exactly if nothing in it or above it changed, and leaves no old content after one run", async () => {
    const under = makeCatalog(familyOf({ root: null }));
    const changes = families.chain((family) =>
      fc.tuple(
        fc.constant(family),
        fc.subarray(Object.keys(family)),
        fc.subarray(Object.keys(family)),
        fc.subarray(Object.keys(family)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(changes, async ([before, words, tests, gone]) => {
        const world = worldOn(under);
        world.run(before, await world.plan(before));
        let family = withChange(before, words, (member) => ({ ...member, word: `${member.word}-new` }));
        family = withChange(family, tests, (member) => ({ ...member, test: "other" }));
        for (const id of gone) delete world.tags[`registry.example/team/${id}:linux-amd64`];
        const cells = await world.plan(family);
        for (const { cell } of cells) {
          const line = lineOf(family, cell.manifest_id);
          const builds = line.some((id) => words.includes(id) || (gone.includes(id) && !tests.includes(id)));
          const sure = !line.some((id) => gone.includes(id));
          if (builds) expect(cell.action, cell.cell_id).toBe("build");
          else if (sure)
            expect(cell.action, cell.cell_id).toBe(
              line.some((id) => tests.includes(id)) ? "retest" : "reuse",
            );
          else expect(cell.action, cell.cell_id).not.toBe("reuse");
          const own = [...words, ...tests, ...gone].includes(cell.manifest_id);
          if (builds && !own) expect(cell.reason, cell.cell_id).toBe("PARENT");
          if (cell.reason === "PARENT") {
            const cause = cell.changes[0]?.after?.split(".")[0] ?? "";
            expect(line.slice(1), cell.cell_id).toContain(cause);
            expect([...words, ...tests, ...gone]).toContain(cause);
          }
        }
        world.run(family, cells);
        for (const id of Object.keys(family))
          expect(world.contentOf(id)).toEqual(
            lineOf(family, id)
              .reverse()
              .map((one) => family[one]?.word),
          );
        expect((await world.plan(family)).map(({ cell }) => cell.action)).toEqual(cells.map(() => "reuse"));
      }),
      { numRuns: 60 },
    );
  });

  it("gives the same whatever the order of files and requests, and brings in what is above", async () => {
    const under = makeCatalog(familyOf({ root: null }));
    const asked = families.chain((family) =>
      fc.tuple(
        fc.constant(family),
        fc.subarray(Object.keys(family), { minLength: 1 }),
        fc.shuffledSubarray(Object.keys(family), { minLength: Object.keys(family).length }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(asked, async ([family, wanted, order]) => {
        const world = worldOn(under);
        const requests = wanted.map((manifestId) => ({ manifestId }));
        const cells = await world.plan(family, { requests });
        const other = Object.fromEntries(order.map((id) => [id, family[id] as Member]));
        const backwards = await world.plan(other, { requests: [...requests].reverse() });
        expect(backwards.map(({ cell }) => cell)).toEqual(cells.map(({ cell }) => cell));
        const all = new Set(wanted.flatMap((id) => lineOf(family, id)));
        expect(cells.map(({ cell }) => cell.manifest_id).sort()).toEqual([...all].sort());
        const seen = new Set<string>();
        for (const { cell } of topological(cells)) {
          expect(cell.parent === undefined || seen.has(cell.parent)).toBe(true);
          seen.add(cell.cell_id);
        }
      }),
      { numRuns: 40 },
    );
  });
});
