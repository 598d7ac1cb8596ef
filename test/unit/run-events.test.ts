import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { withCell } from "../../src/plan/cell.ts";
import { createOutcome } from "../../src/run/outcome.ts";
import type { RunEvent } from "../../src/schemas/types.ts";
import { BuildFails, manyCells, runIn } from "./run-world.ts";
import { repository } from "./workspace.ts";

/** Checks events against the published schema. */
function eventProblems(events: readonly unknown[]): string[] {
  const folder = join(repository, "src/schemas");
  const schemas = readdirSync(folder)
    .filter((name) => name.endsWith(".schema.json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as object);
  const ajv = new Ajv({ schemas, allErrors: true, strict: true, strictTypes: false, allowUnionTypes: true });
  addFormats.default(ajv, ["date-time", "regex"]);
  const validate = ajv.getSchema("event.schema.json");
  if (!validate) throw new Error("there is no schema of events");
  return events.flatMap((event) => (validate(event) ? [] : [JSON.stringify([event, validate.errors])]));
}

const typesOf = (events: readonly RunEvent[]) => [...new Set(events.map(({ type }) => type))].sort();

describe("the events of a run", () => {
  it("are as the schema says, in an order that can be followed, and hold all that the result has", async () => {
    const world = manyCells();
    const cells = world.planned.cells.map((one, at) =>
      at === 2 ? withCell(one, { action: "reuse", record_id: "20260101t000000000z-0123abcd" }) : one,
    );
    const { value, events } = await runIn({
      ...world,
      planned: { ...world.planned, cells },
      build: ({ onLine }, target) => {
        onLine(
          JSON.stringify({
            vertexes: [{ digest: "sha256:1", name: "[core 1/1] RUN x", started: "2026-01-01T00:00:00Z" }],
          }),
        );
        onLine(
          JSON.stringify({
            vertexes: [
              {
                digest: "sha256:1",
                name: "[core 1/1] RUN x",
                started: "2026-01-01T00:00:00Z",
                completed: "2026-01-01T00:00:01.5Z",
              },
            ],
          }),
        );
        if (target.includes("0_2_3")) throw new BuildFails("failed to calculate checksum: not found");
      },
    });
    expect(eventProblems(events)).toEqual([]);
    expect(typesOf(events)).toEqual([
      "cell-ended",
      "cell-started",
      "log",
      "note",
      "part-ended",
      "progress",
      "run-ended",
      "run-started",
      "stage-ended",
      "stage-started",
    ]);
    expect(events.find(({ type }) => type === "part-ended")).toMatchObject({
      stage: "build",
      part: "[core 1/1] RUN x",
      status: "pass",
      started_at: "2026-01-01T00:00:00.000Z",
      duration_ms: 1500,
    });
    expect(events[0]?.type).toBe("run-started");
    expect(events.at(-1)).toMatchObject({ type: "run-ended", summary: value?.summary, error: null });

    const open = new Map<string, Set<string>>();
    for (const event of events) {
      if (event.type === "cell-started") open.set(event.cell_id, new Set());
      if (event.type === "stage-started") open.get(event.cell_id)?.add(event.stage);
      if (event.type === "progress" || event.type === "log")
        expect(open.get(event.cell_id)?.has(event.stage)).toBe(true);
      if (event.type === "stage-ended") expect(open.get(event.cell_id)?.delete(event.stage)).toBe(true);
      if (event.type === "cell-ended") expect(open.get(event.cell_id)?.size ?? 0).toBe(0);
    }

    // What a reader of the file alone makes of them is the result of the run.
    const { take, outcome } = createOutcome();
    for (const event of events) take(JSON.parse(JSON.stringify(event)) as RunEvent);
    expect(outcome()).toEqual(value);
  });

  it("end with run-ended where the run breaks off, and tell why", async () => {
    const full = new FactoryError("WRITE_FAILED", "cannot write x: ENOSPC");
    const { events, error } = await runIn({
      ...manyCells(),
      deps: { makeSbom: () => Promise.reject(full) },
    });
    expect(error).toBe(full);
    expect(eventProblems(events)).toEqual([]);
    expect(events.at(-1)).toMatchObject({
      type: "run-ended",
      error: { code: "WRITE_FAILED", what: "cannot write x: ENOSPC" },
    });
  });

  it("refuse what the schema does not know", () => {
    expect(eventProblems([{ v: 1, at: "2026-01-01T00:00:00.000Z", type: "run-paused" }])).toHaveLength(1);
  });
});
