import { compareText } from "../model/compare.ts";
import type { PlannedCell } from "./cell.ts";
import { hclBlock } from "./hcl.ts";
import { prefixTargets } from "./prefix.ts";

/** Attestation that is asked of every cell: BuildKit's provenance with all it knows. */
const PROVENANCE = "type=provenance,mode=max";

/** A bake file and the names in it. */
export interface BakeFile {
  text: string;
  /** Names of the cells' targets, which are the `default` group. */
  targets: string[];
  /** Names of the prefixes' targets. */
  prefixes: string[];
}

/**
 * Writes cells as a docker-bake.hcl: one target a cell, one a shared prefix (`target = "core"`, output `cacheonly`),
 * the group `default` with exactly the cells, and for each fragment a group with its prefixes.
 * @param dockerfile where a cell's Dockerfile is, from the workspace's root
 * @param output `output` of a cell, such as `type=docker`
 */
export function bakeFile(
  cells: readonly PlannedCell[],
  options: {
    dockerfile: (cell: PlannedCell) => string;
    cacheRepository: string | null;
    output: (cell: PlannedCell) => string[];
  },
): BakeFile {
  const { dockerfile, cacheRepository, output } = options;
  const prefixes = prefixTargets(cells, cacheRepository);
  const targets = cells.map(({ cell }) => cell.target);
  const blocks = [hclBlock("group", "default", { targets })];

  const groups = new Map<string, string[]>();
  for (const { fragment, target } of prefixes)
    groups.set(fragment, [...(groups.get(fragment) ?? []), target]);
  for (const [fragment, members] of [...groups].sort(([a], [b]) => compareText(a, b))) {
    blocks.push(hclBlock("group", `prefix-${fragment}`, { targets: members }));
  }
  for (const prefix of prefixes) {
    blocks.push(
      hclBlock("target", prefix.target, {
        context: ".",
        dockerfile: dockerfile(prefix.cell),
        target: prefix.fragment,
        platforms: [prefix.platform],
        "cache-from": prefix.cache_from,
        "cache-to": prefix.cache_to,
        output: ["type=cacheonly"],
      }),
    );
  }
  for (const planned of cells) {
    const { cell, stitched } = planned;
    blocks.push(
      hclBlock("target", cell.target, {
        context: ".",
        dockerfile: dockerfile(planned),
        platforms: [cell.platform],
        tags: cell.tags,
        labels: stitched.labels,
        "cache-from": cell.cache_from,
        "cache-to": cell.cache_to,
        attest: [PROVENANCE],
        output: output(planned),
      }),
    );
  }
  return { text: blocks.join("\n"), targets, prefixes: prefixes.map(({ target }) => target) };
}
