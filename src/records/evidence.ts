import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../model/digest.ts";
import type { Evidence } from "../schemas/types.ts";
import { writeWhole } from "./write-whole.ts";

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

/** What is wrong with kept evidence, or undefined where it hashes to what the record says. Read as a stream. */
export async function evidenceProblem(folder: string, evidence: Evidence): Promise<string | undefined> {
  const file = join(folder, evidence.path);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return "missing";
  if (!stat.isFile()) return "not a regular file";
  if (stat.size !== evidence.bytes) return `${stat.size} bytes instead of ${evidence.bytes}`;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const hex = hash.digest("hex");
  return hex === evidence.sha256 ? undefined : `hashes to ${hex}`;
}
