import type { Catalog } from "../catalog/catalog.ts";
import { FactoryError } from "../errors.ts";
import { baseRef, manifestOfRef } from "../model/parent.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { cellMaker } from "../plan/make-cell.ts";
import { type Given, readSpace } from "../plan/space.ts";
import type { FactoryRecord, Value } from "../schemas/types.ts";

/** What a combination is made of. */
export interface Made {
  fragments: Readonly<Record<string, string>>;
  platform: string;
  /** The reference of the base. */
  base: string;
  args: Readonly<Record<string, Value>>;
}

/** Makes combinations of a manifest from the workspace as it is, whether a plan has them or not. */
export interface Remade {
  /** null if the fragments' contracts forbid it, or something of it is gone. */
  cellOf: (made: Made) => PlannedCell | null;
  /**
   * Whether a record tells of what the files say today: the same combination, with the digests that its images had then, has
   * the record's verdict key.
   */
  isCurrent: (record: FactoryRecord) => boolean;
}

/** @throws FactoryError UNKNOWN_MANIFEST, and what reading the manifest throws */
export function remadeFrom(catalog: Catalog, manifestId: string, given: Given): Remade {
  const request = { manifestId };
  const space = readSpace(catalog, request, given);
  const make = cellMaker(catalog, space, request, given);
  const ownBase = baseRef(space.manifest.document.base);
  const cellOf = ({ fragments, platform, base, args }: Made): PlannedCell | null => {
    const chosen = new Map<string, Value>([["platform", platform]]);
    for (const [name, version] of Object.entries(fragments)) chosen.set(name, version);
    for (const [name, value] of Object.entries(args)) chosen.set(`args.${name}`, value);
    // The image of a manifest is only ever the base that a manifest names.
    if (base !== ownBase && manifestOfRef(base) === null) chosen.set("base", base);
    try {
      const cell = make(chosen);
      return cell.cell.base.ref === base ? cell : null;
    } catch (error) {
      if (error instanceof FactoryError) return null;
      throw error;
    }
  };
  return {
    cellOf,
    isCurrent: (record) => {
      const cell = cellOf({
        fragments: Object.fromEntries(record.fragments.map(({ name, version }) => [name, version])),
        platform: record.platform,
        base: record.base.ref,
        args: record.args,
      });
      const digests = new Map(record.images.map(({ ref, digest }) => [ref, digest]));
      return cell?.pin((ref) => digests.get(ref) ?? null).cell.verdict_key === record.verdict_key;
    },
  };
}
