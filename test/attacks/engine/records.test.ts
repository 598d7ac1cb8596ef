import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine, temporaryFolder, uniqueName } from "../../engine/engine.ts";
import { factory, makeWorkspace } from "../../engine/run-workspace.ts";
import type { FactoryRecord } from "../../../src/schemas/types.ts";
import { type Change, editRecord, forgeRecord, readRecord } from "../records-forge.ts";

interface Verified {
  verified: number;
  problems: { record_id: string | null; code: string; what: string }[];
}

async function verify(root: string): Promise<Verified & { exitCode: number | null }> {
  const ended = await factory(root, ["records", "verify", "--json"]);
  return { ...(JSON.parse(ended.stdout) as Verified), exitCode: ended.exitCode };
}

/** What one real run recorded, in a folder that can be edited again and again. */
async function recorded(): Promise<{ root: string; records: string; paths: string[] }> {
  const root = makeWorkspace({
    fragments: {
      core: {
        "0.1.0": {
          body: `RUN echo ${uniqueName("records")} > /core`,
          yaml: "smoke: [{id: there, file: {path: /core}}]\n",
        },
        "0.2.0": { body: "RUN exit 3" },
        "0.3.0": { body: "RUN true", yaml: "smoke: [{id: there, file: {path: /core}}]\n" },
      },
    },
    plans: { three: "axes: {core: [0.1.0, 0.2.0, 0.3.0]}\n" },
  });
  const ended = await factory(root, ["run", "--plan", "three", "--json", "--quiet"]);
  expect(ended.exitCode, ended.stderr).toBe(1);
  const { results } = JSON.parse(ended.stdout) as { results: { record: string; status: string }[] };
  expect(results.map(({ status }) => status)).toEqual(["pass", "fail", "fail"]);
  const records = temporaryFolder();
  cpSync(join(root, "records"), records, { recursive: true });
  return { root, records, paths: results.map(({ record }) => record) };
}

describeEngine("A4 the records of a real run", () => {
  test(
    "A4 hold as they are, and an edit of any of them is caught by name",
    { timeout: 300_000 },
    async () => {
      const { root, records, paths } = await recorded();
      const [passed = "", failed = "", untested = ""] = paths;
      const whole = await verify(root);
      expect(whole, JSON.stringify(whole)).toMatchObject({ verified: 3, problems: [], exitCode: 0 });
      const planned = await factory(root, ["plan", "three", "--reuse", "--json"]);
      expect(planned.stdout).toContain('"action":"reuse"');

      const pass: Change = ({ result, ...record }: FactoryRecord) => {
        Object.assign(result, { status: "pass", stage: "done", class: null, log_excerpt: [] });
        for (const one of record.tests) one.status = "pass";
      };
      const digest = `sha256:${"c".repeat(64)}`;
      const edits: [string, Change, string[]][] = [
        [failed, pass, ["STATUS_MISMATCH", "EVIDENCE_REQUIRED"]],
        [untested, pass, ["TESTS_MISMATCH", "STATUS_MISMATCH", "EVIDENCE_REQUIRED"]],
        [passed, (one) => (one.base.digest = digest), ["INPUT_MISMATCH"]],
        [passed, (one) => Object.assign(one.image ?? {}, { digest }), ["IMAGE_MISMATCH"]],
        [passed, (one) => (one.verdict_key = digest), ["KEY_MISMATCH"]],
        [passed, (one) => (one.platform = "linux/arm64"), ["INPUT_MISMATCH"]],
        [passed, (one) => (one.result.tested_at = "2020-01-01T00:00:00.000Z"), ["TIME_MISMATCH"]],
        [passed, (one) => void delete one.evidence.sbom, ["EVIDENCE_REQUIRED"]],
      ];
      for (const [path, change, codes] of edits) {
        const { record_id } = readRecord(root, path);
        editRecord(root, path, change);
        const edited = await verify(root);
        expect(edited.exitCode).toBe(1);
        expect(edited.problems.map(({ code }) => code)).toContain("RECORD_EDITED");
        for (const problem of edited.problems) expect(problem.record_id).toBe(record_id);
        reset(root, records);

        forgeRecord(root, path, change);
        const forged = (await verify(root)).problems.map(({ code }) => code);
        for (const code of forged) expect(codes).toContain(code);
        expect(forged.length).toBeGreaterThan(0);
        reset(root, records);
      }

      rmSync(join(root, failed));
      expect(await verify(root)).toMatchObject({ verified: 2, problems: [{ code: "RECORD_GONE" }] });
      reset(root, records);
      expect(readFileSync(join(root, failed), "utf8")).toContain('"schema_version": 2');
    },
  );
});

function reset(root: string, records: string): void {
  rmSync(join(root, "records"), { recursive: true });
  cpSync(records, join(root, "records"), { recursive: true });
}
