import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore, stageRules } from "../../src/pipeline/open-store.ts";
import { chooseEvidence } from "../../src/cleanup/evidence-choice.ts";
import { keepReport } from "../../src/scan/scan-store.ts";
import { prunedHere } from "../../src/records/pruned-here.ts";
import { pruneEvidence, readRecordsOnDisk } from "../../src/records/prune-evidence.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { evidenceWorkspace, fileOf, kindsHere, putAged } from "../unit/evidence-made.ts";
import { INDEX, putDocument, putImage } from "../unit/oci-made.ts";
import { refuse, serveRegistry } from "../unit/oci-server.ts";
import { remoteOn, served } from "../unit/remote-made.ts";
import { makeWorkspace, sha256, SMALL } from "../unit/workspace.ts";

const STAYS = ["bake_file", "dockerfile", "inputs"];
const OLD = "--older-than=90d";

const fileOfRecord = (root: string, { record_id }: FactoryRecord) =>
  join(root, "records/demo", `${record_id}.json`);

/** A line of a ledger that somebody writes by hand, into the newest one. */
function forgeLine(root: string, line: object): void {
  const folder = join(root, "records/demo/ledger");
  const [newest = ""] = readdirSync(folder).sort().reverse();
  appendFileSync(join(folder, newest), `${JSON.stringify(line)}\n`);
}

const lineFor = (root: string, record: FactoryRecord, kinds: string[]) => ({
  pruned: record.record_id,
  sha256: sha256(readFileSync(fileOfRecord(root, record))),
  at: new Date().toISOString(),
  evidence: kinds.map((kind) => record.evidence[kind]?.sha256),
});

/** Two old records and one of today, of one cell. */
async function three() {
  const made = evidenceWorkspace();
  const [first, second] = [await putAged(made.root, 300), await putAged(made.root, 200)];
  return { ...made, first, second, today: await putAged(made.root, 0) };
}

describe("evidence by age", () => {
  it("9.11 nothing of it goes without --yes; with it what was said, and records stay and are told apart", async () => {
    const { root, prune, verify, first, second, today } = await three();
    const planned = await prune(OLD, "--max-share=1");
    expect(planned.status, planned.stderr).toBe(0);
    expect(planned.pruned.map(({ record_id }) => record_id).sort()).toEqual([
      first.record_id,
      second.record_id,
    ]);
    expect([planned.dry_run, await verify()]).toEqual([true, { status: 0, codes: [], pruned: [] }]);
    const done = await prune(OLD, "--max-share=1", "--yes");
    expect(done.pruned).toEqual(planned.pruned);
    expect(await verify()).toEqual({ status: 0, codes: [], pruned: [first.record_id, second.record_id] });
    for (const record of [first, second]) {
      expect(existsSync(fileOfRecord(root, record))).toBe(true);
      // What the record of today has too stays for that.
      const shared = Object.keys(record.evidence).filter(
        (kind) => record.evidence[kind]?.sha256 === today.evidence[kind]?.sha256,
      );
      expect(kindsHere(root, record)).toEqual([...new Set([...STAYS, ...shared])].sort());
      expect(existsSync(fileOf(root, record, "build_log"))).toBe(false);
    }
    expect(kindsHere(root, today)).toEqual(Object.keys(today.evidence).sort());
    expect(await prune(OLD, "--yes")).toMatchObject({ status: 0, pruned: [], summary: { left: 3 } });
  });

  it("9.11 too much is refused as usage, and what cannot be read as what could not be done", async () => {
    const { root, prune, first, second } = await three();
    expect(await prune(OLD, "--yes")).toMatchObject({
      status: 2,
      error: { code: "PRUNE_TOO_MUCH", fix: expect.stringContaining("--max-share 0.67") as string },
    });
    expect(await prune("--yes")).toMatchObject({ status: 2, error: { code: "USAGE" } });
    expect(await prune("--older-than=soon")).toMatchObject({ status: 2, error: { code: "USAGE" } });
    const text = readFileSync(fileOfRecord(root, first));
    writeFileSync(fileOfRecord(root, first), "{");
    expect(await prune(OLD, "--max-share=1", "--yes")).toMatchObject({
      status: 3,
      error: { code: "PRUNE_UNRESOLVED" },
    });
    writeFileSync(fileOfRecord(root, first), text);
    forgeLine(root, { pruned: second.record_id });
    expect(await prune(OLD, "--max-share=1", "--yes")).toMatchObject({
      status: 3,
      error: { code: "PRUNE_UNRESOLVED" },
    });
    expect(kindsHere(root, second)).toEqual(Object.keys(second.evidence).sort());
  });

  it("9.11 evidence that was changed or is gone is not laundered: it stays, and stays a problem", async () => {
    const { root, prune, verify, first, second } = await three();
    writeFileSync(fileOf(root, first, "build_log"), "nothing to see\n");
    rmSync(fileOf(root, second, "build_log"));
    const { pruned, kept, status, stderr } = await prune(OLD, "--max-share=1", "--yes");
    expect(status, stderr).toBe(0);
    expect(pruned).toEqual([]);
    expect(kept.map(({ record_id, why }) => [record_id, why.split(":")[0]]).sort()).toEqual([
      [first.record_id, "EVIDENCE_CHANGED"],
      [second.record_id, "EVIDENCE_GONE"],
    ]);
    expect((await verify()).codes.sort()).toEqual(["EVIDENCE_CHANGED", "EVIDENCE_GONE"]);
  });

  it("9.11 a forged line excuses nothing that is changed, of another record, or never pruned, and proves nothing", async () => {
    const { root, verify, first, second, today } = await three();
    const all = Object.keys(today.evidence);
    forgeLine(root, { ...lineFor(root, first, all), sha256: sha256("another") });
    rmSync(fileOf(root, first, "build_log"));
    expect(await verify()).toEqual({ status: 1, codes: ["EVIDENCE_GONE"], pruned: [] });
    forgeLine(root, lineFor(root, first, all));
    expect(await verify()).toMatchObject({ status: 0, codes: [], pruned: [first.record_id] });
    // Its inputs are never pruned, and nobody may change what is left.
    forgeLine(root, lineFor(root, second, all));
    writeFileSync(fileOf(root, second, "smoke_report"), "{}");
    expect((await verify()).codes).toContain("EVIDENCE_CHANGED");
    rmSync(fileOf(root, second, "smoke_report"));
    expect((await verify()).codes).toEqual([]);
    forgeLine(root, lineFor(root, today, all));
    const store = openStore(root);
    const attempts = await store.attempts({});
    const [newest] = attempts.withVerdictKey(today.verdict_key);
    // An older pass does not come forward, and the newest proves nothing although all of it is here.
    expect(newest?.record_id).toBe(today.record_id);
    expect(newest && attempts.pruned(newest)).not.toBe(null);
    expect(newest && (await attempts.problems(newest)).join()).toContain("was pruned on");
    rmSync(fileOf(root, today, "inputs"));
    expect((await verify()).codes).toEqual(["EVIDENCE_GONE"]);
  });

  it("9.11 a line that is no line damages its ledger", async () => {
    const { root, verify, first } = await three();
    forgeLine(root, { ...lineFor(root, first, []), evidence: ["../../x"] });
    expect((await verify()).codes).toContain("LEDGER_DAMAGED");
  });

  it("9.11 evidence at another place than its own is not what goes", async () => {
    const { root, prune } = await three();
    const disk = await readRecordsOnDisk(root);
    const own = disk?.records.find(({ record }) => record.evidence.build_log);
    if (!own?.record.evidence.build_log || !disk) throw new Error("there is no such record");
    own.record.evidence.build_log.path = "evidence/../../../factory.yaml";
    const { whyItStays } = await import("../../src/records/prune-evidence.ts");
    expect(whyItStays(own, disk, { rules: await stageRules(), plain: new Set() })).toContain("another place");
    expect((await prune(OLD, "--max-share=1", "--yes")).status).toBe(0);
    expect(existsSync(join(root, "factory.yaml"))).toBe(true);
  });

  it("9.11 what a tag names stays, in an index too; where tags cannot be read nothing goes", async () => {
    let isDown = false;
    const registry = await serveRegistry({
      before: (_, response) => {
        if (isDown) refuse(response, 403, "DENIED", "no");
        return isDown;
      },
    });
    const stored = registry.of("team/app");
    const image = putImage(stored, "old release");
    const index = putDocument(stored, { manifests: [image] }, INDEX);
    const { root, prune } = evidenceWorkspace({
      "factory.yaml": "schema_version: 1\nrepository: registry.example/team\nretries: {tries: 1}\n",
      "control_plane/policies/release.yaml":
        "schema_version: 1\npolicy_id: release\nevidence: {prune_after: 90d}\n",
      "control_plane/products/demo.yaml": `schema_version: 1\nproduct_id: demo\nmanifest_id: demo\npolicy: release\nrepository: ${registry.host}/team/app\n`,
    });
    const old = await putAged(root, 300);
    await putAged(root, 0);
    const images = stored.manifests.get(index.digest);
    if (!images || !old.image) throw new Error("there is no image");
    // The tag leads to an index that names the image of the record.
    const named = putDocument(stored, { manifests: [{ ...image, digest: old.image.digest }] }, INDEX);
    const tagged = stored.manifests.get(named.digest);
    if (tagged) stored.manifests.set("1.0", tagged);
    const kept = await prune("--max-share=1", "--yes");
    expect(kept.kept, kept.stderr).toEqual([
      { record_id: old.record_id, why: expect.stringContaining("a tag of") as string },
    ]);
    isDown = true;
    expect(await prune("--max-share=1", "--yes")).toMatchObject({
      status: 3,
      error: { code: "PRUNE_UNRESOLVED" },
    });
    isDown = false;
    stored.manifests.delete("1.0");
    expect((await prune("--max-share=1", "--yes")).pruned).toHaveLength(1);
  });

  it("9.11 scans of what goes go with it, if they are old, and no scan of what stays", async () => {
    const { root, prune, verify, first, today } = await three();
    const keep = ({ record_id, image, evidence }: FactoryRecord, days: number) =>
      keepReport(root, "demo", {
        schema_version: 1,
        scanned_at: new Date(Date.now() - days * 86_400_000).toISOString(),
        subject: {
          record_id,
          platform: "linux/amd64",
          manifest_digest: image?.manifest_digest ?? "",
          sbom_sha256: evidence.sbom?.sha256 ?? "",
        },
        outcome: { state: "not-scanned", scanner: null, reason: "none" },
      });
    const [old, fresh, other] = [keep(first, 200), keep(first, 1), keep(today, 200)];
    expect((await prune(OLD, "--max-share=1", "--yes")).summary.scans).toBe(1);
    expect([old, fresh, other].map((path) => existsSync(join(root, path)))).toEqual([false, true, true]);
    expect(await verify()).toMatchObject({ status: 0, codes: [] });
  });
});

describe("pruning that is stopped, or not alone", () => {
  const choice = async (root: string) => {
    const disk = await readRecordsOnDisk(root);
    if (!disk) throw new Error("there are no records");
    const { chosen, left } = chooseEvidence(disk.records, {
      now: Date.now(),
      olderThanMs: () => 90 * 86_400_000,
      reuseMs: null,
      neededBy: () => null,
    });
    return { disk, going: { chosen, left } };
  };

  it("9.11 killed at any moment it leaves records that verify, and another one goes on", async () => {
    const { root, prune, verify, first, second } = await three();
    const log = fileOf(root, first, "build_log");
    // After the lines; after one file was set aside; after one is gone.
    forgeLine(root, {
      ...lineFor(root, first, ["build_log", "smoke_report"]),
      at: "2999-01-01T00:00:00.000Z",
    });
    expect(await verify()).toMatchObject({ status: 0, pruned: [first.record_id] });
    renameSync(log, `${log}.going`);
    expect(await verify()).toMatchObject({ status: 0, pruned: [first.record_id] });
    const { pruned } = await prune(OLD, "--max-share=1", "--yes");
    expect(pruned.map(({ record_id }) => record_id)).toEqual([second.record_id]);
    expect([
      existsSync(log),
      existsSync(`${log}.going`),
      existsSync(fileOf(root, first, "smoke_report")),
    ]).toEqual([false, false, false]);
    expect(await verify()).toMatchObject({
      status: 0,
      codes: [],
      pruned: [first.record_id, second.record_id],
    });
  });

  it("9.11 what was written since it was pruned stays, and what is needed comes back to its place", async () => {
    const { root, prune, verify, first, today } = await three();
    await prune(OLD, "--max-share=1", "--yes");
    const log = fileOf(root, first, "build_log");
    writeFileSync(log, "built 300 days ago\n");
    const later = new Date(Date.now() + 60_000);
    utimesSync(log, later, later);
    const needed = fileOf(root, today, "build_log");
    forgeLine(root, lineFor(root, first, ["build_log"]));
    forgeLine(root, { ...lineFor(root, first, []), evidence: [today.evidence.build_log?.sha256] });
    renameSync(needed, `${needed}.going`);
    await prune(OLD, "--yes");
    expect([existsSync(log), existsSync(needed)]).toEqual([true, true]);
    expect((await verify()).status).toBe(0);
  });

  it("9.11 a record that is written meanwhile keeps what it names, whichever comes first", async () => {
    const { root, verify, first } = await three();
    const store = openStore(root);
    const log = readFileSync(fileOf(root, first, "build_log"));
    const asks = await choice(root);
    // It is written after the records were read, with evidence that an old one has too.
    const before = await putAged(root, 0, { draft: {}, inputs: { args: { port: 1 } } });
    const own = { ...before.evidence, build_log: await store.keep("demo", log, "text/plain") };
    const draft = { ...before, evidence: own };
    const start = new Date();
    const shift = { tested_at: new Date(start.getTime() + draft.result.duration_ms).toISOString() };
    await store.put({ ...draft, result: { ...draft.result, ...shift } }, start);
    // Another store looked at the same evidence, and writes its record when that is gone.
    const late = openStore(root);
    const report = readFileSync(fileOf(root, first, "smoke_report"));
    const kept = await late.keep("demo", report, "application/json");
    await pruneEvidence(asks.disk, "demo", asks.going, new Date().toISOString());
    expect(existsSync(fileOf(root, first, "build_log"))).toBe(true);
    expect(existsSync(fileOf(root, first, "smoke_report"))).toBe(false);
    await late.put(
      { ...draft, evidence: { ...draft.evidence, build_log: kept } },
      new Date(start.getTime() + 1),
    );
    expect(existsSync(fileOf(root, first, "smoke_report"))).toBe(true);
    expect((await verify()).codes).not.toContain("EVIDENCE_GONE");
  });

  it("9.11 two at once do the same, and who reads meanwhile is told no lie", async () => {
    const { root, verify, first, second } = await three();
    const [one, two] = [await choice(root), await choice(root)];
    const reading = await openStore(root).attempts({});
    const [, , oldest] = reading.withVerdictKey(first.verdict_key);
    const at = new Date().toISOString();
    await Promise.all([one, two].map(({ disk, going }) => pruneEvidence(disk, "demo", going, at)));
    expect(await verify()).toEqual({ status: 0, codes: [], pruned: [first.record_id, second.record_id] });
    // Its ledgers were read before.
    const problems = oldest ? await reading.problems(oldest) : [];
    expect(problems).toEqual([expect.stringContaining("its evidence was pruned on")]);
  });
});

describe("pruned records and other machines", () => {
  it("9.11 none is pushed by half, none is fetched again, and a scan, a save and a report say why", async () => {
    const { root, prune, json, first, second, today } = await three();
    const registry = await served();
    const remote = remoteOn(registry);
    await remote.push(openStore(root), { recordIds: [second.record_id] });
    await prune(OLD, "--max-share=1", "--yes");
    const before = registry.got.length;
    expect(await remote.push(openStore(root))).toEqual({
      pushed: [today.record_id],
      pulled: [],
      unchanged: 1,
      pruned: [first.record_id],
    });
    const sent = registry.got.slice(before).map(({ url }) => url);
    expect(sent.filter((url) => url.includes(first.record_id)).length).toBeLessThanOrEqual(1);
    expect(await remote.pull(openStore(root))).toMatchObject({ pulled: [], unchanged: 2 });
    expect(existsSync(fileOf(root, second, "build_log"))).toBe(false);
    // Elsewhere it is whole.
    const there = makeWorkspace(SMALL);
    await remote.pull(openStore(there));
    expect((await openStore(there).verify()).problems).toEqual([]);
    const hex = sha256(readFileSync(fileOfRecord(root, second)));
    expect(prunedHere(root)("demo", second.record_id, hex)).not.toBe(null);
    expect(prunedHere(root)("demo", second.record_id, sha256("other"))).toBe(null);
    expect(prunedHere(there)("demo", second.record_id, hex)).toBe(null);
    const all = await openStore(root).all();
    const whole = await all.find(({ record_id }) => record_id === first.record_id)?.read();
    expect(() => first.evidence.build_log && whole?.evidence(first.evidence.build_log)).toThrow(
      "was pruned on",
    );
    expect((await json<{ error?: object }>("records", "show", first.record_id)).status).toBe(0);
  });
});
