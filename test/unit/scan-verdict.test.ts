import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareDebian } from "../../src/model/debian-version.ts";
import { sarifOf } from "../../src/scan/sarif.ts";
import { findingOf, type ScanFinding, SEVERITIES, sorted } from "../../src/scan/scan-finding.ts";
import { readReport, reportId, reportText, type ScanReport } from "../../src/scan/scan-report.ts";
import { lastUntil, scanRules, scanVerdict } from "../../src/scan/scan-verdict.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");

const finding = (change: Partial<ScanFinding> = {}): ScanFinding => ({
  id: "CVE-2026-0001",
  kind: "vulnerability",
  severity: "high",
  package: "openssl",
  version: "3.0.14-1",
  fixed: "3.0.15-1",
  purl: "pkg:deb/debian/openssl@3.0.14-1",
  title: "a title",
  url: "https://example.org/CVE-2026-0001",
  ...change,
});

function report(findings: ScanFinding[], change: Partial<ScanReport> = {}): ScanReport {
  return {
    schema_version: 1,
    scanned_at: "2026-11-26T11:00:00.000Z",
    subject: { manifest_digest: "sha256:m", platform: "linux/amd64", record_id: "r", sbom_sha256: "s" },
    outcome: {
      state: "scanned",
      scanner: { name: "trivy", version: "0.1", database: "2026-11-25T00:00:00Z" },
      findings,
    },
    ...change,
  };
}

const verdict = (findings: ScanFinding[], said = {}, change: Partial<ScanReport> = {}) =>
  scanVerdict(report(findings, change), scanRules(said), NOW);

describe("scanVerdict", () => {
  it("fails from the severity on that the policy says, and for what is not rated as for medium", () => {
    const status = (severity: ScanFinding["severity"], fail_on: string) =>
      verdict([finding({ severity })], { fail_on }).status;
    for (const [at, severity] of SEVERITIES.slice(0, 5).entries())
      for (const [other, fail_on] of SEVERITIES.slice(0, 5).entries())
        expect(status(severity, fail_on)).toBe(at <= other ? "failed" : "passed");
    expect([status("unknown", "high"), status("unknown", "medium")]).toEqual(["passed", "failed"]);
    expect(verdict([]).status).toBe("passed");
  });

  it("counts pending updates unless the policy says otherwise, and what has no fix likewise", () => {
    const update = finding({ kind: "update", severity: "unknown", id: "debian-security:openssl" });
    expect(verdict([update]).status).toBe("failed");
    expect(verdict([update], { pending_updates: false }).status).toBe("passed");
    expect(verdict([finding({ fixed: null })]).status).toBe("failed");
    expect(verdict([finding({ fixed: null })], { ignore_unfixed: true }).status).toBe("passed");
  });

  it("is excused by an exception until its last day, in any case of letters, for its package alone", () => {
    const exception = { id: "cve-2026-0001", owner: "team", reason: "not reachable", until: "2026-11-26" };
    expect(verdict([finding()], { exceptions: [exception] })).toMatchObject({
      status: "passed",
      excused: [{ exception }],
    });
    const ended = { ...exception, until: "2026-11-25" };
    expect(verdict([finding()], { exceptions: [ended] })).toMatchObject({
      status: "failed",
      expired: [ended],
    });
    expect(verdict([finding()], { exceptions: [ended, exception] }).status).toBe("passed");
    expect(verdict([finding()], { exceptions: [{ ...exception, package: "zlib" }] }).status).toBe("failed");
    expect(verdict([finding()], { exceptions: [{ ...exception, package: "openssl" }] }).status).toBe(
      "passed",
    );
    expect(
      verdict([finding(), finding({ id: "CVE-2026-0002" })], { exceptions: [exception] }).failed,
    ).toHaveLength(1);
  });

  it("is not excused by an exception that ends more than a year ahead", () => {
    const until = (day: string) => ({ id: "CVE-2026-0001", owner: "team", reason: "none", until: day });
    const status = (day: string) => verdict([finding()], { exceptions: [until(day)] });
    expect(status("2027-11-26").status).toBe("passed");
    expect(status("2027-11-27")).toMatchObject({
      status: "failed",
      expired: [],
      tooLong: [until("2027-11-27")],
    });
    expect(status("9999-12-31").why).toContain("none counts that ends after 2027-11-26");
    // Beside one that counts it does no harm.
    expect(verdict([finding()], { exceptions: [until("9999-12-31"), until("2026-12-01")] }).status).toBe(
      "passed",
    );
    // A day that is none is no way around it.
    expect(lastUntil(Date.parse("2028-02-29T12:00:00Z"))).toBe("2029-03-01");
  });

  it.each<[string, Partial<ScanReport>]>([
    ["too old", { scanned_at: "2026-11-01T00:00:00.000Z" }],
    ["from the future", { scanned_at: "2026-11-27T00:00:00.000Z" }],
    ["without a date", { scanned_at: "yesterday" }],
    [
      "by an old database",
      {
        outcome: {
          state: "scanned",
          scanner: { name: "grype", version: "1", database: "2026-01-01T00:00:00Z" },
          findings: [],
        },
      },
    ],
    [
      "by a database of unknown age",
      {
        outcome: { state: "scanned", scanner: { name: "grype", version: "1", database: null }, findings: [] },
      },
    ],
    [
      "by a database that says nonsense",
      {
        outcome: {
          state: "scanned",
          scanner: { name: "grype", version: "1", database: "new" },
          findings: [],
        },
      },
    ],
    ["by nothing", { outcome: { state: "not-scanned", scanner: null, reason: "there is no scanner" } }],
  ])("is not scanned, and never passed, %s", (_, change) => {
    expect(verdict([], {}, change).status).toBe("not-scanned");
  });

  it("never passes with a finding that counts and that nothing excuses", () => {
    const any = fc.record({
      severity: fc.constantFrom(...SEVERITIES),
      kind: fc.constantFrom("vulnerability", "update"),
      id: fc.constantFrom("CVE-1", "CVE-2", "CVE-3"),
      fixed: fc.option(fc.constant("2")),
    });
    const exception = fc.record({
      id: fc.constantFrom("cve-1", "CVE-2"),
      until: fc.constantFrom("2026-01-01", "2027-01-01"),
    });
    fc.assert(
      fc.property(
        fc.array(any, { maxLength: 6 }),
        fc.array(exception, { maxLength: 3 }),
        fc.boolean(),
        (found, excuses, ignore_unfixed) => {
          const findings = found.map((one) => finding(one as Partial<ScanFinding>));
          const exceptions = excuses.map((one) => ({ ...one, owner: "o", reason: "r" }));
          const { status, failed, excused } = verdict(findings, {
            exceptions,
            ignore_unfixed,
            fail_on: "negligible",
          });
          expect(status).toBe(failed.length > 0 ? "failed" : "passed");
          for (const one of findings) {
            const isExcused = exceptions.some(
              (e) => e.id.toLowerCase() === one.id.toLowerCase() && e.until > "2026-11",
            );
            const isIgnored = one.kind === "vulnerability" && ignore_unfixed && one.fixed === null;
            expect([failed.includes(one), excused.some((e) => e.finding === one)]).toEqual([
              !isIgnored && !isExcused,
              !isIgnored && isExcused,
            ]);
          }
        },
      ),
    );
  });
});

describe("a report", () => {
  it("is read as it was written, and its name has the hash of what it says", () => {
    const own = report([finding()]);
    expect(readReport(Buffer.from(reportText(own)))).toEqual(own);
    expect(reportId(own)).toMatch(/^20261126t110000000z-[0-9a-f]{16}$/);
    expect(reportId(report([finding({ severity: "low" })]))).not.toBe(reportId(own));
  });

  it.each([
    "",
    "null",
    "[]",
    "{}",
    JSON.stringify({ ...report([]), schema_version: 2 }),
    JSON.stringify({ ...report([]), outcome: { state: "scanned" } }),
  ])("is none: %s", (text) => expect(readReport(Buffer.from(text))).toHaveProperty("why"));

  it("takes what scanners write as text of one line, and no address that is none", () => {
    expect(
      findingOf({
        id: " CVE-1\n",
        severity: "HIGH",
        package: "a\tb",
        version: 1,
        fixed: "",
        purl: null,
        title: "x".repeat(500),
        url: "javascript:alert(1)",
      }),
    ).toEqual({
      id: "CVE-1",
      kind: "vulnerability",
      severity: "high",
      package: "a b",
      version: "",
      fixed: null,
      purl: null,
      title: `${"x".repeat(300)}…`,
      url: null,
    });
    expect(
      findingOf({ id: "", severity: "", package: "p", version: "", fixed: "", purl: "", title: "", url: "" }),
    ).toBe(null);
    expect(
      sorted([finding({ severity: "low" }), finding(), finding()]).map(({ severity }) => severity),
    ).toEqual(["high", "low"]);
  });

  it("is SARIF with a rule for each id, a result for each package, and exceptions as suppressions", () => {
    const exception = { id: "CVE-2026-0001", owner: "team", reason: "not reachable", until: "2026-12-31" };
    const own = report([
      finding(),
      finding({ package: "libssl3" }),
      finding({ id: "CVE-2026-0002", severity: "low", url: null }),
    ]);
    const sarif = sarifOf(
      own,
      scanVerdict(own, scanRules({ exceptions: [exception] }), NOW),
      "registry.example/app:1",
    ) as {
      version: string;
      runs: {
        tool: { driver: { rules: { id: string }[] } };
        results: { ruleIndex: number; suppressions?: unknown[] }[];
      }[];
    };
    const [run] = sarif.runs;
    expect(sarif.version).toBe("2.1.0");
    expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(["CVE-2026-0001", "CVE-2026-0002"]);
    expect(run?.results.map(({ ruleIndex, suppressions }) => [ruleIndex, suppressions?.length])).toEqual([
      [0, 1],
      [0, 1],
      [1, undefined],
    ]);
  });
});

/** As `dpkg --compare-versions` says of each, which comes first. */
const ORDERED: [string, string][] = [
  ["1.0~rc1", "1.0"],
  ["1.0~~", "1.0~"],
  ["1.0~", "1.0"],
  ["1.0", "1.0a"],
  ["1.0a", "1.0+b"],
  ["1.0-1", "1.0-1+deb12u1"],
  ["1.0-1~deb12u1", "1.0-1"],
  ["1.9", "1.10"],
  ["9", "1:0"],
  ["1.0.9", "1.0.10"],
  ["3.0.14-1~deb12u2", "3.0.15-1~deb12u1"],
  ["2.36-9+deb12u9", "2.36-9+deb12u10"],
  ["1:1.2.13.dfsg-1", "1:1.2.13.dfsg-1+b1"],
  ["0-1", "0a-1"],
  ["1.0-1a", "1.0-a"],
];

describe("compareDebian", () => {
  it.each(ORDERED)("%s comes before %s", (a, b) => {
    expect(compareDebian(a, b)).toBeLessThan(0);
    expect(compareDebian(b, a)).toBeGreaterThan(0);
  });

  it.each([
    ["1.0", "1.0-0"],
    ["0:1.0", "1.0"],
    ["1.01", "1.1"],
    ["1.0-01", "1.0-1"],
    ["1", "1"],
  ])("%s is %s", (a, b) => expect(compareDebian(a, b)).toBe(0));

  it("is an order", () => {
    const version = fc.stringMatching(/^(\d:)?[0-9][0-9a-z.+~]{0,6}(-[0-9a-z+~]{1,4})?$/);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compareDebian(a, a)).toBe(0);
        expect(Math.sign(compareDebian(a, b))).toBe(-Math.sign(compareDebian(b, a)) + 0);
        if (compareDebian(a, b) <= 0 && compareDebian(b, c) <= 0)
          expect(compareDebian(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
