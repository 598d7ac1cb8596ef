import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { ifThere } from "./place.ts";
import { RECORD_ID } from "./record-id.ts";

/** A file that is named like a record. */
export interface Located {
  manifestId: string;
  recordId: string;
  /** Absolute path. */
  file: string;
}

const ENDING = ".json";

/** The path of a record's file within the workspace, for people. */
export function recordPath(manifestId: string, recordId: string): string {
  return `records/${manifestId}/${recordId}${ENDING}`;
}

/** @param base absolute path of the folder `records` */
export function recordAt(base: string, manifestId: string, recordId: string): Located {
  return { manifestId, recordId, file: `${base}/${manifestId}/${recordId}${ENDING}` };
}

/**
 * Ids of the files in a manifest's folder that are named like records. Temporary files of a killed run have other names.
 * @param base absolute path of the folder `records`
 * @throws FactoryError FILE_UNREADABLE
 */
export function recordIdsIn(base: string, manifestId: string): string[] {
  const names = ifThere(`records/${manifestId}`, () => readdirSync(join(base, manifestId))) ?? [];
  return names.flatMap((name) => {
    const id = name.slice(0, -ENDING.length);
    return name.endsWith(ENDING) && RECORD_ID.test(id) ? [id] : [];
  });
}

/** The items in `records`; none if it is missing. @throws FactoryError FILE_UNREADABLE */
export function entriesOf(base: string): Dirent[] {
  return ifThere("records", () => readdirSync(base, { withFileTypes: true })) ?? [];
}

/** Names of the folders in `records`. Links do not count. @throws FactoryError FILE_UNREADABLE */
export function manifestFolders(base: string): string[] {
  return entriesOf(base).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** Files named like records, newest first. @throws FactoryError FILE_UNREADABLE */
export function locateRecords(base: string, manifestId?: string): Located[] {
  return manifestFolders(base)
    .filter((name) => manifestId === undefined || name === manifestId)
    .flatMap((name) => recordIdsIn(base, name).map((id) => recordAt(base, name, id)))
    .sort((a, b) => compareText(b.recordId, a.recordId) || compareText(a.manifestId, b.manifestId));
}

/**
 * The file that is named like a record with this id, in whatever folder it lies; the first by the manifest's name. However many
 * records there are, each folder is asked for one name.
 * @param recordId in the form of an id
 * @throws FactoryError FILE_UNREADABLE
 */
export function locateRecord(base: string, recordId: string): Located | undefined {
  const isIn = (manifestId: string) => {
    const { file } = recordAt(base, manifestId, recordId);
    return ifThere(`records/${manifestId}`, () => lstatSync(file)) !== undefined;
  };
  const manifestId = manifestFolders(base).sort(compareText).find(isIn);
  return manifestId === undefined ? undefined : recordAt(base, manifestId, recordId);
}

/** The error for a file that is named like a record but is not one. */
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
