import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { insideWorkspace } from "../files/own-folders.ts";
import { readRegular } from "../files/read-regular.ts";
import { isRefusal } from "../files/refused.ts";
import { writeWhole } from "../files/write-whole.ts";
import { readReport, reportId, reportText, type ScanReport } from "./scan-report.ts";

/** The reports of a record's image, below the workspace. */
const placeOf = ({ manifest_id, record_id }: { manifest_id: string; record_id: string }): string =>
  `records/${manifest_id}/scans/${record_id}`;

/** The largest report that is read, in bytes. */
const MOST_REPORT = 64 << 20;

/** Writes a report beside the record that it is about. @returns its path from the workspace @throws FactoryError WRITE_FAILED, FILE_OUTSIDE */
export function keepReport(root: string, manifestId: string, report: ScanReport): string {
  const { record_id } = report.subject;
  const path = `${placeOf({ manifest_id: manifestId, record_id })}/${reportId(report)}.json`;
  writeWhole(insideWorkspace(root, path), reportText(report));
  return path;
}

/**
 * The reports of a record's image that are here, newest first. One that does not have the hash in its name is left out and named.
 * @throws FactoryError FILE_OUTSIDE
 */
export function keptReports(
  root: string,
  record: { manifest_id: string; record_id: string },
): { reports: ScanReport[]; problems: string[] } {
  const place = placeOf(record);
  const folder = insideWorkspace(root, place);
  const reports: ScanReport[] = [];
  const problems: string[] = [];
  if (!existsSync(folder)) return { reports, problems };
  for (const name of readdirSync(folder)
    .filter((one) => one.endsWith(".json"))
    .sort()
    .reverse()) {
    try {
      const file = readRegular(join(folder, name), MOST_REPORT);
      const report = file ? readReport(file.bytes) : { why: "it is no file of a report" };
      if ("why" in report) problems.push(`${place}/${name}: ${report.why}`);
      else if (`${reportId(report)}.json` !== name)
        problems.push(`${place}/${name} was changed after it was written`);
      else reports.push(report);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      problems.push(`${place}/${name} cannot be read`);
    }
  }
  return { reports, problems };
}
