import type { SmokeReport } from "../model/smoke.ts";
import type { RecordImage } from "../schemas/types.ts";
import { smokeFailure } from "./failure.ts";
import type { Image } from "./image.ts";
import type { Attempting } from "./trail.ts";
import type { RunDeps } from "./types.ts";

/** What the engine says of an image. A container has to have been created from it, or its layers count as 0. */
async function describeImage(
  { ref, digest, manifest_digest, inspected }: Image,
  { planned: { cell }, signal }: Attempting,
  { docker }: Pick<RunDeps, "docker">,
): Promise<RecordImage> {
  const [{ RootFS }, size] = await Promise.all([
    inspected,
    docker.unpackedSize(digest, { platform: cell.platform, signal }),
  ]);
  return { ref, digest, manifest_digest, size, layers: RootFS?.Layers?.length ?? 0, pushed: false };
}

/**
 * Smoke-tests an image and takes its SBOM, at the same time: neither changes it. A failed test makes the SBOM moot.
 * @returns whether it passed; else the trail has the failure
 */
export async function proveImage(attempting: Attempting, image: Image, deps: RunDeps): Promise<boolean> {
  const { planned, trail, signal, timed, keep } = attempting;
  const { digest, ref, inspected, layout } = image;
  const described = describeImage(image, attempting, deps);
  const moot = new AbortController();
  const sbomSignal = signal ? AbortSignal.any([signal, moot.signal]) : moot.signal;
  const sbomStart = deps.clock.now();
  const sbom = deps
    .makeSbom({ ref: digest, digest, platform: planned.cell.platform, name: ref, layout }, sbomSignal)
    .then(
      (made) => ({ made, ms: Math.round(deps.clock.now() - sbomStart) }),
      (error: unknown) => ({ error }),
    );
  let report: SmokeReport;
  try {
    report = await timed("smoke", async () => {
      const tested = deps.smokeTest(digest, inspected, planned, signal);
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
    return false;
  }
  const { made, ms } = await timed("sbom", async () => {
    const result = await sbom;
    if ("error" in result) throw result.error;
    return result;
  });
  // Its own time, not how long it was waited for.
  trail.stages_ms.sbom = ms;
  if (layout !== undefined) deps.layers?.keep(layout, digest);
  keep("sbom", made.json, "application/vnd.cyclonedx+json");
  trail.notes.push(...made.warnings);
  return true;
}
