import { grouped } from "../../model/count.ts";
import { sha256Hex } from "../../model/digest.ts";
import type { Planned, PlannedCell } from "../cell.ts";
import { parentRef } from "../../model/parent.ts";
import { byId } from "../topology.ts";
import { bakeFiles, countBakeFiles } from "./bake-files.ts";
import type { FormatFile, FormatInput, WriteFormat } from "./format.ts";

/** The folder for the Dockerfiles of bake files. A plan and a manifest may have the same id. */
function folderOf({ plan_id, plan_ids, manifest_id }: Planned): string {
  if (plan_id !== null) return `.factory/plan/${plan_id}`;
  return plan_ids.length > 0 ? ".factory/plans" : `.factory/manifest/${manifest_id}`;
}

/** The command line that writes a plan's bake files. */
function commandOf({ plan_id, manifest_id, plan_ids }: Planned): string {
  const named = plan_id ?? (plan_ids.length > 0 ? null : `--manifest-id ${manifest_id}`);
  return `factory plan${named === null ? "" : ` ${named}`} --format bake`;
}

/**
 * Writes the Dockerfiles that bake files name, so that these build as they are. Cells that differ only in their platform or
 * labels share one: bake files carry the labels.
 * @returns the name of each cell's
 */
function writeDockerfiles({ planned, catalog, fillFolder, say }: FormatInput): Map<PlannedCell, string> {
  const folder = folderOf(planned);
  const names = new Map<PlannedCell, string>();
  const written = new Set<string>();
  fillFolder(folder, (write) => {
    for (const one of planned.cells) {
      const { manifest_id, unlabelled, dockerignore } = one.render();
      const name = `${manifest_id}-${sha256Hex(`${unlabelled}\n${dockerignore}`).slice(0, 16)}.Dockerfile`;
      names.set(one, name);
      if (written.has(name)) continue;
      written.add(name);
      write(name, unlabelled);
      write(`${name}.dockerignore`, dockerignore);
    }
  });
  const count = written.size;
  say(`${grouped(count)} Dockerfile${count === 1 ? "" : "s"} in ${folder}; bake from ${catalog.root}`);
  return names;
}

/** The images of proven cells that others start from, by the cell that does: those are not built again for them. */
function parentImages(cells: readonly PlannedCell[]): (planned: PlannedCell) => string | undefined {
  const known = byId(cells);
  return ({ cell, keys }) => {
    const parent = known.get(cell.parent ?? "")?.cell;
    if (!parent || parent.action === "build" || !keys.parent) return undefined;
    const ref = parentRef(keys.parent.manifest_id);
    const digest = cell.images.find((one) => one.ref === ref)?.digest ?? null;
    return digest === null ? undefined : `docker-image://${parent.tags[0]}@${digest}`;
  };
}

function* filesOf(input: FormatInput): Iterable<FormatFile> {
  const { planned, catalog } = input;
  const { cache } = catalog.settings();
  const dockerfiles = writeDockerfiles(input);
  const files = bakeFiles(planned.cells, {
    dockerfile: (cell) => `${folderOf(planned)}/${dockerfiles.get(cell)}`,
    // Whoever bakes these files need not push: then a cache that only pushes write is only read.
    cache: cache && { place: cache.place, writes: cache.write === "always" },
    output: () => ["type=docker"],
    parentImage: parentImages(planned.cells),
    header: { command: commandOf(planned) },
  });
  for (const { name, text } of files) yield { name, text: text.trimEnd() };
}

/** `--format bake` */
export const write: WriteFormat = (input) => ({
  count: countBakeFiles(input.planned.cells),
  files: filesOf(input),
  isContent: true,
  document: "text",
});
