import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { buildCell } from "../build/build.ts";
import type { SmokeReport } from "../model/smoke.ts";
import { bakeFile } from "../plan/bake.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { writeWhole } from "../records/write-whole.ts";
import type { RecordImage } from "../schemas/types.ts";
import type { ImageInspect } from "../tools/docker.ts";
import { pushImage } from "./push.ts";
import { buildFailure, failureOf, LOG_TAIL, noFindings, smokeFailure, type Stage } from "./failure.ts";
import type { Findings, RunDeps, RunSettings } from "./types.ts";

/** `bug` is an error of ours: it is thrown on, but only after the attempt has its record. */
type Trail = Findings & { stage: Stage; bug?: unknown };

/** What the engine says of a built image. */
async function describeImage(
  ref: string,
  { digest, manifest_digest }: { digest: string; manifest_digest: string },
  inspected: Promise<ImageInspect>,
  { cell: { platform } }: PlannedCell,
  { docker }: Pick<RunDeps, "docker">,
  signal: AbortSignal | undefined,
): Promise<RecordImage> {
  const [{ RootFS }, size] = await Promise.all([
    inspected,
    docker.unpackedSize(digest, { platform, signal }),
  ]);
  return { ref, digest, manifest_digest, size, layers: RootFS?.Layers?.length ?? 0, pushed: false };
}

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
  const trail: Trail = { stage: "stitch", ...noFindings() };
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
      trail.failure = buildFailure(outcome);
      return trail;
    }
    keep("provenance", `${JSON.stringify(outcome.provenance, null, 2)}\n`, "application/json");
    const inspected = deps.docker.inspectImage(outcome.digest, { platform: cell.platform, signal });
    const described = describeImage(image, outcome, inspected, planned, deps, signal);

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
      report = await timed("smoke", async () => {
        const tested = deps.smokeTest(outcome.digest, inspected, planned, signal);
        const [about, result] = await Promise.allSettled([described, tested]);
        if (about.status === "rejected") throw about.reason;
        trail.image = about.value;
        if (result.status === "rejected") throw result.reason;
        return result.value;
      });
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

    const { made, ms } = await timed("sbom", async () => {
      const result = await sbom;
      if ("error" in result) throw result.error;
      return result;
    });
    // Its own time, not how long it was waited for.
    trail.stages_ms.sbom = ms;
    deps.layers?.keep(layout, outcome.digest);
    keep("sbom", made.json, "application/vnd.cyclonedx+json");
    trail.notes.push(...made.warnings);

    if (settings.push) {
      const pushed = await timed("push", () => pushImage(image, outcome.digest, deps, signal));
      trail.retries += pushed.retries;
      if (pushed.failure) {
        trail.failure = pushed.failure;
        return trail;
      }
      if (trail.image) trail.image.pushed = true;
    }
    trail.stage = "done";
    return trail;
  } catch (error) {
    trail.failure = { ...failureOf(error, trail.stage), log_excerpt: log.slice(-LOG_TAIL) };
    if (!(error instanceof FactoryError)) trail.bug = error;
    if (error instanceof FactoryError && error.code === "WRITE_FAILED") throw error;
    return trail;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
