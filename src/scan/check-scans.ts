import { FactoryError } from "../errors.ts";
import { manifestFolders } from "../records/locate.ts";
import { placeOf } from "../records/place.ts";
import type { RecordProblem } from "../records/problem.ts";
import type { RecordStore } from "../records/store.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { keptReports, scannedRecords } from "./scan-store.ts";
import type { ScanReport } from "./scan-report.ts";

/** Where a report differs from the record that it lies beside; null if it is about its image. */
function difference({ subject }: ScanReport, record: FactoryRecord): string | null {
  if (subject.manifest_digest !== record.image?.manifest_digest) return "another image";
  if (subject.platform !== record.platform) return "another platform";
  return subject.sbom_sha256 === record.evidence.sbom?.sha256 ? null : "another SBOM";
}

/**
 * What is wrong with the reports of scans beside the records of a workspace: each has the hash in its name, is a report, and is
 * about the image and the SBOM of its record.
 * @param only the id of one record; default: all that have reports
 * @returns how many reports there are
 * @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE
 */
export async function checkScans(
  root: string,
  store: Pick<RecordStore, "all">,
  only?: string,
): Promise<{ scans: number; problems: RecordProblem[] }> {
  const outcome: { scans: number; problems: RecordProblem[] } = { scans: 0, problems: [] };
  const base = placeOf(root)?.base;
  for (const manifest_id of base === undefined ? [] : manifestFolders(base)) {
    const names = scannedRecords(root, manifest_id);
    if (names === null)
      outcome.problems.push({
        record_id: null,
        code: "SCAN_UNREADABLE",
        what: `records/${manifest_id}/scans is no folder that can be read`,
        evidence: "scan",
      });
    const wanted = (names ?? []).filter((name) => only === undefined || name === only);
    if (wanted.length === 0) continue;
    const all = new Map((await store.all(manifest_id)).map((one) => [one.record_id, one]));
    for (const record_id of wanted) {
      const { reports, problems } = keptReports(root, { manifest_id, record_id });
      outcome.scans += reports.length + problems.length;
      outcome.problems.push(...problems.map((problem) => ({ record_id, ...problem })));
      const mismatch = (why: string): void =>
        void outcome.problems.push({
          record_id,
          code: "SCAN_MISMATCH",
          what: `records/${manifest_id}/scans/${record_id}: ${why}`,
          evidence: "scan",
        });
      try {
        const whole = await all.get(record_id)?.read();
        if (!whole && reports.length > 0) mismatch("there is no such record here that could be scanned");
        for (const report of reports) {
          const why = whole ? difference(report, whole.record) : null;
          if (why !== null) mismatch(`a report of ${report.scanned_at} is about ${why}`);
        }
      } catch (error) {
        // The record itself is reported where records are checked.
        if (!(error instanceof FactoryError) || error.code !== "RECORD_UNREADABLE") throw error;
      }
    }
  }
  return outcome;
}
