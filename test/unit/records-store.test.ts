import { spawn } from "node:child_process";
import { once } from "node:events";
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
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { RECORD_ID, recordId, timeOfRecordId } from "../../src/records/record-id.ts";
import { openRecordStore } from "../../src/records/store.ts";
import { idAt, record } from "./records-made.ts";
import { repository, sha256, temporaryFolder } from "./workspace.ts";

function newStore() {
  const root = temporaryFolder();
  return { root, store: openRecordStore(root) };
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
        const [first, second] = [recordId(a, "ffffffff"), recordId(b, "00000000")];
        expect(first).toMatch(RECORD_ID);
        expect(timeOfRecordId(first)).toBe(a.getTime());
        if (a.getTime() !== b.getTime()) expect(first < second).toBe(a < b);
      }),
    );
    expect(recordId(new Date("2026-11-21T01:02:03.456Z"), "1a2b3c4d99")).toBe("20261121t010203456z-1a2b3c4d");
  });
});

describe("the record store", () => {
  it("gives back what was added, as a file that people can read", async () => {
    const { root, store } = newStore();
    const path = await store.add(record());
    expect(path).toBe("records/demo/20261121t010203456z-00000001.json");
    expect(await store.get("20261121t010203456z-00000001")).toEqual(record());
    expect(readFileSync(join(root, path), "utf8")).toBe(`${JSON.stringify(record(), null, 2)}\n`);
    expect(statSync(join(root, path)).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(root, "records/demo"))).toEqual(["20261121t010203456z-00000001.json"]);
  });

  it("adds nothing that is no record", async () => {
    const { root, store } = newStore();
    await expect(store.add(record({ platform: "windows" }))).rejects.toThrow("does not match its schema");
    await expect(store.add(record({ manifest_id: "../out" }))).rejects.toThrow("does not match its schema");
    expect(existsSync(join(root, "records"))).toBe(false);
    expect(existsSync(join(root, "out"))).toBe(false);
  });

  it("says that it cannot write, and where", async () => {
    const { root, store } = newStore();
    writeFileSync(join(root, "records"), "");
    const error: unknown = await store.add(record()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FactoryError);
    expect(error).toMatchObject({ code: "WRITE_FAILED", exitCode: 3 });
    expect(() => store.keep("demo", "x", "text/plain")).toThrow(FactoryError);
  });

  it("knows no record of an id that none has, whatever is asked for", async () => {
    const { store } = newStore();
    for (const id of ["20261121t010203456z-00000001", "../x", "", "a\0b"])
      await expect(store.get(id)).rejects.toMatchObject({ code: "UNKNOWN_RECORD", exitCode: 2 });
    await expect(store.verify("20261121t010203456z-00000001")).rejects.toMatchObject({
      code: "UNKNOWN_RECORD",
    });
    expect(await store.list({})).toEqual({ records: [], total: 0, unreadable: [] });
    expect(await store.verify()).toEqual({ checked: 0, evidence: 0, problems: [] });
  });
});

describe("list", () => {
  const filled = async () => {
    const made = newStore();
    for (const hour of [3, 1, 2, 4]) {
      const status = hour === 2 ? "fail" : "pass";
      const manifest_id = hour === 4 ? "other" : "demo";
      await made.store.add(record({ record_id: idAt(hour), manifest_id, result: { status } }));
    }
    return made;
  };
  const hours = ({ records }: { records: { record_id: string }[] }) =>
    records.map(({ record_id }) => new Date(timeOfRecordId(record_id)).getUTCHours());

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

  it("sorts records of one moment by their random part", async () => {
    const { store } = newStore();
    const ids = ["b", "a", "c"].map((hex) => recordId(new Date(0), hex.repeat(8)));
    for (const record_id of ids) await store.add(record({ record_id }));
    const { records } = await store.list({});
    expect(records.map(({ record_id }) => record_id.at(-1))).toEqual(["c", "b", "a"]);
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
      expect.stringContaining("is no regular file"),
      expect.stringContaining("names another record"),
      expect.stringContaining("names another record"),
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
  const kept = async () => {
    const { root, store } = newStore();
    const build_log = store.keep("demo", "the log\n", "text/plain");
    const sbom = store.keep("demo", new Uint8Array([0, 255]), "application/json");
    await store.add(record({ evidence: { build_log, sbom } }));
    return { root, store, build_log, sbom, file: join(root, "records/demo", build_log.path) };
  };

  it("lies under its own hash", async () => {
    const { build_log, file, sbom } = await kept();
    const hex = sha256("the log\n");
    expect(build_log).toEqual({
      path: `evidence/sha256/${hex.slice(0, 2)}/${hex}`,
      sha256: hex,
      bytes: 8,
      media_type: "text/plain",
    });
    expect(readFileSync(file, "utf8")).toBe("the log\n");
    expect(sbom.bytes).toBe(2);
  });

  it("is kept once, and made good where it was spoilt", async () => {
    const { store, file } = await kept();
    const { ino } = statSync(file);
    store.keep("demo", "the log\n", "text/plain");
    expect(statSync(file).ino).toBe(ino);
    writeFileSync(file, "THE LOG\n");
    store.keep("demo", "the log\n", "text/plain");
    expect(readFileSync(file, "utf8")).toBe("the log\n");
    expect(await store.verify()).toEqual({ checked: 1, evidence: 2, problems: [] });
  });

  it.each([
    ["one other byte", (file: string) => writeFileSync(file, "the lag\n"), "hashes to"],
    ["a byte more", (file: string) => writeFileSync(file, "the log\n\n"), "9 bytes instead of 8"],
    ["nothing left in it", (file: string) => writeFileSync(file, ""), "0 bytes instead of 8"],
    ["no file left", (file: string) => rmSync(file), "missing"],
    [
      "a link to nothing",
      (file: string) => {
        rmSync(file);
        symlinkSync("gone", file);
      },
      "missing",
    ],
    [
      "a folder in its place",
      (file: string) => {
        rmSync(file);
        mkdirSync(file);
      },
      "not a regular file",
    ],
  ])("is found wanting with %s", async (_, spoil, what) => {
    const { store, file, build_log } = await kept();
    expect(await store.verify("20261121t010203456z-00000001")).toEqual({
      checked: 1,
      evidence: 2,
      problems: [],
    });
    spoil(file);
    const { checked, evidence, problems } = await store.verify();
    expect({ checked, evidence }).toEqual({ checked: 1, evidence: 2 });
    expect(problems).toEqual([
      {
        record_id: "20261121t010203456z-00000001",
        evidence: "build_log",
        what: expect.stringContaining(what) as string,
      },
    ]);
    expect(problems[0]?.what).toContain(build_log.path);
  });

  it("may not be named outside of the record's folder", async () => {
    const { store, build_log } = await kept();
    const evidence = { build_log: { ...build_log, path: "../../../etc/passwd" } };
    await expect(store.add(record({ evidence }))).rejects.toThrow("does not match its schema");
  });
});

describe("a process that is killed while it writes records", () => {
  it("leaves whole records alone, 20 times over", async () => {
    const root = temporaryFolder();
    const writer = fileURLToPath(new URL("./records-writer.ts", import.meta.url));
    const store = openRecordStore(root);
    let total = 0;
    for (let round = 0; round < 20; round += 1) {
      const child = spawn(process.execPath, ["--import", "tsx", writer, root, String(round)], {
        cwd: repository,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(child, "exit");
      // It writes a dot after each record; after how many it is killed, and where in the next one, is left to chance.
      let left = Math.ceil(Math.random() * 20);
      for await (const dots of child.stdout) if ((left -= String(dots).length) <= 0) child.kill("SIGKILL");
      await ended;
      expect(child.signalCode).toBe("SIGKILL");
      const { checked, problems } = await store.verify();
      expect(problems).toEqual([]);
      expect(checked).toBeGreaterThan(total);
      total = checked;
    }
    const { unreadable, records } = await store.list({});
    expect([unreadable, records.length]).toEqual([[], total]);
  });
});
