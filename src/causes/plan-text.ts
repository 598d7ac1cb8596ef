import { stringify } from "yaml";
import { valueText } from "../model/value.ts";
import type { CellInclude, Value } from "../schemas/types.ts";
import type { Made, Remade } from "./remade.ts";

/** What a row of a plan says: everything that the manifest by itself does not. */
function rowOf({ fragments, platform, base, args }: Made, remade: Remade, ownBase: string): CellInclude {
  const usual = remade.cellOf({ fragments, platform, base, args: {} })?.cell.args ?? {};
  const own = Object.entries(args).filter(([name, value]) => {
    const known = usual[name];
    return known === undefined || valueText(known) !== valueText(value);
  });
  return {
    ...fragments,
    platform,
    ...(base !== ownBase && { base }),
    ...(own.length > 0 && { args: Object.fromEntries(own) }),
  };
}

/**
 * A plan of some combinations and no others, for `control_plane/plans/<planId>.yaml`.
 * @param made at least one
 */
export function planText(
  { planId, manifestId, summary }: { planId: string; manifestId: string; summary: string },
  made: readonly Made[],
  { remade, ownBase }: { remade: Remade; ownBase: string },
): string {
  const [first, ...more] = made.map((one) => rowOf(one, remade, ownBase));
  const { args, ...rest } = first ?? {};
  const list = (value: Value): [Value] => [value];
  const axes = {
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, list(value as Value)])),
    ...(args && {
      args: Object.fromEntries(Object.entries(args).map(([name, value]) => [name, list(value)])),
    }),
  };
  const document = {
    schema_version: 1,
    plan_id: planId,
    manifest_id: manifestId,
    summary,
    axes,
    ...(more.length > 0 && { include: more }),
  };
  return stringify(document, { lineWidth: 0, flowCollectionPadding: true });
}
