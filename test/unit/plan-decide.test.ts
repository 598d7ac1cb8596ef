import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { Attempt, Attempts } from "../../src/plan/decide/attempts.ts";
import type { Action } from "../../src/plan/action.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { reasonText } from "../../src/plan/decide/change-text.ts";
import { decide } from "../../src/plan/decide/decide.ts";
import type { DecideOptions } from "../../src/plan/decide/ruling.ts";
import {
  attemptAt,
  cellOf,
  DAY,
  MUTATIONS,
  NOW,
  RECIPE,
  type Recipe,
  recordsOf,
  type Told,
} from "./plan-reason-cells.ts";
import { scriptedPlaces } from "./scripted-places.ts";

type More = Partial<Omit<DecideOptions, "attempts">>;

function deciding(cells: readonly PlannedCell[], attempts: Attempts, more: More = {}) {
  const maxAge = ({ maxAge: age }: PlannedCell) => age;
  return decide(cells, { attempts, now: NOW, maxAge, needPushed: false, places: scriptedPlaces(), ...more });
}

/** What is decided about one cell. */
async function decided(planned: PlannedCell, told: readonly Told[], more: More = {}) {
  const [one] = await deciding([planned], recordsOf(told), more);
  if (!one) throw new Error("no cell came back");
  const { action, reason, changes, record_id } = one.cell;
  return { action, reason, changes, record_id };
}

async function errorOf(work: Promise<unknown>): Promise<FactoryError> {
  const error = await work.catch((cause: unknown) => cause);
  if (error instanceof FactoryError) return error;
  throw error instanceof Error ? error : new Error("nothing was thrown");
}

const FAIL = { status: "fail", stage: "smoke", class: "smoke-test" } as const;
const BROKEN = { status: "fail", stage: "build", class: "step", digest: null, ref: null } as const;
const CUT = { status: "error", stage: "build", class: "interrupted", digest: null, ref: null } as const;
const MEANT = { result: "fail", owner: "team", reason: "it lacks a module", until: "never" } as const;
const cell = cellOf();
const SKEW = 5 * 60_000;
const older = cellOf({
  fragments: [{ name: "core", version: "0.0.9", text: "old" }, ...RECIPE.fragments.slice(1)],
});
const CORE = { input: "fragments.core", before: "0.0.9", after: "0.1.0" };

describe("decide: reuse", () => {
  it("takes what the newest verdict proves", async () => {
    const pass = attemptAt(cell, DAY);
    expect(await decided(cell, [pass, attemptAt(cell, 2 * DAY, FAIL), attemptAt(older, 0)])).toEqual({
      action: "reuse",
      reason: null,
      changes: [],
      record_id: pass.attempt.record_id,
    });
  });

  it("looks past attempts that gave no verdict", async () => {
    const told = [
      attemptAt(cell, DAY),
      attemptAt(cell, 0, CUT),
      attemptAt(cell, 1, { status: "error", stage: "push" }),
    ];
    expect((await decided(cell, told)).action).toBe("reuse");
  });

  it.each(MUTATIONS)("never takes another %s", async (_name, changes, reason) => {
    const { action, ...why } = await decided(cellOf(changes), [attemptAt(cell, DAY)]);
    expect(["build", "retest"]).toContain(action);
    expect(why.reason).toBe(reason);
    expect(why.changes).not.toEqual([]);
  });

  it("never takes a changed cell, whatever changed", async () => {
    const mutations = fc.subarray([...MUTATIONS], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(mutations, async (some) => {
        const recipe = Object.assign({}, ...some.map(([, changes]) => changes)) as Partial<Recipe>;
        const { action, changes } = await decided(cellOf(recipe), [attemptAt(cell, DAY)]);
        expect(["build", "retest"]).toContain(action);
        expect(changes).not.toEqual([]);
      }),
    );
  });

  it.each<[string, Partial<Attempt>]>([
    ["another platform", { platform: "linux/arm64" }],
    ["another manifest", { manifest_id: "other" }],
    ["another build key", { build_key: "sha256:0" }],
    ["no image", { digest: null }],
    ["a stage before the last", { stage: "sbom" }],
  ])("never takes a pass that names %s", async (_name, changes) => {
    expect((await decided(cell, [attemptAt(cell, DAY, changes)])).action).not.toMatch(/reuse|retag/);
  });

  it("never takes a pass that an index puts under the wrong key", async () => {
    const wrong = attemptAt(older, DAY);
    const attempts = {
      ...recordsOf([wrong]),
      withVerdictKey: () => [wrong.attempt],
      withBuildKey: () => [wrong.attempt],
    };
    const [one] = await deciding([cell], attempts);
    expect(one?.cell).toMatchObject({ action: "build", reason: "FRAGMENT", changes: [CORE] });
  });

  it("never takes a pass on other tests that an index puts under the wrong key", async () => {
    const wrong = attemptAt(cellOf({ tests: "others" }), DAY);
    const attempts = { ...recordsOf([wrong]), withVerdictKey: () => [wrong.attempt] };
    const [one] = await deciding([cell], attempts);
    expect(one?.cell).toMatchObject({ action: "retest", reason: "TESTS" });
  });

  it("never takes a cell whose base is not pinned", async () => {
    const loose = cellOf({ base: { ref: "debian:latest", digest: null } });
    const pass = attemptAt(loose, DAY);
    const { record_id } = pass.attempt;
    expect(await decided(loose, [pass])).toEqual({ action: "build", reason: "BASE", changes: [], record_id });
    expect(await decided(loose, [])).toEqual({
      action: "build",
      reason: "NEW",
      changes: [],
      record_id: null,
    });
    const scratch = cellOf({ base: { ref: "scratch", digest: null } });
    expect((await decided(scratch, [attemptAt(scratch, DAY)])).action).toBe("reuse");
  });

  it("never takes a cell that is meant to fail", async () => {
    const meant = cellOf({ expect: MEANT });
    for (const changes of [{}, FAIL]) {
      const same = attemptAt(meant, DAY, changes);
      expect(await decided(meant, [same, attemptAt(older, 2 * DAY)])).toEqual({
        action: "build",
        reason: "MEANT_TO_FAIL",
        changes: [],
        record_id: same.attempt.record_id,
      });
    }
    expect(await decided(meant, [])).toMatchObject({ action: "build", reason: "NEW" });
    expect(await decided(meant, [attemptAt(older, DAY)])).toMatchObject({
      reason: "FRAGMENT",
      changes: [CORE],
    });
  });
});

describe("decide: age", () => {
  const old = cellOf({ maxAge: 7 * DAY });

  it("holds to the last millisecond", async () => {
    expect((await decided(old, [attemptAt(old, 7 * DAY)])).action).toBe("reuse");
    const late = attemptAt(old, 7 * DAY + 1);
    const { record_id, tested_at } = late.attempt;
    const expired = new Date(NOW - 1).toISOString();
    const changes = [{ input: "proof", before: tested_at, after: expired }];
    expect(await decided(old, [late])).toEqual({ action: "retest", reason: "EXPIRED", changes, record_id });
    expect((await decided(old, [late], { maxAge: () => null })).action).toBe("reuse");
    expect((await decided(old, [attemptAt(old, 0)], { maxAge: () => Number.NaN })).action).toBe("retest");
  });

  it.each<[string, string, number, number, string]>([
    ["no age that is a number", "proof", NOW, Number.NaN, "NaN"],
    ["an age before all time", "proof", NOW, -Infinity, "-Infinity"],
    ["the first moment that has a name", "proof", NOW, -8.64e15 - (NOW - DAY), "-271821-04-20T00:00:00.000Z"],
    ["a moment too early to have one", "proof", NOW, -8.64e15 - (NOW - DAY) - 1, "-8640000000000001"],
    ["a clock that tells nothing", "clock", Number.NaN, DAY, "NaN"],
  ])("says until when a proof held: %s", async (_, input, now, age, after) => {
    const pass = attemptAt(old, DAY);
    expect((await decided(old, [pass], { now, maxAge: () => age })).changes).toEqual([
      { input, before: pass.attempt.tested_at, after },
    ]);
  });

  it("builds where the bits of an old proof are not to be had again", async () => {
    const late = attemptAt(old, 8 * DAY);
    const broken = attemptAt(cellOf({ tests: "others" }), DAY, BROKEN);
    expect(await decided(old, [late, broken])).toMatchObject({
      action: "build",
      reason: "EXPIRED",
      record_id: late.attempt.record_id,
    });
  });

  it("does not count a clock that is a little ahead, and does not believe one that is far ahead", async () => {
    expect((await decided(old, [attemptAt(old, -SKEW)])).action).toBe("reuse");
    const far = attemptAt(cell, -SKEW - 1);
    const changes = [{ input: "clock", before: far.attempt.tested_at, after: "2026-11-21T12:00:00.000Z" }];
    const { record_id } = far.attempt;
    expect(await decided(cell, [far])).toEqual({ action: "build", reason: "EXPIRED", changes, record_id });
    const never = attemptAt(cell, 0, { tested_at: "2026-13-41T00:00:00Z" });
    expect(await decided(cell, [never])).toMatchObject({ action: "build", reason: "EXPIRED" });
  });

  it("does not take a pass where something is gone that may tell of a later verdict", async () => {
    const told = { ...attemptAt(cell, DAY), lost: "20261121t000000000z-00000000" };
    const changes = [{ input: "records", before: told.lost, after: null }];
    expect(await decided(cell, [told])).toMatchObject({ action: "retest", reason: "LOST", changes });
  });

  it("takes nothing from a pass whose evidence was pruned, nor an older one in its place", async () => {
    const told = { ...attemptAt(cell, DAY), pruned: "2026-11-20T01:02:03.000Z" };
    const older = attemptAt(cell, 2 * DAY);
    const changes = [{ input: "evidence", before: told.pruned, after: null }];
    expect(await decided(cell, [told, older])).toMatchObject({ action: "build", reason: "PRUNED", changes });
    expect(reasonText({ reason: "PRUNED", changes })).toBe("PRUNED its evidence was pruned on 2026-11-20");
    // Nothing is taken over from its build either, where only the tests are others.
    const tests = cellOf({ tests: "answers twice" });
    expect(await decided(tests, [attemptAt(cell, DAY)])).toMatchObject({ action: "retest" });
    expect(await decided(tests, [told])).toMatchObject({ action: "build" });
    // A later verdict that was not pruned counts as ever.
    expect((await decided(cell, [attemptAt(cell, 0), told])).action).toBe("reuse");
  });

  it("takes nothing from a record that can prove nothing", async () => {
    const old = attemptAt(cell, DAY, { proves: false });
    expect(await decided(cell, [old])).toMatchObject({ action: "build", reason: "NEW" });
  });

  it("takes a pass of this very moment, whatever failed before", async () => {
    expect((await decided(cell, [attemptAt(cell, 0), attemptAt(cell, DAY, FAIL)])).action).toBe("reuse");
  });

  it("does not take a pass by a clock that is ahead where anything failed", async () => {
    const told = [attemptAt(cell, -1000), attemptAt(cell, DAY, FAIL)];
    expect(await decided(cell, told)).toMatchObject({ action: "retest", reason: "NEW" });
    expect((await decided(cell, told, { now: NOW + 1000 })).action).toBe("reuse");
  });
});

describe("decide: retag", () => {
  const moved = cellOf({ tags: ["registry.example/other/demo:core"] });

  it("gives a known image its tag", async () => {
    const pass = attemptAt(cell, DAY);
    expect(await decided(moved, [pass])).toEqual({
      action: "retag",
      reason: "POLICY",
      changes: [{ input: "tags", before: RECIPE.tags[0], after: "registry.example/other/demo:core" }],
      record_id: pass.attempt.record_id,
    });
    expect((await decided(cell, [attemptAt(cell, DAY, { ref: null })])).action).toBe("retag");
  });

  it("names all tags of the cell, and is not needed where the image has any of them", async () => {
    const tags = ["registry.example/a:1", "registry.example/b:2"];
    const two = cellOf({ tags });
    expect((await decided(two, [attemptAt(cell, DAY)])).changes).toEqual([
      { input: "tags", before: RECIPE.tags[0], after: "registry.example/a:1, registry.example/b:2" },
    ]);
    expect((await decided(two, [attemptAt(cell, DAY, { ref: tags[1] ?? "" })])).action).toBe("reuse");
  });

  it("is enough for an image that was never pushed, where a pushed one is asked for", async () => {
    const pass = attemptAt(cell, DAY);
    const changes = [{ input: "pushed", before: "false", after: "true" }];
    expect(await decided(cell, [pass], { needPushed: true })).toMatchObject({
      action: "retag",
      reason: "POLICY",
      changes,
    });
    const pushed = attemptAt(cell, DAY, { pushed: true });
    expect((await decided(cell, [pushed], { needPushed: true })).action).toBe("reuse");
  });
});

describe("decide: retest", () => {
  it.each([
    ["tests", { tests: "others" }, "TESTS", "tests"],
    ["limits", { limits: "1 GB" }, "POLICY", "verdict_key"],
  ])("tests known bits again where the %s are others", async (_name, changes, reason, input) => {
    const pass = attemptAt(cell, DAY);
    const result = await decided(cellOf(changes), [pass]);
    expect(result).toMatchObject({ action: "retest", reason, record_id: pass.attempt.record_id });
    expect(result.changes.map((one) => one.input)).toEqual([input]);
  });

  it.each([
    ["failed its tests", FAIL],
    ["broke off in its tests", { status: "error", stage: "smoke", class: "container" }],
    ["broke off in its SBOM", { status: "error", stage: "sbom", class: "sbom" }],
    ["was not pushed", { status: "error", stage: "push", class: "push" }],
  ] as const)("tests again what %s", async (_name, changes) => {
    const told = [attemptAt(cell, DAY, changes)];
    expect(await decided(cell, told)).toMatchObject({ action: "retest", reason: "NEW", changes: [] });
  });

  it.each(["resolve", "stitch", "build", "provenance"])(
    "has no image of an attempt that broke off in %s",
    async (stage) => {
      const told = attemptAt(cell, DAY, { status: "error", stage, class: "interrupted" });
      expect((await decided(cell, [told])).action).toBe("build");
      const failed = attemptAt(cell, DAY, { status: "fail", stage, class: "step" });
      expect((await decided(cell, [failed])).action).toBe("build");
      // It tells nothing of the bits either: those of an earlier attempt are taken.
      expect((await decided(cell, [told, attemptAt(cell, 2 * DAY, FAIL)])).action).toBe("retest");
    },
  );

  it("looks past builds that the environment broke off, and not past one that failed", async () => {
    const told = [attemptAt(cell, 2 * DAY, FAIL), attemptAt(cell, DAY, CUT)];
    expect((await decided(cell, told)).action).toBe("retest");
    expect((await decided(cell, [...told, attemptAt(cell, 0, BROKEN)])).action).toBe("build");
  });

  it.each<[string, Partial<Attempt>]>([
    ["no digest", { digest: null }],
    ["another platform", { platform: "linux/arm64" }],
    ["a stage before the tests", { stage: "build" }],
  ])("builds where the attempt has %s", async (_name, changes) => {
    expect((await decided(cellOf({ tests: "others" }), [attemptAt(cell, DAY, changes)])).action).toBe(
      "build",
    );
  });
});

describe("decide: build", () => {
  it("has no reason but that it is new where nothing is known", async () => {
    const other = attemptAt(cellOf({ manifest_id: "other" }), DAY);
    const nothing = { action: "build", reason: "NEW", changes: [], record_id: null };
    expect(await decided(cell, [other])).toEqual(nothing);
  });

  it("compares with the newest pass at the cell, else with the newest attempt", async () => {
    const pass = attemptAt(older, 3 * DAY);
    const fail = attemptAt(cellOf({ args: {} }), DAY, BROKEN);
    const { record_id } = pass.attempt;
    expect(await decided(cell, [fail, pass])).toEqual({
      action: "build",
      reason: "FRAGMENT",
      changes: [CORE],
      record_id,
    });
    expect(await decided(cell, [fail])).toMatchObject({ reason: "ARGS", record_id: fail.attempt.record_id });
  });

  it("is never spared where a document says `reuse: never`", async () => {
    const files = ["fragments/core/0.1.0/fragment.yaml", "templates/plain/0.1.0/template.yaml"];
    const never = cellOf({ neverReused: files });
    const attempts = recordsOf([attemptAt(never, DAY)]);
    const [one] = await deciding([never], attempts);
    expect(one?.cell).toMatchObject({
      action: "build",
      reason: "NEVER",
      changes: files.map((after) => ({ input: "reuse", before: null, after })),
      record_id: null,
    });
    expect(attempts.asked).toEqual([]);
  });

  it("is new where a list says less of an attempt than its record", async () => {
    const told = attemptAt(cell, DAY, { build_key: "sha256:0", verdict_key: "sha256:0" });
    const { record_id } = told.attempt;
    expect(await decided(cell, [told])).toEqual({ action: "build", reason: "NEW", changes: [], record_id });
    const meant = cellOf({ expect: MEANT });
    expect((await decided(meant, [told])).reason).toBe("MEANT_TO_FAIL");
  });

  it("reads no record where the list of attempts tells the reason", async () => {
    const attempts = recordsOf([attemptAt(cell, 0, BROKEN)]);
    const [one] = await deciding([cell], attempts);
    expect([one?.cell.reason, attempts.asked]).toEqual(["NEW", []]);
  });

  it("is new where the last verdict on the same was no pass", async () => {
    for (const changes of [BROKEN, CUT]) {
      const told = attemptAt(cell, 0, changes);
      const { record_id } = told.attempt;
      expect(await decided(cell, [told])).toEqual({ action: "build", reason: "NEW", changes: [], record_id });
      const both = await decided(cell, [told, attemptAt(cell, DAY)]);
      expect(both.action).toBe(changes === CUT ? "reuse" : "build");
    }
  });
});

describe("decide: records that lie", () => {
  const lie = (told: Told, ...problems: string[]): Told => ({ ...told, problems });

  it.each<[string, PlannedCell, More]>([
    ["reuse", cell, {}],
    ["retag", cell, { needPushed: true }],
    ["retest", cellOf({ tests: "others" }), {}],
  ])("are a finding for what would %s", async (_action, planned, more) => {
    const told = lie(attemptAt(cell, DAY), "sbom: missing", "build_log: hashes to 00");
    const error = await errorOf(deciding([planned], recordsOf([told]), more));
    expect([error.code, error.exitCode]).toEqual(["EVIDENCE_MISMATCH", 2]);
    expect(error.message).toContain(`${told.attempt.record_id}, which would prove ${planned.cell.cell_id}`);
    expect(error.message).toContain("sbom: missing; build_log: hashes to 00");
    expect(error.where?.file).toBe(`records/demo/${told.attempt.record_id}.json`);
    expect(error.fix).toMatch(/restore.*ledger.*--force/);
  });

  it("are all found at once, each once, in the order of the cells", async () => {
    const cells = Array.from({ length: 40 }, (_, at) =>
      cellOf({ chosen: `core-${at % 20}`, label: `${at % 20}` }),
    );
    const told = cells.slice(0, 20).map((one, at) => {
      const attempt = attemptAt(one, DAY + at);
      return at % 2 === 0 ? lie(attempt, "sbom: missing") : attempt;
    });
    const attempts = recordsOf(told);
    const error = await errorOf(deciding(cells, attempts));
    expect(error.code).toBe("FINDINGS");
    expect(error.findings?.map(({ code }) => code)).toEqual(Array(10).fill("EVIDENCE_MISMATCH"));
    expect(error.findings?.map(({ what }) => /core-(\d+)/.exec(what)?.[1])).toEqual(
      Array.from({ length: 10 }, (_, at) => String(2 * at)),
    );
    expect(attempts.asked).toHaveLength(20);
    expect(new Set(attempts.asked).size).toBe(20);
    expect(attempts.most()).toBeGreaterThan(1);
    expect(attempts.most()).toBeLessThanOrEqual(8);
  });

  it("do not matter where they are only compared with, unless they cannot be read", async () => {
    const told = lie(attemptAt(older, DAY), "sbom: missing");
    expect((await decided(cell, [told])).reason).toBe("FRAGMENT");
    const broken = new FactoryError("RECORD_UNREADABLE", "the record cannot be read", { fix: "restore it" });
    const unreadable = { ...recordsOf([told]), read: () => Promise.reject(broken) };
    const error = await errorOf(deciding([cell], unreadable));
    expect([error.code, error.fix]).toEqual(["RECORD_UNREADABLE", "restore it"]);
    expect(error.where?.file).toBe(`records/demo/${told.attempt.record_id}.json`);
  });

  it("are told by a cell that would rely on them, not by one that is compared with them", async () => {
    const told = lie(attemptAt(cell, DAY), "sbom: missing");
    const compared = cellOf({ args: {} });
    const relying = cellOf({ tests: "others", chosen: "relying" });
    const error = await errorOf(deciding([compared, relying], recordsOf([told])));
    expect(error.message).toContain("would prove demo.relying.linux-amd64");
  });

  it("are told by the first of the cells that would rely on them", async () => {
    const told = lie(attemptAt(cell, DAY), "sbom: missing");
    const relying = ["first", "second"].map((chosen) => cellOf({ tests: chosen, chosen }));
    const error = await errorOf(deciding(relying, recordsOf([told])));
    expect([error.code, error.findings?.length]).toEqual(["EVIDENCE_MISMATCH", 1]);
    expect(error.message).toContain("would prove demo.first.linux-amd64");
  });

  it("keep the place that an error names", async () => {
    const where = { file: "records/demo/x.json", line: 3, col: 1 };
    const broken = new FactoryError("RECORD_UNREADABLE", "no JSON", { where, fix: "restore it" });
    const attempts = { ...recordsOf([attemptAt(cell, DAY)]), problems: () => Promise.reject(broken) };
    expect((await errorOf(deciding([cell], attempts))).where).toEqual(where);
  });

  it("of two manifests are two records, though they have one name", async () => {
    const other = cellOf({ manifest_id: "other", label: "Another" });
    const both = [attemptAt(cell, DAY), lie(attemptAt(other, DAY), "sbom: missing")];
    const error = await errorOf(deciding([cell, other], recordsOf(both)));
    expect(error.where?.file).toBe(`records/other/${both[1]?.attempt.record_id}.json`);
  });

  it("name five of many problems", async () => {
    const told = lie(attemptAt(cell, DAY), ...["a", "b", "c", "d", "e", "f", "g"]);
    expect((await errorOf(deciding([cell], recordsOf([told])))).message).toMatch(
      /: a; b; c; d; e; and 2 more$/,
    );
    const five = lie(attemptAt(cell, DAY), ...["a", "b", "c", "d", "e"]);
    expect((await errorOf(deciding([cell], recordsOf([five])))).message).toMatch(/: a; b; c; d; e$/);
  });

  it("does not hide an error that is no finding", async () => {
    const attempts = {
      ...recordsOf([attemptAt(cell, DAY)]),
      problems: () => Promise.reject(new Error("EIO")),
    };
    const error = await deciding([cell], attempts).catch((cause: unknown) => cause);
    expect(error).toEqual(new Error("EIO"));
    expect(error).not.toBeInstanceOf(FactoryError);
  });
});

describe("decide: cells", () => {
  it("come back as new ones, in their order, without rendering", async () => {
    const cells = [cellOf({ chosen: "b" }), cellOf({ chosen: "a", label: "x" })];
    const before = JSON.stringify(cells.map((one) => one.cell));
    const result = await deciding(cells, recordsOf([attemptAt(cellOf({ chosen: "a", label: "x" }), DAY)]));
    expect(result.map((one) => [one.cell.cell_id, one.cell.action])).toEqual([
      ["demo.b.linux-amd64", "build"],
      ["demo.a.linux-amd64", "reuse"],
    ]);
    expect(JSON.stringify(cells.map((one) => one.cell))).toBe(before);
    expect(() => result[0]?.render()).toThrow("the Dockerfile was asked for");
  });
});

/** What is to be done about a cell, told without the lists that records are asked for: from all attempts. */
function naive(planned: PlannedCell, told: readonly Told[], options: Required<Omit<More, "now">>): Action {
  const { cell: wanted } = planned;
  const all = told.map(({ attempt }) => attempt);
  const later = (a: Attempt, b: Attempt) => a.record_id > b.record_id;
  const ours = (one: Attempt) => one.platform === wanted.platform && one.manifest_id === wanted.manifest_id;
  if (wanted.expect || wanted.base.digest === null) return "build";
  const verdicts = all.filter((one) => one.verdict_key === wanted.verdict_key && one.status !== "error");
  const proof = verdicts.find((one) => !verdicts.some((other) => later(other, one)));
  const tested = Date.parse(proof?.tested_at ?? "");
  const sound =
    proof?.status === "pass" &&
    proof.stage === "done" &&
    proof.digest !== null &&
    proof.build_key === wanted.build_key &&
    ours(proof) &&
    !(tested > NOW && verdicts.some((one) => one.status === "fail"));
  if (sound && tested > NOW + SKEW) return "build";
  const age = options.maxAge(planned);
  if (sound && (age === null || tested >= NOW - age)) {
    const there = wanted.tags.some((tag) => tag === proof.ref) && (proof.pushed || !options.needPushed);
    return there ? "reuse" : "retag";
  }
  const reached = (one: Attempt) => !["resolve", "stitch", "build"].includes(one.stage);
  const telling = all.filter(
    (one) => one.build_key === wanted.build_key && (one.status !== "error" || reached(one)),
  );
  const last = telling.find((one) => !telling.some((other) => later(other, one)));
  return last && reached(last) && last.digest !== null && ours(last) ? "retest" : "build";
}

describe("decide: any records", () => {
  const variants: Partial<Recipe>[] = [
    {},
    { tests: "others" },
    { limits: "1 GB" },
    { args: {} },
    { platform: "linux/arm64" },
    { base: { ref: "debian:latest", digest: null } },
  ];
  const variant = fc.constantFrom(...variants);
  const attempt = fc.record({
    made: variant,
    age: fc.constantFrom(-DAY, -SKEW - 1, -SKEW, -1, 0, 1, DAY, 7 * DAY, 7 * DAY + 1, 30 * DAY),
    status: fc.constantFrom("pass", "pass", "pass", "fail", "error"),
    stage: fc.constantFrom("stitch", "build", "smoke", "sbom", "push", "done", "done"),
    image: fc.boolean(),
    pushed: fc.boolean(),
    ref: fc.constantFrom(RECIPE.tags[0] ?? "", "registry.example/elsewhere:1"),
    platform: fc.constantFrom(null, null, null, "linux/riscv64"),
  });
  const wanted = fc.record({
    made: variant,
    expect: fc.constantFrom(null, null, null, MEANT),
    maxAge: fc.constantFrom(null, 7 * DAY, DAY),
  });

  it("come to what a plain look at all of them says", async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(wanted, { minLength: 1, maxLength: 4 }),
        fc.array(attempt, { maxLength: 8 }),
        fc.boolean(),
        async (wants, tried, needPushed) => {
          const told = tried.map(({ made, age, status, stage, image, pushed, ref, platform }, at) => {
            const one = cellOf(made);
            const own = attemptAt(one, age, {
              status,
              stage: status === "pass" && stage !== "sbom" ? "done" : stage,
              ...(image || status === "pass" ? {} : { digest: null }),
              pushed,
              ref,
              ...(platform === null ? {} : { platform }),
            });
            own.attempt.record_id = own.attempt.record_id.replace(/0{8}$/, String(at).padStart(8, "0"));
            return own;
          });
          const cells = wants.map(({ made, ...rest }) => cellOf({ ...made, ...rest }));
          const options = {
            needPushed,
            maxAge: ({ maxAge: age }: PlannedCell) => age,
            places: scriptedPlaces(),
          };
          const result = await deciding(cells, recordsOf(told), options);
          for (const [at, one] of result.entries()) {
            const planned = cells[at] ?? cell;
            const { action, reason, changes, record_id } = one.cell;
            expect(action).toBe(naive(planned, told, options));
            expect(reason === null).toBe(action === "reuse");
            if (reason === "NEW" || reason === "MEANT_TO_FAIL" || reason === null)
              expect(changes).toEqual([]);
            if (action !== "build")
              expect(told.some((known) => known.attempt.record_id === record_id)).toBe(true);
            seen.set(action, (seen.get(action) ?? 0) + 1);
          }
          expect(
            (await deciding(cells, recordsOf([...told].reverse()), options)).map((one) => one.cell),
          ).toEqual(result.map((one) => one.cell));
        },
      ),
      { numRuns: 600 },
    );
    // A run in which something never happened would have shown nothing about it.
    expect([...seen.keys()].sort()).toEqual(["build", "retag", "retest", "reuse"]);
  });
});
