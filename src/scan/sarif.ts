import type { ScanFinding, Severity } from "./scan-finding.ts";
import type { ScanReport } from "./scan-report.ts";
import type { ScanVerdict } from "./scan-verdict.ts";

/** As SARIF rates results, and as code scanning rates rules. */
const LEVELS: Record<Severity, { level: "error" | "warning" | "note"; score: string }> = {
  critical: { level: "error", score: "9.5" },
  high: { level: "error", score: "8.0" },
  medium: { level: "warning", score: "5.5" },
  low: { level: "note", score: "2.0" },
  negligible: { level: "note", score: "0.5" },
  unknown: { level: "warning", score: "5.5" },
};

function ruleOf({ id, kind, severity, title, url }: ScanFinding) {
  const { level, score } = LEVELS[severity];
  return {
    id,
    name: kind === "update" ? "PendingSecurityUpdate" : "Vulnerability",
    shortDescription: { text: title === "" ? id : title },
    ...(url !== null && { helpUri: url }),
    defaultConfiguration: { level },
    properties: { tags: ["security", kind], "security-severity": score },
  };
}

/**
 * A scan as SARIF 2.1.0, as code scanning takes it: a rule for each vulnerability, a result for each package that has it. What an
 * exception excuses is suppressed, with its reason.
 * @param image as people call it
 */
export function sarifOf(report: ScanReport, verdict: ScanVerdict, image: string): object {
  const { outcome, subject } = report;
  const findings = outcome.state === "scanned" ? outcome.findings : [];
  const rules = [...new Map(findings.map((one) => [one.id, ruleOf(one)])).values()];
  const places = new Map(rules.map(({ id }, at) => [id, at]));
  const excused = new Map(verdict.excused.map(({ finding, exception }) => [finding, exception]));
  const results = findings.map((finding) => {
    const { id, severity, package: name, version, fixed, purl } = finding;
    const exception = excused.get(finding);
    const uri = image.replace(/[^A-Za-z0-9._/-]/g, "_");
    return {
      ruleId: id,
      ruleIndex: places.get(id),
      level: LEVELS[severity].level,
      message: {
        text: `${name} ${version} has ${id}${fixed === null ? ", and there is no version without it" : `; ${fixed} does not have it`}`,
      },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri }, region: { startLine: 1 } },
          logicalLocations: [{ fullyQualifiedName: purl ?? `${name}@${version}`, kind: "module" }],
        },
      ],
      partialFingerprints: { "factory/package/v1": `${id} ${name}` },
      ...(exception && {
        suppressions: [
          {
            kind: "external",
            status: "accepted",
            justification: `${exception.reason} (${exception.owner}, until ${exception.until})`,
          },
        ],
      }),
    };
  });
  const { scanner } = outcome;
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: scanner?.name ?? "factory scan",
            ...(scanner && scanner.version !== "" && { version: scanner.version }),
            rules,
          },
        },
        invocations: [
          {
            executionSuccessful: outcome.state === "scanned",
            endTimeUtc: report.scanned_at,
            ...(outcome.state === "not-scanned" && {
              toolExecutionNotifications: [{ level: "error", message: { text: outcome.reason } }],
            }),
          },
        ],
        results,
        properties: {
          manifest_digest: subject.manifest_digest,
          platform: subject.platform,
          verdict: verdict.status,
        },
      },
    ],
  };
}
