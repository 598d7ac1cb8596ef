import { relative, sep } from "node:path";
import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { makeFolderIn, removeTree } from "../files/folders.ts";
import { createMeter } from "../files/meter.ts";
import type { OtherLayers } from "../model/other-layers.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { minSavingFor } from "../plan/asked-layers.ts";
import { repackedTag } from "../plan/repacked-cell.ts";
import type { PullModel } from "../repack/pull-time.ts";
import { repack, type Repacking } from "../repack/repack.ts";
import type { RunDeps } from "../run/types.ts";
import type { FactoryRecord, RecordImage } from "../schemas/types.ts";
import { version } from "../version.ts";
import type { World } from "../world.ts";

/** For where docker-repack is asked for, and not there. */
export function noDockerRepack(): FactoryError {
  return new FactoryError("TOOL_MISSING", "docker-repack is not installed", {
    fix: "install it with `cargo install --locked docker-repack`, or repack with zstd",
  });
}

/** What repacking works with. */
interface Around {
  catalog: OpenCatalog;
  world: Pick<World, "registries" | "dockerRepack">;
  runDeps: Omit<RunDeps, "onEvent">;
  signal: AbortSignal;
  say: (text: string) => void;
  onBytes: (bytes: number) => void;
}

/**
 * Puts the proven image of a cell into other layers, as the command does it and a run.
 * @param how.version of docker-repack; null for BuildKit
 * @throws FactoryError as `repack`
 */
export async function repackProven(
  about: {
    planned: PlannedCell;
    record: FactoryRecord & { image: RecordImage };
    push: boolean;
    model: PullModel;
  },
  how: OtherLayers & { version: string | null },
  { catalog, world, runDeps, signal, say, onBytes }: Around,
): Promise<Repacking> {
  const { root } = catalog;
  const { planned, record, push, model } = about;
  let last = "";
  const tell = createMeter(() => say(last));
  const own = runDeps.folder.path();
  const folders = [makeFolderIn(own, "repack-"), makeFolderIn(own, "proof-")] as const;
  const programs = how.version === null ? {} : { [how.with]: how.version };
  try {
    return await repack(
      planned,
      record,
      {
        with: how.with,
        version: how.version,
        target_size: how.target_size,
        tag: repackedTag(record.image.ref, how.tag_suffix),
        model,
        push,
        minSaving: minSavingFor(catalog, record.manifest_id),
      },
      {
        ...runDeps,
        root,
        relative: (path) => relative(root, path).split(sep).join("/"),
        retries: catalog.settings().retries,
        versions: { factory: version, node: process.versions.node, ...programs },
        registries: world.registries,
        dockerRepack: world.dockerRepack,
        folder: folders[0],
        folderOfWork: folders[1],
        signal,
        say,
        onBytes,
        onProgress: (text) => {
          last = text;
          tell();
        },
      },
    );
  } finally {
    for (const folder of folders) removeTree(folder);
  }
}
