import type { Attempt } from "../plan/decide/attempts.ts";
import { checkedLine, isSound, TAIL } from "./checked-line.ts";
import type { Listed } from "./listed.ts";

/**
 * A line of the index: a JSON array in ASCII that ends with a CRC-32 of the text before it. Fields that are read in every
 * line come first, at fixed places, so that opening and searching an index parses no JSON. Digests are without their
 * `sha256:`, and the shorter ids of old records are padded with spaces. A line is identified by its start: an offset in
 * the index's bytes.
 *
 * `["<record id>","<verdict key>","<build key>","<sha256 of the record's file>","<stamp>","<cell id>",…,"<crc>"]`
 *
 * What lists need beyond that comes last. Of the values only those of `args` and `fragments` are nested.
 */
const ID = { from: 2, to: 38 };
const VERDICT_KEY = { from: 41, to: 105 };
const BUILD_KEY = { from: 108, to: 172 };
const SHA256 = { from: 175, to: 239 };
const STAMP = 242;
const QUOTE = 0x22;
const NEWLINE = 0x0a;
const SCHEME = "sha256:";

/** Where the fields for lists begin. */
const LISTED = 16;

/** The fields of a line, parsed. */
type Fields = [
  record_id: string,
  verdict_key: string,
  build_key: string,
  sha256: string,
  stamp: string,
  cell_id: string,
  platform: string,
  status: Attempt["status"],
  stage: string,
  failure: string | null,
  tested_at: string,
  duration_ms: number,
  digest: string | null,
  ref: string | null,
  pushed: boolean,
  proves: boolean,
  ...listed: ListedFields,
  crc: string,
];

/** What lists need beyond that, in the order of a line. */
type ListedFields = [
  expected: boolean,
  template: string,
  base: string,
  fragments: Listed["fragments"],
  args: Listed["args"],
  manifest_digest: string | null,
  size: number | null,
  sbom: string | null,
];

/** @param about sha256 of the record's file in hex, and the stamp of that file */
export function lineOf(attempt: Attempt, listed: Listed, about: { sha256: string; stamp: string }): string {
  return checkedLine([
    attempt.record_id.padEnd(ID.to - ID.from),
    attempt.verdict_key.slice(SCHEME.length),
    attempt.build_key.slice(SCHEME.length),
    about.sha256,
    about.stamp,
    attempt.cell_id,
    attempt.platform,
    attempt.status,
    attempt.stage,
    attempt.class,
    attempt.tested_at,
    attempt.duration_ms,
    attempt.digest,
    attempt.ref,
    attempt.pushed,
    attempt.proves,
    listed.expected,
    listed.template,
    listed.base,
    listed.fragments,
    listed.args,
    listed.manifest_digest,
    listed.size,
    listed.sbom,
  ]);
}

/**
 * The start of each line.
 * @param from the start of the first one
 * @returns null if any byte is not what was written
 */
export function startsOf(bytes: Buffer, from: number): number[] | null {
  const starts: number[] = [];
  for (let start = from; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end - TAIL < start + STAMP || !isSound(bytes, start, end)) return null;
    starts.push(start);
    start = end + 1;
  }
  return starts;
}

export function idAt(bytes: Buffer, start: number): string {
  return bytes.toString("latin1", start + ID.from, start + ID.to).trimEnd();
}

/** Without `sha256:`. */
export function verdictKeyAt(bytes: Buffer, start: number): string {
  return bytes.toString("latin1", start + VERDICT_KEY.from, start + VERDICT_KEY.to);
}

/** Without `sha256:`. */
export function buildKeyAt(bytes: Buffer, start: number): string {
  return bytes.toString("latin1", start + BUILD_KEY.from, start + BUILD_KEY.to);
}

/** Of the record's file. */
export function sha256At(bytes: Buffer, start: number): string {
  return bytes.toString("latin1", start + SHA256.from, start + SHA256.to);
}

export function hasStamp(bytes: Buffer, start: number, stamp: string): boolean {
  const from = start + STAMP;
  return bytes.toString("latin1", from, from + stamp.length + 1) === `${stamp}"`;
}

export function cellIdAt(bytes: Buffer, start: number): string {
  const from = bytes.indexOf(QUOTE, start + STAMP) + `","`.length;
  return bytes.toString("latin1", from, bytes.indexOf(QUOTE, from));
}

/** The line itself, with its end. */
export function lineAt(bytes: Buffer, start: number): string {
  return bytes.toString("latin1", start, bytes.indexOf(NEWLINE, start) + 1);
}

function fieldsAt(bytes: Buffer, start: number): Fields {
  return JSON.parse(lineAt(bytes, start)) as Fields;
}

export function attemptAt(bytes: Buffer, start: number, manifestId: string): Attempt {
  return attemptIn(fieldsAt(bytes, start), manifestId);
}

/** All that a line says. `stamp` is that of the record's file. */
export function wholeAt(
  bytes: Buffer,
  start: number,
  manifestId: string,
): { attempt: Attempt; listed: Listed; stamp: string } {
  const fields = fieldsAt(bytes, start);
  const [expected, template, base, fragments, args, manifest_digest, size, sbom] = fields.slice(
    LISTED,
  ) as ListedFields;
  return {
    attempt: attemptIn(fields, manifestId),
    listed: { expected, template, base, fragments, args, manifest_digest, size, sbom },
    stamp: fields[4],
  };
}

function attemptIn(
  [id, verdict, build, , , cell_id, platform, status, stage, failure, ...rest]: Fields,
  manifestId: string,
): Attempt {
  const [tested_at, duration_ms, digest, ref, pushed, proves] = rest;
  return {
    record_id: id.trimEnd(),
    manifest_id: manifestId,
    cell_id,
    platform,
    build_key: SCHEME + build,
    verdict_key: SCHEME + verdict,
    status,
    stage,
    class: failure,
    tested_at,
    duration_ms,
    digest,
    ref,
    pushed,
    proves,
  };
}
