import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/pipeline/open-store.ts";
import { timeOfRecordId } from "../../src/records/record-id.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { provenDraft, START } from "../unit/records-made.ts";
import { NOW, plan, proven } from "../unit/reuse-world.ts";
import { temporaryFolder } from "../unit/workspace.ts";
import { type Change, codesOf, editRecord, forgeRecord, readRecord, swapEvidence } from "./records-forge.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** When the record of `proven` says that its cell was tested. */
const TESTED = NOW - DAY;

describe("A5 a record from the future", () => {
  it.each(["", "reuse: {max_age: 30d}\n"])("A5 is never fresh, and the clock is named (%j)", async (max) => {
    const { root } = await proven();
    appendFileSync(join(root, "factory.yaml"), max);
    const notes: string[] = [];
    const now = TESTED - 6 * MINUTE;
    const [cell] = await plan(root, { now, note: (text) => notes.push(text) });
    expect(cell).toMatchObject({ action: "build", reason: "EXPIRED" });
    expect(cell?.changes).toMatchObject([{ input: "clock", after: new Date(now).toISOString() }]);
    expect(notes).toEqual([expect.stringMatching(/^warning: .*from the future by this machine's clock/)]);
  });

  it("A5 is believed where two clocks are a few minutes apart", async () => {
    const { root } = await proven();
    const notes: string[] = [];
    const [cell] = await plan(root, { now: TESTED - 4 * MINUTE, note: (text) => notes.push(text) });
    expect([cell?.action, notes]).toEqual(["reuse", []]);
  });
});

const HEX = "c".repeat(64);
const DIGEST = `sha256:${HEX}`;

/** A field, an edit of it, and the problem that its evidence makes of it even where the record's id and ledger go with the edit. */
const FIELDS: [string, Change, string][] = [
  ["manifest's cell_id", (one) => (one.cell_id = "demo.other"), "INPUT_MISMATCH"],
  ["recipe_key", (one) => (one.recipe_key = DIGEST), "KEY_MISMATCH"],
  ["build_key", (one) => (one.build_key = DIGEST), "KEY_MISMATCH"],
  ["verdict_key", (one) => (one.verdict_key = DIGEST), "KEY_MISMATCH"],
  ["test_suite_hash", (one) => (one.test_suite_hash = DIGEST), "KEY_MISMATCH"],
  ["template version", (one) => (one.template.version = "9.9.9"), "INPUT_MISMATCH"],
  ["template digest", (one) => (one.template.digest = DIGEST), "INPUT_MISMATCH"],
  [
    "a fragment's version",
    (one) => Object.assign(one.fragments[0] ?? {}, { version: "9.9.9" }),
    "INPUT_MISMATCH",
  ],
  ["a fragment less", (one) => void one.fragments.pop(), "INPUT_MISMATCH"],
  ["an argument", (one) => (one.args.port = 1), "INPUT_MISMATCH"],
  ["base ref", (one) => (one.base.ref = "debian:other"), "INPUT_MISMATCH"],
  ["base digest", (one) => (one.base.digest = DIGEST), "INPUT_MISMATCH"],
  ["no base digest", (one) => (one.base.digest = null), "INPUT_MISMATCH"],
  ["images", (one) => (one.images = []), "INPUT_MISMATCH"],
  ["platform", (one) => (one.platform = "linux/arm64"), "INPUT_MISMATCH"],
  ["image digest", (one) => Object.assign(one.image ?? {}, { digest: DIGEST }), "IMAGE_MISMATCH"],
  [
    "image manifest_digest",
    (one) => Object.assign(one.image ?? {}, { manifest_digest: DIGEST }),
    "IMAGE_MISMATCH",
  ],
  ["image size", (one) => Object.assign(one.image ?? {}, { size: 12345 }), "IMAGE_MISMATCH"],
  ["image layers", (one) => Object.assign(one.image ?? {}, { layers: 99 }), "IMAGE_MISMATCH"],
  ["no image", (one) => (one.image = null), "IMAGE_MISMATCH"],
  ["tests", (one) => (one.tests = []), "TESTS_MISMATCH"],
  ["a test's id", (one) => Object.assign(one.tests[0] ?? {}, { id: "core/other" }), "TESTS_MISMATCH"],
  ["a test's status", (one) => Object.assign(one.tests[0] ?? {}, { status: "skipped" }), "TESTS_MISMATCH"],
  ["a test's duration", (one) => Object.assign(one.tests[0] ?? {}, { duration_ms: 9 }), "TESTS_MISMATCH"],
  ["status", (one) => (one.result.status = "fail"), "STATUS_MISMATCH"],
  ["stage", (one) => (one.result.stage = "sbom"), "STATUS_MISMATCH"],
  ["class", (one) => (one.result.class = "step"), "STATUS_MISMATCH"],
  ["log_excerpt", (one) => (one.result.log_excerpt = ["boom"]), "STATUS_MISMATCH"],
  ["tested_at", (one) => (one.result.tested_at = "2099-01-01T00:00:00.000Z"), "TIME_MISMATCH"],
  ["duration_ms", (one) => (one.result.duration_ms += 1), "TIME_MISMATCH"],
  ["proven_by", (one) => (one.proven_by = "20200101t000000000z-0000000000000000"), "TIME_MISMATCH"],
  ...["inputs", "dockerfile", "build_log", "smoke_report", "sbom", "provenance", "buildkit_provenance"].map(
    (kind): [string, Change, string] => [
      `no ${kind}`,
      (one) => void delete one.evidence[kind],
      "EVIDENCE_REQUIRED",
    ],
  ),
  ["no evidence at all", (one) => (one.evidence = {}), "EVIDENCE_REQUIRED"],
  [
    "evidence of another kind",
    (one) =>
      (one.evidence = { ...one.evidence, sbom: one.evidence.smoke_report ?? one.evidence.sbom } as never),
    "EVIDENCE_MALFORMED",
  ],
];

/** Fields of which no evidence tells: an edit alone is caught; with id and ledger made to go with it, only a signature would tell. */
const UNTOLD: [string, Change][] = [
  ["plan_id", (one) => (one.plan_id = "other")],
  ["ref", (one) => Object.assign(one.image ?? {}, { ref: "other:1" })],
  ["pushed", (one) => Object.assign(one.image ?? {}, { pushed: true })],
  ["expected", (one) => (one.result.expected = false)],
  ["stages_ms", (one) => (one.result.stages_ms.build = 1_000_000)],
  ["notes", (one) => (one.result.notes = ["all is well"])],
  ["cache", (one) => (one.cache.hits += 1)],
  ["retries", (one) => (one.retries += 1)],
  ["tools", (one) => (one.tools.factory = "9.9.9")],
  ["commit", (one) => (one.source.commit = "f".repeat(40))],
  ["dirty", (one) => (one.source.dirty = false)],
  ["ci_url", (one) => (one.source.ci_url = "https://ci.example/1")],
];

/** No cell is reused: the plan is refused, or builds. */
async function expectNoReuse(root: string): Promise<void> {
  const [cell] = await plan(root).catch(() => []);
  expect(cell?.action).not.toBe("reuse");
}

describe("A4 an edited record", () => {
  it("A4 is none where nothing was edited", async () => {
    const { root } = await proven();
    expect(await codesOf(root)).toEqual([]);
    expect(await plan(root)).toMatchObject([{ action: "reuse" }]);
  });

  it.each<[string, Change, string?]>([...FIELDS, ...UNTOLD])(
    "A4 an edited field is caught: %s",
    async (_, change) => {
      const { root, record } = await proven();
      editRecord(root, record, change);
      expect(await codesOf(root)).toContain("RECORD_EDITED");
      await expectNoReuse(root);
    },
  );

  it.each(FIELDS)(
    "A4 is caught by its evidence too, with an id and a ledger that go with it: %s",
    async (_, change, code) => {
      const { root, record } = await proven();
      const forged = forgeRecord(root, record, change);
      const { problems } = await openStore(root).verify();
      expect(problems.map((one) => one.code)).toContain(code);
      const { record_id } = readRecord(root, forged);
      for (const problem of problems) expect(problem.record_id).toBe(record_id);
      await expectNoReuse(root);
    },
  );

  it.each(UNTOLD)("A4 is unlisted with an id that goes with it: %s", async (_, change) => {
    const { root, record } = await proven();
    const ledger = join(root, "records/demo/ledger");
    renameSync(ledger, join(root, "kept"));
    mkdirSync(ledger);
    forgeRecord(root, record, change);
    rmSync(ledger, { recursive: true });
    renameSync(join(root, "kept"), ledger);
    expect(await codesOf(root)).toEqual(["RECORD_GONE", "RECORD_UNLISTED"]);
    await expectNoReuse(root);
  });

  it("A4 is another file where its bytes are, though it says the same", async () => {
    const { root, record } = await proven();
    const text = readFileSync(join(root, record), "utf8");
    writeFileSync(join(root, record), `${text} `);
    expect(await codesOf(root)).toEqual(["RECORD_EDITED"]);
    await expectNoReuse(root);
  });

  it("A4 is caught where report and record agree that a failed test is a pass", async () => {
    const { root, record } = await proven();
    const report = readRecord(root, record).evidence.smoke_report?.path ?? "";
    const text = readFileSync(join(root, "records/demo", report), "utf8");
    const [head = "", tests = ""] = text.split('"tests": [');
    const told = `${head}"tests": [${tests.replaceAll('"status": "pass"', '"status": "fail"')}`;
    expect(told).not.toBe(text);
    forgeRecord(root, record, (one) => {
      swapEvidence(root, "smoke_report", told)(one);
      for (const test of one.tests) test.status = "fail";
    });
    expect(await codesOf(root)).toEqual(["STATUS_MISMATCH"]);
    await expectNoReuse(root);
  });

  it("A4 with any one value changed, wherever it stands, is caught", async () => {
    const { root, record } = await proven();
    const text = readFileSync(join(root, record), "utf8");
    const leaves: (string | number)[][] = [];
    const walk = (value: unknown, path: (string | number)[]) => {
      if (typeof value !== "object" || value === null) leaves.push(path);
      else
        for (const [key, inner] of Object.entries(value))
          walk(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    };
    walk(JSON.parse(text), []);
    const store = openStore(root);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...leaves), fc.jsonValue({ maxDepth: 1 }), async (path, value) => {
        const document = JSON.parse(text) as Record<string, unknown>;
        const inner = path
          .slice(0, -1)
          .reduce<Record<string, unknown>>((at, key) => at[key] as never, document);
        const key = String(path.at(-1));
        if (JSON.stringify(inner[key]) === JSON.stringify(value)) return;
        inner[key] = value;
        writeFileSync(join(root, record), JSON.stringify(document, null, 2));
        expect((await store.verify()).problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe("A4 a record with the evidence of another", () => {
  /** Two records of one store, of two cells. */
  const two = async () => {
    const root = temporaryFolder();
    const store = openStore(root);
    const one = await store.put(await provenDraft(store), START);
    const other = { args: { port: 1 }, dockerfile: "FROM debian:bookworm-slim\nRUN x\n" };
    const start = new Date(START.getTime() + 1);
    return {
      root,
      path: store.nameOf(one),
      other: await store.put(await provenDraft(store, other, start), start),
    };
  };

  it.each(["inputs", "dockerfile", "smoke_report"])("A4 is caught: %s", async (kind) => {
    const { root, path, other } = await two();
    expect(await codesOf(root)).toEqual([]);
    const swap: Change = (record) => Object.assign(record.evidence, { [kind]: other.evidence[kind] });
    forgeRecord(root, path, swap);
    expect((await codesOf(root)).length).toBeGreaterThan(0);
  });

  it.each([
    [
      "smoke_report",
      (text: string) => text.replace('"status": "pass",\n  "tests"', '"status": "fail",\n  "tests"'),
      "STATUS_MISMATCH",
    ],
    [
      "smoke_report",
      (text: string) => text.replace('"schema_version": 1', '"schema_version": 7'),
      "EVIDENCE_MALFORMED",
    ],
    ["inputs", () => "[]", "EVIDENCE_MALFORMED"],
    ["sbom", () => "{", "EVIDENCE_MALFORMED"],
    ["sbom", (text: string) => text.replace(/sha256:1{64}/g, DIGEST), "IMAGE_MISMATCH"],
    ["sbom", (text: string) => text.replace("linux/amd64", "linux/arm64"), "INPUT_MISMATCH"],
    ["provenance", (text: string) => text.replace(/b{64}/g, HEX), "INPUT_MISMATCH"],
    [
      "provenance",
      (text: string) => text.replace(/"sha256": "0{64}"/, `"sha256": "${HEX}"`),
      "INPUT_MISMATCH",
    ],
    ["provenance", (text: string) => text.replace(/1{64}/g, HEX), "IMAGE_MISMATCH"],
    [
      "provenance",
      (text: string) => text.replace(/"build_key": "sha256:./, '"build_key": "sha256:x'),
      "KEY_MISMATCH",
    ],
    ["provenance", (text: string) => text.replace('"subject"', '"object"'), "IMAGE_MISMATCH"],
    ["provenance", (text: string) => text.replace("Statement/v1", "Statement/v2"), "EVIDENCE_MALFORMED"],
    ["buildkit_provenance", (text: string) => text.replace(/b{64}/, HEX), "INPUT_MISMATCH"],
    ["dockerfile", (text: string) => `${text}RUN true\n`, "INPUT_MISMATCH"],
    ["inputs", (text: string) => text.replace('"memory_mb": 512', '"memory_mb": 64'), "KEY_MISMATCH"],
    ["inputs", (text: string) => text.replace('"mode": "0755"', '"mode": "0644"'), "KEY_MISMATCH"],
  ] as [string, (text: string) => string, string][])(
    "A4 is caught where %s says otherwise",
    async (kind, change, code) => {
      const { root, path } = await two();
      const folder = join(root, "records/demo");
      const text = readFileSync(join(folder, readRecord(root, path).evidence[kind]?.path ?? ""), "utf8");
      expect(change(text)).not.toBe(text);
      forgeRecord(root, path, swapEvidence(root, kind, change(text)));
      expect(await codesOf(root)).toContain(code);
    },
  );
});

describe("A4 a record that is gone", () => {
  it("A4 is noticed, and what it may have said is not believed", async () => {
    const { root, record } = await proven();
    const { record_id, ...draft } = readRecord(root, record);
    // A later verdict on the same key. What it says is not known when it is gone: it may have been a failure.
    const store = openStore(root);
    const start = new Date(timeOfRecordId(record_id) + MINUTE);
    const tested_at = new Date(start.getTime() + draft.result.duration_ms).toISOString();
    const later = await store.put({ ...draft, result: { ...draft.result, tested_at } }, start);
    expect(await plan(root)).toMatchObject([{ action: "reuse", record_id: later.record_id }]);
    rmSync(join(root, store.nameOf(later)));
    const { problems } = await openStore(root).verify();
    expect(problems).toMatchObject([{ record_id: later.record_id, code: "RECORD_GONE" }]);
    const notes: string[] = [];
    const [cell] = await plan(root, { note: (text) => notes.push(text) });
    expect(cell).toMatchObject({ action: "retest", reason: "LOST" });
    expect(cell?.changes).toEqual([{ input: "records", before: later.record_id, after: null }]);
    expect(notes).toEqual([expect.stringContaining("1 record of demo named in a ledger is missing")]);
  });

  it("A4 and is older than the proof is noticed, and takes nothing from it", async () => {
    const { root, record } = await proven();
    const { record_id, ...draft } = readRecord(root, record);
    const store = openStore(root);
    const start = new Date(timeOfRecordId(record_id) - MINUTE);
    const tested_at = new Date(start.getTime() + draft.result.duration_ms).toISOString();
    const earlier = await store.put({ ...draft, result: { ...draft.result, tested_at } }, start);
    rmSync(join(root, store.nameOf(earlier)));
    expect(await codesOf(root)).toEqual(["RECORD_GONE"]);
    expect(await plan(root)).toMatchObject([{ action: "reuse", record_id }]);
  });

  it("A4 is noticed with all others of its manifest", async () => {
    const { root, record } = await proven();
    rmSync(join(root, record));
    expect(await codesOf(root)).toEqual(["RECORD_GONE"]);
  });
});

describe("A4 a record of the old form", () => {
  const old = (record: FactoryRecord) => {
    const before: Partial<FactoryRecord> = { ...record };
    delete before.recipe_key;
    delete before.images;
    delete before.proven_by;
    const record_id = `${record.record_id.split("-")[0]}-1a2b3c4d`;
    return { ...before, schema_version: 1, record_id, evidence: record.evidence };
  };

  it("A4 is read, listed, shown and hashed, and proves no reuse", async () => {
    const { root, record } = await proven();
    const document = old(readRecord(root, record));
    rmSync(join(root, "records/demo/ledger"), { recursive: true });
    rmSync(join(root, record));
    writeFileSync(join(root, `records/demo/${document.record_id}.json`), JSON.stringify(document));
    const store = openStore(root);
    expect(await store.get(document.record_id)).toEqual(document);
    expect(await store.list({})).toMatchObject({ total: 1, unreadable: [] });
    expect(await store.verify()).toMatchObject({ verified: 1, old: [document.record_id], problems: [] });
    await expectNoReuse(root);
    writeFileSync(join(root, "records/demo", document.evidence.sbom?.path ?? ""), "{}");
    expect(await codesOf(root)).toEqual(["EVIDENCE_CHANGED"]);
  });
});

describe("special files in the place of records, evidence and ledgers", () => {
  const fifo = (path: string) => {
    rmSync(path);
    execFileSync("mkfifo", [path]);
  };
  const link = (path: string) => {
    renameSync(path, `${path}.moved`);
    symlinkSync(`${path}.moved`, path);
  };
  const circle = (path: string) => {
    rmSync(path);
    symlinkSync(path, path);
  };

  it.each([
    ["a FIFO", fifo],
    ["a link", link],
    ["a link round in a circle", circle],
  ])("B1 are found by verify and refused by --reuse alike: %s", async (_, spoil) => {
    const places = [
      ["RECORD_UNREADABLE", (root: string, record: string) => join(root, record)],
      [
        "EVIDENCE_UNREADABLE",
        (root: string, record: string) =>
          join(root, "records/demo", readRecord(root, record).evidence.sbom?.path ?? ""),
      ],
      [
        "LEDGER_DAMAGED",
        (root: string) => {
          const folder = join(root, "records/demo/ledger");
          return join(folder, execFileSync("ls", [folder], { encoding: "utf8" }).trim());
        },
      ],
    ] as const;
    for (const [code, place] of places) {
      const { root, record } = await proven();
      spoil(place(root, record));
      expect(await codesOf(root)).toContain(code);
      await expectNoReuse(root);
      await openStore(root).list({});
    }
  });

  it("B1 records behind a link that leads out of the workspace are refused by all", async () => {
    const [root, outside] = [temporaryFolder(), temporaryFolder()];
    mkdirSync(join(outside, "records"));
    symlinkSync(join(outside, "records"), join(root, "records"));
    const store = openStore(root);
    const refused = { code: "FILE_OUTSIDE" };
    await expect(store.list({})).rejects.toMatchObject(refused);
    await expect(store.verify()).rejects.toMatchObject(refused);
    await expect(store.get("20260101t000000000z-0000000000000000")).rejects.toMatchObject(refused);
    await expect(store.keep("demo", "x", "text/plain")).rejects.toMatchObject(refused);
    expect(execFileSync("ls", [join(outside, "records")], { encoding: "utf8" })).toBe("");
  });
});
