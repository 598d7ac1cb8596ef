import { ageMs } from "../model/age.ts";
import type { Scan, ScanException } from "../schemas/types.ts";
import { type ScanFinding, SEVERITIES, type Severity } from "./scan-finding.ts";
import type { ScanReport } from "./scan-report.ts";

/** What a policy asks of a scan, with every default filled in. */
export interface ScanRules {
  fail_on: Exclude<Severity, "unknown">;
  ignore_unfixed: boolean;
  pending_updates: boolean;
  /** Of the scan, and of the scanner's database, in milliseconds. */
  maxAgeMs: number;
  maxDatabaseAgeMs: number;
  exceptions: readonly ScanException[];
}

/** The rules of a policy that says nothing else. */
export function scanRules(said: Scan = {}): ScanRules {
  const { fail_on = "high", ignore_unfixed = false, pending_updates = true, exceptions = [] } = said;
  const week = ageMs("7d") ?? 0;
  return {
    fail_on,
    ignore_unfixed,
    pending_updates,
    maxAgeMs: ageMs(said.max_age) ?? week,
    maxDatabaseAgeMs: ageMs(said.max_database_age) ?? week,
    exceptions,
  };
}

/** What a policy makes of a scan. */
export interface ScanVerdict {
  status: "passed" | "failed" | "not-scanned";
  why: string;
  /** What it fails for. */
  failed: ScanFinding[];
  /** What an exception excuses, and which. */
  excused: { finding: ScanFinding; exception: ScanException }[];
  /** Exceptions that would excuse something, and have ended. */
  expired: ScanException[];
  /** Exceptions that would excuse something, and end later than any may. */
  tooLong: ScanException[];
}

/** How far clocks of two machines may be apart, in milliseconds. */
const SKEW_MS = 5 * 60_000;

/** What is not rated counts as `medium`: it may be worse. */
const rank = (severity: Severity): number => SEVERITIES.indexOf(severity === "unknown" ? "medium" : severity);

/** The last day on which an exception may end: a year ahead. One for ever would be none. @param now milliseconds since 1970 */
export function lastUntil(now: number): string {
  const day = new Date(now);
  day.setUTCFullYear(day.getUTCFullYear() + 1);
  return day.toISOString().slice(0, 10);
}

const matches = ({ id, package: name }: ScanException, finding: ScanFinding): boolean =>
  id.toLowerCase() === finding.id.toLowerCase() && (name === undefined || name === finding.package);

function counts({ kind, severity, fixed }: ScanFinding, rules: ScanRules): boolean {
  if (kind === "update") return rules.pending_updates;
  return rank(severity) <= rank(rules.fail_on) && !(rules.ignore_unfixed && fixed === null);
}

/** A scan's age and that of its database, as far as they keep it from judging anything; null if they do not. */
function tooOld({ scanned_at, outcome }: ScanReport, rules: ScanRules, now: number): string | null {
  const scanned = Date.parse(scanned_at);
  if (!(scanned <= now + SKEW_MS)) return `the scan is from the future: ${scanned_at}`;
  if (now - scanned > rules.maxAgeMs) return `the scan is too old: ${scanned_at}`;
  if (outcome.state === "not-scanned") return outcome.reason;
  const { name, database } = outcome.scanner;
  if (database === null) return `${name} did not say how old its database was`;
  const made = Date.parse(database);
  if (Number.isNaN(made)) return `${name} said nonsense about its database`;
  return scanned - made > rules.maxDatabaseAgeMs ? `the database of ${name} was too old: ${database}` : null;
}

/** What a policy makes of a scan today: the findings stay, and the rules and exceptions are those of now. */
export function scanVerdict(report: ScanReport, rules: ScanRules, now: number): ScanVerdict {
  const none = { failed: [], excused: [], expired: [], tooLong: [] };
  const old = tooOld(report, rules, now);
  if (old !== null || report.outcome.state === "not-scanned")
    return { status: "not-scanned", why: old ?? "it was not scanned", ...none };
  const today = new Date(now).toISOString().slice(0, 10);
  const verdict: Omit<ScanVerdict, "status" | "why"> = {
    failed: [],
    excused: [],
    expired: [],
    tooLong: [],
  };
  const last = lastUntil(now);
  for (const finding of report.outcome.findings) {
    if (!counts(finding, rules)) continue;
    const own = rules.exceptions.filter((exception) => matches(exception, finding));
    const exception = own.find(({ until }) => until >= today && until <= last);
    if (exception) verdict.excused.push({ finding, exception });
    else {
      verdict.failed.push(finding);
      for (const one of own) {
        const list = one.until < today ? verdict.expired : verdict.tooLong;
        if (!list.includes(one)) list.push(one);
      }
    }
  }
  const { failed, expired, tooLong } = verdict;
  const [first] = failed;
  if (!first)
    return { status: "passed", why: `${report.outcome.scanner.name} found nothing that counts`, ...verdict };
  const ended = expired[0] ? `; the exception for ${expired[0].id} ended on ${expired[0].until}` : "";
  const far = tooLong[0]
    ? `; the exception for ${tooLong[0].id} is until ${tooLong[0].until}, and none counts that ends after ${last}`
    : "";
  const others = failed.length > 1 ? ` and ${failed.length - 1} more` : "";
  const why = `${first.id} in ${first.package} ${first.version} (${first.severity})${others}${ended}${far}`;
  return { status: "failed", why, ...verdict };
}
