import type { Catalog } from "../catalog/catalog.ts";
import type { ImageContents } from "../model/image-contents.ts";
import type { SmokeReport } from "../model/smoke.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { scriptText } from "../stitch/scripts.ts";
import type { ImageInspect } from "../tools/docker.ts";
import { type SmokeDeps, smokeTest } from "./smoke.ts";

/** What the tests of a cell need beside its image. */
interface SmokeWorld {
  catalog: Catalog;
  /** An absolute folder for private copies of scripts. */
  folder: () => string;
  owner: string;
  deps: SmokeDeps;
}

/** Runs the smoke tests of a planned cell against its image. @throws FactoryError as smokeTest does */
export async function smokeCell(
  { catalog, folder, owner, deps }: SmokeWorld,
  {
    image,
    inspected,
    contents,
    planned,
    onTest,
  }: {
    image: string;
    inspected: Promise<ImageInspect>;
    contents: ImageContents;
    planned: PlannedCell;
    onTest?: ((test: SmokeReport["tests"][number]) => void) | undefined;
  },
  signal: AbortSignal | undefined,
): Promise<SmokeReport> {
  const { tests, gpus } = planned.render();
  return smokeTest(
    {
      image,
      inspected,
      platform: planned.cell.platform,
      tests,
      gpus: gpus ?? undefined,
      limits: catalog.settings().smoke,
      contents,
      scripts: { text: (path) => scriptText(catalog, path), folder },
      owner,
      signal,
      onTest,
    },
    deps,
  );
}
