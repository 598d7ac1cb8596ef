import { FactoryError } from "../errors.ts";
import { openStore } from "../pipeline/open-store.ts";
import { attachRecords } from "../proof/attach-records.ts";
import type { Context } from "./context.ts";

/** What kept records from being attached that may well be meant so: this machine may not write where images are. */
const MAY_BE_MEANT: ReadonlySet<string> = new Set(["REGISTRY_DENIED", "REGISTRY_LOGIN"]);

/**
 * Attaches records to their images where those were pushed to.
 * @returns how many images got something new, and what kept others from it
 */
export async function attachTo(
  context: Context,
  root: string,
  only: Parameters<typeof attachRecords>[1],
): Promise<{ attached: number; error: FactoryError | null }> {
  const [{ attachProof }, catalog] = await Promise.all([context.world(), context.catalog()]);
  const { signing } = catalog.settings();
  const attach: Parameters<typeof attachRecords>[2] = (image, records) =>
    attachProof(image, records, { signing });
  try {
    const attached = await attachRecords(openStore(root), only, attach, context.signal);
    return { attached, error: null };
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    const isMeant = MAY_BE_MEANT.has(error.code);
    context.say(
      `${isMeant ? "warning" : "error"}: records are not attached to their images: ${error.message}`,
    );
    if (error.fix !== undefined) context.say(`  fix: ${error.fix}`);
    return { attached: 0, error: isMeant ? null : error };
  }
}
