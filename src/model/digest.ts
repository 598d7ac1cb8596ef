import { hash } from "node:crypto";
import canonicalize from "canonicalize";

/** sha256 of text (UTF-8) or bytes, as 64 hex digits. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data);
}

/** sha256 of text (UTF-8) or bytes, as `sha256:` and 64 hex digits (the OCI form). */
export function sha256(data: string | Uint8Array): string {
  return ["sha256", sha256Hex(data)].join(":");
}

/**
 * Canonical JSON as RFC 8785 defines it: the same value gives the same text everywhere.
 * @throws TypeError for a value without a JSON form
 */
export function canonicalJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (error) {
    throw new TypeError((error as Error).message, { cause: error });
  }
  if (text === undefined) throw new TypeError("value has no JSON form");
  return text;
}

/** sha256 over the canonical JSON of a value. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}
