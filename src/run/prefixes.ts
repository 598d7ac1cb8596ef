import { join, posix } from "node:path";
import { bakeWatched, cacheWait } from "../builder/cache-watch.ts";
import { FactoryError } from "../errors.ts";
import { createProgress } from "../builder/progress.ts";
import type { Emit } from "../model/event.ts";
import { withNetwork } from "../stitch/network.ts";
import { bakeFile } from "../plan/formats/bake-files.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { makeFolder, removeTree } from "../files/folders.ts";
import { writeWhole } from "../files/write-whole.ts";
import type { StageSettings } from "../pipeline/stage.ts";
import type { Stitched } from "../stitch/stitch.ts";
import type { RunDeps, RunSettings } from "./types.ts";

/** What a cell is built from, from the workspace's root; null where its files changed: then it fails by itself. */
async function contextOf(
  { files, contents }: Pick<Stitched, "files" | "contents">,
  settings: Pick<StageSettings, "relative" | "snapshots">,
): Promise<string | null> {
  try {
    return settings.relative(await settings.snapshots.of(files, contents));
  } catch (error) {
    if (error instanceof FactoryError && error.code === "FILE_CHANGED") return null;
    throw error;
  }
}

/**
 * Fills the registry cache with the prefixes of several cells: each distinct one is baked once, in one bake beside the
 * cells', whose work it shares. One that fails cancels the others of the bake; the cells that have it fail by
 * themselves, and the others are baked again one by one.
 */
export async function bakePrefixes(
  planned: readonly PlannedCell[],
  settings: RunSettings & Pick<StageSettings, "snapshots">,
  deps: Pick<RunDeps, "buildx" | "every" | "folder" | "randomHex" | "secrets">,
  emit: Emit,
): Promise<void> {
  const { root, signal } = settings;
  const folder = join(deps.folder.path(), `prefixes-${deps.randomHex()}`);
  const pathOf = ({ cell }: PlannedCell) => `${settings.relative(folder)}/${cell.target}.Dockerfile`;
  try {
    makeFolder(folder);
    const network = await deps.secrets.network();
    const contexts = new Map<PlannedCell, string>();
    for (const one of planned) {
      const stitched = one.render();
      const context = await contextOf(stitched, settings);
      if (context === null) continue;
      contexts.set(one, context);
      writeWhole(join(root, pathOf(one)), withNetwork(stitched.dockerfile, network), false);
      writeWhole(join(root, `${pathOf(one)}.dockerignore`), "", false);
    }
    const context = (one: PlannedCell) => contexts.get(one) ?? "";
    const { text, prefixes, prefixCells } = bakeFile([...contexts.keys()], {
      context,
      dockerfile: (one) => posix.relative(context(one), pathOf(one)),
      cache: settings.cache,
      output: () => [],
    });
    if (prefixes.length === 0) return;
    const file = join(folder, "docker-bake.hcl");
    writeWhole(file, text, false);
    const secrets = await deps.secrets.handOver(prefixCells);
    let silent = false;
    const bake = async (targets: readonly string[]): Promise<boolean> => {
      const progress = createProgress();
      const metadataFile = join(folder, "metadata.json");
      const options = { file, targets, cwd: root, metadataFile, ...secrets, signal, onLine: progress.line };
      const result = await bakeWatched(options, cacheWait(progress), deps);
      silent = result.silent;
      return result.exitCode === 0;
    };
    if (!(await bake(prefixes)) && prefixes.length > 1)
      for (const target of prefixes) if (!signal?.aborted && !silent) await bake([target]);
    if (!silent) return;
    const what = "the cache registry stopped answering: its cache is not filled";
    emit({ type: "note", level: "warning", cell_id: null, text: what });
  } finally {
    removeTree(folder);
  }
}
