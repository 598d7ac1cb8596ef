import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { Inputs } from "../../src/model/inputs.ts";
import type { RecordDraft } from "../../src/records/record-id.ts";
import type { Evidence, FactoryRecord } from "../../src/schemas/types.ts";
import { provenDraft } from "./records-made.ts";
import { factoryAtOnce, makeWorkspace, SMALL } from "./workspace.ts";

const DAY_MS = 86_400_000;

/** Writes the record of a pass that began so many days ago, with a log of its own. */
export async function putAged(
  root: string,
  days: number,
  { inputs, draft }: { inputs?: Partial<Inputs>; draft?: Partial<RecordDraft> } = {},
  store = openStore(root),
): Promise<FactoryRecord> {
  const start = new Date(Date.now() - days * DAY_MS);
  const whole = await provenDraft(store, inputs, start);
  const build_log = await store.keep(whole.manifest_id, `built ${days} days ago\n`, "text/plain");
  return store.put({ ...whole, ...draft, evidence: { ...whole.evidence, build_log } }, start);
}

interface Said {
  dry_run: boolean;
  pruned: { record_id: string; evidence: string[]; bytes: number }[];
  kept: { record_id: string; why: string }[];
  summary: { pruned: number; files: number; scans: number; left: number };
  error?: { code: string; what: string; fix: string };
}

/** A workspace without records, and what `factory records prune` says in it. */
export function evidenceWorkspace(files: Record<string, string> = {}) {
  const root = makeWorkspace({ ...SMALL, ...files });
  const json = async <T>(...argv: string[]): Promise<T & { status: number | null; stderr: string }> => {
    const { status, stdout, stderr } = await factoryAtOnce(root, [...argv, "--json"]);
    return { status, stderr, ...(JSON.parse(stdout) as T) };
  };
  const prune = (...argv: string[]) => json<Said>("records", "prune", ...argv);
  const verify = async () => {
    const { status, problems, pruned } = await json<{
      problems: { code: string; record_id: string }[];
      pruned: { record_id: string; at: string }[];
    }>("records", "verify");
    return {
      status,
      codes: [...new Set(problems.map(({ code }) => code))],
      pruned: pruned.map(({ record_id }) => record_id).sort(),
    };
  };
  return { root, prune, verify, json };
}

/** Where a piece of a record's evidence lies. */
export function fileOf(root: string, { manifest_id, evidence }: FactoryRecord, kind: string): string {
  const piece = (evidence as Record<string, Evidence | undefined>)[kind];
  return join(root, "records", manifest_id, piece?.path ?? "none");
}

/** The kinds of a record's evidence that are here, and hold bytes. */
export function kindsHere(root: string, record: FactoryRecord): string[] {
  return Object.keys(record.evidence)
    .filter(
      (kind) => existsSync(fileOf(root, record, kind)) && readFileSync(fileOf(root, record, kind)).length > 0,
    )
    .sort();
}
