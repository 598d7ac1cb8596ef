import { resolve } from "node:path";
import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { writeOutput } from "../files/write-output.ts";
import { parseReference } from "../model/image-reference.ts";
import { quoted, visible } from "../model/visible.ts";
import { openStore } from "../pipeline/open-store.ts";
import { policyOf } from "../publish/promotion.ts";
import type { WholeRecord } from "../records/travel.ts";
import { sarifOf } from "../scan/sarif.ts";
import type { Scanner } from "../scan/scan-image.ts";
import { reportId, reportText, type ScanReport } from "../scan/scan-report.ts";
import { keepReport } from "../scan/scan-store.ts";
import { scanRules, type ScanVerdict, scanVerdict } from "../scan/scan-verdict.ts";
import { table } from "../screen/table.ts";
import type { CommandResult, Context } from "./context.ts";

interface ScanOptions {
  policy?: string;
  scanner?: Scanner;
  sarif?: string;
  push?: boolean;
}

const RECORD_ID = /^\d{8}t\d{9}z-[0-9a-f]{16}$/;

/** How many findings the table has. */
const SHOWN = 50;

/** The record that is meant: the newest pass with that id, tag or digest. @throws FactoryError UNKNOWN_RECORD */
async function recordOf(root: string, what: string): Promise<WholeRecord> {
  const store = openStore(root);
  const all = await store.all();
  const isId = RECORD_ID.test(what);
  const sorted = [...all].sort((a, b) => (a.record_id < b.record_id ? 1 : -1));
  for (const { record_id, read } of sorted) {
    if (isId && record_id !== what) continue;
    const whole = await read();
    const image = whole?.record.image;
    if (!whole || !image || whole.record.result.status !== "pass") continue;
    const digest = /@(sha256:[a-f0-9]{64})$/.exec(what)?.[1] ?? what;
    if (isId || image.ref === what || [image.digest, image.manifest_digest].includes(digest)) return whole;
  }
  const why = isId ? "there is no such record of a pass" : "no record of a pass here has that image";
  throw new FactoryError("UNKNOWN_RECORD", `${quoted(what)}: ${why}`, {
    fix: "see `factory records list --status pass`; `factory records pull` brings those of other machines",
  });
}

/** The policy that judges: one that is named, else that of the first product of the manifest that has one. */
function policyFor(catalog: OpenCatalog, manifestId: string, named: string | undefined): string | null {
  if (named !== undefined) return named;
  for (const id of catalog.productIds()) {
    const { document } = catalog.product(id);
    const policy = document.manifest_id === manifestId ? policyOf(document, "") : undefined;
    if (policy !== undefined) return policy;
  }
  return null;
}

function toldFindings({ failed, excused }: ScanVerdict, report: ScanReport, context: Context): string {
  const { red, dim } = context.color;
  const findings = report.outcome.state === "scanned" ? report.outcome.findings : [];
  const isFailed = new Set(failed);
  const reasons = new Map(excused.map(({ finding, exception }) => [finding, exception]));
  const shown = [...failed, ...findings.filter((one) => !isFailed.has(one))].slice(0, SHOWN);
  const rows = shown.map((one) => {
    const exception = reasons.get(one);
    const counts = isFailed.has(one)
      ? red("yes")
      : exception
        ? `no: ${exception.owner}, until ${exception.until}`
        : dim("no");
    return [one.id, one.severity, `${one.package} ${one.version}`, one.fixed ?? "-", counts].map((text) =>
      visibleIn(text),
    );
  });
  if (rows.length === 0) return "";
  const more =
    findings.length > rows.length ? `\n… and ${findings.length - rows.length} more: see --json` : "";
  return `${table(["ID", "SEVERITY", "PACKAGE", "FIXED IN", "COUNTS"], rows, context.columns)}${more}\n\n`;
}

/** What scanners write may hold anything; the colours are ours. */
const visibleIn = (text: string): string =>
  /^\u001b\[\d+m[a-z: ]*\u001b\[\d+m$/.test(text) ? text : visible(text);

/** `factory scan`: has the SBOM of a proven image judged by a scanner, keeps what it said, and applies a policy to that. */
export async function scan(context: Context, what: string, options: ScanOptions): Promise<CommandResult> {
  const [catalog, world] = await Promise.all([context.catalog(), context.world()]);
  const { root } = catalog;
  const { record, evidence } = await recordOf(root, what);
  const { manifest_id, record_id, platform, image } = record;
  const policyId = policyFor(catalog, manifest_id, options.policy);
  const rules = scanRules(policyId === null ? undefined : catalog.policy(policyId).document.scan);
  const sbom = record.evidence.sbom;
  if (!sbom || !image)
    throw new FactoryError("EVIDENCE_LOST", `the record ${record_id} has no SBOM`, {
      fix: "run the cell again",
    });
  const outcome = await world.scanSbom(evidence(sbom), platform, options.scanner);
  const report: ScanReport = {
    schema_version: 1,
    scanned_at: new Date(context.now()).toISOString(),
    subject: { manifest_digest: image.manifest_digest, platform, record_id, sbom_sha256: sbom.sha256 },
    outcome,
  };
  const path = keepReport(root, manifest_id, report);
  const verdict = scanVerdict(report, rules, context.now());
  if (options.sarif !== undefined) {
    const text = `${JSON.stringify(sarifOf(report, verdict, image.ref), null, 2)}\n`;
    await writeOutput(resolve(context.cwd, options.sarif), [text], context.signal);
  }
  const { status, why, failed, excused, expired, tooLong } = verdict;
  for (const one of expired.slice(0, 10))
    context.say(`note: the exception for ${one.id} of ${visible(one.owner)} ended on ${one.until}`);
  for (const one of tooLong.slice(0, 10))
    context.say(
      `note: the exception for ${one.id} of ${visible(one.owner)} is until ${one.until}, which is more than a year ahead, so it does not count`,
    );
  let attached: number | null = null;
  if (options.push) {
    if (!image.pushed)
      throw new FactoryError("USAGE", `the image of ${record.cell_id} was not pushed`, {
        fix: `the report is in ${path}; push the image with \`factory run --push\``,
      });
    const { host, repository } = parseReference(image.ref);
    attached = await world.attachScan(
      { host, repository, digest: image.manifest_digest },
      { report, text: Buffer.from(reportText(report)) },
      catalog.settings().signing,
    );
  }
  const { green, red, yellow } = context.color;
  const colour = { passed: green, failed: red, "not-scanned": yellow }[status];
  const counted =
    outcome.state === "scanned" ? `, ${outcome.findings.length} found, ${failed.length} count` : "";
  return {
    text: `${toldFindings(verdict, report, context)}${colour(status)}: ${visible(why)}${counted}\n  report  ${path}`,
    json: {
      status,
      why,
      policy_id: policyId,
      scan_id: reportId(report),
      report: path,
      ...(attached !== null && { attached }),
      subject: report.subject,
      scanner: outcome.scanner,
      failed,
      excused,
      expired,
      too_long: tooLong,
      findings: outcome.state === "scanned" ? outcome.findings : [],
    },
    exitCode: status === "passed" ? 0 : 1,
  };
}
