import { FactoryError } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import { RECORD_ID } from "../records/record-id.ts";
import type { RecordStore } from "../records/store.ts";
import type { StoredRecord } from "../records/stored-record.ts";
import type { WholeRecord } from "../records/travel.ts";
import type { Recipe } from "../sbom/layer-origin.ts";
import { fits } from "../sbom/manifest.ts";

type Records = Pick<RecordStore, "list" | "all" | "get" | "foreign">;

/** A record, as far as it can be relied on. */
export interface Told {
  /** null for one of the old form: of that no more than its fields is known. */
  whole: WholeRecord | null;
  record: StoredRecord;
}

const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** A record that has the hash in its id. @throws FactoryError UNKNOWN_RECORD, RECORD_UNREADABLE, EVIDENCE_MISMATCH */
async function read(store: Records, recordId: string): Promise<Told> {
  const record = await store.get(recordId);
  const all = await store.all(record.manifest_id);
  const whole = (await all.find(({ record_id }) => record_id === recordId)?.read()) ?? null;
  const why = whole && (await store.foreign(whole.text, recordId));
  if (why === null) return { whole, record };
  throw new FactoryError("EVIDENCE_MISMATCH", `the record ${recordId} is not what was recorded: ${why}`, {
    fix: `see \`factory records verify ${recordId}\``,
  });
}

/** `CELL@REF`, where REF is no digest: that would be an image. */
const AT_COMMIT = /^([^@\s]+)@(?!sha256:)([^@\s]+)$/;

/** The beginning of a commit's hash, as git shortens it, or the whole. */
const HASH = /^[0-9a-f]{7,40}$/;

/** The newest record of a cell that a commit gave, without changes beside it; one with an image if there is any. */
async function recordAt(
  { cellId, ref }: { cellId: string; ref: string },
  store: Records,
  commitNamed: (ref: string) => Promise<string | null>,
): Promise<Told> {
  const { records } = await store.list({ cellId });
  // A record may be of a commit that this clone does not have.
  const commit = (await commitNamed(ref)) ?? (HASH.test(ref) ? ref : null);
  const isOf = (one: string | null) => commit !== null && (one?.startsWith(commit) ?? false);
  let other: string | undefined;
  let dirty = false;
  for (const { record_id, digest } of records) {
    const { source } = await store.get(record_id);
    if (!isOf(source.commit)) continue;
    if (source.dirty === true) dirty = true;
    else if (digest !== null) return read(store, record_id);
    else other ??= record_id;
  }
  if (other !== undefined) return read(store, other);
  const what =
    records.length === 0
      ? `there is no record of a cell ${quoted(cellId)}, and ${quoted(ref)} is no digest of an image`
      : dirty
        ? `every record of ${cellId} at ${quoted(ref)} has changes beside the commit`
        : commit === null
          ? `git knows no commit ${quoted(ref)}`
          : `there is no record of ${cellId} at ${quoted(ref)}`;
  throw new FactoryError("UNKNOWN_RECORD", what, {
    fix: `see \`factory records list --manifest-id ${records[0]?.manifest_id ?? "ID"}\`, or name the record`,
  });
}

/**
 * The record that a text means: the one with that id, or the newest with an image of the cell with that id; of `CELL@REF`, the
 * newest that this branch, tag or commit gave.
 * @param commitNamed the whole hash of the commit that a name means; null for none that is known
 * @returns null for a text that is none of these: an image, then
 * @throws FactoryError UNKNOWN_RECORD, RECORD_UNREADABLE, EVIDENCE_MISMATCH
 */
export async function recordMeant(
  what: string,
  store: Records,
  commitNamed: (ref: string) => Promise<string | null>,
): Promise<Told | null> {
  if (RECORD_ID.test(what)) return read(store, what);
  const { records } = await store.list({ cellId: what });
  const newest = records.find(({ digest }) => digest !== null) ?? records[0];
  if (newest) return read(store, newest.record_id);
  const [, cellId, ref] = AT_COMMIT.exec(what) ?? [];
  return cellId !== undefined && ref !== undefined ? recordAt({ cellId, ref }, store, commitNamed) : null;
}

/**
 * The newest record of an image, a passed one if there is any.
 * @param digests of its manifest, and of the indexes that lead to it
 */
export async function recordProving(
  digests: readonly string[],
  platform: string | undefined,
  store: Records,
): Promise<Told | null> {
  for (const digest of digests.filter((one) => DIGEST.test(one))) {
    const { records } = await store.list({ digest });
    const fitting = records.filter((one) => platform === undefined || fits(one.platform, platform));
    const best = fitting.find(({ status }) => status === "pass") ?? fitting[0];
    if (best) return read(store, best.record_id);
  }
  return null;
}

/** What a record's image was built from, or why that is not known. */
export function recipeOf({ whole, record }: Told): { recipe: Recipe } | { why: string } {
  const { dockerfile } = whole?.record.evidence ?? {};
  if (!whole || !dockerfile) return { why: `the record ${record.record_id} has no Dockerfile` };
  try {
    const text = whole.evidence(dockerfile).toString("utf8");
    return { recipe: { dockerfile: text, fragments: whole.record.fragments } };
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "EVIDENCE_LOST") throw error;
    return { why: `the Dockerfile of ${quoted(record.record_id)} is gone: ${error.message}` };
  }
}
