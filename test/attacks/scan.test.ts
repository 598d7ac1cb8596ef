import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { signedStatements } from "../../src/proof/signed-statements.ts";
import { attachedReports, attachReport, SCAN_PREDICATE } from "../../src/scan/attached-scans.ts";
import { aboutTrivy, readTrivy } from "../../src/scan/scan-trivy.ts";
import { readGrype } from "../../src/scan/scan-grype.ts";
import { reportText, type ScanReport } from "../../src/scan/scan-report.ts";
import { keepReport, keptReports } from "../../src/scan/scan-store.ts";
import { putImage, putReferrer } from "../unit/oci-made.ts";
import { clientOf, serveRegistry } from "../unit/oci-server.ts";
import { proofDeps, writeProof } from "../unit/proof-made.ts";
import { factoryAtOnce, makeWorkspace, SMALL, temporaryFolder } from "../unit/workspace.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;

/** A report in Trivy's published form. No database of vulnerabilities can be had for tests, so nothing real is found. */
const trivyReport = (...found: object[]) => ({
  SchemaVersion: 2,
  Results: [{ Target: "debian", Class: "os-pkgs", Type: "debian", Vulnerabilities: found }],
});
const trivyFinding = (change: object = {}) => ({
  VulnerabilityID: "CVE-2026-0001",
  PkgName: "openssl",
  PkgIdentifier: { PURL: "pkg:deb/debian/openssl@3.0.14-1" },
  InstalledVersion: "3.0.14-1",
  FixedVersion: "3.0.15-1",
  Severity: "HIGH",
  Title: "a title",
  PrimaryURL: "https://example.org/CVE-2026-0001",
  ...change,
});

/** A program named `trivy` that says these things: the real one judges nothing without its database. */
function standIn(report: string, fresh = new Date().toISOString()): Record<string, string> {
  const folder = temporaryFolder();
  const version = JSON.stringify({ Version: "0.60.0", VulnerabilityDB: { UpdatedAt: fresh } });
  // `trivy sbom --quiet --format json --output FILE …`
  const script = `#!/bin/sh\nif [ "$1" = version ]; then echo '${version}'; exit 0; fi\nout="$6"\n${report}\n`;
  writeFileSync(join(folder, "trivy"), script, { mode: 0o755 });
  return { PATH: `${folder}:${process.env.PATH ?? ""}` };
}

const says = (document: unknown): string => `cat > "$out" <<'EOT'\n${JSON.stringify(document)}\nEOT`;

async function workspace(policy = "scan: {fail_on: high}") {
  const root = makeWorkspace({
    ...SMALL,
    "control_plane/policies/release.yaml": `schema_version: 1\npolicy_id: release\n${policy}\n`,
  });
  const record = await writeProof(root, { ref: "registry.example/team/app:1", digest: DIGEST });
  const scan = async (env: Record<string, string>, ...argv: string[]) => {
    const all = ["scan", record.record_id, "--scanner", "trivy", "--policy", "release", ...argv];
    const { status, stdout, stderr } = await factoryAtOnce(root, all, env);
    return { status, stdout, stderr };
  };
  return { root, record, scan };
}

describe("a scan", () => {
  it("9.9 fails, passes, or was not made: what cannot judge has never passed", async () => {
    const { scan, root } = await workspace();
    const status = async (report: string, fresh?: string) => {
      const ended = await scan(standIn(report, fresh), "--json");
      expect(ended.stdout, `${report}: ${ended.stderr}`).toContain("status");
      const said = JSON.parse(ended.stdout) as { status: string; why: string; report: string };
      expect(ended.status, ended.stderr).toBe(said.status === "passed" ? 0 : 1);
      expect(readFileSync(join(root, said.report), "utf8")).toContain("scanned_at");
      return said.status;
    };
    expect(await status(says(trivyReport(trivyFinding())))).toBe("failed");
    expect(await status(says(trivyReport(trivyFinding({ Severity: "LOW" }))))).toBe("passed");
    for (const report of [
      "echo 'no database' >&2; exit 1",
      "exit 0",
      "echo '[]' > $out",
      "mkdir $out",
      "mkfifo $out",
      says({ SchemaVersion: 2, Results: [] }),
      says({ SchemaVersion: 3, Results: [{}] }),
      "kill -9 $$",
      "head -c 300000000 /dev/zero",
    ])
      expect(await status(report), report).toBe("not-scanned");
    expect(await status(says(trivyReport()), "2020-01-01T00:00:00Z")).toBe("not-scanned");
    expect((await scan({ PATH: temporaryFolder() + ":/usr/bin:/bin" }, "--json")).stdout).toContain(
      "trivy is not installed",
    );
  });

  it("9.9 text of a database is text: on a terminal, in JSON and in SARIF", async () => {
    const { scan, root } = await workspace();
    const evil = "\u001b[2J<script>\u202eevil\u0007";
    const env = standIn(
      says(
        trivyReport(
          trivyFinding({
            VulnerabilityID: evil,
            PkgName: evil,
            Title: evil,
            PrimaryURL: `javascript:${evil}`,
          }),
        ),
      ),
    );
    const file = join(temporaryFolder(), "scan.sarif");
    const { stdout, stderr, status } = await scan(env, "--sarif", file);
    expect(status, stderr).toBe(1);
    expect(stdout + stderr).not.toMatch(/[\u001b\u0007\u202e]/);
    const sarif = JSON.parse(readFileSync(file, "utf8")) as {
      runs: { results: { locations: object[] }[] }[];
    };
    expect(sarif.runs[0]?.results).toHaveLength(1);
    expect(JSON.stringify(sarif)).not.toContain("javascript:");
    expect(root).not.toBe("");
  });

  it("9.9 no secret of the environment is in the report of a scanner that fails", async () => {
    const { scan, root } = await workspace();
    const secret = "hunter2-hunter2-hunter2";
    const { stdout } = await scan(
      { ...standIn('echo "login with $TRIVY_PASSWORD failed" >&2; exit 1'), TRIVY_PASSWORD: secret },
      "--json",
    );
    const { report } = JSON.parse(stdout) as { report: string };
    expect(stdout + readFileSync(join(root, report), "utf8")).not.toContain(secret);
  });
});

describe("an exception for ever", () => {
  it("9.9 excuses nothing, and validate names it", async () => {
    const exception = (until: string) =>
      `scan: {exceptions: [{id: CVE-2026-0001, owner: team, reason: none, until: "${until}"}]}`;
    const soon = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    for (const [until, passes] of [
      [soon, true],
      ["9999-12-31", false],
    ] as const) {
      const { scan, root } = await workspace(exception(until));
      const ended = await scan(standIn(says(trivyReport(trivyFinding()))), "--json");
      expect(ended.status, ended.stderr).toBe(passes ? 0 : 1);
      const { too_long } = JSON.parse(ended.stdout) as { too_long: object[] };
      expect(too_long).toHaveLength(passes ? 0 : 1);
      const valid = await factoryAtOnce(root, ["validate", "--json"]);
      const { findings } = JSON.parse(valid.stdout) as {
        findings: { code: string; what: string; where: object }[];
      };
      expect([valid.status, findings.map(({ code }) => code)]).toEqual(
        passes ? [0, []] : [2, ["POLICY_INVALID"]],
      );
      if (!passes)
        expect(findings[0]).toMatchObject({
          where: { file: "control_plane/policies/release.yaml", line: 3 },
        });
    }
  });
});

describe("a report that is not what it says", () => {
  /** A record with a report beside it that is right, and what `records verify` says. */
  const scanned = async () => {
    const { root, record } = await workspace();
    const { image, evidence, platform, record_id, manifest_id } = record;
    const own = report({
      record_id,
      platform,
      manifest_digest: image?.manifest_digest ?? "",
      sbom_sha256: evidence.sbom?.sha256 ?? "",
    });
    const verify = async (...argv: string[]) => {
      const { status, stdout, stderr } = await factoryAtOnce(root, ["records", "verify", ...argv, "--json"]);
      expect(stdout, stderr).toContain("problems");
      const { scans, problems } = JSON.parse(stdout) as {
        scans: number;
        problems: { code: string; record_id: string | null; evidence: string }[];
      };
      return { status, scans, problems, codes: problems.map(({ code }) => code) };
    };
    const keep = (change: Partial<ScanReport["subject"]> = {}) =>
      join(root, keepReport(root, manifest_id, { ...own, subject: { ...own.subject, ...change } }));
    return { root, record, keep, verify, folder: join(root, "records", manifest_id, "scans") };
  };

  it("9.9 is named by records verify: changed, of another record, image or SBOM, no report, no file", async () => {
    const { keep, verify, folder, record } = await scanned();
    expect(await verify()).toMatchObject({ status: 0, scans: 0 });
    const file = keep();
    expect(await verify()).toMatchObject({ status: 0, scans: 1, codes: [] });
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("trivy", "grype"));
    expect(await verify(record.record_id)).toMatchObject({
      status: 1,
      problems: [{ code: "SCAN_CHANGED", record_id: record.record_id, evidence: "scan" }],
    });
    writeFileSync(file, "{}");
    expect((await verify()).codes).toEqual(["SCAN_MALFORMED"]);
    rmSync(file);
    symlinkSync("/etc/passwd", file);
    expect((await verify()).codes).toEqual(["SCAN_UNREADABLE"]);
    rmSync(file);
    for (const change of [
      { manifest_digest: `sha256:${"2".repeat(64)}` },
      { sbom_sha256: "0".repeat(64) },
      { platform: "linux/arm64" },
    ]) {
      const other = keep(change);
      expect((await verify()).codes, JSON.stringify(change)).toEqual(["SCAN_MISMATCH"]);
      rmSync(other);
    }
    // One of another record, moved here; and one beside a record that is not here.
    const away = keep({ record_id: "20200101t000000000z-0000000000000001" });
    expect((await verify()).codes).toEqual(["SCAN_MISMATCH"]);
    renameSync(away, join(folder, record.record_id, away.slice(away.lastIndexOf("/") + 1)));
    expect((await verify()).codes).toEqual(["SCAN_MISMATCH"]);
    rmSync(folder, { recursive: true });
    symlinkSync("evidence", folder);
    expect((await verify()).codes).toEqual(["SCAN_UNREADABLE"]);
  });

  const report = (change: Partial<ScanReport["subject"]> = {}): ScanReport => ({
    schema_version: 1,
    scanned_at: "2026-11-26T11:00:00.000Z",
    subject: {
      manifest_digest: DIGEST,
      platform: "linux/amd64",
      record_id: "r",
      sbom_sha256: "s",
      ...change,
    },
    outcome: {
      state: "scanned",
      scanner: { name: "trivy", version: "1", database: "2026-11-26T00:00:00Z" },
      findings: [],
    },
  });

  it("9.9 is not used if it was changed after it was written, or is no report, or is no file", () => {
    const root = makeWorkspace(SMALL);
    const about = { manifest_id: "demo", record_id: "r" };
    const path = keepReport(root, "demo", report());
    expect(keptReports(root, about)).toEqual({ reports: [report()], problems: [] });
    const text = readFileSync(join(root, path), "utf8");
    writeFileSync(
      join(root, path),
      text.replace('"findings": []', '"findings": [ ]').replace("trivy", "grype"),
    );
    writeFileSync(join(root, path, "..", "other.json"), "{}");
    const { reports, problems } = keptReports(root, about);
    expect([reports, problems.length]).toEqual([[], 2]);
    expect(problems.map(({ code }) => code).sort()).toEqual(["SCAN_CHANGED", "SCAN_MALFORMED"]);
  });

  it("9.9 counts for the image that it is about alone, and only signed where that is asked for", async () => {
    const registry = await serveRegistry({ referrers: true });
    const stored = registry.of("team/app");
    const [image, other] = [putImage(stored, "one"), putImage(stored, "two")];
    const at = { host: registry.host, repository: "team/app" };
    const deps = { ...proofDeps(), client: clientOf(registry.host) };
    const own = report({ manifest_digest: image.digest });
    const text = Buffer.from(reportText(own));
    for (const { digest } of [image, other])
      expect(await attachReport({ ...at, digest }, { report: own, text }, deps)).toBe(1);
    putReferrer(stored, image, "application/vnd.factory.scan.v1+json", "{");
    putReferrer(
      stored,
      image,
      "application/vnd.factory.scan.v1+json",
      JSON.stringify(report({ manifest_digest: other.digest })),
    );
    expect(await attachedReports(deps, image.digest, null)).toEqual([own]);
    expect(await attachedReports(deps, other.digest, null)).toEqual([]);
    const signed = await signedStatements(
      deps,
      [],
      image.digest,
      [],
      () => expect.unreachable(),
      SCAN_PREDICATE,
    );
    expect(await attachedReports(deps, image.digest, signed)).toEqual([]);
    expect(await attachReport({ ...at, digest: DIGEST }, { report: own, text }, deps)).toBe(null);
  });
});

describe("what scanners write", () => {
  it("9.9 is read in Grype's form of now and of before, field by field", () => {
    const match = {
      vulnerability: {
        id: "CVE-2026-0001",
        severity: "High",
        dataSource: "https://example.org/CVE-2026-0001",
        description: "a title",
        fix: { versions: ["3.0.15-1"], state: "fixed" },
      },
      artifact: {
        name: "openssl",
        version: "3.0.14-1",
        type: "deb",
        purl: "pkg:deb/debian/openssl@3.0.14-1",
      },
    };
    const document = (db: object, matches: unknown = [match, null, {}]) => ({
      matches,
      descriptor: { name: "grype", version: "0.90.0", db },
    });
    for (const db of [
      { built: "2026-11-25T00:00:00Z" },
      { status: { built: "2026-11-25T00:00:00Z", valid: true } },
    ])
      expect(readGrype(document(db))).toMatchObject({
        state: "scanned",
        scanner: { name: "grype", version: "0.90.0", database: "2026-11-25T00:00:00Z" },
        findings: [{ id: "CVE-2026-0001", severity: "high", package: "openssl", fixed: "3.0.15-1" }],
      });
    expect(readGrype(document({}))).toMatchObject({ scanner: { database: null } });
    for (const other of [null, [], {}, document({}, "none"), { matches: [] }])
      expect(readGrype(other)).toBe(null);
  });

  it("9.9 is read in Trivy's second form, and where it judged nothing that is no clean image", () => {
    const about = aboutTrivy({ Version: "0.60.0", VulnerabilityDB: { UpdatedAt: "2026-11-25T00:00:00Z" } });
    expect(readTrivy(trivyReport(trivyFinding(), { VulnerabilityID: "" }), about)).toMatchObject({
      state: "scanned",
      findings: [{ id: "CVE-2026-0001", severity: "high", purl: "pkg:deb/debian/openssl@3.0.14-1" }],
    });
    expect(readTrivy({ SchemaVersion: 2 }, about)).toMatchObject({ state: "not-scanned" });
    for (const other of [null, {}, { SchemaVersion: 1 }, { SchemaVersion: 2, Results: "none" }])
      expect(readTrivy(other, about)).toBe(null);
    expect(aboutTrivy(null)).toEqual({ name: "trivy", version: "", database: null });
  });
});
