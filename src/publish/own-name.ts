import { sha256Hex } from "../model/digest.ts";
import { platformSlug } from "../model/platform.ts";
import type { Cell } from "../plan/cell.ts";
import { tagOf } from "../plan/cell-names.ts";
import type { Combination } from "./combination.ts";

/** The id of a cell without its manifest and platform: `core-0.1.0`. */
export function ownName({ cell_id, manifest_id, platform }: Cell): string {
  const rest = cell_id.slice(manifest_id.length + 1);
  const end = `.${platformSlug(platform)}`;
  return rest.endsWith(end) ? rest.slice(0, -end.length) : rest;
}

/**
 * Where the images of all platforms of a combination are joined: in the repository of its cells, under the name of a cell
 * without the platform. `all-platforms` for a manifest by itself.
 */
export function joinedRef({ cells, first }: Combination): string {
  const ref = first.tags[0] ?? "";
  const repository = ref.slice(0, ref.lastIndexOf(":"));
  const slug = platformSlug(first.platform);
  const own = ownName(first);
  if (own === slug) return `${repository}:all-platforms`;
  // A shortened id says the platform in its middle, and in the hash at its end.
  const [, start] = new RegExp(`^(.*)\\.${slug}_h[0-9a-f]{8}$`).exec(own) ?? [];
  const ids = cells.map(({ cell_id }) => cell_id).join("\n");
  return `${repository}:${tagOf(start === undefined ? own : `${start}_h${sha256Hex(ids).slice(0, 8)}`)}`;
}
