import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { insideWorkspace } from "../files/own-folders.ts";
import { readRegular } from "../files/read-regular.ts";
import { isRefusal } from "../files/refused.ts";
import { deleteFile } from "../files/set-aside.ts";
import { writeWhole } from "../files/write-whole.ts";
import { compareText } from "../model/compare.ts";
import type { Problem } from "../records/problem.ts";
import { readReport, reportId, reportText, type ScanReport } from "./scan-report.ts";

/** A record, as far as reports lie beside it. */
interface About {
  manifest_id: string;
  record_id: string;
}

/** The reports of all records of a manifest, below the workspace. */
const scansOf = (manifestId: string): string => `records/${manifestId}/scans`;

/** The reports of a record's image, below the workspace. */
const placeOf = ({ manifest_id, record_id }: About): string => `${scansOf(manifest_id)}/${record_id}`;

/** The largest report that is read, in bytes. */
const MOST_REPORT = 64 << 20;

/** Writes a report beside the record that it is about. @returns its path from the workspace @throws FactoryError WRITE_FAILED, FILE_OUTSIDE */
export function keepReport(root: string, manifestId: string, report: ScanReport): string {
  const { record_id } = report.subject;
  const path = `${placeOf({ manifest_id: manifestId, record_id })}/${reportId(report)}.json`;
  writeWhole(insideWorkspace(root, path), reportText(report));
  return path;
}

/** The names in a folder, sorted; none if it is missing. null if it is not a folder itself, or cannot be read. */
function namesIn(folder: string): string[] | null {
  try {
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (!stats) return [];
    return stats.isDirectory() ? readdirSync(folder).sort(compareText) : null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return null;
  }
}

/** What a file among the reports of a record holds. */
function reportAt(file: string, name: string, recordId: string): ScanReport | Problem {
  const problem = (code: Problem["code"], what: string): Problem => ({ code, what, evidence: "scan" });
  let bytes: Buffer | undefined;
  try {
    bytes = readRegular(file, MOST_REPORT)?.bytes;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return problem("SCAN_UNREADABLE", "cannot be read");
  }
  if (!bytes) return problem("SCAN_UNREADABLE", "is no file of a report");
  const report = readReport(bytes);
  if ("why" in report) return problem("SCAN_MALFORMED", `is no report: ${report.why}`);
  if (`${reportId(report)}.json` !== name) return problem("SCAN_CHANGED", "was changed after it was written");
  return report.subject.record_id === recordId ? report : problem("SCAN_MISMATCH", "is about another record");
}

/**
 * The reports of a record's image that are here, newest first. One that does not have the hash in its name, or is about another
 * record, is left out and named.
 * @throws FactoryError FILE_OUTSIDE
 */
export function keptReports(root: string, record: About): { reports: ScanReport[]; problems: Problem[] } {
  const place = placeOf(record);
  const names = namesIn(insideWorkspace(root, place));
  const reports: ScanReport[] = [];
  const problems: Problem[] = [];
  if (names === null)
    problems.push({
      code: "SCAN_UNREADABLE",
      what: `${place} is no folder that can be read`,
      evidence: "scan",
    });
  for (const name of (names ?? []).filter((one) => one.endsWith(".json")).reverse()) {
    const read = reportAt(join(root, place, name), name, record.record_id);
    if ("code" in read) problems.push({ ...read, what: `${place}/${name} ${read.what}` });
    else reports.push(read);
  }
  return { reports, problems };
}

/**
 * Removes reports of a record's image that are older than a moment, the oldest first: what is left is what the newest says.
 * @param before milliseconds since 1970
 * @param isDone false to count them alone
 * @returns how many
 * @throws FactoryError FILE_OUTSIDE, WRITE_FAILED
 */
export function removeReports(
  root: string,
  record: About,
  { before, isDone }: { before: number; isDone: boolean },
): number {
  const { reports } = keptReports(root, record);
  const old = reports.filter(({ scanned_at }) => Date.parse(scanned_at) < before).reverse();
  for (const report of isDone ? old : []) {
    const path = `${placeOf(record)}/${reportId(report)}.json`;
    deleteFile(insideWorkspace(root, path));
  }
  return old.length;
}

/** The names that records of a manifest have reports under, sorted; null if they are in no folder that can be read. @throws FactoryError FILE_OUTSIDE */
export function scannedRecords(root: string, manifestId: string): string[] | null {
  return namesIn(insideWorkspace(root, scansOf(manifestId)));
}
