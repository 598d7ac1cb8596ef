import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Catalog } from "./catalog/catalog.ts";
import type { RunFolder } from "./files/run-folder.ts";
import type { RunDeps } from "./run/types.ts";
import type { SmokeDeps } from "./smoke/smoke.ts";

/** Runs the smoke tests of cells; what that takes is loaded for the first one. */
export function smoking(
  { smokeDeps, owner }: { smokeDeps: SmokeDeps; owner: string },
  { catalog, folder }: { catalog: Catalog; folder: RunFolder },
): RunDeps["smokeTest"] {
  return async (image, { inspected, ...whose }, planned, signal, onTest) => {
    const [{ smokeCell }, { contentsOf }] = await Promise.all([
      import("./smoke/smoke-cell.ts"),
      import("./inspect/owned-contents.ts"),
    ]);
    const { platform } = planned.cell;
    const contents = contentsOf({ image, platform, signal, ...whose }, smokeDeps);
    const scripts = `scripts-${randomBytes(4).toString("hex")}`;
    const own = () => join(folder.path(), scripts);
    const about = { image, inspected, contents, planned, onTest };
    return smokeCell({ catalog, folder: own, owner, deps: smokeDeps }, about, signal);
  };
}
