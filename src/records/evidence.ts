import { createHash } from "node:crypto";
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { FactoryError } from "../errors.ts";
import { readRegular, readRegularPieces } from "../files/read-regular.ts";
import { writeWhole } from "../files/write-whole.ts";
import { sha256Hex } from "../model/digest.ts";
import type { Evidence } from "../schemas/types.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import type { StoredRecord } from "./stored-record.ts";

/** The evidence of a record, each content once, sorted by digest. */
export function evidenceOf({ evidence }: Pick<StoredRecord, "evidence">): Evidence[] {
  const pieces = Object.values(evidence) as (Evidence | undefined)[];
  const bySha = new Map(pieces.flatMap((one) => (one ? [[one.sha256, one] as const] : [])));
  return [...bySha.values()].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
}

/** The path of evidence with this hash, relative to the folder of the manifest's records. */
export function evidencePath(hex: string): string {
  return `evidence/sha256/${hex.slice(0, 2)}/${hex}`;
}

/** sha256 of a regular file as 64 hex digits; undefined if it is something else. @throws an error of the file system */
function hashOf(file: string): string | undefined {
  const hash = createHash("sha256");
  const read = readRegularPieces(file, (piece) => hash.update(piece));
  return read === undefined ? undefined : hash.digest("hex");
}

/** Whether a file is readable and hashes to its name. */
function holds(file: string, hex: string): boolean {
  try {
    return hashOf(file) === hex;
  } catch {
    return false;
  }
}

/**
 * Keeps bytes under their own hash. A file that exists already is kept if it still hashes to its name, else replaced.
 * @param folder real path of the manifest's records
 * @param onHere called if the file was there already
 * @throws FactoryError WRITE_FAILED; FILE_OUTSIDE if a link leads elsewhere
 */
export function keepEvidence(
  folder: string,
  bytes: string | Uint8Array,
  mediaType: string,
  onHere: (file: string, bytes: Uint8Array) => void = () => undefined,
): Evidence {
  const data = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  const hex = sha256Hex(data);
  const path = evidencePath(hex);
  const file = join(folder, path);
  const evidence = { path, sha256: hex, bytes: data.byteLength, media_type: mediaType };
  if (existsSync(dirname(file)) && realpathSync.native(dirname(file)) !== dirname(file)) {
    throw new FactoryError("FILE_OUTSIDE", `${dirname(path)} is behind a link`, {
      where: { file: dirname(path) },
      fix: "replace the link with the folder itself",
    });
  }
  if (holds(file, hex)) onHere(file, data);
  else writeWhole(file, data);
  return evidence;
}

/** Keeps evidence again that somebody deleted since. @throws FactoryError WRITE_FAILED */
export function keepIfGone(folder: string, { path }: Evidence, bytes: Uint8Array): void {
  const file = join(folder, path);
  if (!existsSync(file)) writeWhole(file, bytes);
}

/** Larger evidence is hashed a piece at a time if its bytes are not wanted. */
const SMALL = 1 << 20;

/** What a check of evidence shares with others. */
export interface EvidencePlace {
  /** Real path of the manifest's records. */
  folder: string;
  /** Folders that are known not to be behind a link, so that each is checked once. */
  plain: Set<string>;
}

/**
 * The bytes of kept evidence, if they hash to what the record says; else what is wrong. A link is never followed: what it
 * leads to can change without any sign in the folder of records.
 * @param wanted whether the bytes are wanted; else they are hashed a piece at a time, and null
 */
export function inspectEvidence(
  { folder, plain }: EvidencePlace,
  kind: string,
  evidence: Evidence,
  wanted: boolean,
): { bytes: Buffer | null } | { problem: Problem } {
  const file = join(folder, evidence.path);
  const problem = (code: ProblemCode, what: string) => ({
    problem: { code, what: `${kind}: ${what} (${evidence.path})`, evidence: kind },
  });
  try {
    const above = dirname(file);
    if (!plain.has(above) && existsSync(above)) {
      if (realpathSync.native(above) !== above) return problem("EVIDENCE_UNREADABLE", "behind a link");
      plain.add(above);
    }
    const whole = wanted || evidence.bytes <= SMALL;
    const bytes = whole ? readRegular(file, evidence.bytes)?.bytes : null;
    if (bytes === undefined || (bytes === null && lstatSync(file).size !== evidence.bytes)) {
      const stats = lstatSync(file);
      if (!stats.isFile()) return problem("EVIDENCE_UNREADABLE", "not a regular file");
      return problem("EVIDENCE_CHANGED", `${stats.size} bytes instead of ${evidence.bytes}`);
    }
    if (bytes && bytes.length !== evidence.bytes)
      return problem("EVIDENCE_CHANGED", `${bytes.length} bytes instead of ${evidence.bytes}`);
    const hex = bytes ? sha256Hex(bytes) : hashOf(file);
    if (hex === undefined) return problem("EVIDENCE_UNREADABLE", "not a regular file");
    return hex === evidence.sha256
      ? { bytes: wanted ? bytes : null }
      : problem("EVIDENCE_CHANGED", `hashes to ${hex}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === "ENOENT") return problem("EVIDENCE_GONE", "missing");
    if (code === "ELOOP") return problem("EVIDENCE_UNREADABLE", "behind a link");
    return problem("EVIDENCE_UNREADABLE", `cannot be read (${code})`);
  }
}
