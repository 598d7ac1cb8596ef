import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { type Inputs, keysOf } from "../model/inputs.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { compareInputs, inputsOf } from "../plan/decide/reason.ts";
import { reasonText } from "../plan/decide/change-text.ts";
import { pinsOf } from "../plan/lock/pins.ts";
import { oneCell } from "../plan/one-cell.ts";
import type { Given } from "../plan/space.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import type { Link } from "./proof-link.ts";

/** What a workspace gives for a record's cell: as ranges resolve now, and as factory.lock pins them. */
function givens(
  catalog: OpenCatalog,
  { manifest_id, images = [], base, result }: FactoryRecord,
  environment: Inputs["environment"],
): Given[] {
  const digests = new Map([base, ...images].map(({ ref, digest }) => [ref, digest]));
  const given: Given = {
    // Expectations that have ended since then say nothing about the image.
    today: result.tested_at.slice(0, 10),
    environment,
    digestOf: (ref) => digests.get(ref) ?? null,
  };
  if (catalog.lock() === null) return [given];
  try {
    return [given, { ...given, pins: pinsOf(catalog, [manifest_id]).pins }];
  } catch (error) {
    if (error instanceof FactoryError) return [given];
    throw error;
  }
}

/** A record as that of its cell: what the tie to an original changes in the verdict key is no part of any workspace. */
function asOfCell(record: FactoryRecord, inputs: Inputs): FactoryRecord {
  if (!record.repacked) return record;
  const own = { ...inputs };
  delete own.repacked;
  return { ...record, verdict_key: keysOf(own).verdict_key };
}

/**
 * What a planned cell is made from, on the recorded image of its parent. The key of that image names the digest of its own base,
 * which only its own record has: so it is taken from the record here, and the parent is verified by itself.
 */
function onRecordedParent(planned: PlannedCell, { parent }: Inputs): ReturnType<typeof inputsOf> {
  const own = inputsOf(planned);
  if (!parent || own.parent?.manifest_id !== parent.manifest_id) return own;
  const { build_key, verdict_key } = keysOf({ ...planned.inputs, parent });
  return { ...own, parent, build_key, verdict_key };
}

/**
 * Whether a workspace gives what a record was made from, with the images that it had: the manifest stitched again, with its
 * fragments, files and tests.
 * @param link `commit` for the workspace at the record's commit, `manifest` for it as it is now
 */
export function recipeLink(
  link: "commit" | "manifest",
  catalog: OpenCatalog,
  record: FactoryRecord,
  inputs: Inputs,
): Link {
  const when = link === "commit" ? `at ${record.source.commit?.slice(0, 12) ?? ""}` : "now";
  const { platform, cell_id } = record;
  let why = `the workspace has no cell ${cell_id} ${when}`;
  try {
    for (const given of givens(catalog, record, inputs.environment)) {
      const found = oneCell(catalog, record, given);
      if (!found) continue;
      const planned = found.pin((ref) => given.digestOf?.(ref, platform) ?? null);
      const difference = compareInputs(asOfCell(record, inputs), onRecordedParent(planned, inputs));
      if (difference === null)
        return { link, platform, status: "ok", why: `${cell_id} has the same keys ${when}` };
      why = `${cell_id} is another one ${when}: ${reasonText(difference)}`;
    }
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    why = `${cell_id} cannot be planned ${when}: ${error.message}`;
  }
  return { link, platform, status: "broken", why };
}
