import type { OpenCatalog } from "../catalog/open.ts";
import { withParents } from "../plan/family.ts";
import { pinsOf } from "../plan/lock/pins.ts";
import type { Given } from "../plan/space.ts";
import type { Context } from "./context.ts";

/** What making cells depends on. @throws FactoryError LOCK_* */
export function givenOf(
  context: Context,
  catalog: OpenCatalog,
  { manifestId, locked }: { manifestId: string; locked: boolean },
): Given {
  return {
    today: new Date(context.now()).toISOString().slice(0, 10),
    environment: context.environment,
    ...(locked ? pinsOf(catalog, withParents(catalog, [manifestId])) : {}),
  };
}
