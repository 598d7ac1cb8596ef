import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeManyRecords } from "../../bench/many-records.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { checkRecord } from "../../src/records/check.ts";
import { inspectEvidence, keepEvidence } from "../../src/records/evidence.ts";
import { recordAt, recordPath } from "../../src/records/locate.ts";
import type { StageRules } from "../../src/records/proof/prove-result.ts";
import { loadRecordCheck, parseRecord, readRecord } from "../../src/records/read-record.ts";
import { VERIFY_BATCH, verifyRecords } from "../../src/records/verify.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { provenDraft, putAt, START } from "./records-made.ts";
import { errorFrom, sha256, temporaryFolder } from "./workspace.ts";

const noLedgers = {
  entries: new Map(),
  done: new Set<string>(),
  pruned: new Map(),
  problems: [],
  doubtBefore: null,
};

const RULES: StageRules = { id: "rules", required: () => [], odd: () => undefined };
const MIB = 1 << 20;

const folderOf = () => realpathSync.native(temporaryFolder());

/** Takes a file away and puts something else in its place. */
const spoil: Record<string, (file: string) => void> = {
  gone: (file) => rmSync(file),
  folder: (file) => {
    rmSync(file);
    mkdirSync(file);
  },
  fifo: (file) => {
    rmSync(file);
    execFileSync("mkfifo", [file]);
  },
  link: (file) => {
    renameSync(file, `${file}.moved`);
    symlinkSync(`${file}.moved`, file);
  },
  folderLink: (file) => {
    renameSync(dirname(file), `${dirname(file)}.moved`);
    symlinkSync(`${dirname(file)}.moved`, dirname(file));
  },
};

describe("evidence", () => {
  /** Evidence of so many bytes, and a look at it. */
  const kept = (bytes: number) => {
    const folder = folderOf();
    const evidence = keepEvidence(folder, Buffer.alloc(bytes, "x"), "text/plain");
    const plain = new Set<string>();
    const file = join(folder, evidence.path);
    const look = (wanted = false) => {
      const found = inspectEvidence({ folder, plain }, "log", evidence, wanted);
      return "problem" in found ? found.problem : found.bytes;
    };
    const problem = (code: string, what: string) => ({
      code,
      what: `log: ${what} (${evidence.path})`,
      evidence: "log",
    });
    return { folder, plain, file, evidence, look, problem };
  };

  it.each([4, MIB, MIB + 1])("of %d bytes is hashed, and read where its bytes are wanted", (bytes) => {
    const { look, plain, file } = kept(bytes);
    expect(look()).toBeNull();
    expect(look(true)).toSatisfy((read: Buffer) => read.equals(Buffer.alloc(bytes, "x")));
    expect([...plain]).toEqual([dirname(file)]);
  });

  it.each([4, MIB, MIB + 1])("of %d bytes is found wanting, wanted or not", (bytes) => {
    for (const wanted of [true, false]) {
      const { look, file, problem } = kept(bytes);
      const other = Buffer.alloc(bytes, "y");
      writeFileSync(file, other);
      expect(look(wanted)).toEqual(problem("EVIDENCE_CHANGED", `hashes to ${sha256(other)}`));
      for (const size of [bytes - 1, bytes + 1, 0]) {
        truncateSync(file, size);
        expect(look(wanted)).toEqual(problem("EVIDENCE_CHANGED", `${size} bytes instead of ${bytes}`));
      }
    }
  });

  it.each<[string, string, string]>([
    ["gone", "EVIDENCE_GONE", "missing"],
    ["folder", "EVIDENCE_UNREADABLE", "not a regular file"],
    ["fifo", "EVIDENCE_UNREADABLE", "not a regular file"],
    ["link", "EVIDENCE_UNREADABLE", "behind a link"],
    ["folderLink", "EVIDENCE_UNREADABLE", "behind a link"],
  ])("is no evidence where it is %s", (how, code, what) => {
    for (const bytes of [4, MIB + 1])
      for (const wanted of [true, false]) {
        const { look, file, problem } = kept(bytes);
        spoil[how]?.(file);
        // A large file's size is looked at first.
        const told = how === "link" && bytes > MIB && !wanted ? "not a regular file" : what;
        expect(look(wanted)).toEqual(problem(code, told));
      }
  });

  it("is missing where its folder is, and unreadable where a file is in the folder's place", () => {
    const { look, file, problem } = kept(4);
    rmSync(dirname(file), { recursive: true });
    expect(look()).toEqual(problem("EVIDENCE_GONE", "missing"));
    writeFileSync(dirname(file), "");
    expect(look()).toEqual(problem("EVIDENCE_UNREADABLE", "cannot be read (ENOTDIR)"));
  });

  it("is looked for behind links once a folder, and no more", () => {
    const { look, file, plain } = kept(4);
    expect(look()).toBeNull();
    spoil.folderLink?.(file);
    expect(look()).toBeNull();
    plain.clear();
    expect(look()).toMatchObject({ code: "EVIDENCE_UNREADABLE" });
  });

  it("passes an error on that is not the file system's", () => {
    const folder = folderOf();
    const broken = {
      has: () => {
        throw new TypeError("ours");
      },
    };
    const good = keepEvidence(folder, "a", "text/plain");
    expect(() => inspectEvidence({ folder, plain: broken as never }, "log", good, false)).toThrow("ours");
  });

  it("is not written behind a link", () => {
    const { folder, file, evidence } = kept(4);
    spoil.folderLink?.(file);
    const path = dirname(evidence.path);
    expect(errorFrom(() => keepEvidence(folder, "xxxx", "text/plain"))).toMatchObject({
      code: "FILE_OUTSIDE",
      message: `${path} is behind a link`,
      where: { file: path },
      fix: "replace the link with the folder itself",
    });
  });

  it("is written once, and anew where something else is in its place", () => {
    const { folder, file } = kept(4);
    const { ino } = statSync(file);
    keepEvidence(folder, "xxxx", "text/plain");
    expect(statSync(file).ino).toBe(ino);
    spoil.fifo?.(file);
    keepEvidence(folder, "xxxx", "text/plain");
    expect(readFileSync(file, "utf8")).toBe("xxxx");
  });

  it("of no bytes is not held by a FIFO, out of which none come either", () => {
    const { folder, file } = kept(0);
    spoil.fifo?.(file);
    keepEvidence(folder, "", "text/plain");
    expect(statSync(file).isFile()).toBe(true);
  });
});

/** A store with the record of one pass. */
async function one() {
  const root = folderOf();
  const store = openStore(root);
  const record = await store.put(await provenDraft(store), START);
  const base = join(root, "records");
  const located = recordAt(base, "demo", record.record_id);
  return { root, store, base, record, located };
}

describe("a record's file", () => {
  const where = { file: recordPath("demo", "x") };

  it("is read with its hash, once it was held to its schema", async () => {
    const { record, located } = await one();
    const check = await loadRecordCheck();
    const text = readFileSync(located.file, "utf8");
    expect(readRecord(located, check)).toEqual({ record, sha256: sha256(text) });
    expect(check(null)).toMatch(/^\/ must/);
    expect(check({ ...record, retries: -1 })).toBe("/retries must be >= 0");
    expect(check({ ...record, schema_version: 1 })).toMatch(/^\S+ must/);
  });

  it.each<[string, string, string, ((file: string) => void)?]>([
    ["gone", "gone", "is gone"],
    ["a folder", "folder", "is not a regular file"],
    ["a FIFO", "fifo", "is not a regular file"],
    ["a link", "link", "is a link"],
    [
      "a file in the place of its folder",
      "",
      "cannot be read (ENOTDIR)",
      (file) => {
        rmSync(dirname(file), { recursive: true });
        writeFileSync(dirname(file), "");
      },
    ],
    ["no JSON", "", "cannot be read", (file) => writeFileSync(file, "{")],
    ["another document", "", "is not a record: / must", (file) => writeFileSync(file, "1")],
  ])("cannot be read where it is %s", async (_, how, what, harm = spoil[how]) => {
    const { located } = await one();
    const check = await loadRecordCheck();
    harm?.(located.file);
    const error = errorFrom(() => readRecord(located, check));
    expect(error).toMatchObject({
      code: "RECORD_UNREADABLE",
      where: { file: `records/demo/${located.recordId}.json` },
      fix: "restore it from version control or from the CI artifact",
    });
    expect(error.message.startsWith(`the record ${located.recordId} ${what}`)).toBe(true);
  });

  it("names the record that its own name does", () => {
    const bytes = (record_id: string, manifest_id: string) =>
      Buffer.from(JSON.stringify({ record_id, manifest_id }));
    const located = { manifestId: "demo", recordId: "x", file: "/nowhere" };
    expect(parseRecord(located, bytes("x", "demo"), null)).toEqual({ record_id: "x", manifest_id: "demo" });
    for (const [id, manifest] of [
      ["y", "demo"],
      ["x", "other"],
    ] as const)
      expect(errorFrom(() => parseRecord(located, bytes(id, manifest), null))).toMatchObject({
        message: "the record x has another id than its file",
        where,
      });
  });
});

describe("checkRecord", () => {
  const checked = async (
    change: (record: FactoryRecord) => void = () => undefined,
    { proven, listed = {} }: { proven?: Set<string>; listed?: object } = {},
  ) => {
    const { base, record } = await one();
    const before = { ...record };
    change(record);
    const entry = {
      record_id: before.record_id,
      sha256: "f",
      verdict_key: before.verdict_key.slice("sha256:".length),
      ...listed,
    };
    const ledgers = { ...noLedgers, entries: new Map([[entry.record_id, entry]]) };
    const place = { folder: join(base, "demo"), plain: new Set<string>(), ledgers, rules: RULES, proven };
    return checkRecord(record, "f", place).map(({ code, what }) => `${code} ${what}`);
  };

  it("finds nothing wrong with a record that its ledger names and its evidence proves", async () => {
    expect(await checked()).toEqual([]);
  });

  it("holds it to its ledger", async () => {
    expect(await checked(undefined, { listed: { record_id: "other" } })).toEqual([
      "RECORD_UNLISTED no ledger names it; if the records were copied, copy their ledgers too",
    ]);
    const edited = "RECORD_EDITED the file hashes to f, but its ledger has";
    expect(await checked(undefined, { listed: { sha256: "e" } })).toEqual([`${edited} e`]);
    expect(await checked(undefined, { listed: { verdict_key: "e" } })).toEqual([`${edited} f`]);
  });

  it("holds it to its evidence, unless that was done before, and hashes that each time", async () => {
    const proven = new Set<string>();
    const lie = (record: FactoryRecord) => void (record.cell_id = "other");
    expect((await checked(lie, { proven })).map((text) => text.split(" ")[0])).toEqual([
      "RECORD_EDITED",
      "INPUT_MISMATCH",
    ]);
    expect([...proven]).toEqual([]);
    expect(await checked(undefined, { proven })).toEqual([]);
    expect([...proven]).toEqual(["f"]);
    // By its hash it is the one that was proven.
    expect(await checked(lie, { proven })).toEqual([]);
    expect(await checked(lie, { proven, listed: { sha256: "e" } })).toHaveLength(1);
    const swapped = await checked(
      (record) => void ((record.evidence.sbom as { sha256: string }).sha256 = "0".repeat(64)),
      { proven },
    );
    expect(swapped.map((text) => text.split(" ")[0])).toEqual(["EVIDENCE_CHANGED"]);
  });

  it.each([
    ["inputs", "EVIDENCE_MALFORMED inputs"],
    ["dockerfile", "INPUT_MISMATCH the Dockerfile hashes to"],
    ["smoke_report", "EVIDENCE_MALFORMED smoke_report"],
    ["sbom", "EVIDENCE_MALFORMED sbom"],
    ["provenance", "EVIDENCE_MALFORMED provenance"],
    ["buildkit_provenance", "EVIDENCE_MALFORMED buildkit_provenance"],
  ])("reads what %s says, beside hashing it", async (kind, problem) => {
    const { base, record } = await one();
    const folder = join(base, "demo");
    record.evidence[kind] = keepEvidence(folder, "null", "application/json");
    const place = { folder, plain: new Set<string>(), ledgers: noLedgers, rules: RULES };
    const found = checkRecord(record, "f", place).map(({ code, what }) => `${code} ${what}`);
    expect(found.filter((text) => text.startsWith(problem))).toHaveLength(1);
  });

  it("does not take one for proven whose evidence is not whole", async () => {
    const proven = new Set<string>();
    const { base, record } = await one();
    rmSync(join(base, "demo", record.evidence.build_log?.path ?? ""));
    const entry = { record_id: record.record_id, sha256: "f", verdict_key: record.verdict_key.slice(7) };
    const ledgers = { ...noLedgers, entries: new Map([[entry.record_id, entry]]) };
    const place = { folder: join(base, "demo"), plain: new Set<string>(), ledgers, rules: RULES, proven };
    expect(checkRecord(record, "f", place)).toMatchObject([{ code: "EVIDENCE_GONE" }]);
    expect([...proven]).toEqual([]);
  });

  it("asks of a record of the old form only for its evidence", async () => {
    const old = (record: FactoryRecord) => void Object.assign(record, { schema_version: 1, cell_id: "x" });
    expect(await checked(old, { listed: { record_id: "other" } })).toEqual([]);
    const swapped = (record: FactoryRecord) => {
      old(record);
      Object.assign(record.evidence.sbom ?? {}, { bytes: 1 });
    };
    expect((await checked(swapped)).join()).toMatch(/^EVIDENCE_CHANGED sbom: \d+ bytes instead of 1/);
  });
});

describe("verifyRecords", () => {
  const verify = (base: string | undefined, located?: ReturnType<typeof recordAt>) =>
    verifyRecords(base, located, {}, RULES);

  it("has nothing to say where there are no records", async () => {
    expect(await verify(undefined)).toEqual({
      checked: 0,
      verified: 0,
      evidence: 0,
      old: [],
      pruned: [],
      problems: [],
    });
  });

  it("counts what it looked at", async () => {
    const { base, located } = await one();
    const whole = { checked: 1, verified: 1, evidence: 8, old: [], pruned: [], problems: [] };
    expect(await verify(base)).toEqual(whole);
    expect(await verify(base, located)).toEqual(whole);
  });

  it("tells of each problem whose it is", async () => {
    const { base, record, store } = await one();
    await putAt(store, 1);
    rmSync(join(base, "demo", record.evidence.build_log?.path ?? ""));
    const { checked, verified, problems } = await verify(base);
    expect({ checked, verified }).toEqual({ checked: 2, verified: 0 });
    expect(problems.map((problem) => ({ ...problem, record_id: null }))).toEqual(
      Array.from({ length: 2 }, () => ({
        record_id: null,
        code: "EVIDENCE_GONE",
        what: `build_log: missing (${record.evidence.build_log?.path})`,
        evidence: "build_log",
      })),
    );
    expect(problems[0]?.record_id).toBe(record.record_id);
  });

  it("goes on after a record that cannot be read", async () => {
    const { base, store, located, record } = await one();
    await putAt(store, 1);
    writeFileSync(located.file, "{");
    const { checked, verified, problems } = await verify(base);
    expect({ checked, verified }).toEqual({ checked: 2, verified: 1 });
    expect(problems).toEqual([
      {
        record_id: record.record_id,
        code: "RECORD_UNREADABLE",
        what: `the record ${record.record_id} cannot be read`,
        evidence: "record",
      },
    ]);
  });

  it("passes an error on that is ours, and not the record's", async () => {
    const { base } = await one();
    const odd = () => {
      throw new Error("ours");
    };
    await expect(verifyRecords(base, undefined, {}, { ...RULES, odd })).rejects.toThrow("ours");
  });

  it("names records that are gone, sorted, and links in the place of folders", async () => {
    const { base, store, located, record } = await one();
    const first = await putAt(store, 1);
    const second = await putAt(store, 2);
    for (const { record_id } of [second, first, record]) rmSync(recordAt(base, "demo", record_id).file);
    symlinkSync("demo", join(base, "linked"));
    writeFileSync(join(base, "README"), "");
    const gone = (id: string) => ({
      record_id: id,
      code: "RECORD_GONE",
      what: "a ledger of demo names it, but it is missing",
      evidence: "record",
    });
    expect((await verify(base)).problems).toEqual([
      {
        record_id: null,
        code: "RECORD_UNREADABLE",
        what: "records/linked is a link, so its records do not count",
        evidence: "record",
      },
      ...[first, second, record].map(({ record_id }) => gone(record_id)),
    ]);
    // One record alone is asked for: the others are not.
    expect((await verify(base, located)).problems).toMatchObject([{ code: "RECORD_UNREADABLE" }]);
  });

  it("tells how far it is, a batch at a time, and ends on a signal", async () => {
    const root = folderOf();
    writeManyRecords(root, 2 * VERIFY_BATCH + 1);
    const base = join(root, "records");
    const told: number[][] = [];
    const onProgress = (...counts: number[]) => void told.push(counts);
    const { checked, verified } = await verifyRecords(base, undefined, { onProgress }, RULES);
    expect([checked, verified]).toEqual([2 * VERIFY_BATCH + 1, 2 * VERIFY_BATCH + 1]);
    expect(told).toEqual([
      [VERIFY_BATCH, 2 * VERIFY_BATCH + 1],
      [2 * VERIFY_BATCH, 2 * VERIFY_BATCH + 1],
    ]);
    const leaving = new AbortController();
    const stopped = verifyRecords(
      base,
      undefined,
      { signal: leaving.signal, onProgress: () => leaving.abort() },
      RULES,
    );
    await expect(stopped).rejects.toMatchObject({
      code: "INTERRUPTED",
      message: "interrupted while verifying records",
    });
  });

  it("counts records of the old form, which their evidence does not prove", async () => {
    const root = folderOf();
    const store = openStore(root);
    const { manifest_id } = await putAt(store, 1);
    const base = join(root, "records");
    const { proven_by, recipe_key, images, ...before } = await putAt(store, 2);
    const old = { ...before, schema_version: 1, record_id: `${before.record_id.split("-")[0]}-1a2b3c4d` };
    writeFileSync(recordAt(base, manifest_id, old.record_id).file, JSON.stringify(old));
    expect([proven_by, recipe_key.length, images.length]).toEqual([null, 71, 1]);
    const { checked, verified, old: told } = await verify(base);
    expect([checked, verified, told]).toEqual([3, 3, [old.record_id]]);
  });

  it("names what is wrong with ledgers", async () => {
    const { base } = await one();
    const [name = ""] = execFileSync("ls", [join(base, "demo/ledger")], { encoding: "utf8" }).split("\n");
    spoil.fifo?.(join(base, "demo/ledger", name));
    const { problems } = await verify(base);
    expect(problems).toEqual([
      {
        record_id: expect.any(String) as string,
        code: "RECORD_UNLISTED",
        what: expect.any(String) as string,
        evidence: "record",
      },
      {
        record_id: null,
        code: "LEDGER_DAMAGED",
        what: expect.stringMatching(`^records/demo/ledger/${name}`) as string,
        evidence: "ledger",
      },
    ]);
  });
});
