import { sha256Hex } from "../../model/digest.ts";
import { isSound, TAIL } from "../checked-line.ts";
import type { HeldPackage } from "./package-test.ts";

const NAME_LENGTH = 12;
const HEX = 64;
const NEWLINE = 0x0a;
/** Where the hash of an SBOM, and after it the names of its packages, are in a line. */
const SBOM_AT = '["s","'.length;
const NAMES_AT = SBOM_AT + HEX + '","'.length;

type Fields = [string, string, string, string | null, string | null, string | null];

export function fieldsOf({ type, name, version, source, fragment }: HeldPackage): Fields {
  return [type, name, version, source?.name ?? null, source?.version ?? null, fragment];
}

export function heldOf([type, name, version, source, sourceVersion, fragment]: Fields): HeldPackage {
  return {
    type,
    name,
    version,
    source: source === null ? null : { name: source, version: sourceVersion ?? version },
    fragment,
  };
}

/** The name of a package in an index: as good as none shares it with another. */
export function nameOf(fields: Fields): string {
  return Buffer.from(sha256Hex(JSON.stringify(fields)), "hex")
    .toString("base64url")
    .slice(0, NAME_LENGTH);
}

/** What the lines of an index say. */
export interface Known {
  packages: Map<string, Fields>;
  /** By the SBOM's hash, where the names of its packages are. */
  sboms: Map<string, { bytes: Buffer; from: number; to: number }>;
  /** Lines that are not what was written. */
  damaged: number;
}

/** Reads lines. @param from the start of the first one */
export function readLines(bytes: Buffer, from: number, known: Known): void {
  for (let start = from; start < bytes.length;) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found < 0 ? bytes.length : found;
    if (start === end) {
      // What was cut stands before it.
    } else if (found < 0 || !isSound(bytes, start, end)) known.damaged += 1;
    else if (bytes.toString("latin1", start, start + SBOM_AT) === '["s","')
      known.sboms.set(bytes.toString("latin1", start + SBOM_AT, start + SBOM_AT + HEX), {
        bytes,
        from: start + NAMES_AT,
        to: end - TAIL - '","'.length,
      });
    else {
      const [, name, fields] = JSON.parse(bytes.toString("latin1", start, end)) as [string, string, Fields];
      known.packages.set(name, fields);
    }
    start = end + 1;
  }
}

/** Whether a name is among those of an SBOM. They all have one length. */
export function hasName(names: string, name: string): boolean {
  let at = names.indexOf(name);
  while (at >= 0 && at % NAME_LENGTH !== 0) at = names.indexOf(name, at + 1);
  return at >= 0;
}

/** Leaves out each SBOM that names a package which no line tells: that line was damaged. */
export function leaveOutUnknown({ packages, sboms }: Known): void {
  for (const [sbom, { bytes, from, to }] of sboms)
    for (let at = from; at < to; at += NAME_LENGTH)
      if (!packages.has(bytes.toString("latin1", at, at + NAME_LENGTH))) {
        sboms.delete(sbom);
        break;
      }
}
