import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { buildCell } from "../build/build.ts";
import type { SmokeReport } from "../model/smoke.ts";
import { bakeFile } from "../plan/bake.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { writeWhole } from "../records/write-whole.ts";
import { pushImage } from "./push.ts";
import type { Failure, Findings, RunDeps, RunSettings } from "./types.ts";

/** Steps of one attempt, in order; `done` where all were passed. */
export type Stage = "stitch" | "build" | "smoke" | "sbom" | "push" | "done";

/** `bug` is an error of ours: it is thrown on, but only after the attempt has its record. */
type Trail = Findings & { stage: Stage; bug?: unknown };

const TAIL = 40;

/** The failing tests as the last lines of a log: what was expected and what came. */
function smokeExcerpt(report: SmokeReport): string[] {
  return report.tests
    .filter(({ status }) => status === "fail" || status === "error")
    .flatMap(({ id, expected, actual }) => [
      `${id}: expected ${expected}`,
      ...actual.split("\n").map((line) => `${id}: got ${line}`),
    ])
    .slice(-TAIL);
}

function smokeFailure(report: SmokeReport): Failure {
  const failed = report.tests.filter(({ status }) => status === "fail" || status === "error");
  const [first] = failed;
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
  return {
    status: report.status === "error" ? "error" : "fail",
    class: report.status === "error" ? "container" : "smoke-test",
    what: `smoke test ${first?.id ?? ""}: expected ${first?.expected ?? ""}, got ${first?.actual.split("\n").at(-1) ?? ""}${more}`,
    log_excerpt: smokeExcerpt(report),
  };
}

/** What a thrown error makes of an attempt. */
function failureOf(error: unknown, stage: Stage): Omit<Failure, "log_excerpt"> {
  const what = error instanceof Error ? error.message : JSON.stringify(error);
  if (!(error instanceof FactoryError))
    return { status: "error", class: "unknown", what: `a bug in Factory: ${what}` };
  if (error.code === "INTERRUPTED") return { status: "error", class: "interrupted", what };
  return { status: "error", class: stage === "sbom" ? "sbom" : "environment", what };
}

/** Classes of a failed build that lie in what was asked for; the others lie in the environment. */
const OWN_FAULT = new Set(["dockerfile", "step", "copy", "base"]);

/**
 * One attempt at one cell: writes the Dockerfile and the bake file into a folder of its own, builds, smoke-tests, writes the
 * SBOM, pushes. A failure is part of what it gives back. The folder is removed at the end.
 * @param folder absolute; made and removed here
 * @throws FactoryError INTERRUPTED, and what no single cell can be blamed for
 */
export async function attempt(
  planned: PlannedCell,
  folder: string,
  settings: RunSettings,
  deps: RunDeps,
): Promise<Trail> {
  const { cell, stitched } = planned;
  const { signal } = settings;
  const log: string[] = [];
  // The image as an OCI layout too: its SBOM is read from there, and layers that are known are not copied again.
  const layout = join(folder, "oci");
  const trail: Trail = {
    stage: "stitch",
    failure: null,
    evidence: {},
    image: null,
    tests: [],
    cache: { hits: 0, total: 0 },
    retries: 0,
    stages_ms: {},
    notes: [],
  };
  const timed = async <T>(stage: Exclude<Stage, "done">, work: () => Promise<T> | T): Promise<T> => {
    trail.stage = stage;
    deps.onState(cell.cell_id, { stage });
    const start = deps.clock.now();
    try {
      return await work();
    } finally {
      trail.stages_ms[stage] = Math.round(deps.clock.now() - start);
    }
  };
  const keep = (kind: string, data: string | Uint8Array, mediaType: string) => {
    trail.evidence[kind] = deps.store.keep(cell.manifest_id, data, mediaType);
  };

  try {
    const bake = await timed("stitch", () => {
      deps.layers?.lend(layout);
      writeWhole(join(folder, "Dockerfile"), stitched.dockerfile, false);
      writeWhole(join(folder, "Dockerfile.dockerignore"), stitched.dockerignore, false);
      const dockerfile = `${settings.relative(folder)}/Dockerfile`;
      const file = bakeFile([planned], {
        dockerfile: () => dockerfile,
        cacheRepository: settings.cacheRepository,
        output: () => [
          "type=docker",
          ...(deps.layers ? [`type=oci,dest=${settings.relative(layout)},tar=false`] : []),
        ],
      });
      writeWhole(join(folder, "docker-bake.hcl"), file.text, false);
      keep("dockerfile", stitched.dockerfile, "text/x-dockerfile");
      keep("bake_file", file.text, "text/x-hcl");
      return file;
    });

    const image = cell.tags[0] ?? "";
    const outcome = await timed("build", () =>
      buildCell(
        {
          root: settings.root,
          bakeFile: join(folder, "docker-bake.hcl"),
          // Prefixes are targets of their own only for the cache refs that they fill.
          targets: [...(settings.cacheRepository === null ? [] : bake.prefixes), cell.target],
          target: cell.target,
          image,
          platform: cell.platform,
          workDir: folder,
          signal,
          onProgress: (snapshot) =>
            deps.onState(cell.cell_id, {
              stage: "build",
              step: snapshot.step,
              steps: snapshot.steps,
              cached: snapshot.cached,
              detail: [snapshot.stage, snapshot.current].filter(Boolean).join(": "),
            }),
        },
        {
          buildx: deps.buildx,
          docker: deps.docker,
          sleep: deps.sleep,
          appendLog: (line) => void log.push(line),
        },
      ).finally(() => keep("build_log", `${log.join("\n")}\n`, "text/plain")),
    );
    trail.cache = outcome.cache;
    trail.retries = outcome.retries;
    if (outcome.status === "failed") {
      trail.failure = {
        status: OWN_FAULT.has(outcome.class) ? "fail" : "error",
        class: outcome.class,
        what: outcome.message,
        log_excerpt: outcome.log_tail,
      };
      return trail;
    }
    keep("provenance", `${JSON.stringify(outcome.provenance, null, 2)}\n`, "application/json");
    const asked = { platform: cell.platform, signal };
    const [inspected, size] = await Promise.all([
      deps.docker.inspectImage(outcome.digest, asked),
      deps.docker.unpackedSize(outcome.digest, asked),
    ]);
    trail.image = {
      ref: image,
      digest: outcome.digest,
      manifest_digest: outcome.manifest_digest,
      size,
      layers: inspected.RootFS?.Layers?.length ?? 0,
      pushed: false,
    };

    // The image is read for its SBOM while it is being tested: neither changes it. A failed test makes the SBOM moot.
    const moot = new AbortController();
    const sbomSignal = signal ? AbortSignal.any([signal, moot.signal]) : moot.signal;
    const sbomStart = deps.clock.now();
    const sbom = deps
      .makeSbom(
        {
          ref: outcome.digest,
          digest: outcome.digest,
          platform: cell.platform,
          name: image,
          layout: deps.layers ? layout : undefined,
        },
        sbomSignal,
      )
      .then(
        (made) => ({ made, ms: Math.round(deps.clock.now() - sbomStart) }),
        (error: unknown) => ({ error }),
      );
    let report: SmokeReport;
    try {
      report = await timed("smoke", () => deps.smokeTest(outcome.digest, inspected, planned, signal));
    } catch (error) {
      moot.abort();
      await sbom;
      throw error;
    }
    trail.tests = report.tests.map(({ id, status, duration_ms }) => ({ id, status, duration_ms }));
    keep("smoke_report", `${JSON.stringify(report, null, 2)}\n`, "application/json");
    if (report.status !== "pass") {
      moot.abort();
      await sbom;
      trail.failure = smokeFailure(report);
      return trail;
    }

    const { json, warnings } = await timed("sbom", async () => {
      const result = await sbom;
      if ("error" in result) throw result.error;
      return result.made;
    });
    deps.layers?.keep(layout, outcome.digest);
    const waited = await sbom;
    if ("ms" in waited) trail.stages_ms.sbom = waited.ms;
    keep("sbom", json, "application/vnd.cyclonedx+json");
    trail.notes.push(...warnings);

    if (settings.push) {
      const pushed = await timed("push", () => pushImage(image, outcome.digest, deps, signal));
      trail.retries += pushed.retries;
      if (pushed.failure) {
        trail.failure = pushed.failure;
        return trail;
      }
      trail.image.pushed = true;
    }
    trail.stage = "done";
    return trail;
  } catch (error) {
    trail.failure = { ...failureOf(error, trail.stage), log_excerpt: log.slice(-TAIL) };
    if (!(error instanceof FactoryError)) trail.bug = error;
    if (error instanceof FactoryError && error.code === "WRITE_FAILED") throw error;
    return trail;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
