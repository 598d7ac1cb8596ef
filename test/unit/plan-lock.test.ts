import { renameSync, rmSync, symlinkSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { axisText } from "../../src/plan/version-axis.ts";
import {
  axisKey,
  entriesOf,
  isEdited,
  type LockEntry,
  lockDigest,
  lockText,
  rangeKey,
  subjectKey,
} from "../../src/plan/lock/lock.ts";
import { writeLock } from "./plan-lock-builder.ts";
import { findingsFrom, makeWorkspace, writeFiles } from "./workspace.ts";

function entriesWith(entries: readonly LockEntry[]) {
  return new Map(entries.map((entry) => [subjectKey(entry), entry]));
}

const DIGEST = `sha256:${"ab".repeat(32)}`;
const ENTRIES: LockEntry[] = [
  { kind: "base", name: "debian:bookworm-slim", at: "linux/arm64", value: DIGEST },
  { kind: "fragment", name: "core", at: "~0.1", value: "0.1.1" },
  { kind: "fragment", name: "core", at: ">=0.1 <1", value: "0.2.0" },
  { kind: "fragment", name: "core", at: "0", value: "0.2.0" },
  { kind: "axis", name: "core", at: "latest: 2", value: ["0.1.1", "0.2.0"] },
  { kind: "base", name: "debian:bookworm-slim", at: "linux/amd64", value: DIGEST },
  { kind: "template", name: "plain", at: "0.1", value: "0.1.0" },
  { kind: "fragment", name: "app", at: "0.1.0", value: "0.1.0" },
];

describe("factory.lock", () => {
  it("is sorted, and says what wrote it", () => {
    const text = lockText(entriesWith(ENTRIES));
    expect(text).toBe(`# Written by \`factory lock\`; do not edit: \`lock_digest\` is over everything in here.
# \`factory lock\` adds what is missing and keeps the rest, \`factory lock --update\` takes the newest.
schema_version: 1
templates:
  plain:
    "0.1": 0.1.0
fragments:
  app:
    0.1.0: 0.1.0
  core:
    "0": 0.2.0
    ">=0.1 <1": 0.2.0
    ~0.1: 0.1.1
axes:
  core:
    "latest: 2":
      - 0.1.1
      - 0.2.0
bases:
  debian:bookworm-slim:
    linux/amd64: ${DIGEST}
    linux/arm64: ${DIGEST}
lock_digest: ${lockDigest(entriesWith(ENTRIES))}
`);
    expect(lockText(entriesWith([...ENTRIES].reverse()))).toBe(text);
  });

  it("reads as what was written", () => {
    const id = fc.stringMatching(/^[a-z0-9]{1,8}([_-][a-z0-9]{1,4})?$/);
    const version = fc.stringMatching(/^[0-9]\.[0-9]\.[0-9](-[a-z]{1,3})?$/);
    // Texts that YAML would take for something else, among others.
    const range = fc.oneof(
      fc.constantFrom(
        "~",
        "*",
        "0.1",
        "1e3",
        "x",
        " 1",
        "=1",
        "- 1",
        "0x1",
        ">",
        "|",
        "^1 || ~2",
        "latest: 2",
      ),
      fc.stringMatching(/^[0-9A-Za-z.+*^~<>=|-][0-9A-Za-z.+*^~<>=| -]{0,20}$/),
    );
    const entry = fc.oneof(
      fc.record({ kind: fc.constantFrom("template", "fragment"), name: id, at: range, value: version }),
      fc.record({
        kind: fc.constant("axis"),
        name: id,
        at: range,
        value: fc.uniqueArray(version, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({
        kind: fc.constant("base"),
        name: fc.constantFrom("debian:1", "a/b", "127.0.0.1:5000/x:latest"),
        at: fc.constantFrom("linux/amd64", "linux/arm/v7"),
        value: fc.constant(DIGEST),
      }),
    ) as fc.Arbitrary<LockEntry>;
    const root = makeWorkspace();
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), (list) => {
        const entries = entriesWith(list);
        writeFiles(root, { "factory.lock": lockText(entries) });
        const lock = openCatalog(root).lock();
        expect(lock).not.toBeNull();
        if (!lock) return;
        expect(isEdited(lock.document)).toBe(false);
        expect(Object.fromEntries(entriesOf(lock.document))).toEqual(Object.fromEntries(entries));
        expect(lockText(entriesOf(lock.document))).toBe(lockText(entries));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["a comment", (text: string) => text.replace("fragments:", "# ours\nfragments: # all of them")],
    ["line ends", (text: string) => text.replaceAll("\n", "\r\n")],
    ["a byte order mark", (text: string) => `\ufeff${text}`],
    [
      "another order",
      (text: string) => {
        const [digest = ""] = /^lock_digest: .*\n/m.exec(text) ?? [];
        return digest + text.replace(digest, "");
      },
    ],
  ])("is not edited by %s", (_what, change) => {
    const root = makeWorkspace();
    const text = writeLock(root);
    expect(change(text)).not.toBe(text);
    writeFiles(root, { "factory.lock": change(text) });
    const lock = openCatalog(root).lock();
    expect(lock && isEdited(lock.document)).toBe(false);
  });

  it.each([
    ["a version", (text: string) => text.replace("~0.1: 0.1.1", "~0.1: 0.1.0")],
    ["a range", (text: string) => text.replace("~0.1: 0.1.1", "~0.1.0: 0.1.1")],
    ["an entry less", (text: string) => text.replace("    0.1.0: 0.1.0\n", "").replace("  app:\n", "")],
    ["a digest", (text: string) => text.replace(/(linux\/arm64: sha256:)../, "$1zz").replace("zz", "00")],
  ])("is edited by %s", (_what, change) => {
    const root = makeWorkspace();
    const text = writeLock(root);
    writeFiles(root, { "factory.lock": change(text) });
    const lock = openCatalog(root).lock();
    expect(change(text)).not.toBe(text);
    expect(lock && isEdited(lock.document)).toBe(true);
  });

  it("is null where there is none, also for a link to nothing", () => {
    const root = makeWorkspace();
    expect(openCatalog(root).lock()).toBeNull();
    symlinkSync("nowhere", `${root}/factory.lock`);
    expect(openCatalog(root).lock()).toBeNull();
  });

  it("is read through a link within the workspace, and not through one that leads out", () => {
    const root = makeWorkspace();
    writeLock(root);
    renameSync(`${root}/factory.lock`, `${root}/locks.txt`);
    symlinkSync("locks.txt", `${root}/factory.lock`);
    expect(openCatalog(root).lock()).not.toBeNull();
    rmSync(`${root}/factory.lock`);
    symlinkSync("/etc/hostname", `${root}/factory.lock`);
    expect(findingsFrom(() => openCatalog(root).lock())).toMatchObject([
      {
        code: "FILE_OUTSIDE",
        where: { file: "factory.lock" },
        fix: expect.stringContaining("copy") as string,
      },
    ]);
  });

  it("names the place of a merge conflict, and what to do", () => {
    const root = makeWorkspace();
    const conflict = "<<<<<<< HEAD\n    ~0.1: 0.1.0\n=======\n    ~0.1: 0.1.1\n>>>>>>> other\n";
    const text = writeLock(root).replace("    ~0.1: 0.1.1\n", conflict);
    writeFiles(root, { "factory.lock": text });
    const line = text.split("\n").indexOf("<<<<<<< HEAD") + 1;
    expect(findingsFrom(() => openCatalog(root).lock())[0]).toMatchObject({
      code: "YAML_SYNTAX",
      where: { file: "factory.lock", line, col: 1 },
      fix: "restore it from version control, or remove it and run `factory lock`",
    });
  });

  it.each([
    ["lock_digest: here", "SCHEMA"],
    ["lock_digest: 1\nmore: 2", "SCHEMA_UNKNOWN_FIELD"],
    ["{}", "SCHEMA_MISSING_FIELD"],
    ["", "SCHEMA"],
  ])("refuses %j", (text, code) => {
    const root = makeWorkspace({ "factory.lock": text });
    expect(findingsFrom(() => openCatalog(root).lock()).map((one) => one.code)).toContain(code);
  });

  it("refuses a folder", () => {
    const root = makeWorkspace({ "factory.lock/a.txt": "" });
    expect(findingsFrom(() => openCatalog(root).lock())).toMatchObject([
      { code: "FILE_UNREADABLE", fix: expect.stringContaining("factory lock") as string },
    ]);
  });
});

describe("ranges and axes in the lock", () => {
  it.each([
    [">=0.1 <1", ">=0.1 <1"],
    ["  >=0.1   <1 ", ">=0.1 <1"],
    ["0.1.0", "0.1.0"],
    // A version to the letter is another range than one with a space before it, which takes builds of it too.
    [" 0.1.0", " 0.1.0"],
    ["1 -  2", "1 - 2"],
  ])("writes the range %j as %j", (range, key) => {
    expect(rangeKey(range)).toBe(key);
    expect(axisKey(axisText({ latest: 2, "latest-minor": 3, range }))).toBe(
      `latest: 2, latest-minor: 3 of ${key}`,
    );
    expect(axisKey(axisText(range))).toBe(key);
  });

  it("writes an axis without a range as it is", () => {
    expect(axisKey(axisText({ latest: 2 }))).toBe("latest: 2");
  });
});
