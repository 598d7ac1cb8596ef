import { createHash } from "node:crypto";
import { existsSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../model/digest.ts";
import type { Evidence } from "../schemas/types.ts";
import { readRegularPieces } from "../files/read-regular.ts";
import { writeWhole } from "../files/write-whole.ts";

/** Where evidence with this hash lies, relative to the folder of the manifest's records. */
function pathOf(hex: string): string {
  return `evidence/sha256/${hex.slice(0, 2)}/${hex}`;
}

/** Whether a file can be read, and hashes to its name. */
function holds(file: string, hex: string): boolean {
  try {
    return hashOf(file) === hex;
  } catch {
    return false;
  }
}

/**
 * Keeps bytes under their own hash. What is there already is kept if it still hashes to its name, else replaced.
 * @param folder absolute path of the manifest's records
 */
export function keepEvidence(folder: string, bytes: string | Uint8Array, mediaType: string): Evidence {
  const data = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  const hex = sha256Hex(data);
  const path = pathOf(hex);
  const file = join(folder, path);
  if (!holds(file, hex)) writeWhole(file, data);
  return { path, sha256: hex, bytes: data.byteLength, media_type: mediaType };
}

/** sha256 of a regular file as 64 hex digits; undefined where it is something else. @throws an error of the file system */
function hashOf(file: string): string | undefined {
  const hash = createHash("sha256");
  const read = readRegularPieces(file, (piece) => hash.update(piece));
  return read === undefined ? undefined : hash.digest("hex");
}

/** What is wrong with kept evidence, or undefined where it hashes to what the record says. */
export function evidenceProblem(folder: string, evidence: Evidence): string | undefined {
  const file = join(folder, evidence.path);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return "missing";
  if (!stat.isFile()) return "not a regular file";
  if (stat.size !== evidence.bytes) return `${stat.size} bytes instead of ${evidence.bytes}`;
  const hex = hashOf(realpathSync.native(file));
  if (hex === undefined) return "not a regular file";
  return hex === evidence.sha256 ? undefined : `hashes to ${hex}`;
}

/**
 * What keeps evidence from being a proof: beside what is wrong with it, that it cannot be read, or lies behind a link.
 * @param folder real path of the manifest's records
 */
export function proofProblem(folder: string, evidence: Evidence): string | undefined {
  const file = join(folder, evidence.path);
  try {
    if (existsSync(file) && realpathSync.native(file) !== file) return "behind a link";
    return evidenceProblem(folder, evidence);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return `cannot be read (${code})`;
  }
}
