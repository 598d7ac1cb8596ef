import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeManyRecords } from "../../bench/many-records.ts";
import { FactoryError } from "../../src/errors.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { contentHash, RECORD_ID, recordId, timeOfRecordId } from "../../src/records/record-id.ts";
import { draft, idAt, provenDraft, putAt, record, START } from "./records-made.ts";
import { sha256, temporaryFolder } from "./workspace.ts";

function newStore() {
  const root = temporaryFolder();
  return { root, store: openStore(root) };
}

describe("record ids", () => {
  it("have the form of the schema, sort as their times do, and give the time back", () => {
    const time = fc.date({
      min: new Date(0),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [first, second] = [recordId(a, record()), recordId(b, record())];
        expect(first).toMatch(RECORD_ID);
        expect(timeOfRecordId(first)).toBe(a.getTime());
        if (a.getTime() !== b.getTime()) expect(first < second).toBe(a < b);
      }),
    );
    expect(recordId(new Date("2026-11-21T01:02:03.456Z"), record())).toBe(
      `20261121t010203456z-${contentHash(record())}`,
    );
  });

  it("carry a hash of all that the record says, but for the id itself", () => {
    const hash = contentHash(record());
    expect(contentHash(record({ record_id: idAt(1) }))).toBe(hash);
    expect(contentHash(record({ retries: 1 }))).not.toBe(hash);
    // Another order of keys is the same document.
    const { args, ...rest } = record();
    expect(contentHash({ args, ...rest })).toBe(hash);
  });
});

describe("the record store", () => {
  it("gives back what was put, as a file that people can read, with its id", async () => {
    const { root, store } = newStore();
    const pass = await provenDraft(store);
    const put = await store.put(pass, START);
    expect(put).toEqual({ ...pass, record_id: recordId(START, pass) });
    const path = store.nameOf(put);
    expect(path).toBe(`records/demo/${put.record_id}.json`);
    expect(await store.get(put.record_id)).toEqual(put);
    expect(readFileSync(join(root, path), "utf8")).toBe(`${JSON.stringify(put, null, 2)}\n`);
    expect(statSync(join(root, path)).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(root, "records/demo")).sort()).toEqual(
      [`${put.record_id}.json`, "evidence", "ledger"].sort(),
    );
    expect((await store.findByVerdictKey(pass.verdict_key)).map(({ record_id }) => record_id)).toEqual([
      put.record_id,
    ]);
  });

  it("puts nothing that is no record", async () => {
    const { root, store } = newStore();
    await expect(store.put(draft({ platform: "windows" }), START)).rejects.toThrow(
      "does not match its schema",
    );
    await expect(store.put(draft({ manifest_id: "../out" }), START)).rejects.toThrow(
      "does not match its schema",
    );
    expect(existsSync(join(root, "records"))).toBe(false);
    expect(existsSync(join(root, "out"))).toBe(false);
  });

  it("says that it cannot write, and where", async () => {
    const { root, store } = newStore();
    writeFileSync(join(root, "records"), "");
    for (const work of [store.put(draft(), START), store.keep("demo", "x", "text/plain")]) {
      const error: unknown = await work.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FactoryError);
    }
  });

  it("knows no record of an id that none has, whatever is asked for", async () => {
    const { store } = newStore();
    for (const id of ["20261121t010203456z-00000001", idAt(1), "../x", "", "a\0b"])
      await expect(store.get(id)).rejects.toMatchObject({ code: "UNKNOWN_RECORD", exitCode: 2 });
    await expect(store.verify({ recordId: idAt(1) })).rejects.toMatchObject({ code: "UNKNOWN_RECORD" });
    expect(await store.list({})).toEqual({ records: [], groups: null, total: 0, unreadable: [], doubts: {} });
    expect(await store.verify()).toEqual({
      checked: 0,
      verified: 0,
      evidence: 0,
      old: [],
      pruned: [],
      problems: [],
    });
  });
});

describe("list", () => {
  const filled = async () => {
    const made = newStore();
    for (const hour of [3, 1, 2, 4]) {
      await putAt(made.store, hour, { manifest_id: hour === 4 ? "other" : "demo", failed: hour === 2 });
    }
    return made;
  };
  const hours = ({ records }: { records: { record_id: string | null }[] }) =>
    records.map(({ record_id }) => new Date(timeOfRecordId(record_id ?? "")).getUTCHours());

  it("gives the newest first, and counts what its limit leaves out", async () => {
    const { store } = await filled();
    expect(hours(await store.list({}))).toEqual([4, 3, 2, 1]);
    const limited = await store.list({ limit: 2 });
    expect([hours(limited), limited.total]).toEqual([[4, 3], 4]);
  });

  it("filters by manifest, status and time", async () => {
    const { store } = await filled();
    expect(hours(await store.list({ manifestId: "demo" }))).toEqual([3, 2, 1]);
    expect(hours(await store.list({ manifestId: "dem" }))).toEqual([]);
    expect(hours(await store.list({ manifestId: ".." }))).toEqual([]);
    expect(hours(await store.list({ status: "fail" }))).toEqual([2]);
    expect(hours(await store.list({ since: Date.UTC(2026, 0, 1, 2) }))).toEqual([4, 3, 2]);
    expect(hours(await store.list({ since: Date.UTC(2026, 0, 1, 2) + 1, status: "pass", limit: 1 }))).toEqual(
      [4],
    );
  });

  it("sorts records of one moment by their hash", async () => {
    const { store } = newStore();
    const ids: string[] = [];
    for (const port of [1, 2, 3])
      ids.push((await store.put(await provenDraft(store, { args: { port } }), START)).record_id);
    const { records } = await store.list({});
    expect(records.map(({ record_id }) => record_id)).toEqual(ids.sort().reverse());
  });

  it("reports what is no record, and hides no other behind it", async () => {
    const { root, store } = await filled();
    const put = (hour: number, text: string) =>
      writeFileSync(join(root, "records/demo", `${idAt(hour)}.json`), text);
    put(5, "{");
    put(6, "{}");
    put(7, JSON.stringify(record({ record_id: idAt(8) })));
    put(9, JSON.stringify(record({ record_id: idAt(9), manifest_id: "other" })));
    mkdirSync(join(root, "records/demo", `${idAt(10)}.json`));
    const { records, total, unreadable } = await store.list({});
    expect(hours({ records })).toEqual([4, 3, 2, 1]);
    expect(total).toBe(4);
    expect(hours({ records: unreadable })).toEqual([10, 9, 7, 6, 5]);
    expect(unreadable.map(({ what }) => what)).toEqual([
      expect.stringContaining("is not a regular file"),
      expect.stringContaining("has another id than its file"),
      expect.stringContaining("has another id than its file"),
      expect.stringContaining("is not a record"),
      expect.stringContaining("cannot be read"),
    ]);
    await expect(store.get(idAt(5))).rejects.toMatchObject({
      code: "RECORD_UNREADABLE",
      where: { file: `records/demo/${idAt(5)}.json` },
    });
    const { problems, checked } = await store.verify();
    expect([problems.length, checked]).toEqual([5, 9]);
  });

  it("leaves alone what is not named like a record", async () => {
    const { root, store } = await filled();
    for (const name of [
      "README.md",
      `${idAt(1)}.json.123`,
      `${idAt(1)}`,
      ".json",
      `x${idAt(1)}.json`,
      "index.json",
    ])
      writeFileSync(join(root, "records/demo", name), "not a record");
    writeFileSync(join(root, "records", `${idAt(1)}.json`), "not a record");
    const { total, unreadable } = await store.list({});
    expect([total, unreadable]).toEqual([4, []]);
  });
});

describe("evidence", () => {
  const WHOLE = { checked: 1, verified: 1, evidence: 9, old: [], pruned: [], problems: [] };
  const kept = async () => {
    const { root, store } = newStore();
    const build_log = await store.keep("demo", "the log\n", "text/plain");
    const odd = await store.keep("demo", new Uint8Array([0, 255]), "application/json");
    const pass = await provenDraft(store);
    Object.assign(pass.evidence, { build_log, odd });
    const { record_id } = await store.put(pass, START);
    return {
      root,
      store,
      pass,
      record_id,
      build_log,
      odd,
      file: join(root, "records/demo", build_log.path),
    };
  };

  it("lies under its own hash", async () => {
    const { build_log, file, odd } = await kept();
    const hex = sha256("the log\n");
    expect(build_log).toEqual({
      path: `evidence/sha256/${hex.slice(0, 2)}/${hex}`,
      sha256: hex,
      bytes: 8,
      media_type: "text/plain",
    });
    expect(readFileSync(file, "utf8")).toBe("the log\n");
    expect(odd.bytes).toBe(2);
  });

  it("is kept once, and made good where it was spoilt", async () => {
    const { store, file } = await kept();
    const { ino } = statSync(file);
    await store.keep("demo", "the log\n", "text/plain");
    expect(statSync(file).ino).toBe(ino);
    writeFileSync(file, "THE LOG\n");
    await store.keep("demo", "the log\n", "text/plain");
    expect(readFileSync(file, "utf8")).toBe("the log\n");
    expect(await store.verify()).toEqual(WHOLE);
  });

  it.each([
    ["one other byte", (file: string) => writeFileSync(file, "the lag\n"), "hashes to", "EVIDENCE_CHANGED"],
    [
      "a byte more",
      (file: string) => writeFileSync(file, "the log\n\n"),
      "9 bytes instead of 8",
      "EVIDENCE_CHANGED",
    ],
    [
      "nothing left in it",
      (file: string) => writeFileSync(file, ""),
      "0 bytes instead of 8",
      "EVIDENCE_CHANGED",
    ],
    ["no file left", (file: string) => rmSync(file), "missing", "EVIDENCE_GONE"],
    [
      "a link to nothing",
      (file: string) => {
        rmSync(file);
        symlinkSync("gone", file);
      },
      "behind a link",
      "EVIDENCE_UNREADABLE",
    ],
    [
      "a folder in its place",
      (file: string) => {
        rmSync(file);
        mkdirSync(file);
      },
      "not a regular file",
      "EVIDENCE_UNREADABLE",
    ],
  ])("is found wanting with %s", async (_, spoil, what, code) => {
    const { store, file, build_log, record_id } = await kept();
    expect(await store.verify({ recordId: record_id })).toEqual(WHOLE);
    spoil(file);
    const { checked, evidence, problems } = await store.verify();
    expect({ checked, evidence }).toEqual({ checked: 1, evidence: 9 });
    expect(problems).toEqual([
      {
        record_id,
        code,
        evidence: "build_log",
        what: expect.stringContaining(what) as string,
      },
    ]);
    expect(problems[0]?.what).toContain(build_log.path);
  });

  it("may not be named outside of the record's folder", async () => {
    const { store, build_log, pass } = await kept();
    const evidence = { ...pass.evidence, build_log: { ...build_log, path: "../../../etc/passwd" } };
    await expect(store.put({ ...pass, evidence }, START)).rejects.toThrow("does not match its schema");
  });
});

describe("verify", () => {
  it("tells how far it is, and ends on a signal", async () => {
    const root = temporaryFolder();
    writeManyRecords(root, 100, { bare: true });
    const store = openStore(root);
    const told: number[] = [];
    const controller = new AbortController();
    await store.verify({ onProgress: (done, of) => void told.push(done, of) });
    expect(told).toEqual([32, 100, 64, 100, 96, 100]);
    const { signal } = controller;
    const ended = store.verify({ signal, onProgress: () => controller.abort() });
    await expect(ended).rejects.toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
  });
});
