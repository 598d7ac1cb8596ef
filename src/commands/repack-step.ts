import type { OpenCatalog } from "../catalog/open.ts";
import { notPushed } from "../model/other-layers.ts";
import { visible } from "../model/visible.ts";
import type { Repacking } from "../repack/repack.ts";
import type { RepackEnd, RepackStep } from "../run/types.ts";
import type { World } from "../world.ts";
import { noDockerRepack, repackProven } from "./repack-proven.ts";

/** A run shows no times of pulls. */
const MODEL = { bandwidth: 100e6, parallel: 3 };

const never = new AbortController().signal;

/** What a run tells of a repacked image. */
function endOf(found: Repacking, nameOf: (record: NonNullable<Repacking["record"]>) => string): RepackEnd {
  const { record, changes, repacked, saving, pushed, kept_back } = found;
  if (!record) {
    const first = changes[0];
    const such = first ? `, such as ${visible(first.path)} (${first.how.join(", ")})` : "";
    return {
      status: "refused",
      record_id: null,
      record: null,
      image: null,
      saving,
      pushed: false,
      why: `${changes.length} files are not those of the original${such}`,
    };
  }
  const { status, notes } = record.result;
  return {
    status,
    record_id: record.record_id,
    record: nameOf(record),
    image: { ref: record.image?.ref ?? repacked.ref, digest: repacked.digest },
    saving,
    pushed,
    why: status === "pass" ? kept_back && notPushed(kept_back) : (notes[0] ?? null),
  };
}

/** Makes the other layers that a product or a plan asks for, within a run. */
export function repackStep(catalog: OpenCatalog, world: World): RepackStep {
  return async (planned, record, { repack, deps, request, say }) => {
    const version = repack.with === "docker-repack" ? await world.dockerRepack.version() : null;
    if (repack.with === "docker-repack" && version === null) throw noDockerRepack();
    const { image } = record;
    if (!image) throw new Error(`the record ${record.record_id} has no image`);
    const found = await repackProven(
      { planned, record: { ...record, image }, push: request.push, model: MODEL },
      { ...repack, version },
      { catalog, world, runDeps: deps, signal: request.signal ?? never, say, onBytes: () => undefined },
    );
    return endOf(found, deps.store.nameOf);
  };
}
