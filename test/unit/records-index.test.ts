import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeManyRecords } from "../../bench/many-records.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { draft, idAt, record } from "./records-made.ts";
import { expectAsScanned, expectListed, open, settled } from "./records-scan.ts";
import { repository, sha256, temporaryFolder, treeOf } from "./workspace.ts";

const indexOf = (root: string, manifestId = "demo") => join(root, ".factory/records", `${manifestId}.ndjson`);
const fileOf = (root: string, hour: number, manifestId = "demo") =>
  join(root, "records", manifestId, `${idAt(hour)}.json`);
const key = (of: number) => `sha256:${sha256(String(of))}`;
const textOf = (one: FactoryRecord) => JSON.stringify(one, null, 2);

/** A workspace with records of the manifest `demo`, one an hour. */
function workspace(hours: readonly number[] = [1, 2, 3]): string {
  const root = temporaryFolder();
  mkdirSync(join(root, "records/demo"), { recursive: true });
  for (const hour of hours) writeFileSync(fileOf(root, hour), textOf(record({ record_id: idAt(hour) })));
  return root;
}

/**
 * A writer that never leaves a file with a stamp that it had before: within one tick of the file system's clock, a change could
 * not be told. Factory does not remember files so young; here the clock is ahead, so that it does.
 */
function newWriter() {
  const used = new Map<string, Set<string>>();
  return (file: string, text: string) => {
    const stamps = used.get(file) ?? new Set();
    used.set(file, stamps);
    for (;;) {
      writeFileSync(file, text);
      const { ino, ctimeMs, size } = statSync(file);
      const stamp = `${ino} ${ctimeMs} ${size}`;
      if (stamps.has(stamp)) continue;
      stamps.add(stamp);
      return;
    }
  };
}

const MANIFESTS = ["demo", "other"];
const manifest = fc.constantFrom(...MANIFESTS);
const share = fc.double({ min: 0, max: 0.999, noNaN: true });

/** A change of a record's file. */
const recordStep = fc.record({
  manifest,
  hour: fc.integer({ min: 1, max: 6 }),
  change: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("write" as const),
        anew: fc.boolean(),
        status: fc.constantFrom("pass" as const, "fail" as const),
        verdict: fc.integer({ min: 0, max: 2 }),
        build: fc.integer({ min: 0, max: 1 }),
        cell: fc.constantFrom("one", "two"),
        ref: fc.option(fc.string({ unit: "binary", maxLength: 8 })),
      }),
    },
    fc.record({
      do: fc.constant("spoil" as const),
      text: fc.constantFrom("", "{", "null", "{}", "[]", '"text"', "\0", textOf(record())),
    }),
    fc.record({
      do: fc.constantFrom("remove" as const, "link" as const, "folder" as const, "touch" as const),
    }),
  ),
});

/** A change of an index, or of the table beside it, all but the last of which it must not survive. */
const indexStep = fc.record({
  manifest,
  of: fc.constantFrom("ndjson" as const, "table" as const),
  harm: fc.oneof(
    fc.record({ do: fc.constantFrom("tear" as const, "flip" as const), at: share }),
    fc.record({ do: fc.constant("append" as const), text: fc.string({ minLength: 1 }) }),
    fc.record({
      do: fc.constantFrom(
        "swap" as const,
        "forget" as const,
        "repeat" as const,
        "keep" as const,
        "restore" as const,
      ),
    }),
  ),
});

/**
 * Changes a folder until it has a stamp that it never had: within one tick of the file system's clock, a new item could not be
 * told. Factory does not remember folders so young; here the clock is ahead, so that it does.
 */
function newStamps() {
  const used = new Map<string, Set<string>>();
  return (folder: string) => {
    const stamps = used.get(folder) ?? new Set();
    used.set(folder, stamps);
    for (;;) {
      const { ino, ctimeMs, size } = statSync(folder);
      const stamp = `${ino} ${ctimeMs} ${size}`;
      if (!stamps.has(stamp)) return void stamps.add(stamp);
      writeFileSync(join(folder, "x"), "");
      rmSync(join(folder, "x"));
    }
  };
}

/** An opening. One that is not checked goes on while the next steps are done. */
const opening = fc.record({ young: fc.boolean(), check: fc.boolean() });

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;

function changeRecord(root: string, step: Of<typeof recordStep>, write: ReturnType<typeof newWriter>): void {
  const { manifest: manifest_id, hour, change } = step;
  const file = fileOf(root, hour, manifest_id);
  const kind = lstatSync(file, { throwIfNoEntry: false });
  if (change.do === "touch") {
    if (kind?.isFile()) chmodSync(file, kind.mode & 1 ? 0o644 : 0o755);
    return;
  }
  const inPlace = change.do === "spoil" || (change.do === "write" && !change.anew);
  if (kind && !(inPlace && kind.isFile())) rmSync(file, { recursive: true });
  if (change.do === "spoil") write(file, change.text);
  if (change.do === "link") symlinkSync(fileOf(root, (hour % 6) + 1, manifest_id), file);
  if (change.do === "folder") mkdirSync(file);
  if (change.do !== "write") return;
  const { status, verdict, build, cell: cell_id, ref } = change;
  const of = { digest: key(9), manifest_digest: key(9), size: 1, layers: 1, pushed: verdict === 0 };
  const made = record({
    record_id: idAt(hour),
    manifest_id,
    cell_id,
    verdict_key: key(verdict),
    build_key: key(build),
    image: ref === null ? null : { ref, ...of },
    result: { status },
  });
  write(file, textOf(made));
}

function harmIndex(root: string, { manifest: id, of, harm }: Of<typeof indexStep>): void {
  const fileOf = (manifestId: string | undefined) => indexOf(root, manifestId).replace(/ndjson$/, of);
  const index = fileOf(id);
  const kept = join(root, `kept-${id}-${of}`);
  if (harm.do === "restore" && existsSync(kept)) copyFileSync(kept, index);
  if (!existsSync(index)) return;
  const bytes = readFileSync(index);
  const at = "at" in harm ? Math.floor(bytes.length * harm.at) : 0;
  if (harm.do === "tear") writeFileSync(index, bytes.subarray(0, at));
  if (harm.do === "flip") {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(index, bytes);
  }
  if (harm.do === "append") appendFileSync(index, harm.text);
  if (harm.do === "swap") copyFileSync(index, fileOf(MANIFESTS.find((other) => other !== id)));
  if (harm.do === "forget") rmSync(index);
  if (harm.do === "repeat") appendFileSync(index, bytes.subarray(bytes.indexOf("\n") + 1));
  if (harm.do === "keep") copyFileSync(index, kept);
}

describe("the attempts of a workspace", () => {
  it(
    "are those of a scan of all files, whatever happened to records and index",
    { timeout: 600_000 },
    async () => {
      const steps = fc.array(
        fc.oneof(
          { weight: 4, arbitrary: recordStep },
          { weight: 2, arbitrary: indexStep },
          { weight: 3, arbitrary: opening },
        ),
        { minLength: 1, maxLength: 25 },
      );
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const root = mkdtempSync(join(tmpdir(), "factory-unit-"));
          try {
            for (const id of MANIFESTS) mkdirSync(join(root, "records", id), { recursive: true });
            const [write, stampAnew] = [newWriter(), newStamps()];
            for (const id of MANIFESTS) stampAnew(join(root, "records", id));
            const pending: Promise<unknown>[] = [];
            for (const one of [...all, { young: false, check: true }]) {
              if ("change" in one) {
                changeRecord(root, one, write);
                stampAnew(join(root, "records", one.manifest));
              } else if ("harm" in one) harmIndex(root, one);
              else if (!one.check)
                pending.push(
                  open(root, one.young ? {} : settled),
                  openStore(root).list({}, one.young ? {} : settled),
                );
              else {
                await Promise.all(pending.splice(0));
                const watch = one.young ? {} : settled;
                const listed = await openStore(root).list({}, watch);
                expectListed(listed, await expectAsScanned(root, await open(root, watch)));
              }
            }
          } finally {
            rmSync(root, { recursive: true });
          }
        }),
        { numRuns: 150 },
      );
    },
  );

  it("are none where there are no records", async () => {
    const root = temporaryFolder();
    const { attempts, notes, unreadable } = await open(root);
    expect([
      attempts.withVerdictKey(key(1)),
      attempts.withBuildKey("x"),
      [...attempts.ofManifest("demo")],
    ]).toEqual([[], [], []]);
    expect([notes, unreadable]).toEqual([[], []]);
    expect(readdirSync(root)).toEqual([]);
  });

  it("are those of the manifests that are asked for, and of no path", async () => {
    const root = workspace([1]);
    writeManyRecords(root, 2);
    symlinkSync(join(root, "records/demo"), join(root, "demo"));
    const ids = async (manifestIds: string[]) => {
      const { attempts } = await open(root, { manifestIds, ...settled });
      return ["demo", "many", "../demo"].flatMap((id) =>
        [...attempts.ofManifest(id)].map((one) => one.manifest_id),
      );
    };
    expect(await ids(["demo"])).toEqual(["demo"]);
    expect(await ids(["many", "demo", "many", "none"])).toEqual(["demo", "many", "many"]);
    expect(await ids(["../demo", "", ".", "demo/../demo", "a\0b"])).toEqual([]);
    expect(readdirSync(join(root, ".factory/records")).sort()).toEqual(["demo.ndjson", "many.ndjson"]);
  });

  it("of two records with one id come in the order of the list of records", async () => {
    const root = workspace([1, 2]);
    mkdirSync(join(root, "records/other"));
    writeFileSync(fileOf(root, 1, "other"), textOf(record({ record_id: idAt(1), manifest_id: "other" })));
    const { attempts } = await open(root);
    const listed = await openStore(root).list({});
    const order = (all: readonly { record_id: string; manifest_id: string }[]) =>
      all.map(({ record_id, manifest_id }) => `${record_id} ${manifest_id}`);
    expect(order(attempts.withVerdictKey(record().verdict_key))).toEqual(order(listed.records));
  });
});

describe("the index", () => {
  it("is lines of JSON, a header first", async () => {
    const root = workspace();
    expect((await open(root)).read).toBe(3);
    const lines = readFileSync(indexOf(root), "utf8").split("\n");
    expect(lines.map((line) => line && (JSON.parse(line) as unknown))).toEqual([
      expect.objectContaining({ schema: "factory/records-index", version: 3, manifest_id: "demo" }),
      ...[1, 2, 3].map((one) => expect.arrayContaining([idAt(one)]) as unknown),
      "",
    ]);
  });

  it("keeps records from being read again", async () => {
    const root = workspace();
    expect((await open(root)).read).toBe(3);
    const before = treeOf(root);
    expect((await open(root)).read).toBe(0);
    expect(treeOf(root)).toBe(before);
    writeFileSync(fileOf(root, 4), textOf(record({ record_id: idAt(4) })));
    expect((await open(root)).read).toBe(1);
    rmSync(fileOf(root, 2));
    const last = await open(root);
    expect(last.read).toBe(0);
    expect([...last.attempts.ofManifest("demo")].map((one) => one.record_id)).toEqual([4, 3, 1].map(idAt));
  });

  it("remembers no record that could change again within a tick of the clock", async () => {
    const root = workspace();
    expect((await open(root, { now: Date.now })).read).toBe(3);
    expect(existsSync(indexOf(root))).toBe(false);
    expect((await open(root, { now: Date.now })).read).toBe(3);
    expect((await open(root)).read).toBe(3);
    expect((await open(root, { now: Date.now })).read).toBe(0);
  });

  it("sees a record that was edited in place, even where its size and time are as before", async () => {
    const root = workspace();
    await open(root);
    const file = fileOf(root, 2);
    const { atime, mtime } = statSync(file);
    await new Promise((done) => setTimeout(done, 20));
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace('"status": "pass",\n    "stage"', '"status": "fail",\n    "stage"'),
    );
    utimesSync(file, atime, mtime);
    const opened = await open(root);
    expect(opened.read).toBe(1);
    expect(opened.attempts.ofCell("demo", "demo.linux-amd64").map((one) => one.status)).toEqual([
      "pass",
      "fail",
      "pass",
    ]);
  });

  it("takes a record with the same bytes and another stamp for the same record", async () => {
    const root = workspace();
    await open(root);
    chmodSync(fileOf(root, 1), 0o600);
    expect((await open(root)).read).toBe(1);
    const opened = await open(root);
    expect(opened.read).toBe(0);
    await expectAsScanned(root, opened);
  });

  it.each<[string, string, (index: string) => void]>([
    ["torn", "damaged", (index) => writeFileSync(index, readFileSync(index).subarray(0, -1))],
    [
      "cut within its header",
      "another format",
      (index) => writeFileSync(index, readFileSync(index).subarray(0, 9)),
    ],
    ["empty", "another format", (index) => writeFileSync(index, "")],
    ["joined by an alien line", "damaged", (index) => appendFileSync(index, "hello\n")],
    ["joined by an empty line", "damaged", (index) => appendFileSync(index, "\n")],
    [
      "joined by a line of JSON",
      "damaged",
      (index) => appendFileSync(index, `${JSON.stringify("x".repeat(400))}\n`),
    ],
    [
      "of another version",
      "another format",
      (index) => writeFileSync(index, readFileSync(index, "utf8").replace('"version":3', '"version":1')),
    ],
    [
      "of another manifest",
      "another format",
      (index) => writeFileSync(index, readFileSync(index, "utf8").replace('"demo"', '"omed"')),
    ],
    [
      "from before another schema of records",
      "another format",
      (index) =>
        writeFileSync(
          index,
          readFileSync(index, "utf8").replace(/"records":"sha256:./, '"records":"sha256:x'),
        ),
    ],
    [
      "changed by one letter",
      "damaged",
      (index) => writeFileSync(index, readFileSync(index, "utf8").replace('"fail"', '"pass"')),
    ],
    [
      "a folder",
      "not a regular file",
      (index) => {
        rmSync(index);
        mkdirSync(index);
      },
    ],
  ])("is made anew where it is %s, and that is said", async (_, why, harm) => {
    const root = workspace();
    writeFileSync(fileOf(root, 4), textOf(record({ record_id: idAt(4), result: { status: "fail" } })));
    await open(root);
    const whole = readFileSync(indexOf(root), "utf8");
    harm(indexOf(root));
    const opened = await open(root);
    expect(opened.read).toBe(4);
    expect(opened.notes[0]).toContain(why);
    await expectAsScanned(root, opened);
    if (statSync(indexOf(root)).isFile()) expect(readFileSync(indexOf(root), "utf8")).toBe(whole);
  });

  it("is written anew where most of its lines are of no use", async () => {
    const root = temporaryFolder();
    writeManyRecords(root, 1200, { bare: true });
    await open(root);
    const { size } = statSync(indexOf(root, "many"));
    for (const name of readdirSync(join(root, "records/many"))
      .filter((one) => one.endsWith(".json"))
      .slice(50))
      rmSync(join(root, "records/many", name));
    const opened = await open(root);
    expect(opened.read).toBe(0);
    expect(statSync(indexOf(root, "many")).size).toBeLessThan(size / 10);
    await expectAsScanned(root, opened);
    expect((await open(root)).read).toBe(0);
  });

  it("is not needed: answers are the same where it cannot be written", async () => {
    const root = workspace();
    writeFileSync(join(root, ".factory"), "");
    const opened = await open(root);
    expect(opened.notes).toEqual([expect.stringContaining("is not used: ENOTDIR")]);
    await expectAsScanned(root, opened);
    expect(readFileSync(join(root, ".factory"), "utf8")).toBe("");
  });

  it.each([".factory", ".factory/records", ".factory/records/demo.ndjson"])(
    "is neither read nor written behind a link at %s",
    async (path) => {
      const root = workspace();
      await open(root);
      const outside = temporaryFolder();
      renameSync(join(root, path), join(outside, "moved"));
      symlinkSync(join(outside, "moved"), join(root, path));
      writeFileSync(fileOf(root, 4), textOf(record({ record_id: idAt(4) })));
      const before = treeOf(outside);
      const opened = await open(root);
      expect(opened.read).toBe(4);
      expect(opened.notes).toEqual([expect.stringContaining(`${path} is a link`)]);
      await expectAsScanned(root, opened);
      expect(treeOf(outside)).toBe(before);
    },
  );

  it("stays whole while several processes add to it", async () => {
    const root = workspace([]);
    const opener = fileURLToPath(new URL("./records-opener.ts", import.meta.url));
    const children = [1, 2].map(() =>
      spawn(process.execPath, ["--import", "tsx", opener, root, "150"], {
        cwd: repository,
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
    let said = "";
    let opened = 0;
    for (const child of children) {
      child.stderr.on("data", (text: Buffer) => (said += String(text)));
      child.stdout.on("data", (text: Buffer) => (opened += text.length));
    }
    const store = openStore(root);
    const ended = Promise.all(children.map((child) => once(child, "exit")));
    let running = true;
    void ended.then(() => (running = false));
    for (let hour = 1; running; hour += 1) {
      if (hour <= 500) await store.put(draft(), new Date(Date.UTC(2026, 0, 1, hour)));
      await new Promise((done) => setImmediate(done));
    }
    expect(await ended).toEqual([
      [0, null],
      [0, null],
    ]);
    expect([said, opened]).toEqual(["", 300]);
    const last = await open(root);
    expect(last.notes).toEqual([]);
    await expectAsScanned(root, last);
  });
});
