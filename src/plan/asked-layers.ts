import type { OpenCatalog } from "../catalog/open.ts";
import { errorOf, type Finding, type Place } from "../errors.ts";
import { bytesOf } from "../model/bytes.ts";
import { OTHER_LAYERS, type OtherLayers } from "../model/other-layers.ts";
import type { PlanRepack } from "../schemas/types.ts";
import type { Cell } from "./cell.ts";

/** A document that asks for other layers. */
interface Asking {
  /** `the product python`. */
  name: string;
  where: Place | undefined;
  manifest_id: string;
  /** The plans whose cells it means; undefined for all of the manifest. */
  plans: readonly string[] | undefined;
  layers: OtherLayers;
}

/** What `repack` of a document means, with every default filled in. */
export function layersOf({ with: program, target_size, tag_suffix }: PlanRepack): OtherLayers {
  // zstd takes no size, so none makes two askings differ.
  const size = program === "zstd" ? undefined : target_size;
  return {
    with: program,
    target_size: bytesOf(size ?? OTHER_LAYERS.target_size),
    tag_suffix: tag_suffix ?? OTHER_LAYERS.tag_suffix,
  };
}

function askingsOf(catalog: OpenCatalog, manifestIds: ReadonlySet<string>): Asking[] {
  const ofPlans = catalog.planIds().flatMap((id): Asking[] => {
    if (catalog.loadFile("plan", id).sound.repack === undefined) return [];
    const { document, place } = catalog.plan(id);
    const { manifest_id, repack } = document;
    if (!repack || !manifestIds.has(manifest_id)) return [];
    return [
      {
        name: `the plan ${id}`,
        where: place(["repack"]),
        manifest_id,
        plans: [id],
        layers: layersOf(repack),
      },
    ];
  });
  const ofProducts = catalog.productIds().flatMap((id): Asking[] => {
    const { sound } = catalog.loadFile("product", id);
    // What is wrong with a product of another manifest is no matter of this one.
    if (sound.manifest_id !== undefined && !manifestIds.has(sound.manifest_id)) return [];
    if (sound.repack === undefined) return [];
    const { document, place } = catalog.product(id);
    const { manifest_id, plans, repack } = document;
    return repack
      ? [
          {
            name: `the product ${id}`,
            where: place(["repack"]),
            manifest_id,
            plans,
            layers: layersOf(repack),
          },
        ]
      : [];
  });
  return [...ofPlans, ...ofProducts];
}

/** What of a cell decides which layers are asked for. */
export type AskedCell = Pick<Cell, "cell_id" | "manifest_id" | "plan_ids" | "expect">;

const isSame = (a: OtherLayers, b: OtherLayers): boolean =>
  a.with === b.with && a.target_size === b.target_size && a.tag_suffix === b.tag_suffix;

/**
 * The other layers that plans and products ask for, by the id of the cell: one that is meant to fail has none.
 * @throws FactoryError REPACK_CONFLICT where two documents ask for different ones of one cell; what reading such a document throws
 */
export function askedLayers(catalog: OpenCatalog, cells: readonly AskedCell[]): Map<string, OtherLayers> {
  const askings = askingsOf(catalog, new Set(cells.map(({ manifest_id }) => manifest_id)));
  const asked = new Map<string, OtherLayers>();
  const findings = new Map<string, Finding>();
  for (const cell of askings.length > 0 ? cells : []) {
    if (cell.expect) continue;
    const [first, ...more] = askings.filter(
      ({ manifest_id, plans }) =>
        manifest_id === cell.manifest_id && (plans?.some((id) => cell.plan_ids.includes(id)) ?? true),
    );
    if (!first) continue;
    asked.set(cell.cell_id, first.layers);
    const other = more.find(({ layers }) => !isSame(layers, first.layers));
    if (other && !findings.has(`${first.name} ${other.name}`))
      findings.set(`${first.name} ${other.name}`, {
        code: "REPACK_CONFLICT",
        what: `${first.name} and ${other.name} ask for different layers of ${cell.cell_id}`,
        where: other.where,
        fix: "say the same under `repack` in both, or leave one out: an image has one repacked image",
      });
  }
  if (findings.size > 0) throw errorOf([...findings.values()]);
  return asked;
}

/** The share of bytes that an image in other layers has to save: what policies of the products of a manifest ask for, the most of it. */
export function minSavingFor(catalog: OpenCatalog, manifestId: string): number {
  const asked = catalog.productIds().flatMap((id) => {
    const { manifest_id, policy } = catalog.product(id).document;
    if (manifest_id !== manifestId || policy === undefined) return [];
    return [catalog.policy(policy).document.repack?.min_saving ?? 0];
  });
  return Math.max(0, ...asked);
}
