import { keptOf, type SmokeEvidence, type SmokeReport } from "../model/smoke.ts";
import type { PlannedCell } from "../plan/cell.ts";
import type { RecordImage } from "../schemas/types.ts";
import type { Docker } from "../tools/docker.ts";
import { builtFrom, sbomOf } from "./sbom.ts";
import { type Attempt, type Failure, imageOf, LOG_TAIL, type Stage } from "./stage.ts";

/** What the engine says of an image. A container has to have been created from it, or its layers count as 0. */
async function describeImage(
  attempt: Attempt,
  docker: Pick<Docker, "unpackedSize">,
  signal: AbortSignal,
): Promise<RecordImage> {
  const { digest, manifest_digest, inspected } = imageOf(attempt);
  const { tags, platform } = attempt.planned.cell;
  const [{ RootFS }, size] = await Promise.all([
    inspected,
    docker.unpackedSize(digest, { platform, signal }),
  ]);
  const layers = RootFS?.Layers?.length ?? 0;
  return { ref: tags[0] ?? "", digest, manifest_digest, size, layers, pushed: false };
}

/** The failing tests as the last lines of a log: what was expected and what came. */
function excerptOf(report: SmokeReport): string[] {
  return report.tests
    .filter(({ status }) => status === "fail" || status === "error")
    .flatMap(({ id, expected, actual }) => [
      `${id}: expected ${expected}`,
      ...actual.split("\n").map((line) => `${id}: got ${line}`),
    ])
    .slice(-LOG_TAIL);
}

/** Why smoke tests did not pass: the first of those that failed, and how many more there are. */
function smokeFailure(report: SmokeReport): Failure {
  const failed = report.tests.filter(({ status }) => status === "fail" || status === "error");
  const [first] = failed;
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
  return {
    status: report.status === "error" ? "error" : "fail",
    class: report.status === "error" ? "container" : "smoke-test",
    what: `smoke test ${first?.id ?? ""}: expected ${first?.expected ?? ""}, got ${first?.actual.split("\n").at(-1) ?? ""}${more}`,
    log_excerpt: excerptOf(report),
  };
}

/** A smoke report with what it is about. */
function evidenceOf(
  { keys, cell: { platform } }: PlannedCell,
  { digest, manifest_digest, size, layers }: RecordImage,
  { report, testedAt }: { report: SmokeReport; testedAt: Date },
): SmokeEvidence {
  const { verdict_key, test_suite_hash } = keys;
  return {
    schema_version: 1,
    verdict_key,
    test_suite_hash,
    platform,
    image: { digest, manifest_digest, size, layers },
    tested_at: testedAt.toISOString(),
    ...report,
  };
}

/** Runs the cell's smoke tests against containers of its image. */
export const smoke: Stage = {
  name: "smoke",
  part: "proof",
  needs: ["build"],
  evidence: { smoke_report: "application/json" },
  provesFail: ["smoke_report"],
  classes: { "smoke-test": "fail", container: "error" },
  run: async ({ attempt, signal, keep, part }, deps) => {
    const { trail, planned } = attempt;
    const { digest, inspected } = imageOf(attempt);
    const bom = async () => (await sbomOf(attempt, deps, signal)).json;
    const recipe = builtFrom(planned);
    const whose = { inspected, recipe, sbom: bom, filesOf: attempt.filesOf ?? null };
    const [about, tested] = await Promise.allSettled([
      describeImage(attempt, deps.docker, signal),
      deps.smokeTest(digest, whose, planned, signal, ({ id, status, duration_ms }) =>
        part({ part: id, status, started: deps.clock.date().getTime() - duration_ms, duration_ms }),
      ),
    ]);
    if (about.status === "rejected") throw about.reason;
    trail.image = about.value;
    if (tested.status === "rejected") throw tested.reason;
    const report = tested.value;
    trail.tests = report.tests.map(keptOf);
    const evidence = evidenceOf(planned, about.value, { report, testedAt: deps.clock.date() });
    await keep("smoke_report", `${JSON.stringify(evidence, null, 2)}\n`);
    return report.status === "pass" ? null : smokeFailure(report);
  },
};
