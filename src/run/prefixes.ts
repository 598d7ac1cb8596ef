import { join } from "node:path";
import { bakeWatched, cacheWait } from "../builder/cache-watch.ts";
import { createProgress } from "../builder/progress.ts";
import type { Emit } from "../model/event.ts";
import { bakeFile } from "../plan/formats/bake.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { makeFolder, removeTree } from "../files/folders.ts";
import { writeWhole } from "../files/write-whole.ts";
import type { RunDeps, RunSettings } from "./types.ts";

/**
 * Fills the registry cache with the prefixes of several cells: each distinct one is baked once, in one bake beside the
 * cells', whose work it shares. One that fails cancels the others of the bake; the cells that have it fail by
 * themselves, and the others are baked again one by one.
 */
export async function bakePrefixes(
  cells: readonly PlannedCell[],
  settings: RunSettings,
  deps: Pick<RunDeps, "buildx" | "every" | "folder" | "randomHex">,
  emit: Emit,
): Promise<void> {
  const { root, signal } = settings;
  const folder = join(deps.folder.path(), `prefixes-${deps.randomHex()}`);
  const pathOf = ({ cell }: PlannedCell) => `${settings.relative(folder)}/${cell.target}.Dockerfile`;
  try {
    makeFolder(folder);
    for (const one of cells) {
      const { dockerfile, dockerignore } = one.render();
      writeWhole(join(root, pathOf(one)), dockerfile, false);
      writeWhole(join(root, `${pathOf(one)}.dockerignore`), dockerignore, false);
    }
    const options = { dockerfile: pathOf, cacheRepository: settings.cacheRepository, output: () => [] };
    const { text, prefixes } = bakeFile(cells, options);
    if (prefixes.length === 0) return;
    const file = join(folder, "docker-bake.hcl");
    writeWhole(file, text, false);
    let silent = false;
    const bake = async (targets: readonly string[]): Promise<boolean> => {
      const progress = createProgress();
      const metadataFile = join(folder, "metadata.json");
      const options = { file, targets, cwd: root, metadataFile, signal, onLine: progress.line };
      const result = await bakeWatched(options, cacheWait(progress), deps);
      silent = result.silent;
      return result.exitCode === 0;
    };
    if (!(await bake(prefixes)) && prefixes.length > 1)
      for (const target of prefixes) if (!signal?.aborted && !silent) await bake([target]);
    if (!silent) return;
    const what = "the cache registry gave no sign of life: it is not filled";
    emit({ type: "note", level: "warning", cell_id: null, text: what });
  } finally {
    removeTree(folder);
  }
}
