import { join } from "node:path";
import { createProgress } from "../builder/progress.ts";
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
  deps: Pick<RunDeps, "buildx" | "folder" | "randomHex">,
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
    const bake = async (targets: readonly string[]): Promise<boolean> => {
      const { exitCode } = await deps.buildx.bake({
        file,
        targets,
        cwd: root,
        metadataFile: join(folder, "metadata.json"),
        signal,
        onLine: createProgress().line,
      });
      return exitCode === 0;
    };
    if ((await bake(prefixes)) || prefixes.length === 1) return;
    for (const target of prefixes) if (!signal?.aborted) await bake([target]);
  } finally {
    removeTree(folder);
  }
}
