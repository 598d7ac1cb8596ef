import { join } from "node:path";
import { FactoryError } from "../../errors.ts";
import { appendTo } from "../../files/append.ts";
import { readRegular } from "../../files/read-regular.ts";
import { sha256Hex } from "../../model/digest.ts";
import { checkedLine } from "../checked-line.ts";
import { evidencePath } from "../evidence.ts";
import { barrier, INDEX_FOLDER } from "../index-file.ts";
import type { Place } from "../place.ts";
import {
  fieldsOf,
  hasName,
  heldOf,
  type Known,
  leaveOutUnknown,
  nameOf,
  readLines,
} from "./package-lines.ts";
import type { HeldPackage } from "./package-test.ts";
import { packagesIn } from "./sbom-packages.ts";

/*
 * `.factory/records/<manifest_id>.packages`: which packages each SBOM names. An SBOM is known by its hash, so what is known of it
 * stays true. The file is derived: each line ends with a CRC-32, a line that is not what was written is left out, and what no line
 * tells is read from the evidence again. Several processes may add to it at once.
 *
 *   a header
 *   ["p","<name of 12 characters>",[type, name, version, source, its version, fragment],"<crc>"]   a package
 *   ["s","<sha256 of an SBOM>","<the names of its packages, one after the other>","<crc>"]         after those that it names
 */

const VERSION = 2;

/** How many SBOMs are read before what they hold is written, and other work gets its turn. */
const BATCH = 64;

/** With more damaged lines than this, the index is made anew. */
const MOST_DAMAGED = 1000;

export interface PackageWatch {
  /** How many SBOMs were read, and how many have to be. */
  onProgress: (read: number, of: number) => void;
  /** Gets what keeps the index from being used. Answers do not depend on that. */
  onNote: (text: string) => void;
}

/** What the SBOMs of a manifest's records hold. */
export interface PackageIndex {
  /** Each package that an SBOM names, by the SBOM's sha256. What does not pass is left out. */
  holding: (test: (held: HeldPackage) => boolean) => ReadonlyMap<string, HeldPackage[]>;
  /** Why an SBOM could not be read, by its sha256. */
  unknown: ReadonlyMap<string, string>;
}

/** What an SBOM holds, as lines; a text that says why that is not known. */
function linesOf(folder: string, sbom: string, known: Known): string | { why: string } {
  let bytes: Buffer | undefined;
  try {
    bytes = readRegular(join(folder, evidencePath(sbom)))?.bytes;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { why: code === "ENOENT" ? "its SBOM is missing" : `its SBOM cannot be read (${code})` };
  }
  if (!bytes) return { why: "its SBOM is not a regular file" };
  if (sha256Hex(bytes) !== sbom) return { why: "its SBOM is not what the record names" };
  let held: HeldPackage[] | undefined;
  try {
    held = packagesIn(JSON.parse(bytes.toString("utf8")));
  } catch {
    // It is no JSON.
  }
  if (!held) return { why: "its SBOM is not a CycloneDX document" };
  let lines = "";
  const names = held.map((one) => {
    const fields = fieldsOf(one);
    const name = nameOf(fields);
    if (!known.packages.has(name)) lines += checkedLine(["p", name, fields]);
    return name;
  });
  return lines + checkedLine(["s", sbom, names.join("")]);
}

/**
 * What SBOMs of a manifest's records hold, from the index and, as far as it does not know, from the evidence.
 * @param sboms sha256 of each, in hex
 */
export async function openPackages(
  place: Place,
  manifestId: string,
  sboms: Iterable<string>,
  watch: PackageWatch,
): Promise<PackageIndex> {
  const names = [...INDEX_FOLDER, `${manifestId}.packages`];
  const path = names.join("/");
  const file = join(place.root, path);
  const header = `${JSON.stringify({ schema: "factory/packages-index", version: VERSION, manifest_id: manifestId })}\n`;
  const known: Known = { packages: new Map(), sboms: new Map(), damaged: 0 };
  const barred = barrier(place.root, names);
  let isThere = false;
  if (barred !== undefined) watch.onNote(`the index ${path} is not used: ${barred}`);
  else {
    let bytes: Buffer | undefined;
    try {
      bytes = readRegular(file)?.bytes;
    } catch {
      // It is made.
    }
    isThere = bytes?.toString("latin1", 0, header.length) === header;
    if (bytes && isThere) readLines(bytes, header.length, known);
  }
  if (known.damaged > MOST_DAMAGED) {
    known.packages.clear();
    known.sboms.clear();
    isThere = false;
  } else if (known.damaged > 0) leaveOutUnknown(known);

  let refused = barred !== undefined;
  /** Writes lines in one go: at the end of the index, or as a new one. */
  const keep = async (lines: string) => {
    if (refused || lines === "") return;
    try {
      if (isThere) {
        // A line that a killed process or a full disk cut stands alone.
        if (!appendTo(file, known.damaged > 0 ? `\n${lines}` : lines)) refused = true;
      } else {
        const { writeWhole } = await import("../../files/write-whole.ts");
        writeWhole(file, header + lines, false);
        isThere = true;
      }
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      refused = true;
      watch.onNote(`the index ${path} cannot be written, so SBOMs will be read again: ${error.message}`);
    }
  };

  const unknown = new Map<string, string>();
  const wanted = [...new Set(sboms)];
  const missing = wanted.filter((sbom) => !known.sboms.has(sbom));
  let waiting = "";
  for (const [at, sbom] of missing.entries()) {
    const lines = linesOf(join(place.base, manifestId), sbom, known);
    if (typeof lines === "string") {
      readLines(Buffer.from(lines, "latin1"), 0, known);
      waiting += lines;
    } else unknown.set(sbom, lines.why);
    if (at % BATCH !== BATCH - 1) continue;
    await keep(waiting);
    waiting = "";
    watch.onProgress(at + 1, missing.length);
    await new Promise((done) => setImmediate(done));
  }
  await keep(waiting);

  return {
    unknown,
    holding: (test) => {
      const passing = new Map<string, HeldPackage>();
      for (const [name, fields] of known.packages) {
        const held = heldOf(fields);
        if (test(held)) passing.set(name, held);
      }
      const found = new Map<string, HeldPackage[]>();
      for (const sbom of wanted) {
        const at = known.sboms.get(sbom);
        if (!at) continue;
        const names = at.bytes.toString("latin1", at.from, at.to);
        const own = [...passing].flatMap(([name, held]) => (hasName(names, name) ? [held] : []));
        if (own.length > 0) found.set(sbom, own);
      }
      return found;
    },
  };
}
