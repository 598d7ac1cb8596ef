import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { appendTo } from "../files/append.ts";
import { readRegular } from "../files/read-regular.ts";
import { writeWhole } from "../files/write-whole.ts";
import { compareText } from "../model/compare.ts";
import { sha256Hex } from "../model/digest.ts";
import {
  doneLine,
  headerLine,
  type LedgerEntry,
  type LedgerHead,
  type LedgerLines,
  type PrunedEntry,
  prunedLine,
  putLine,
  readLines,
} from "./ledger-lines.ts";
import { ifThere } from "./place.ts";
import type { ProblemCode } from "./problem.ts";
import { stampOf } from "./record-id.ts";

/*
 * `records/<manifest_id>/ledger/` has one file for each process that wrote records: no two processes write to the same one,
 * and those of several machines are merged by copying them. A line with a record's id and hash is written before the
 * record, and another line after it: so a process that is killed at any moment leaves nothing that looks like a deleted
 * record. Each new file names the files that no other one names yet, with the hash of what it has seen of them: so none
 * can be removed, cut or edited without a contradiction to a later one.
 */

const FOLDER = "ledger";
const NAME = /^\d{8}t\d{9}z-[a-f0-9]{16}\.ndjson$/;

/** Something that is wrong with a ledger. */
export interface LedgerProblem {
  code: Extract<ProblemCode, `LEDGER_${string}`>;
  what: string;
}

/** What all ledgers of a manifest say together. */
export interface Ledgers {
  /** Entries by record id. Two writers name one record only if it was copied. */
  entries: ReadonlyMap<string, LedgerEntry>;
  /** Records that were written whole. */
  done: ReadonlySet<string>;
  /** Evidence that was deleted on purpose, by record id: the lines about it. */
  pruned: ReadonlyMap<string, readonly PrunedEntry[]>;
  problems: readonly LedgerProblem[];
  /** Records in missing or edited ledgers began before this: an id, or text that sorts like one. */
  doubtBefore: string | null;
}

interface Read {
  name: string;
  bytes: Buffer;
  lines: LedgerLines | null;
}

/**
 * Every ledger of a manifest, sorted by name. One that is not a regular file has no lines.
 * @throws FactoryError FILE_UNREADABLE if they cannot be listed
 */
function readAll(folder: string, manifestId: string): Read[] {
  const names = ifThere(`records/${manifestId}/${FOLDER}`, () => readdirSync(join(folder, FOLDER))) ?? [];
  return names
    .filter((name) => NAME.test(name))
    .sort(compareText)
    .map((name) => {
      const none = { name, bytes: Buffer.alloc(0), lines: null };
      try {
        const file = readRegular(join(folder, FOLDER, name));
        return file
          ? { name, bytes: file.bytes, lines: readLines(file.bytes.toString("latin1"), manifestId) }
          : none;
      } catch {
        return none;
      }
    });
}

/** The ledgers that no other one names, with their length and hash. */
function headsOf(all: readonly Read[]): LedgerHead[] {
  const named = new Set(all.flatMap(({ lines }) => lines?.heads.map(({ ledger }) => ledger) ?? []));
  return all.flatMap(({ name, bytes, lines }) =>
    lines && !named.has(name)
      ? [{ ledger: name, bytes: lines.bytes, sha256: sha256Hex(bytes.subarray(0, lines.bytes)) }]
      : [],
  );
}

/**
 * Reads the ledgers of a manifest, and compares each with what later ones have seen of it.
 * @param folder real path of the manifest's records
 * @throws FactoryError FILE_UNREADABLE if they cannot be listed
 */
export function readLedgers(folder: string, manifestId: string): Ledgers {
  const all = readAll(folder, manifestId);
  const entries = new Map<string, LedgerEntry>();
  const done = new Set<string>();
  const pruned = new Map<string, PrunedEntry[]>();
  const problems: LedgerProblem[] = [];
  let doubtBefore: string | null = null;
  const byName = new Map(all.map((one) => [one.name, one]));
  for (const { name, lines } of all) {
    if (!lines) {
      problems.push({ code: "LEDGER_DAMAGED", what: `${FOLDER}/${name} cannot be read as a ledger` });
      continue;
    }
    for (const entry of lines.entries) entries.set(entry.record_id, entry);
    for (const id of lines.done) done.add(id);
    for (const entry of lines.pruned)
      pruned.set(entry.record_id, [...(pruned.get(entry.record_id) ?? []), entry]);
    for (const { ledger, bytes, sha256 } of lines.heads) {
      const old = byName.get(ledger);
      if (old && old.bytes.length >= bytes && sha256Hex(old.bytes.subarray(0, bytes)) === sha256) continue;
      problems.push(
        old
          ? { code: "LEDGER_EDITED", what: `${FOLDER}/${ledger} does not begin as ${name} saw it` }
          : { code: "LEDGER_GONE", what: `${FOLDER}/${ledger} is missing, but ${name} names it` },
      );
      if (doubtBefore === null || name > doubtBefore) doubtBefore = name;
    }
  }
  return { entries, done, pruned, problems, doubtBefore };
}

/** Reads the ledgers of manifests, each once. @param base real path of the folder `records`; `anew`: if they may have changed */
export function ledgersIn(base: string): (manifestId: string, anew?: boolean) => Ledgers {
  const known = new Map<string, Ledgers>();
  return (manifestId, anew = false) => {
    const own = anew ? undefined : known.get(manifestId);
    const ledgers = own ?? readLedgers(join(base, manifestId), manifestId);
    known.set(manifestId, ledgers);
    return ledgers;
  };
}

/** A name for a new ledger, without its ending. */
export const newLedgerName = (): string => `${stampOf(new Date())}-${randomBytes(8).toString("hex")}`;

/** Writes down what one process adds to the records of a manifest. */
export interface LedgerWriter {
  /** Called before the record is written. @throws FactoryError WRITE_FAILED: then the record must not be written */
  put: (entry: LedgerEntry) => void;
  /** Called after the record was written whole. @throws FactoryError WRITE_FAILED */
  done: (recordId: string) => void;
  /** Called before evidence is deleted. @throws FactoryError WRITE_FAILED: then nothing must be deleted */
  prune: (entries: readonly PrunedEntry[]) => void;
}

/**
 * The ledger of this process. Its file is made with the first record.
 * @param folder absolute path of the manifest's records
 * @param newName gives `<stamp>-<16 hex digits>`, a new name each time
 */
export function openLedgerWriter(folder: string, manifestId: string, newName: () => string): LedgerWriter {
  let file: string | null = null;
  /** After a line that may have been cut, the next line begins a new file. */
  const write = (text: string, durable: boolean) => {
    const to = file;
    file = null;
    if (to === null) return;
    if (!appendTo(to, text, durable))
      throw new FactoryError("WRITE_FAILED", `cannot write ${to}: no space left on the disk`, {
        fix: "make room on the disk",
      });
    file = to;
  };
  /** Adds lines, to a new file if the old one does not take them. */
  const add = (lines: string) => {
    try {
      write(lines, true);
      if (file !== null) return;
    } catch (error) {
      // Creating a file shows whether anything can be written.
      if (!(error instanceof FactoryError)) throw error;
    }
    const path = join(folder, FOLDER, `${newName()}.ndjson`);
    const heads = headsOf(readAll(folder, manifestId));
    writeWhole(path, headerLine(manifestId, heads) + lines);
    file = path;
  };
  return {
    put: (entry) => add(putLine(entry)),
    prune: (entries) => add(entries.map(prunedLine).join("")),
    done: (recordId) => write(doneLine(recordId), false),
  };
}
