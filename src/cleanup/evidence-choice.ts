import { parentRef } from "../model/parent.ts";
import type { GoingRecord, RecordOnDisk } from "../records/prune-evidence.ts";
import { STAYING_KINDS } from "../records/pruned.ts";
import { timeOfRecordId } from "../records/record-id.ts";
import type { StoredRecord } from "../records/stored-record.ts";
import type { Evidence } from "../schemas/types.ts";

/** What decides about evidence beside the records. */
export interface EvidenceRules {
  /** Milliseconds since 1970. */
  now: number;
  /** How old the records of a manifest have to be, in milliseconds; null where their evidence stays. */
  olderThanMs: (manifestId: string) => number | null;
  /** How old a proof may be to be reused, in milliseconds; null where nothing bounds it. */
  reuseMs: number | null;
  /** Why something beside the records needs the evidence of one; null where nothing does. */
  neededBy: (record: RecordOnDisk) => string | null;
}

export interface EvidenceChoice {
  /** Records whose evidence goes, and what of it nothing else needs. */
  chosen: GoingRecord[];
  /** Records whose evidence was pruned: what may still be here of it, if that was interrupted. */
  left: GoingRecord[];
  /** Records that are old enough, and why their evidence stays. */
  kept: { own: RecordOnDisk; why: string }[];
}

/** More than clocks of two machines may differ, and than a run takes that began while a proof was fresh. */
const MARGIN_MS = 24 * 3_600_000;

const piecesOf = ({ evidence }: StoredRecord): [string, Evidence][] =>
  (Object.entries(evidence) as [string, Evidence | undefined][]).flatMap(([kind, one]) =>
    one ? [[kind, one]] : [],
  );

/** The latest time that a record has, in milliseconds since 1970: it is no older than any of them says. */
function timeOf({ record_id, result }: StoredRecord): number {
  const tested = Date.parse(result.tested_at);
  return Math.max(timeOfRecordId(record_id), Number.isNaN(tested) ? Infinity : tested);
}

/** What a record names others by: their ids, and the build keys of parents. */
function namesOf(record: StoredRecord): string[] {
  if (record.schema_version === 1) return [];
  const { proven_by, repacked, parent } = record;
  return [
    ...(proven_by === null ? [] : [proven_by]),
    ...(repacked ? [repacked.record_id] : []),
    ...(parent ? [`${parentRef(parent.manifest_id)} ${parent.build_key}`] : []),
  ];
}

/** By what others may name a record. */
const namedAs = ({ record_id, manifest_id, build_key }: StoredRecord): string[] => [
  record_id,
  `${parentRef(manifest_id)} ${build_key}`,
];

/** Records without which something cannot be decided any more, and why: the newest of each cell, and what may be reused. */
function rootsOf(
  records: readonly RecordOnDisk[],
  { now, reuseMs }: EvidenceRules,
): Map<RecordOnDisk, string> {
  const roots = new Map<RecordOnDisk, string>();
  const seen = new Set<string>();
  const first = (key: string): boolean => !seen.has(key) && Boolean(seen.add(key));
  const newestFirst = [...records].sort((a, b) => (a.record.record_id < b.record.record_id ? 1 : -1));
  for (const own of newestFirst) {
    const { manifest_id, cell_id, verdict_key, result } = own.record;
    // An image in other layers, and a proof that is none any more, do not take the place of one of the cell.
    const isOther = own.record.schema_version === 2 && own.record.repacked !== undefined;
    const cell = `${manifest_id} ${cell_id} ${isOther}`;
    const isPass = result.status === "pass";
    const isNewestOfKey = result.status !== "error" && !isOther && first(`key ${manifest_id} ${verdict_key}`);
    if (first(`any ${cell}`)) roots.set(own, "it is the newest of its cell");
    else if (isPass && first(`pass ${cell}`)) roots.set(own, "it is the newest pass of its cell");
    else if (isNewestOfKey && isPass && reuseMs !== null && now - timeOf(own.record) <= reuseMs + MARGIN_MS)
      roots.set(own, "it may be reused");
    if (isPass) first(`pass ${cell}`);
  }
  return roots;
}

/**
 * Which records' evidence may go: of those that are old enough, and that neither something outside, nor another record which stays,
 * nor a decision about a cell needs. Of their evidence goes what no record that stays names.
 * @param blocked records that have to stay for another reason
 */
export function chooseEvidence(
  records: readonly RecordOnDisk[],
  rules: EvidenceRules,
  blocked: ReadonlyMap<RecordOnDisk, string> = new Map(),
): EvidenceChoice {
  const named = new Map<string, RecordOnDisk[]>();
  for (const own of records)
    for (const name of namedAs(own.record)) named.set(name, [...(named.get(name) ?? []), own]);
  const isOld = ({ record }: RecordOnDisk): boolean => {
    const most = rules.olderThanMs(record.manifest_id);
    return most !== null && rules.now - timeOf(record) > most;
  };
  const stays = new Map<RecordOnDisk, string>([...rootsOf(records, rules), ...blocked]);
  for (const own of records) {
    const why = stays.has(own) ? null : isOld(own) ? rules.neededBy(own) : "it is not old enough";
    if (why !== null) stays.set(own, why);
  }
  const waiting = [...stays.keys()];
  for (let own = waiting.pop(); own; own = waiting.pop())
    for (const other of namesOf(own.record).flatMap((name) => named.get(name) ?? []))
      if (!stays.has(other)) {
        stays.set(other, `${own.record.record_id} names it`);
        waiting.push(other);
      }

  const needed = new Set<string>();
  for (const own of records)
    for (const [kind, { sha256 }] of piecesOf(own.record))
      if (STAYING_KINDS.has(kind) || stays.has(own)) needed.add(`${own.record.manifest_id} ${sha256}`);
  const going = (isMeant: (own: RecordOnDisk, hex: string) => boolean): GoingRecord[] =>
    records.flatMap((own) => {
      if (stays.has(own)) return [];
      const free = piecesOf(own.record).flatMap(([, piece]) =>
        !isMeant(own, piece.sha256) || needed.has(`${own.record.manifest_id} ${piece.sha256}`)
          ? []
          : [[piece.sha256, piece] as const],
      );
      return free.length === 0 ? [] : [{ own, pieces: [...new Map(free).values()] }];
    });
  return {
    chosen: going(({ pruned }) => pruned === null),
    left: going(({ pruned }, hex) => pruned?.evidence.has(hex) ?? false),
    kept: [...stays].flatMap(([own, why]) => (isOld(own) && own.pruned === null ? [{ own, why }] : [])),
  };
}
