import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../model/digest.ts";
import type { Evidence } from "../schemas/types.ts";
import { writeWhole } from "../files/write-whole.ts";

/** Where evidence with this hash lies, relative to the folder of the manifest's records. */
function pathOf(hex: string): string {
  return `evidence/sha256/${hex.slice(0, 2)}/${hex}`;
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
  if (!existsSync(file) || sha256Hex(readFileSync(file)) !== hex) {
    writeWhole(file, data);
  }
  return { path, sha256: hex, bytes: data.byteLength, media_type: mediaType };
}

/** Evidence of more bytes is hashed as a stream. */
const SMALL = 1 << 20;

/** sha256 of a file as 64 hex digits. */
async function hashOf(file: string, size: number): Promise<string> {
  if (size <= SMALL) return sha256Hex(readFileSync(file));
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** What is wrong with kept evidence, or undefined where it hashes to what the record says. */
export async function evidenceProblem(folder: string, evidence: Evidence): Promise<string | undefined> {
  const file = join(folder, evidence.path);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return "missing";
  if (!stat.isFile()) return "not a regular file";
  if (stat.size !== evidence.bytes) return `${stat.size} bytes instead of ${evidence.bytes}`;
  const hex = await hashOf(file, stat.size);
  return hex === evidence.sha256 ? undefined : `hashes to ${hex}`;
}

/**
 * What keeps evidence from being a proof: beside what is wrong with it, that it cannot be read, or lies behind a link.
 * @param folder real path of the manifest's records
 */
export async function proofProblem(folder: string, evidence: Evidence): Promise<string | undefined> {
  const file = join(folder, evidence.path);
  try {
    if (existsSync(file) && realpathSync.native(file) !== file) return "behind a link";
    return await evidenceProblem(folder, evidence);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return `cannot be read (${code})`;
  }
}
