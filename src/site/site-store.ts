import { FactoryError } from "../errors.ts";
import type { RecordProblem } from "../records/problem.ts";
import { baseText } from "../model/parent.ts";
import { actionOf, type RecordAction } from "../records/record-action.ts";
import type { RecordStore } from "../records/store.ts";
import type { StoredRecord } from "../records/stored-record.ts";
import type { WholeRecord } from "../records/travel.ts";

/** What every list and picture of the site knows of a record. */
export interface SiteEntry {
  id: string;
  manifest: string;
  cell: string;
  platform: string;
  status: "pass" | "fail" | "error";
  expected: boolean;
  stage: string;
  class: string | null;
  testedAt: string;
  durationMs: number;
  fragments: readonly (readonly [name: string, version: string])[];
  args: StoredRecord["args"];
  base: string;
  /** Bytes of the image; null without one. */
  size: number | null;
  digest: string | null;
  action: RecordAction;
  hits: number;
  steps: number;
  retries: number;
  verdictKey: string;
  /** sha256 of evidence, 64 hex digits. */
  log: string | null;
  sbom: string | null;
  /** Smoke tests that did not pass. */
  failedTests: readonly string[];
  /** Whether the record has no proof, since it is of the first form. */
  old: boolean;
  /** Whether the record does not have the hash in its id. */
  edited: boolean;
}

export interface SiteProblem {
  record: string | null;
  what: string;
  /** Whether the record is shown all the same. */
  served: boolean;
}

/** The records of a workspace, as the site reads them. */
export interface SiteStore {
  /** Newest first. */
  entries: readonly SiteEntry[];
  byId: ReadonlyMap<string, SiteEntry>;
  problems: SiteProblem[];
  /** Reads a record again; null if it is gone or cannot be read any more. */
  read: (id: string) => Promise<ReadRecord | null>;
}

export interface ReadRecord {
  record: StoredRecord;
  /** null for one of the first form. */
  whole: WholeRecord | null;
}

function entryOf(record: StoredRecord, edited: boolean): SiteEntry {
  const { result, image, evidence, cache } = record;
  return {
    id: record.record_id,
    manifest: record.manifest_id,
    cell: record.cell_id,
    platform: record.platform,
    status: result.status,
    expected: result.expected,
    stage: result.stage,
    class: result.class,
    testedAt: result.tested_at,
    durationMs: result.duration_ms,
    fragments: record.fragments.map(({ name, version }) => [name, version] as const),
    args: record.args,
    base: baseText(record.base.ref),
    size: image?.size ?? null,
    digest: image?.manifest_digest ?? null,
    action: actionOf(record),
    hits: cache.hits,
    steps: cache.total,
    retries: record.retries,
    verdictKey: record.verdict_key,
    log: evidence.build_log?.sha256 ?? null,
    sbom: evidence.sbom?.sha256 ?? null,
    failedTests: record.tests.filter(({ status }) => status !== "pass").map(({ id }) => id),
    old: record.schema_version === 1,
    edited,
  };
}

const problemOf = ({ record_id, what }: RecordProblem): SiteProblem => ({
  record: record_id,
  what,
  served: false,
});

/** How many records are read before it is told. */
const MANY = 1000;

/** Whether an error is about a record, and not about this machine. */
const isOfRecord = (error: unknown): error is FactoryError =>
  error instanceof FactoryError && error.exitCode === 2;

/**
 * Reads the records of a workspace. What cannot be read is told, and the rest is there.
 * @param onProgress gets how many were read, now and then
 * @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE for the folder of all records; INTERRUPTED
 */
export async function openSiteStore(
  store: Pick<RecordStore, "list" | "all" | "get" | "foreign">,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (read: number, of: number) => void },
): Promise<SiteStore> {
  const listed = await store.list({ limit: 0 });
  const problems = listed.unreadable.map(problemOf);
  const told = new Set(problems.flatMap(({ record }) => record ?? []));
  const all = await store.all();
  const readers = new Map(all.map(({ record_id, read }) => [record_id, read]));

  const read: SiteStore["read"] = async (id) => {
    const reader = readers.get(id);
    if (!reader) return null;
    try {
      const whole = await reader();
      return { whole, record: whole?.record ?? (await store.get(id)) };
    } catch (error) {
      if (!isOfRecord(error)) throw error;
      if (!told.has(id)) {
        told.add(id);
        problems.push({ record: id, what: error.message, served: false });
      }
      return null;
    }
  };

  const entries: SiteEntry[] = [];
  for (const [at, { record_id }] of all.entries()) {
    signal.throwIfAborted();
    if (at > 0 && at % MANY === 0) {
      onProgress(at, all.length);
      await new Promise((go) => void setImmediate(go));
    }
    if (told.has(record_id)) continue;
    const found = await read(record_id);
    if (!found) continue;
    const { record, whole } = found;
    const why = whole && (await store.foreign(whole.text, record_id));
    entries.push(entryOf(record, why !== null));
    if (why !== null)
      problems.push({ record: record_id, what: `it is not what was recorded: ${why}`, served: true });
    if (!whole)
      problems.push({
        record: record_id,
        what: "it has the first form, and proves nothing",
        served: true,
      });
    if (whole?.pruned !== undefined)
      problems.push({
        record: record_id,
        what: `its evidence was pruned on ${whole.pruned.slice(0, 10)}`,
        served: true,
      });
  }
  return { entries, byId: new Map(entries.map((one) => [one.id, one])), problems, read };
}
