import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { github } from "../../src/ci/github.ts";
import { jobNameFindings } from "../../src/ci/system.ts";
import { checkMaxJobs, ciMatrix } from "../../src/plan/formats/matrix.ts";
import { shard } from "../../src/plan/shards/shard.ts";
import { errorFrom, findingsFrom } from "./workspace.ts";

function planned(
  cell_id: string,
  platform = "linux/amd64",
  plan_ids: string[] = ["grid", "other"],
): PlannedCell {
  const cell = { cell_id, manifest_id: "demo", plan_ids, platform };
  return { cell, keys: { prefixes: [] } } as unknown as PlannedCell;
}

const runsOn = ({ cell }: PlannedCell) => (cell.platform === "linux/arm64" ? "arm" : ["self-hosted", "x64"]);
const many = (count: number) => Array.from({ length: count }, (_, at) => planned(`demo.c${at}`));

describe("the matrix of GitHub", () => {
  it("has a job a shard: with the cell's ids where it is one cell, with a number where it is several", () => {
    const shards = [
      [planned("demo.a"), planned("demo.b")],
      [planned("demo.c", "linux/arm64")],
      [planned("demo.d", "linux/amd64", [])],
      [],
    ];
    expect(ciMatrix(github, shards, { runsOn })).toEqual({
      "fail-fast": false,
      matrix: {
        include: [
          {
            name: "shard-1-of-4",
            shard: "1/4",
            cells: 2,
            platform: "linux/amd64",
            runner: ["self-hosted", "x64"],
          },
          {
            name: "demo.c",
            shard: "2/4",
            cells: 1,
            platform: "linux/arm64",
            runner: "arm",
            cell_id: "demo.c",
            manifest_id: "demo",
            plan_id: "grid",
          },
          {
            name: "demo.d",
            shard: "3/4",
            cells: 1,
            platform: "linux/amd64",
            runner: ["self-hosted", "x64"],
            cell_id: "demo.d",
            manifest_id: "demo",
            plan_id: "",
          },
        ],
      },
    });
  });

  it("numbers shards so that their names sort", () => {
    const shards = Array.from({ length: 256 }, (_, at) => [planned(`a${at}`), planned(`b${at}`)]);
    const { include } = ciMatrix(github, shards, { runsOn }).matrix;
    expect(include.map(({ name }) => name).sort()).toEqual(include.map(({ name }) => name));
    expect(include[2]).toMatchObject({ name: "shard-003-of-256", shard: "3/256" });
  });

  it("leaves out shards without work, and keeps the numbers of the others", () => {
    const needed = ({ cell }: PlannedCell) => cell.cell_id === "demo.c3";
    const { include } = ciMatrix(
      github,
      many(5).map((one) => [one]),
      { runsOn, needed },
    ).matrix;
    expect(include).toMatchObject([{ name: "demo.c3", shard: "4/5" }]);
    const both = ciMatrix(github, [many(3), many(5).slice(3)], { runsOn, needed }).matrix.include;
    expect(both).toMatchObject([{ name: "shard-2-of-2", shard: "2/2", cells: 2 }]);
  });

  it("is an empty list where there is nothing to do", () => {
    expect(ciMatrix(github, [], { runsOn }).matrix.include).toEqual([]);
    expect(ciMatrix(github, [[], []], { runsOn }).matrix.include).toEqual([]);
    expect(ciMatrix(github, [many(2)], { runsOn, needed: () => false }).matrix.include).toEqual([]);
  });

  it("never has more than 256 jobs, however many cells there are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 1, max: 256 }), (count, maxJobs) => {
        const { shards } = shard(many(count), { maxJobs, runnerKey: () => "", durationOf: () => null });
        const { include } = ciMatrix(github, shards, { runsOn }).matrix;
        expect(include.length).toBeLessThanOrEqual(maxJobs);
        expect(include.reduce((sum, { cells }) => sum + cells, 0)).toBe(count);
        expect(jobNameFindings(include, github.matrix)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it("refuses more shards with work than GitHub takes", () => {
    const shards = many(257).map((one) => [one]);
    expect(errorFrom(() => ciMatrix(github, shards, { runsOn }))).toMatchObject({
      code: "USAGE",
      exitCode: 2,
    });
    const needed = ({ cell }: PlannedCell) => cell.cell_id !== "demo.c0";
    expect(ciMatrix(github, shards, { runsOn, needed }).matrix.include).toHaveLength(256);
  });

  it("refuses two jobs of one name, whatever their case", () => {
    const shards = ["demo.a", "demo.b", "Demo.A", "demo.a"].map((id) => [planned(id)]);
    const findings = findingsFrom(() => ciMatrix(github, shards, { runsOn }));
    expect(findings.map(({ code, what }) => [code, what])).toEqual([
      ["JOB_NAME_COLLISION", "jobs 1 and 3 of the matrix are named `demo.a` and `Demo.A`"],
      ["JOB_NAME_COLLISION", "jobs 1 and 4 of the matrix are both named `demo.a`"],
    ]);
    for (const { fix } of findings) expect(fix).toBeTruthy();
  });
});

describe("checkMaxJobs", () => {
  it("takes what GitHub takes", () => {
    expect(() => checkMaxJobs(256, github)).not.toThrow();
    expect(errorFrom(() => checkMaxJobs(257, github))).toMatchObject({ code: "USAGE", exitCode: 2 });
  });
});
