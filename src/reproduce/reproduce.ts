import { join } from "node:path";
import { compareConfigs, compareLayers, type LayerComparison } from "../compare/compare-images.ts";
import { recordedImage } from "../compare/recorded-image.ts";
import type { StoredImage } from "../compare/stored-image.ts";
import { openBlobFolder } from "../files/blob-folder.ts";
import type { GatherDeps } from "../handover/gather.ts";
import type { RecordStore } from "../records/store.ts";
import { layerOrigins } from "../sbom/layer-origin.ts";
import { createOwners } from "./owners.ts";
import { packageChanges } from "./packages.ts";
import { rebuild, type RebuildDeps } from "./rebuild.ts";
import { type Missing, readRecorded } from "./recorded.ts";
import { recordedLayers } from "./recorded-layers.ts";
import { type Drift, explainLayers, type LayerVerdict, type Outcome, outcomeOf } from "./verdict.ts";

export interface ReproduceDeps extends RebuildDeps {
  store: RecordStore;
  docker: RebuildDeps["docker"] & GatherDeps["docker"];
  registries: GatherDeps["registries"];
  /** The SBOM of an image in a layout. */
  makeSbom: (
    image: { ref: string; digest: string; platform: string; name: string; layout: string },
    signal: AbortSignal,
  ) => Promise<{ json: string }>;
  /** Called with the bytes that came, now and then. */
  onBytes: (bytes: number) => void;
}

export interface Reproduction {
  record_id: string;
  cell_id: string;
  outcome: Outcome;
  /** Digests of the image manifests; `rebuilt` is null where it could not be built. */
  recorded: string;
  rebuilt: string | null;
  layers: LayerVerdict[];
  /** Fields in which the configurations differ. */
  config: string[];
  drift: Drift[];
  missing: Missing[];
  /** Images that were recorded without a digest: they may be other ones by now. */
  unpinned: string[];
  /** Whether evidence of the record is gone, so that not all of it could be checked. */
  isProven: boolean;
}

/** What can be said of layers whose image is gone: those with a digest that the record names are the same. */
function knownLayers(after: StoredImage, buildkit: unknown): LayerComparison[] {
  const known = recordedLayers(buildkit);
  return after.layers.map(({ digest }, at) => {
    const own = after.diffIds[at] ?? null;
    const isKnown = known[at]?.has(digest) ?? false;
    const same = isKnown ? "identical" : "unknown";
    return { before: isKnown ? own : null, after: own, same, changes: [], times: 0, kept: [] };
  });
}

/**
 * Builds the image of a record again and says how it differs. Nothing is recorded, and the engine gets no image.
 * @param options `update`: whether newer packages alone count as reproduced
 * @throws FactoryError UNKNOWN_RECORD, EVIDENCE_MISMATCH, RECORD_INCOMPLETE: nothing was built then; FILE_OUTSIDE, SECRET_*,
 * IMAGE_UNREADABLE, WRITE_FAILED, INTERRUPTED, DOCKER_MISSING
 */
export async function reproduce(
  recordId: string,
  { update }: { update: boolean },
  deps: ReproduceDeps,
): Promise<Reproduction> {
  const { signal, onBytes, onProgress } = deps;
  const recorded = await readRecorded(recordId, deps.store, signal);
  const { record } = recorded;
  const about = {
    record_id: record.record_id,
    cell_id: record.cell_id,
    recorded: record.image.manifest_digest,
    unpinned: recorded.inputs.images
      .filter(({ ref, digest }) => digest === null && ref !== "scratch")
      .map(({ ref }) => ref),
    isProven: recorded.missing.length === 0,
  };
  const nothing = { layers: [], config: [], drift: [] };
  const rebuilt = await rebuild(recorded, deps);
  if ("missing" in rebuilt) {
    const missing = [...recorded.missing, ...rebuilt.missing];
    return { ...about, ...nothing, outcome: "incomplete", rebuilt: null, missing };
  }
  const { image: after, layout, dockerfile } = rebuilt;
  const isSameManifest = after.digest === record.image.manifest_digest;
  const origins = layerOrigins(dockerfile, after, record.fragments);
  const before = isSameManifest
    ? { image: after }
    : await recordedImage(record.image, openBlobFolder(join(deps.folder, "recorded")), deps);
  const gone = "why" in before ? [{ what: `the image ${record.image.digest}`, why: before.why }] : [];
  const missing = [...recorded.missing, ...gone];

  const isEqual = (at: number, one: StoredImage) => one.layers[at]?.digest === after.layers[at]?.digest;
  const differs = "why" in before || !after.layers.every((_, at) => isEqual(at, before.image));
  let packages: ReturnType<typeof packageChanges> = [];
  if (differs && recorded.sbom !== null) {
    onProgress("comparing the packages of both images");
    const name = record.image.ref;
    const image = { ref: name, digest: after.digest, platform: record.platform, name, layout };
    packages = packageChanges(recorded.sbom, JSON.parse((await deps.makeSbom(image, signal)).json));
  }
  const owners = createOwners(packages);
  const compared =
    "why" in before
      ? knownLayers(after, recorded.buildkit)
      : await compareLayers(before.image, after, { signal, onBytes, wants: owners.wants });
  const { layers, drift } = explainLayers(compared, origins, { owners, packages });
  const config = "why" in before ? [] : compareConfigs(before.image.config, after.config);
  const outcome = outcomeOf(layers, { isSameManifest, config, update });
  return { ...about, outcome, rebuilt: after.digest, layers, config, drift, missing };
}
