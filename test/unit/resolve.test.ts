import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseCombination, type Combination, type KnownCell } from "../../src/causes/choose.ts";
import { STATES } from "../../src/model/proof-matrix.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { cellsIn, pairs, putVerdict } from "./causes-made.ts";
import { digestOn, writeLock } from "./plan-lock-builder.ts";
import { factoryAtOnce, writeFiles } from "./workspace.ts";

const PLATFORMS = ["linux/amd64", "linux/arm64"];

interface Told {
  found: Combination | null;
  missing: { what: string; why: string }[];
  plan: { path: string; text: string; command: string } | null;
}

async function resolved(root: string, ...argv: string[]) {
  const { status, stdout, stderr } = await factoryAtOnce(root, [
    "resolve",
    "--manifest-id",
    "demo",
    "--locked",
    "--json",
    ...argv,
  ]);
  return { status, stderr, ...(JSON.parse(stdout) as Told) };
}

const locked = (root: string) => cellsIn(root, { digest: (ref) => digestOn(1, ref) });
const is =
  (core: string, app: string, platform?: string) =>
  ({ cell }: PlannedCell) =>
    cell.fragments.core === core &&
    cell.fragments.app === app &&
    (platform ?? cell.platform) === cell.platform;

function workspace(): string {
  const root = pairs();
  writeLock(root);
  return root;
}

describe("factory resolve", () => {
  it("is the newest combination with a proof on every platform", async () => {
    const root = workspace();
    for (const [hour, planned] of locked(root).entries())
      await putVerdict(root, planned, { hour, status: is("0.2.0", "0.1.0")(planned) ? "fail" : "pass" });
    const newest = await resolved(root);
    expect([newest.status, newest.plan, newest.missing]).toEqual([0, null, []]);
    expect(newest.found).toMatchObject({ fragments: { core: "0.2.0", app: "0.2.0" } });
    expect(newest.found?.cells.map(({ platform }) => platform)).toEqual(PLATFORMS);
    const wanted = await resolved(root, "--want", "app<0.2", "--platform", "all");
    expect(wanted.found).toMatchObject({ fragments: { core: "0.1.1", app: "0.1.0" } });
    expect(wanted.missing.map(({ why }) => why)).toEqual(["failing: smoke-test", "failing: smoke-test"]);
  });

  it("says what is missing, with a plan that settles it", async () => {
    const root = workspace();
    const cells = locked(root);
    for (const [hour, planned] of cells.filter(is("0.2.0", "0.2.0", "linux/amd64")).entries())
      await putVerdict(root, planned, { hour });
    const output = "control_plane/plans/next.yaml";
    const { status, found, missing, plan } = await resolved(root, "--want", "core>=0.2", "-o", output);
    expect([status, found]).toEqual([1, null]);
    expect(missing).toEqual([
      { what: expect.stringContaining("core 0.2.0 × app 0.2.0") as string, why: "unknown: never tried" },
    ]);
    expect(missing[0]?.what).toContain("on linux/arm64");
    expect(plan?.command).toBe("factory run --plan next");
    expect(readFileSync(join(root, output), "utf8")).toBe(plan?.text);
    const { stdout } = await factoryAtOnce(root, ["plan", "next", "--json"]);
    const planned = (JSON.parse(stdout) as { cells: { fragments: object; platform: string }[] }).cells;
    expect(planned.map(({ fragments, platform }) => [fragments, platform])).toEqual([
      [{ core: "0.2.0", app: "0.2.0" }, "linux/arm64"],
    ]);
    // Once it is proven, there is nothing to settle.
    writeLock(root);
    const [next] = cellsIn(root, { planId: "next", digest: (ref) => digestOn(1, ref) });
    if (next) await putVerdict(root, next, { hour: 9 });
    expect(await resolved(root, "--want", "core>=0.2")).toMatchObject({ status: 0, plan: null });
  });

  it("counts neither forged proofs nor those of other files", async () => {
    const root = workspace();
    for (const [hour, planned] of locked(root).entries()) await putVerdict(root, planned, { hour });
    const forged = await putVerdict(root, locked(root).filter(is("0.2.0", "0.2.0"))[0] as PlannedCell, {
      hour: 50,
    });
    writeFiles(root, { [`records/demo/${forged.evidence.smoke_report?.path}`]: "{}" });
    expect((await resolved(root)).found).toMatchObject({ fragments: { core: "0.2.0", app: "0.1.0" } });
    writeFiles(root, { "fragments/core/0.2.0/Dockerfile.hbs": "RUN other\n" });
    expect((await resolved(root)).found).toMatchObject({ fragments: { core: "0.1.1", app: "0.2.0" } });
  });

  it("takes no want, platform or manifest that there is not", async () => {
    const root = workspace();
    for (const [argv, what] of [
      [["--want", "cor"], "did you mean core?"],
      [["--want", "core>>1"], "no version or range"],
      [["--want", "core>=0.1", "--want", "core<1"], "twice"],
      [["--platform", "linux/s390x"], "is not for"],
    ] as const) {
      const { status, stderr } = await factoryAtOnce(root, [
        "resolve",
        "--manifest-id",
        "demo",
        "--locked",
        ...argv,
      ]);
      expect([status, stderr]).toEqual([2, expect.stringContaining(what)]);
    }
  });
});

describe("the choice among combinations", () => {
  const known = fc.array(
    fc.record({
      core: fc.constantFrom("1", "2", "3"),
      light: fc.constantFrom("1", "2", "3"),
      platform: fc.constantFrom(...PLATFORMS),
      state: fc.constantFrom(...STATES),
    }),
    { maxLength: 18 },
  );
  const compare = () => (a: string, b: string) => Number(a) - Number(b);

  it("is the first of all in order that is proven everywhere, and what is next is newer and does not fail", () => {
    fc.assert(
      fc.property(
        known,
        fc.constantFrom<readonly string[]>(["core", "light"], ["light", "core"]),
        (all, order) => {
          const unique = new Map(all.map((one) => [`${one.core} ${one.light} ${one.platform}`, one]));
          const cells = [...unique.values()].map(({ core, light, platform, state }): KnownCell => ({
            cell: { cell_id: `${core}-${light}-${platform}`, platform, state, why: "", record_id: null },
            made: { fragments: { core, light }, platform, base: "b", args: {} },
            template: "t@1",
          }));
          const choice = chooseCombination(cells, {
            platforms: PLATFORMS,
            order,
            compare,
            canMake: () => true,
          });
          const rank = (one: Record<string, string>) =>
            Number(`${one[order[0] ?? ""]}${one[order[1] ?? ""]}`);
          const stateOf = (core: string, light: string, platform: string) =>
            unique.get(`${core} ${light} ${platform}`)?.state;
          const pairsOf = [...new Set([...unique.values()].map(({ core, light }) => `${core} ${light}`))].map(
            (text) => {
              const [core = "", light = ""] = text.split(" ");
              const states = PLATFORMS.map((platform) => stateOf(core, light, platform));
              return { core, light, states };
            },
          );
          const best = (some: typeof pairsOf) =>
            Math.max(0, ...some.map(({ core, light }) => rank({ core, light })));
          const proven = best(pairsOf.filter(({ states }) => states.every((state) => state === "proven")));
          expect(choice.found ? rank(choice.found.fragments) : 0).toBe(proven);
          const open = pairsOf.filter(
            (one) =>
              !one.states.some((state) => state === "failing" || state === "expected failing") &&
              rank({ core: one.core, light: one.light }) > proven,
          );
          expect(choice.next ? rank(choice.next.fragments) : 0).toBe(best(open));
        },
      ),
    );
  });

  it("finds the newest of 10,000 cells", () => {
    const cells = Array.from({ length: 10_000 }, (_, at): KnownCell => ({
      cell: {
        cell_id: `c${at}`,
        platform: PLATFORMS[at % 2] ?? "",
        state: at < 5000 ? "proven" : at % 2 === 0 ? "proven" : "stale",
        why: "",
        record_id: null,
      },
      made: {
        fragments: { core: String(Math.floor(at / 2)) },
        platform: PLATFORMS[at % 2] ?? "",
        base: "b",
        args: {},
      },
      template: "t@1",
    }));
    const choice = chooseCombination(cells, {
      platforms: PLATFORMS,
      order: ["core"],
      compare,
      canMake: () => true,
    });
    expect([choice.found?.fragments.core, choice.next?.fragments.core]).toEqual(["2499", "4999"]);
  });
});
