import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { Happening } from "../../src/model/event.ts";
import { withCell } from "../../src/plan/cell.ts";
import { knownImage } from "../../src/run/known.ts";
import type { RunDeps } from "../../src/run/types.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { record } from "./records-made.ts";
import { DIGEST, manyCells, runIn } from "./run-world.ts";
import { IMAGE, scriptedDocker } from "./scripted-docker.ts";

/** Asks for the image of a record, of an engine that has it with these labels. */
async function known(
  labels: Record<string, string> | null,
  change: (made: FactoryRecord, build_key: string) => Partial<FactoryRecord> = () => ({}),
  registry: { has: boolean } | null = null,
  mayStay = false,
) {
  const [first] = manyCells().planned.cells;
  if (!first) throw new Error("no cell");
  const planned = withCell(first, { action: "retest", record_id: "r" });
  const { build_key } = planned.keys;
  const ref = "r.example:5000/x:1";
  const image = {
    ref,
    digest: DIGEST,
    manifest_digest: DIGEST,
    size: 1,
    layers: 1,
    pushed: registry !== null,
  };
  const pulled: string[] = [];
  const made = { ...record({ build_key, image }) };
  const whole = { ...made, ...change(made, build_key) };
  const told: Happening[] = [];
  const deps = {
    store: { get: () => Promise.resolve(whole) },
    docker: scriptedDocker({
      inspectImage: (ref) => {
        expect(ref).toBe(DIGEST);
        const isHere = labels !== null && (registry === null || pulled.length > 0);
        if (!isHere) return Promise.reject(new FactoryError("IMAGE_NOT_FOUND", "No such image"));
        const Labels = Object.fromEntries(
          Object.entries(labels).map(([name, value]) => [name, value === "KEY" ? build_key : value]),
        );
        return Promise.resolve({ ...IMAGE, Config: { Labels } });
      },
      pull: (name, { platform }) => {
        expect(platform).toBe(planned.cell.platform);
        if (registry?.has) pulled.push(name);
        return Promise.resolve(registry?.has ? undefined : "not found");
      },
    }),
  } as unknown as RunDeps;
  const found = await knownImage(planned, deps, {
    emit: (event) => void told.push(event),
    signal: undefined,
    mayStay,
  });
  return { found, told, pulled };
}

describe("knownImage", () => {
  it("is the image of the record, where its label says that it is of the same build key", async () => {
    const { found, told } = await known({ "io.factory.build-key": "KEY" });
    expect(found?.record.image?.digest).toBe(DIGEST);
    expect(told).toEqual([]);
  });

  it.each<[string, Record<string, string> | null]>([
    ["has another build key", { "io.factory.build-key": `sha256:${"0".repeat(64)}` }],
    ["has no build key", {}],
    ["has the key under another name", { "io.factory.recipe-key": "KEY" }],
    ["is gone", null],
  ])("is none where the image %s, and that is said", async (_, labels) => {
    const { found, told } = await known(labels);
    expect(found).toBe(null);
    expect(told).toEqual([
      expect.objectContaining({ type: "note", text: expect.stringContaining("it is built again") as string }),
    ]);
  });

  it("is fetched by its digest where only the registry has it, and that is said", async () => {
    const { found, told, pulled } = await known({ "io.factory.build-key": "KEY" }, undefined, { has: true });
    expect(found?.record.image?.digest).toBe(DIGEST);
    expect(pulled).toEqual([`r.example:5000/x@${DIGEST}`]);
    expect(told).toEqual([
      expect.objectContaining({ type: "note", text: expect.stringContaining("fetched ") as string }),
    ]);
  });

  it("stays where it is, where only its tag is wanted there and the engine does not have it", async () => {
    const key = { "io.factory.build-key": "KEY" };
    const away = await known(key, undefined, { has: true }, true);
    expect(away.found).toMatchObject({ inspected: null, record: { image: { digest: DIGEST } } });
    expect([away.pulled, away.told]).toEqual([[], []]);
    const here = await known(key, undefined, null, true);
    expect(here.found?.inspected).not.toBe(null);
    expect((await known(null, undefined, null, true)).found).toBe(null);
  });

  it("is none where the registry has it no more, or has other bits under its digest's name", async () => {
    expect((await known({ "io.factory.build-key": "KEY" }, undefined, { has: false })).found).toBe(null);
    const { found, pulled } = await known({ "io.factory.build-key": "other" }, undefined, { has: true });
    expect([found, pulled.length]).toEqual([null, 1]);
  });

  it.each<[string, (made: FactoryRecord) => Partial<FactoryRecord>]>([
    ["is of another build key", () => ({ build_key: `sha256:${"0".repeat(64)}` })],
    ["has no image", () => ({ image: null })],
  ])("is none where the record %s", async (_, change) => {
    expect((await known({ "io.factory.build-key": "KEY" }, change)).found).toBe(null);
  });
});

describe("an image that is not what it was", () => {
  it.each(["retest", "retag"] as const)(
    "a cell to %s is built where its image has another label",
    async (action) => {
      const world = manyCells();
      const cells = world.planned.cells.slice(0, 1);
      const first = await runIn({ ...world, planned: { ...world.planned, cells } });
      const record_id = first.value?.results[0]?.record_id ?? "";
      const bakes: string[] = [];
      const { value, notes } = await runIn({
        ...world,
        planned: { ...world.planned, cells: cells.map((one) => withCell(one, { action, record_id })) },
        build: (_, target) => void bakes.push(target),
      });
      // The scripted engine's image has no labels at all.
      expect(bakes).toHaveLength(1);
      expect(value?.summary).toMatchObject({ pass: 1, reused: 0 });
      expect(notes).toEqual([expect.stringContaining(`no longer has the image of ${record_id}`)]);
    },
  );
});
