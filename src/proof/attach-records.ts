import { parseReference } from "../model/image-reference.ts";
import { forEach } from "../records/remote/for-each.ts";
import type { RecordStore } from "../records/store.ts";
import type { WholeRecord } from "../records/travel.ts";
import { FactoryError } from "../errors.ts";
import type { ImageAt } from "./attach-proof.ts";

/** Images at once: each is several requests. */
const AT_ONCE = 8;

/** Where the image of a record was pushed to; null if it was not, or if no registry can be asked for it. */
function pushedImage({ record }: Pick<WholeRecord, "record">): ImageAt | null {
  const { image, result } = record;
  if (!image?.pushed || result.status !== "pass") return null;
  try {
    const { host, repository } = parseReference(image.ref);
    return { host, repository, digest: image.digest };
  } catch (error) {
    if (error instanceof FactoryError) return null;
    throw error;
  }
}

/**
 * Attaches records of a store to their images, where those were pushed and are still there.
 * @param only of these manifests or records; default: all
 * @returns the number of images that got something new
 * @throws FactoryError with a finding for each record that could not be attached: the others were
 */
export async function attachRecords(
  store: RecordStore,
  only: { manifestId?: string; recordIds?: readonly string[] },
  attach: (image: ImageAt, records: readonly WholeRecord[]) => Promise<number | null>,
  signal: AbortSignal,
): Promise<number> {
  const wanted = only.recordIds && new Set(only.recordIds);
  const all = (await store.all(only.manifestId)).filter(({ record_id }) => wanted?.has(record_id) ?? true);
  let attached = 0;
  await forEach(
    all,
    AT_ONCE,
    async ({ read }) => {
      const whole = await read();
      // What was attached before it was pruned stays attached.
      const image = whole && whole.pruned === undefined ? pushedImage(whole) : null;
      if (whole && image && ((await attach(image, [whole])) ?? 0) > 0) attached += 1;
    },
    signal,
  );
  return attached;
}
