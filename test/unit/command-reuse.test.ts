import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import type { CommandResult, Context } from "../../src/commands/context.ts";
import { plan } from "../../src/commands/plan.ts";
import { planOf } from "../../src/commands/planning.ts";
import { run } from "../../src/commands/run.ts";
import { FactoryError } from "../../src/errors.ts";
import { createMask } from "../../src/model/mask.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { openSecrets } from "../../src/run/secrets.ts";
import type { World } from "../../src/world.ts";
import { BUILT, NOW, OWN_TAG, proven } from "./reuse-world.ts";
import { scriptedPlaces } from "./scripted-places.ts";

/** What a command line has, on a workspace whose one cell is proven and never was pushed. */
async function context(): Promise<{ context: Context; said: string[]; asked: AbortSignal[] }> {
  const { root } = await proven();
  const catalog = openCatalog(root);
  const said: string[] = [];
  const asked: AbortSignal[] = [];
  const world = {
    attempts: (_: string, manifestIds: readonly string[]) =>
      openStore(root).attempts({
        manifestIds,
        now: () => Date.now() + 10_000,
        onNote: (text) => said.push(text),
      }),
    buildx: { ask: (signal: AbortSignal) => void asked.push(signal) },
    baseDigests: () => Promise.resolve(new Map()),
    places: scriptedPlaces({ engine: { [OWN_TAG]: BUILT } }),
    environment: {},
    requireSbomTool: () => Promise.resolve(),
    view: () => Promise.resolve({ take: () => undefined, close: () => undefined }),
    traces: () => Promise.resolve(null),
    runDeps: () => ({
      clock: { now: () => 0, date: () => new Date(NOW) },
      folder: { path: () => root, remove: () => undefined },
      store: openStore(root),
      source: () => Promise.resolve({ commit: null, dirty: null, ci_url: null }),
      sweep: () => Promise.resolve(),
      secrets: openSecrets({
        settings: () => catalog.secrets(),
        obtain: () => Promise.reject(new Error("not in the test: a secret")),
        isSet: () => false,
        mask: createMask(),
        note: () => undefined,
      }),
      buildx: {
        platforms: () => Promise.reject(new FactoryError("ENGINE_UNREACHABLE", "no engine")),
      },
    }),
  } as unknown as World;
  const plain = (text: string) => text;
  const made: Partial<Context> = {
    cwd: root,
    json: true,
    quiet: true,
    color: { red: plain, green: plain, yellow: plain, cyan: plain, dim: plain, bold: plain },
    catalog: () => Promise.resolve(catalog),
    world: () => Promise.resolve(world),
    now: () => NOW,
    say: (text) => void said.push(text),
    signal: new AbortController().signal,
  };
  return { context: made as Context, said, asked };
}

const textOf = ({ text }: CommandResult) => (typeof text === "string" ? text : [...text].join(""));

describe("what a record proves", () => {
  it("gets no job in CI", async () => {
    const all = await plan((await context()).context, { manifestId: "demo", format: "github" });
    expect(textOf(all)).toContain("demo.linux-amd64");
    const rest = await plan((await context()).context, { manifestId: "demo", format: "github", reuse: true });
    expect(textOf(rest)).not.toContain("demo.linux-amd64");
  });

  it("is not enough for a run that pushes, where it never was pushed", async () => {
    const actionOf = async (needPushed: boolean) => {
      const { cells } = await planOf((await context()).context, {
        manifestId: "demo",
        reuse: true,
        needPushed,
      });
      return cells.map(({ cell }) => [cell.action, ...cell.changes.map(({ input }) => input)]);
    };
    expect(await actionOf(false)).toEqual([["reuse"]]);
    expect(await actionOf(true)).toEqual([["retag", "pushed"]]);
  });

  it("is taken by a run, and only by one that does not push", async () => {
    const taken = await run((await context()).context, { manifestId: "demo", reuse: true });
    expect(taken.exitCode).toBe(0);
    expect(taken.json).toMatchObject({ summary: { reused: 1, pass: 0 } });
    // There is something to do, for which it asks the engine.
    await expect(
      run((await context()).context, { manifestId: "demo", reuse: true, push: true }),
    ).rejects.toMatchObject({ code: "ENGINE_UNREACHABLE" });
  });
});

describe("the builder", () => {
  it("is asked while the workspace is read, and let go where that ends in an error", async () => {
    const { context: given, asked } = await context();
    await expect(run(given, { manifestId: "demmo" })).rejects.toThrow("there is no manifest `demmo`");
    expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("is not asked ahead where records may prove every cell", async () => {
    const { context: given, asked } = await context();
    expect((await run(given, { manifestId: "demo", reuse: true })).exitCode).toBe(0);
    expect(asked).toEqual([]);
  });

  it("goes on answering until the command is interrupted", async () => {
    const { context: given, asked } = await context();
    const stop = new AbortController();
    await expect(run({ ...given, signal: stop.signal }, { manifestId: "demo" })).rejects.toMatchObject({
      code: "ENGINE_UNREACHABLE",
    });
    expect(asked.map(({ aborted }) => aborted)).toEqual([false]);
    stop.abort();
    expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
