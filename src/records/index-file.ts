import { lstatSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { appendTo } from "../files/append.ts";
import { readRegular } from "../files/read-regular.ts";
import { sha256 } from "../model/digest.ts";
import common from "../schemas/common.schema.json" with { type: "json" };
import first from "../schemas/record-1.schema.json" with { type: "json" };
import schema from "../schemas/record.schema.json" with { type: "json" };
import { startsOf } from "./index-line.ts";

/** The lines of an index. A later line about a record replaces an earlier one. */
export interface IndexLines {
  bytes: Buffer;
  /** Where each line starts. */
  starts: number[];
}

/**
 * The index of a manifest's records, `.factory/records/<manifest_id>.ndjson`: what is known about record files that were
 * read and checked. It is derived, and may be lost, cut or refused at any time: then the records are read again, and a note
 * says so. Several processes may use it at once.
 */
export interface IndexFile {
  /** null if there is none, or if a single byte of it is not what was written. */
  lines: IndexLines | null;
  /** Adds whole lines in one write. */
  append: (text: string) => void;
  /** Replaces the index with a new one that has these lines. */
  replace: (text: string) => Promise<void>;
}

/** Changes with the format of the lines. */
const VERSION = 3;
export const INDEX_FOLDER = [".factory", "records"];

/** Changes with the schema of records. */
export function schemaHash(): string {
  return sha256(JSON.stringify([common, first, schema]));
}

/** The first line. It includes a hash of the schema of records, since the index remembers which files are records. */
function headerOf(manifestId: string): string {
  return `${JSON.stringify({ schema: "factory/records-index", version: VERSION, manifest_id: manifestId, records: schemaHash() })}\n`;
}

/** Why a file must not be used: the first link on the way to it, or a folder on the way that cannot be read. */
export function barrier(root: string, names: readonly string[]): string | undefined {
  const paths = names.map((_, at) => names.slice(0, at + 1).join("/"));
  try {
    const link = paths.find((path) =>
      lstatSync(join(root, path), { throwIfNoEntry: false })?.isSymbolicLink(),
    );
    return link === undefined ? undefined : `${link} is a link`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** The lines of the file. @returns a text that says why there are none; undefined if there is no file */
function readLines(file: string, header: string): IndexLines | string | undefined {
  let bytes: Buffer | undefined;
  try {
    bytes = readRegular(file)?.bytes;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? undefined : `it cannot be read (${code})`;
  }
  if (!bytes) return "it is not a regular file";
  if (bytes.toString("latin1", 0, header.length) !== header) return "it has another format";
  const starts = startsOf(bytes, header.length);
  return starts ? { bytes, starts } : "it is damaged";
}

/**
 * @param root real path of the workspace
 * @param manifestId checked
 * @param note gets what keeps the index from being used
 */
export function openIndexFile(root: string, manifestId: string, note: (text: string) => void): IndexFile {
  const names = [...INDEX_FOLDER, `${manifestId}.ndjson`];
  const path = names.join("/");
  const file = join(root, path);
  const barred = barrier(root, names);
  if (barred !== undefined) {
    note(`the index ${path} is not used: ${barred}`);
    return { lines: null, append: () => undefined, replace: () => Promise.resolve() };
  }
  const header = headerOf(manifestId);
  const read = readLines(file, header);
  if (typeof read === "string") note(`the index ${path} is rebuilt: ${read}`);
  const cannotWrite = (error: unknown) => {
    if (!(error instanceof FactoryError)) throw error;
    note(`the index ${path} cannot be written, so records will be read again: ${error.message}`);
  };
  return {
    lines: typeof read === "object" ? read : null,

    append: (text) => {
      try {
        // The next reading of the index finds a line that was cut.
        if (!appendTo(file, text))
          note(`the index ${path} was cut by a full disk, so records will be read again`);
      } catch (error) {
        cannotWrite(error);
      }
    },

    replace: async (text) => {
      try {
        const { writeWhole } = await import("../files/write-whole.ts");
        writeWhole(file, header + text, false);
      } catch (error) {
        cannotWrite(error);
      }
    },
  };
}
