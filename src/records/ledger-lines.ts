import { RECORD_ID } from "./record-id.ts";

/** What a ledger says about one record. */
export interface LedgerEntry {
  record_id: string;
  /** Of the record's file, 64 hex digits. */
  sha256: string;
  /** 64 hex digits. If the record is missing, the newest verdict on this key is in doubt. */
  verdict_key: string;
}

/** What a ledger says about evidence that was deleted on purpose, of one record. */
export interface PrunedEntry {
  record_id: string;
  /** Of the record's file, 64 hex digits: of another one it says nothing. */
  sha256: string;
  /** When: ISO 8601, UTC, with milliseconds. */
  at: string;
  /** The sha256 of each piece, 64 hex digits. */
  evidence: readonly string[];
}

/** An earlier ledger, as far as a new one has seen it. */
export interface LedgerHead {
  ledger: string;
  bytes: number;
  /** Over this many bytes from its beginning, 64 hex digits. */
  sha256: string;
}

/** The contents of a ledger. */
export interface LedgerLines {
  heads: LedgerHead[];
  /** Records that were about to be written. */
  entries: LedgerEntry[];
  /** Ids of those that were written whole. */
  done: Set<string>;
  /** Evidence that was about to be deleted. */
  pruned: PrunedEntry[];
  /** Bytes of whole lines: a killed process may have left part of another line. */
  bytes: number;
}

const SCHEMA = "factory/ledger";
const VERSION = 1;
const ID = 36;
const HEX = 64;
const PUT = '{"put":"';
const SHA256 = '","sha256":"';
const KEY = '","verdict_key":"';
const DONE = '{"done":"';
const PRUNED = '{"pruned":"';
const END = '"}\n';

/** The most pieces of evidence that a line names. */
const MOST_PIECES = 1000;

/** The first line of a ledger. */
export function headerLine(manifestId: string, heads: readonly LedgerHead[]): string {
  return `${JSON.stringify({ schema: SCHEMA, version: VERSION, manifest_id: manifestId, heads })}\n`;
}

/** Says that a record is about to be written. */
export function putLine({ record_id, sha256, verdict_key }: LedgerEntry): string {
  return `${PUT}${record_id}${SHA256}${sha256}${KEY}${verdict_key}${END}`;
}

/** Says that a record was written. */
export function doneLine(recordId: string): string {
  return `${DONE}${recordId}${END}`;
}

/** Says that evidence of a record is about to be deleted. */
export function prunedLine({ record_id, sha256, at, evidence }: PrunedEntry): string {
  return `${JSON.stringify({ pruned: record_id, sha256, at, evidence })}\n`;
}

/** Such a line; null if it is none. */
function prunedIn(line: string): PrunedEntry | null {
  try {
    const { pruned, sha256, at, evidence } = JSON.parse(line) as Record<string, unknown>;
    const isHex = (one: unknown): one is string => typeof one === "string" && /^[a-f0-9]{64}$/.test(one);
    if (typeof pruned !== "string" || !RECORD_ID.test(pruned) || !isHex(sha256)) return null;
    if (typeof at !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at)) return null;
    if (!Array.isArray(evidence) || evidence.length > MOST_PIECES || !evidence.every(isHex)) return null;
    return { record_id: pruned, sha256, at, evidence };
  } catch {
    return null;
  }
}

function headsOf(line: string, manifestId: string): LedgerHead[] | null {
  try {
    const header = JSON.parse(line) as {
      schema?: unknown;
      version?: unknown;
      manifest_id?: unknown;
      heads?: LedgerHead[];
    } | null;
    const ours = header?.schema === SCHEMA && header.version === VERSION && header.manifest_id === manifestId;
    const sound = ({ ledger, bytes, sha256 }: LedgerHead) =>
      typeof ledger === "string" && Number.isSafeInteger(bytes) && typeof sha256 === "string";
    return ours && Array.isArray(header.heads) && header.heads.every(sound) ? header.heads : null;
  } catch {
    return null;
  }
}

/**
 * Lines about records that are written have fixed widths: a hundred thousand are read without parsing JSON.
 * @param text one character per byte
 * @returns null if a whole line does not belong in a ledger
 */
export function readLines(text: string, manifestId: string): LedgerLines | null {
  const first = text.indexOf("\n");
  const heads = first < 0 ? null : headsOf(text.slice(0, first), manifestId);
  if (!heads) return null;
  const entries: LedgerEntry[] = [];
  const done = new Set<string>();
  const pruned: PrunedEntry[] = [];
  let at = first + 1;
  for (let end = text.indexOf("\n", at); end >= 0; end = text.indexOf("\n", at)) {
    const width = end + 1 - at;
    if (
      text.startsWith(PUT, at) &&
      width === PUT.length + ID + SHA256.length + HEX + KEY.length + HEX + END.length
    ) {
      const id = at + PUT.length;
      const sha256 = id + ID + SHA256.length;
      const key = sha256 + HEX + KEY.length;
      entries.push({
        record_id: text.slice(id, id + ID),
        sha256: text.slice(sha256, sha256 + HEX),
        verdict_key: text.slice(key, key + HEX),
      });
    } else if (text.startsWith(DONE, at) && width === DONE.length + ID + END.length) {
      done.add(text.slice(at + DONE.length, at + DONE.length + ID));
    } else {
      const gone = text.startsWith(PRUNED, at) ? prunedIn(text.slice(at, end)) : null;
      if (!gone) return null;
      pruned.push(gone);
    }
    at = end + 1;
  }
  return { heads, entries, done, pruned, bytes: at };
}
