import { describe, expect, it } from "vitest";
import { type DeclaredTest, keptOf } from "../../src/model/smoke.ts";
import { loosened } from "../../src/smoke/settings.ts";
import { planTests, setupsOf } from "../../src/smoke/setups.ts";

const command = (id: string, more: Partial<DeclaredTest> = {}): DeclaredTest => ({
  id,
  from: "m",
  command: { argv: [id] },
  ...more,
});
const http = (id: string, more: Partial<DeclaredTest> = {}): DeclaredTest => ({
  id,
  from: "m",
  http: { port: 80, path: "/" },
  ...more,
});
const script = (id: string, path: string, more: Partial<DeclaredTest> = {}): DeclaredTest => ({
  id,
  from: "m",
  script: { path },
  ...more,
});

const setups = (...tests: DeclaredTest[]) =>
  setupsOf(planTests(tests, { timeout_s: 5, hashOf: (path) => `sha256:${path}` })).map(
    ({ tests: members, chain, scripts, settings, key }) => ({
      ids: members.map(({ test }) => test.id).join(),
      chain,
      scripts,
      settings,
      isPlain: key === "",
    }),
  );

describe("tests whose containers are alike", () => {
  it("are those with the same settings and script, and no others", () => {
    const found = setups(
      command("a"),
      command("b", { env: { A: "1" } }),
      http("c", { env: { A: "1" } }),
      command("d", { env: { A: "2" } }),
      script("e", "one"),
      script("f", "two"),
      script("g", "one"),
      script("h", "one", { env: { A: "1" } }),
      http("i"),
    );
    expect(found.map(({ ids }) => ids)).toEqual(["a,i", "b,c", "d", "e,g", "f", "h"]);
    expect(found.map(({ isPlain }) => isPlain)).toEqual([true, false, false, false, false, false]);
    expect(found.every(({ chain }) => chain === null)).toBe(true);
    expect(found[5]).toMatchObject({ settings: { env: { A: "1" } }, scripts: ["one"] });
  });

  it("are those that follow each other, with the settings of the first and all their scripts", () => {
    const found = setups(
      http("a", { user: "5" }),
      command("b", { after: "a", user: "0" }),
      script("c", "one", { after: "b" }),
      command("d"),
      script("e", "two", { after: "d" }),
      script("f", "two", { after: "d" }),
      command("g"),
    );
    expect(found).toMatchObject([
      { ids: "a,b,c", chain: "service", settings: { user: "5" }, scripts: ["one"] },
      { ids: "d,e,f", chain: "commands", settings: {}, scripts: ["two"] },
      { ids: "g", chain: null },
    ]);
  });

  it("follow only tests of their own document", () => {
    const found = setups(command("a"), command("b", { from: "core", after: "a" }));
    expect(found.map(({ ids, chain }) => [ids, chain])).toEqual([["a,b", null]]);
  });
});

describe("what is looser than the sandbox", () => {
  it("begins above the limits", () => {
    const of = (settings: object) => loosened({ settings, check: null }, { memory_mb: 64 });
    expect([of({ memory_mb: 64, shm_mb: 64 }), of({ memory_mb: 65, shm_mb: 65 })]).toEqual([
      [],
      ["memory 65 MiB", "/dev/shm 65 MiB"],
    ]);
  });

  it("is kept in the record, and absent where there is none", () => {
    const test = { id: "a", status: "pass", duration_ms: 1, expected: "x", actual: "y" } as const;
    expect(keptOf(test)).toEqual({ id: "a", status: "pass", duration_ms: 1 });
    expect(keptOf({ ...test, loosened: ["user 0"] })).toEqual({
      id: "a",
      status: "pass",
      duration_ms: 1,
      loosened: ["user 0"],
    });
  });
});
