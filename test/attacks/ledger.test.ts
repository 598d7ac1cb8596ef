import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { provenDraft, START } from "../unit/records-made.ts";
import { open } from "../unit/records-scan.ts";
import { temporaryFolder } from "../unit/workspace.ts";
import { codesOf } from "./records-forge.ts";

const ledgersIn = (root: string) => {
  const folder = join(root, "records/demo/ledger");
  return readdirSync(folder).map((name) => join(folder, name));
};
const textOf = (path: string) => readFileSync(path, "utf8");

/** Puts a record so many minutes after a fixed moment, as a run of its own does. */
async function putIn(root: string, minute: number, store = openStore(root)): Promise<FactoryRecord> {
  const start = new Date(START.getTime() + minute * 60_000);
  return store.put(await provenDraft(store, { args: { port: minute } }, start), start);
}

/** A workspace in which three runs came one after the other, and their ledgers, the oldest first. */
async function threeRuns() {
  const root = temporaryFolder();
  const records: FactoryRecord[] = [];
  const ledgers: string[] = [];
  for (const minute of [1, 2, 3]) {
    records.push(await putIn(root, minute));
    ledgers.push(...ledgersIn(root).filter((path) => !ledgers.includes(path)));
  }
  return { root, records, ledgers };
}

describe("A4 a store knows what it holds", () => {
  it("A4 each run has a ledger of its own, which names the one before", async () => {
    const { root, ledgers } = await threeRuns();
    const headsOf = (path = "") =>
      (JSON.parse(textOf(path).split("\n")[0] ?? "") as { heads: { ledger: string }[] }).heads;
    expect(ledgers.map((path) => headsOf(path).map(({ ledger }) => ledger))).toEqual([
      [],
      [ledgers[0]?.split("/").at(-1)],
      [ledgers[1]?.split("/").at(-1)],
    ]);
    expect(await codesOf(root)).toEqual([]);
  });

  it.each([0, 1])("A4 an older ledger that is gone is noticed: %d", async (at) => {
    const { root, ledgers, records } = await threeRuns();
    rmSync(ledgers[at] ?? "");
    expect(await codesOf(root)).toEqual(["LEDGER_GONE", "RECORD_UNLISTED"]);
    // What is older than the ledger that misses it may have been followed by something else.
    const { attempts, notes } = await open(root);
    expect(notes).toEqual([expect.stringContaining("is missing")]);
    const lost = records.map(({ verdict_key }) => {
      const [attempt] = attempts.withVerdictKey(verdict_key);
      return attempt ? attempts.lost(attempt) !== null : null;
    });
    expect(lost).toEqual([true, true, true]);
  });

  it("A4 a ledger and its record that are gone together are noticed by the next one", async () => {
    const { root, ledgers, records } = await threeRuns();
    rmSync(ledgers[1] ?? "");
    rmSync(join(root, "records/demo", `${records[1]?.record_id}.json`));
    expect(await codesOf(root)).toEqual(["LEDGER_GONE"]);
  });

  it.each<[string, (path: string) => void]>([
    ["cut", (path) => truncateSync(path, textOf(path).length - 20)],
    ["without its last lines", (path) => writeFileSync(path, `${textOf(path).split("\n")[0]}\n`)],
    ["with another hash", (path) => writeFileSync(path, textOf(path).replace(/"sha256":"./, '"sha256":"x'))],
  ])("A4 an older ledger is noticed that was edited: %s", async (_, harm) => {
    const { root, ledgers } = await threeRuns();
    harm(ledgers[0] ?? "");
    expect(await codesOf(root)).toContain("LEDGER_EDITED");
  });

  it("A4 a ledger with a line that is none is damaged", async () => {
    const { root, ledgers } = await threeRuns();
    appendFileSync(ledgers[2] ?? "", "who was here\n");
    expect(await codesOf(root)).toEqual(["LEDGER_DAMAGED", "RECORD_UNLISTED"]);
  });

  it("A4 runs at once are two ledgers, both named by the next, and no false alarm", async () => {
    const root = temporaryFolder();
    const [one, other] = [openStore(root), openStore(root)];
    for (const minute of [1, 2, 3, 4]) await putIn(root, minute, minute % 2 === 0 ? one : other);
    expect(ledgersIn(root)).toHaveLength(2);
    await putIn(root, 5);
    // A run goes on after another has named its ledger.
    await putIn(root, 6, one);
    expect(await codesOf(root)).toEqual([]);
  });

  it("A4 folders of several machines are merged by copying them", async () => {
    const roots = [temporaryFolder(), temporaryFolder()];
    for (const [at, root] of roots.entries())
      for (const minute of [1, 2]) await putIn(root, minute + 10 * at);
    const merged = temporaryFolder();
    for (const root of roots) cpSync(join(root, "records"), join(merged, "records"), { recursive: true });
    expect(await codesOf(merged)).toEqual([]);
    await putIn(merged, 30);
    expect(await codesOf(merged)).toEqual([]);
    expect(await openStore(merged).verify()).toMatchObject({ checked: 5, verified: 5 });
  });

  it("A4 a run that was killed at any moment is no false alarm", async () => {
    const root = temporaryFolder();
    const record = await putIn(root, 1);
    const [ledger = ""] = ledgersIn(root);
    const whole = textOf(ledger);
    const [header = "", put = "", done = ""] = whole.split("\n");
    const file = join(root, "records/demo", `${record.record_id}.json`);
    const bytes = textOf(file);
    // The record was written, and the line that says so was not, or in part.
    for (const cut of ["", done.slice(0, 1), done.slice(0, 30), done]) {
      writeFileSync(ledger, `${header}\n${put}\n${cut}`);
      expect(await codesOf(root)).toEqual([]);
    }
    // The record was not written.
    rmSync(file);
    for (const cut of ["", put.slice(0, 9), put, `${put}\n`]) {
      writeFileSync(ledger, `${header}\n${cut}`);
      expect(await codesOf(root)).toEqual([]);
      await putIn(root, 2);
      expect(await codesOf(root)).toEqual([]);
      for (const path of ledgersIn(root)) if (path !== ledger) rmSync(path);
      for (const name of readdirSync(join(root, "records/demo")))
        if (name.endsWith(".json")) rmSync(join(root, "records/demo", name));
    }
    writeFileSync(file, bytes);
    writeFileSync(ledger, whole);
    expect(await codesOf(root)).toEqual([]);
  });
});
