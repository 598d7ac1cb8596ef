import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeManyRecords } from "../../bench/many-records.ts";
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
