import { join } from "node:path";
import { buildCell } from "../builder/build.ts";
import { FactoryError } from "../errors.ts";
import { bakeFile } from "../plan/formats/bake.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { writeWhole } from "../files/write-whole.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { changedFile } from "../stitch/files.ts";
import { BUILD_KEY_LABEL } from "../stitch/render.ts";
import type { ImageInspect } from "../tools/docker.ts";
import { buildFailure } from "./failure.ts";
import type { Attempting } from "./trail.ts";
import type { RunDeps, RunSettings } from "./types.ts";

/** An image that the engine holds, to be proven. */
export interface Image {
  ref: string;
  digest: string;
  manifest_digest: string;
  inspected: Promise<ImageInspect>;
  /** The image as an OCI layout too, from which its SBOM is read; absent where it was not written. */
  layout?: string;
}

/** Writes the Dockerfile and the bake file of a cell into the attempt's folder. Gives the names of the bake's targets. */
function writeBake({ planned, folder, keep }: Attempting, layout: string | undefined, settings: RunSettings) {
  const { cell, stitched } = planned;
  writeWhole(join(folder, "Dockerfile"), stitched.dockerfile, false);
  writeWhole(join(folder, "Dockerfile.dockerignore"), stitched.dockerignore, false);
  const dockerfile = `${settings.relative(folder)}/Dockerfile`;
  const file = bakeFile([planned], {
    dockerfile: () => dockerfile,
    cacheRepository: settings.cacheRepository,
    output: () => [
      "type=docker",
      ...(layout === undefined ? [] : [`type=oci,dest=${settings.relative(layout)},tar=false`]),
    ],
  });
  writeWhole(join(folder, "docker-bake.hcl"), file.text, false);
  keep("dockerfile", stitched.dockerfile, "text/x-dockerfile");
  keep("bake_file", file.text, "text/x-hcl");
  // Prefixes are targets of their own only for the cache refs that they fill.
  const prefixes = settings.cacheRepository === null || settings.prefixesBaked ? [] : file.prefixes;
  return [...prefixes, cell.target];
}

/**
 * Builds the cell into the engine's store: one bake of its own, so that no neighbour's failure ends it.
 * null where the build failed: the trail has the failure.
 * @param log takes the lines of the build's log
 */
export async function buildImage(
  attempting: Attempting,
  log: string[],
  settings: RunSettings,
  deps: RunDeps,
): Promise<Image | null> {
  const { planned, folder, trail, signal, timed, keep } = attempting;
  const { cell } = planned;
  // The image as an OCI layout too: its SBOM is read from there, and layers that are known are not copied again.
  const layout = deps.layers ? join(folder, "oci") : undefined;
  const targets = await timed("stitch", () => {
    if (layout !== undefined) deps.layers?.lend(layout);
    return writeBake(attempting, layout, settings);
  });
  const ref = cell.tags[0] ?? "";
  const outcome = await timed("build", () =>
    buildCell(
      {
        root: settings.root,
        bakeFile: join(folder, "docker-bake.hcl"),
        targets,
        target: cell.target,
        image: ref,
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
    return null;
  }
  // The keys are over the files as they were planned: a record must not say so of others.
  const changed = changedFile(settings.root, planned.stitched.copied, planned.stitched.files);
  if (changed !== undefined) {
    trail.failure = {
      status: "error",
      class: "environment",
      what: `${changed} changed while the cell was being built: run it again`,
      log_excerpt: [],
    };
    return null;
  }
  keep("provenance", `${JSON.stringify(outcome.provenance, null, 2)}\n`, "application/json");
  const { digest, manifest_digest } = outcome;
  const inspected = deps.docker.inspectImage(digest, { platform: cell.platform, signal });
  return { ref, digest, manifest_digest, inspected, layout };
}

/** The record behind a cell whose bits are known, where the engine still holds them; null else. */
export interface Known {
  record: FactoryRecord;
  inspected: ImageInspect;
}

/**
 * The image of the record that a cell was compared with, where the engine still holds the very bits: by its digest, and
 * with the cell's build key in its label. null where it does not: then the cell is built.
 * @throws FactoryError UNKNOWN_RECORD, RECORD_UNREADABLE, ENGINE_UNREACHABLE
 */
export async function knownImage(
  { cell, keys }: PlannedCell,
  deps: Pick<RunDeps, "docker" | "store" | "onNote">,
  signal: AbortSignal | undefined,
): Promise<Known | null> {
  const record = cell.record_id === null ? null : await deps.store.get(cell.record_id);
  if (!record?.image || record.build_key !== keys.build_key) return null;
  try {
    const inspected = await deps.docker.inspectImage(record.image.digest, {
      platform: cell.platform,
      signal,
    });
    if (inspected.Config?.Labels?.[BUILD_KEY_LABEL] === keys.build_key) return { record, inspected };
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "IMAGE_NOT_FOUND") throw error;
  }
  deps.onNote(`${cell.cell_id}: the engine does not hold the image of ${record.record_id}: building it`);
  return null;
}

/** What came before the tests, for an image that is not built again: its evidence is that of its record. */
const OF_THE_BUILD = ["dockerfile", "bake_file", "build_log", "provenance"];

/** Takes an image that is known in place of a build: it gets the cell's tag, and the evidence of its build. */
export async function takeImage(
  { planned, trail, signal, timed }: Attempting,
  { record, inspected }: Known,
  deps: Pick<RunDeps, "docker">,
): Promise<Image> {
  const { digest = "", manifest_digest = "" } = record.image ?? {};
  const ref = planned.cell.tags[0] ?? "";
  await timed("build", () => tagImage(deps.docker, digest, ref, signal));
  for (const kind of OF_THE_BUILD) {
    const evidence = record.evidence[kind];
    if (evidence) trail.evidence[kind] = evidence;
  }
  trail.notes.push(`built by ${record.record_id}: tested again`);
  return { ref, digest, manifest_digest, inspected: Promise.resolve(inspected) };
}

/** Gives an image that the engine holds one more tag. @throws FactoryError ENGINE_FAILED */
export async function tagImage(
  docker: RunDeps["docker"],
  digest: string,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { exitCode, stderr } = await docker.run(["image", "tag", digest, ref], { signal });
  if (exitCode !== 0)
    throw new FactoryError("ENGINE_FAILED", `docker image tag ${digest} ${ref}: ${stderr.trim()}`);
}
