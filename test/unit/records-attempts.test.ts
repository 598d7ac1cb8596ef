import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeManyRecords } from "../../bench/many-records.ts";
import { FactoryError } from "../../src/errors.ts";
import type { Attempt } from "../../src/plan/decide/attempts.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { Evidence, FactoryRecord } from "../../src/schemas/types.ts";
import { draft, idAt, provenDraft, record, START } from "./records-made.ts";
import { expectAsScanned, open } from "./records-scan.ts";
import { openToAll, temporaryFolder, treeOf } from "./workspace.ts";

const textOf = (one: FactoryRecord) => JSON.stringify(one, null, 2);
const BIG = JSON.stringify({ bomFormat: "CycloneDX", x: "" }).replace(
  '""',
  `"${"x".repeat((1 << 20) + 1 - 32)}"`,
);

/** A record with a small and a large piece of evidence, and its attempt. */
async function proven() {
  const root = temporaryFolder();
  const store = openStore(root);
  const build_log = await store.keep("demo", "the log\n", "text/plain");
  const sbom = await store.keep("demo", BIG, "application/json");
  const pass = await provenDraft(store);
  Object.assign(pass.evidence, { build_log, sbom });
  await store.put(pass, START);
  const { attempts } = await open(root);
  const [attempt] = attempts.withVerdictKey(pass.verdict_key);
  if (!attempt) throw new Error("there is no attempt");
  const inRecords = (path: string) => join(root, "records/demo", path);
  const file = inRecords(`${attempt.record_id}.json`);
  return { root, attempts, attempt, file, fileOf: ({ path }: Evidence) => inRecords(path), build_log, sbom };
}

/** What `work` gives to a user who is not root, for whom permissions count. */
async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe("an attempt", () => {
  it("says what the record says", async () => {
    const root = temporaryFolder();
    const store = openStore(root);
    const digest = `sha256:${"a".repeat(64)}`;
    const image = {
      ref: "demo:é\u2028",
      digest,
      manifest_digest: digest,
      size: 1,
      layers: 1,
      pushed: true,
    };
    const { record_id } = await store.put(draft({ image }), START);
    const { attempts } = await open(root);
    const expected: Attempt = {
      record_id,
      manifest_id: "demo",
      cell_id: "demo.linux-amd64",
      platform: "linux/amd64",
      build_key: record().build_key,
      verdict_key: record().verdict_key,
      status: "pass",
      stage: "done",
      class: null,
      tested_at: record().result.tested_at,
      duration_ms: 1,
      digest,
      ref: image.ref,
      pushed: true,
      proves: true,
    };
    expect(attempts.withBuildKey(record().build_key)).toEqual([expected]);
    expect([...(await open(root)).attempts.ofManifest("demo")]).toEqual([expected]);
  });

  it("is found by whole keys only", async () => {
    const { attempts, attempt } = await proven();
    const { verdict_key, build_key, cell_id } = attempt;
    for (const key of [
      "",
      "sha256:",
      verdict_key.slice(7),
      `${verdict_key}0`,
      verdict_key.toUpperCase(),
      `SHA256:${verdict_key.slice(7)}`,
    ])
      expect([attempts.withVerdictKey(key), attempts.withBuildKey(key)]).toEqual([[], []]);
    expect([attempts.withVerdictKey(verdict_key).length, attempts.withBuildKey(build_key).length]).toEqual([
      1, 1,
    ]);
    expect(attempts.ofCell("demo", cell_id)).toHaveLength(1);
    expect(attempts.ofCell("other", cell_id)).toEqual([]);
    expect(attempts.ofCell("demo", `${cell_id}x`)).toEqual([]);
  });
});

describe("a proof", () => {
  it("holds where record and evidence are as they were", async () => {
    const { attempts, attempt, root } = await proven();
    expect(await attempts.problems(attempt)).toEqual([]);
    expect(await attempts.problems({ ...attempt })).toEqual([]);
    const again = await open(root);
    expect([again.read, await again.attempts.problems(attempt)]).toEqual([0, []]);
  });

  const spoilt: [string, "build_log" | "sbom", string, (file: string) => void][] = [
    ["with one other byte", "build_log", "hashes to", (file) => writeFileSync(file, "the lag\n")],
    ["large, with one other byte", "sbom", "hashes to", (file) => writeFileSync(file, `${BIG.slice(1)} `)],
    ["cut", "build_log", "7 bytes instead of 8", (file) => truncateSync(file, 7)],
    ["large, and cut", "sbom", "1048576 bytes instead of 1048577", (file) => truncateSync(file, 1 << 20)],
    ["missing", "build_log", "missing", (file) => rmSync(file)],
    [
      "a folder",
      "build_log",
      "not a regular file",
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
    [
      "a link to the same bytes",
      "build_log",
      "behind a link",
      (file) => {
        renameSync(file, `${file}.moved`);
        symlinkSync(`${file}.moved`, file);
      },
    ],
    [
      "in a folder that is a link",
      "sbom",
      "behind a link",
      (file) => {
        const folder = join(file, "..");
        renameSync(folder, `${folder}.moved`);
        symlinkSync(`${folder}.moved`, folder);
      },
    ],
    [
      "a link to nothing",
      "sbom",
      "behind a link",
      (file) => {
        rmSync(file);
        symlinkSync("gone", file);
      },
    ],
    [
      "a link round in a circle",
      "sbom",
      "behind a link",
      (file) => {
        rmSync(file);
        symlinkSync(file, file);
      },
    ],
  ];
  it.each(spoilt)("fails with evidence that is %s", async (_, kind, what, spoil) => {
    const made = await proven();
    spoil(made.fileOf(made[kind]));
    for (const { attempts } of [made, await open(made.root)])
      expect(await attempts.problems(made.attempt)).toEqual([
        expect.stringMatching(new RegExp(`^EVIDENCE_[A-Z]+: ${kind}: ${what}`)),
      ]);
  });

  it("fails with every piece of evidence that is not there, each named", async () => {
    const { attempts, attempt, root } = await proven();
    rmSync(join(root, "records/demo/evidence"), { recursive: true });
    const problems = await attempts.problems(attempt);
    expect(problems.map((problem) => problem.replace(/ \(.*/, "")).sort()).toEqual(
      [
        "bake_file",
        "build_log",
        "buildkit_provenance",
        "dockerfile",
        "inputs",
        "provenance",
        "sbom",
        "smoke_report",
      ]
        .map((kind) => `EVIDENCE_GONE: ${kind}: missing`)
        .concat("TESTS_MISMATCH: the record has tests but no smoke report"),
    );
  });

  it("fails where the record says otherwise than the index", async () => {
    const { attempts, attempt, file } = await proven();
    const own = JSON.parse(readFileSync(file, "utf8")) as FactoryRecord;
    writeFileSync(
      file,
      textOf({ ...own, platform: "linux/arm64", result: { ...own.result, status: "fail" } }),
    );
    const problems = await attempts.problems(attempt);
    expect(problems.slice(0, 2)).toEqual([
      "the record's platform is linux/arm64, the index has linux/amd64",
      "the record's status is fail, the index has pass",
    ]);
    expect(problems.map((problem) => problem.replace(/:.*/, ""))).toContain("RECORD_EDITED");
    expect((await attempts.read(attempt)).result.status).toBe("fail");
  });

  it("fails for an attempt that no record tells of", async () => {
    const { attempts, attempt } = await proven();
    expect(await attempts.problems({ ...attempt, verdict_key: `sha256:${"b".repeat(64)}` })).toHaveLength(1);
    const [what] = await attempts.problems({ ...attempt, record_id: idAt(1) });
    expect(what).toContain("is gone");
  });

  const broken: [string, string, (file: string) => void][] = [
    ["gone", "is gone", (file) => rmSync(file)],
    ["cut", "cannot be read", (file) => truncateSync(file, 100)],
    ["no record", "is not a record", (file) => writeFileSync(file, "{}")],
    [
      "that of another",
      "has another id than its file",
      (file) => writeFileSync(file, textOf(record({ record_id: idAt(1) }))),
    ],
    [
      "a link",
      "is a link",
      (file) => {
        renameSync(file, `${file}.moved`);
        symlinkSync(`${file}.moved`, file);
      },
    ],
    [
      "a folder",
      "is not a regular file",
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
  ];
  it.each(broken)("fails where the record's file is %s", async (_, what, breakIt) => {
    const { attempts, attempt, file, root } = await proven();
    breakIt(file);
    expect(await attempts.problems(attempt)).toEqual([expect.stringContaining(what)]);
    const error: unknown = await attempts.read(attempt).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FactoryError);
    expect(error).toMatchObject({
      code: "RECORD_UNREADABLE",
      where: { file: `records/demo/${attempt.record_id}.json` },
    });
    // And from now on it is no attempt at all.
    const { attempts: now, unreadable } = await open(root);
    expect([...now.ofManifest("demo"), ...now.withVerdictKey(attempt.verdict_key)]).toEqual([]);
    expect(unreadable.map(({ code }) => code)).toEqual(what === "is gone" ? [] : ["RECORD_UNREADABLE"]);
  });

  it("fails where permissions keep it from being read, and so does a record's", async () => {
    const { attempts, attempt, file, fileOf, sbom, root } = await proven();
    openToAll(root);
    chmodSync(fileOf(sbom), 0);
    expect(await unprivileged(() => attempts.problems(attempt))).toEqual([
      expect.stringContaining("EVIDENCE_UNREADABLE: sbom: cannot be read (EACCES)"),
    ]);
    chmodSync(file, 0);
    expect(await unprivileged(() => attempts.problems(attempt))).toEqual([
      expect.stringContaining("cannot be read (EACCES)"),
    ]);
    const opened = await unprivileged(() => open(root));
    expect(opened.unreadable.map(({ message }) => message)).toEqual([
      expect.stringContaining("cannot be read (EACCES)"),
    ]);
    expect([...opened.attempts.ofManifest("demo")]).toEqual([]);
  });
});

describe("records that cannot be listed", () => {
  it("are an error, not none", async () => {
    const root = temporaryFolder();
    writeManyRecords(root, 2);
    openToAll(root);
    chmodSync(join(root, "records/many"), 0);
    await expect(unprivileged(() => openStore(root).attempts({}))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      where: { file: "records/many" },
    });
    chmodSync(join(root, "records"), 0);
    for (const options of [{}, { manifestIds: ["many"] }])
      await expect(unprivileged(() => openStore(root).attempts(options))).rejects.toMatchObject({
        code: "FILE_UNREADABLE",
      });
    rmSync(join(root, "records"), { recursive: true });
    writeFileSync(join(root, "records"), "");
    await expect(openStore(root).attempts({})).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });

  it("are refused behind a link that leads out of the workspace", async () => {
    const [root, outside] = [temporaryFolder(), temporaryFolder()];
    writeManyRecords(outside, 2);
    symlinkSync(join(outside, "records"), join(root, "records"));
    const before = treeOf(outside);
    await expect(openStore(root).attempts({})).rejects.toMatchObject({
      code: "FILE_OUTSIDE",
      where: { file: "records" },
    });
    expect(treeOf(outside)).toBe(before);
  });

  it("do not count behind a link in the place of a manifest's folder, which is said", async () => {
    const [root, outside] = [temporaryFolder(), temporaryFolder()];
    writeManyRecords(outside, 2);
    mkdirSync(join(root, "records"));
    symlinkSync(join(outside, "records/many"), join(root, "records/many"));
    for (const options of [{}, { manifestIds: ["many"] }]) {
      const { attempts, unreadable } = await open(root, options);
      expect([...attempts.ofManifest("many")]).toEqual([]);
      expect(unreadable.map(({ where }) => where)).toEqual([{ file: "records/many" }]);
    }
    expect((await openStore(root).list({})).total).toBe(0);
  });
});

describe("many records", () => {
  it("are records with evidence, the same each time", async () => {
    const [root, again] = [temporaryFolder(), temporaryFolder()];
    const keys = writeManyRecords(root, 25);
    expect(writeManyRecords(again, 25)).toEqual(keys);
    expect(treeOf(again)).toBe(treeOf(root));
    const opened = await open(root);
    const { attempts } = await expectAsScanned(root, opened);
    expect(attempts.map((one) => one.verdict_key)).toEqual([...keys].reverse());
    expect(opened.attempts.ofCell("many", "many.cell-1.linux-amd64")).toHaveLength(10);
    expect(readdirSync(join(root, "records"))).toEqual(["many"]);
  });

  it("can be made to prove what is asked for", async () => {
    const root = temporaryFolder();
    const verdict_key = `sha256:${"c".repeat(64)}`;
    writeManyRecords(root, 3, {
      manifestId: "demo",
      change: (number) => (number === 1 ? { verdict_key } : {}),
    });
    const { attempts } = await open(root);
    expect(attempts.withVerdictKey(verdict_key).map((one) => one.manifest_id)).toEqual(["demo"]);
  });
});
