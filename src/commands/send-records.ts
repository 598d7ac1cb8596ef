import { FactoryError } from "../errors.ts";
import type { Context } from "./context.ts";

/**
 * Attaches new records to their images, and pushes them to the remote where there is one. An error is told: the verdicts stand,
 * and the records are here.
 * @returns it
 */
export async function sendRecords(
  context: Context,
  recordIds: readonly string[],
): Promise<FactoryError | null> {
  if (recordIds.length === 0) return null;
  const catalog = await context.catalog();
  const remote = catalog.settings().records_remote;
  const { attachTo } = await import("./attaching.ts");
  const { error } = await attachTo(context, catalog.root, { recordIds });
  if (remote === null) return error;
  try {
    const [{ openStore }, world] = await Promise.all([import("../pipeline/open-store.ts"), context.world()]);
    const { pushed } = await (await world.recordRemote(remote)).push(openStore(catalog.root), { recordIds });
    context.say(`${pushed.length} ${pushed.length === 1 ? "record" : "records"} pushed to ${remote}`);
    return error;
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    context.say(`error: records are missing in ${remote}: ${error.message}`);
    context.say("  fix: run `factory records push` where these records are");
    return error;
  }
}
