import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeManyRecords } from "../../bench/many-records.ts";
import { openProven } from "../../src/records/proven.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { open } from "./records-scan.ts";
import { temporaryFolder } from "./workspace.ts";

const COUNT = 70;
const fileIn = (root: string) => join(root, ".factory/records/many.proven");

/** What is wrong with each record that passed, as `--reuse` asks. */
async function problemsIn(root: string): Promise<string[][]> {
  const { attempts } = await open(root);
  const all = [...attempts.ofManifest("many")];
  expect(all).toHaveLength(COUNT);
  return Promise.all(all.map((attempt) => attempts.problems(attempt)));
}

const NONE = Array.from({ length: COUNT }, () => []);

/** Records that were all held to their evidence once, and the file that says so. */
async function proven() {
  const root = temporaryFolder();
  writeManyRecords(root, COUNT);
  expect(await problemsIn(root)).toEqual(NONE);
  return { root, file: fileIn(root) };
}

function evidenceOf(root: string, kind: string): string {
  const [id] = readFileSync(fileIn(root), "utf8").split("\n").slice(1);
  const folder = join(root, "records/many");
  const ledger = readFileSync(join(folder, `ledger/20260101t000000000z-${"0".repeat(16)}.ndjson`), "utf8");
  const [, recordId] = new RegExp(`"put":"([^"]+)","sha256":"${id}"`).exec(ledger) ?? [];
  const record = JSON.parse(readFileSync(join(folder, `${recordId}.json`), "utf8")) as FactoryRecord;
  return join(folder, record.evidence[kind]?.path ?? "");
}

describe("the file of what was proven", () => {
  const hashes = (count: number, from = 0) =>
    Array.from({ length: count }, (_, at) => (from + at).toString(16).padStart(64, "0"));
  /** Opened for a manifest, with what it told. */
  const opened = (root: string, rules = "rules") => {
    const notes: string[] = [];
    const known = openProven(root, "many", { rules, note: (text) => notes.push(text) });
    const add = (count: number, from = 0) => {
      for (const one of hashes(count, from)) known.add(one);
    };
    const has = (count: number, from = 0) => hashes(count, from).map((one) => known.has(one));
    return { add, has, notes };
  };
  const all = (count: number, value: boolean) => Array.from({ length: count }, () => value);

  it("is written by 32 lines at once, below what it is made by", () => {
    const root = temporaryFolder();
    const { add, has, notes } = opened(root);
    add(31);
    expect(has(32)).toEqual([...all(31, true), false]);
    expect(existsSync(fileIn(root))).toBe(false);
    add(1, 31);
    const first = readFileSync(fileIn(root), "utf8");
    expect(first.split("\n").slice(1)).toEqual([...hashes(32), ""]);
    expect(JSON.parse(first.split("\n")[0] ?? "")).toEqual({
      schema: "factory/proven",
      version: 1,
      rules: "rules",
    });
    add(65, 32);
    expect(readFileSync(fileIn(root), "utf8")).toBe(
      first +
        hashes(64, 32)
          .map((one) => `${one}\n`)
          .join(""),
    );
    expect(opened(root).has(97)).toEqual([...all(96, true), false]);
    expect(notes).toEqual([]);
  });

  it("names nothing by other rules, and is made anew by them", () => {
    const root = temporaryFolder();
    opened(root).add(32);
    const other = opened(root, "others");
    expect(other.has(32)).toEqual(all(32, false));
    other.add(32, 100);
    expect(opened(root, "others").has(32, 100)).toEqual(all(32, true));
    expect(opened(root).has(32)).toEqual(all(32, false));
    expect(readFileSync(fileIn(root), "utf8").trimEnd().split("\n")).toHaveLength(33);
  });

  it("names no line that is longer or shorter than a hash", () => {
    const root = temporaryFolder();
    opened(root).add(32);
    const lines = [`${"a".repeat(63)}`, `${"a".repeat(65)}`, "b".repeat(64)];
    appendFileSync(fileIn(root), lines.map((one) => `${one}\n`).join(""));
    const known = openProven(root, "many", { rules: "rules", note: () => undefined });
    expect(lines.map((one) => known.has(one))).toEqual([false, false, true]);
  });

  it("is neither read nor written behind a link", () => {
    const [root, elsewhere] = [temporaryFolder(), temporaryFolder()];
    opened(elsewhere).add(32);
    const text = readFileSync(fileIn(elsewhere), "utf8");
    symlinkSync(join(elsewhere, ".factory"), join(root, ".factory"));
    const { add, has, notes } = opened(root);
    expect(has(1)).toEqual([false]);
    add(64, 32);
    expect(readFileSync(fileIn(elsewhere), "utf8")).toBe(text);
    // Nothing is known then, not even for the time of the run.
    expect([has(1, 32), notes]).toEqual([[false], []]);
  });

  it("says once where it cannot be written, and knows what was added all the same", () => {
    const root = temporaryFolder();
    mkdirSync(fileIn(root), { recursive: true });
    const { add, has, notes } = opened(root);
    add(96);
    expect(has(96)).toEqual(all(96, true));
    expect(notes).toEqual([
      expect.stringMatching(
        /^\.factory\/records\/many\.proven cannot be written, so records will be checked against their evidence again: ./,
      ),
    ]);
  });

  it("is left alone from then on where something else came into its place", () => {
    const root = temporaryFolder();
    const { add, notes } = opened(root);
    add(32);
    rmSync(fileIn(root));
    add(32, 32);
    expect(notes).toHaveLength(1);
    writeFileSync(fileIn(root), "mine");
    add(32, 64);
    expect([readFileSync(fileIn(root), "utf8"), notes.length]).toEqual(["mine", 1]);
  });
});

describe("records that were proven before", () => {
  it("are known by the hash of their files, in a file that is only added to", async () => {
    const { root, file } = await proven();
    const text = readFileSync(file, "utf8");
    const lines = text.trimEnd().split("\n");
    expect(lines.length - 1).toBe(64);
    expect(new Set(lines).size).toBe(lines.length);
    expect(await problemsIn(root)).toEqual(NONE);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it.each(["inputs", "sbom", "build_log"])("are hashed all the same: %s", async (kind) => {
    const { root } = await proven();
    const path = evidenceOf(root, kind);
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.concat([whole.subarray(1), Buffer.from("x")]));
    expect((await problemsIn(root)).flat().join()).toContain(`EVIDENCE_CHANGED: ${kind}: hashes to`);
    rmSync(path);
    expect((await problemsIn(root)).flat().join()).toContain(`EVIDENCE_GONE: ${kind}: missing`);
  });

  it.each<[string, (file: string) => void]>([
    ["cut", (file) => truncateSync(file, 200)],
    [
      "of another version",
      (file) => writeFileSync(file, readFileSync(file, "utf8").replace(/"version":./, '"version":0')),
    ],
    ["with lines of others", (file) => appendFileSync(file, "who was here\n\0\n")],
    ["empty", (file) => truncateSync(file, 0)],
    ["gone", (file) => rmSync(file)],
  ])("are proven again where the file is %s", async (_, harm) => {
    const { root, file } = await proven();
    harm(file);
    expect(await problemsIn(root)).toEqual(NONE);
    expect(existsSync(file)).toBe(true);
    expect(await problemsIn(root)).toEqual(NONE);
  });
});
