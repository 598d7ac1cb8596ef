import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { RECORD_ID } from "./record-id.ts";

/** A file that is named like a record. */
export interface Located {
  manifestId: string;
  recordId: string;
  /** Absolute path. */
  file: string;
}

const ENDING = ".json";

/** What a record's file is called within the workspace, for people. */
export function recordPath(manifestId: string, recordId: string): string {
  return `records/${manifestId}/${recordId}${ENDING}`;
}

/** @param base absolute path of the folder `records` */
export function recordAt(base: string, manifestId: string, recordId: string): Located {
  return { manifestId, recordId, file: `${base}/${manifestId}/${recordId}${ENDING}` };
}

/** Ids of the files in a folder that are named like records. Temporary files of a killed run are named otherwise. */
export function recordIdsIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const id = name.slice(0, -ENDING.length);
    return name.endsWith(ENDING) && RECORD_ID.test(id) ? [id] : [];
  });
}

/** Names of the folders in `records`, none where it is missing. Links are no folders. */
function manifestFolders(base: string): string[] {
  if (!existsSync(base)) return [];
  return readdirSync(base, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
}

/** Files named like records, newest first. */
export function locateRecords(base: string, manifestId?: string): Located[] {
  return manifestFolders(base)
    .filter((name) => manifestId === undefined || name === manifestId)
    .flatMap((name) => recordIdsIn(join(base, name)).map((id) => recordAt(base, name, id)))
    .sort((a, b) => compareText(b.recordId, a.recordId) || compareText(a.manifestId, b.manifestId));
}

/** The error for a file that is named like a record and is none. */
export function unreadableRecord(
  { manifestId, recordId }: Located,
  what: string,
  cause?: unknown,
): FactoryError {
  return new FactoryError("RECORD_UNREADABLE", `the record ${recordId} ${what}`, {
    where: { file: recordPath(manifestId, recordId) },
    fix: "restore it from version control or from the CI artifact",
    cause,
  });
}
