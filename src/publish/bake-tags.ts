import { platformSlug } from "../model/platform.ts";
import type { Cell } from "../plan/cell.ts";
import { tagOf } from "../plan/cell-names.ts";
import { createHclWriter } from "../plan/formats/hcl.ts";
import type { TagEntry } from "./published-tags.ts";

const HEADER = `# Tags for the targets of \`factory plan --format bake\`:
#   docker buildx bake -f docker-bake.hcl -f tags.hcl
# A target is one platform: where there are several, each has its own tag, to be joined under the tag itself.

`;

/** A tag for one platform of several. */
function onPlatform(ref: string, platform: string): string {
  const colon = ref.lastIndexOf(":");
  return `${ref.slice(0, colon)}:${tagOf(`${ref.slice(colon + 1)}-${platformSlug(platform)}`)}`;
}

/** A docker-bake.hcl that gives the targets of cells their tags, beside those that they have anyway. */
export function bakeTags(tags: readonly TagEntry[], cells: readonly Cell[]): string {
  const byCell = new Map<string, string[]>();
  const known = new Map(cells.map((cell) => [cell.cell_id, cell]));
  for (const { ref, cell_ids, repacked } of tags)
    for (const id of repacked ? [] : cell_ids) {
      const cell = known.get(id);
      if (!cell) continue;
      const refs = byCell.get(id) ?? [...cell.tags];
      byCell.set(id, refs);
      refs.push(cell_ids.length > 1 ? onPlatform(ref, cell.platform) : ref);
    }
  const hcl = createHclWriter();
  for (const [id, refs] of byCell)
    hcl.block("target", known.get(id)?.target ?? "", { tags: [...new Set(refs)] });
  return `${HEADER}${hcl.text()}`.trimEnd();
}
