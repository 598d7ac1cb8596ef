import { join, posix } from "node:path";
import { writeWhole } from "../files/write-whole.ts";
import { withCell } from "../plan/cell.ts";
import { bakeFile } from "../plan/formats/bake-files.ts";
import { withNetwork } from "../stitch/network.ts";
import type { Attempt, Stage } from "./stage.ts";

/** The bake file of an attempt, absolute. */
export function bakeFileOf({ folder }: Attempt): string {
  return join(folder, "docker-bake.hcl");
}

/** Where an attempt's image is written as an OCI layout, absolute. */
export function layoutOf({ folder }: Attempt): string {
  return join(folder, "oci");
}

/** Writes the Dockerfile and the bake file of the cell into the attempt's folder, and takes what it copies as it was planned. */
export const stitch: Stage = {
  name: "stitch",
  part: "image",
  needs: ["resolve"],
  evidence: { dockerfile: "text/x-dockerfile", bake_file: "text/x-hcl" },
  exact: ["dockerfile", "bake_file"],
  classes: {},
  run: async ({ attempt, keep, progress }, { layers, secrets }) => {
    const { planned, folder, settings, held, origin } = attempt;
    const parent = origin && "ref" in origin ? origin : null;
    const stitched = planned.render();
    const text = withNetwork(stitched.dockerfile, await secrets.network());
    writeWhole(join(folder, "Dockerfile"), text, false);
    // The builder gets the bytes that were hashed, whatever happens to the workspace meanwhile. Nothing else is in there.
    writeWhole(join(folder, "Dockerfile.dockerignore"), "", false);
    const { files, contents } = stitched;
    const copying = (step: number, steps: number) =>
      progress({ step, steps, cached: false, detail: "copying sources" });
    const context = settings.relative(await settings.snapshots.of(files, contents, copying));
    const dockerfile = posix.relative(context, `${settings.relative(folder)}/Dockerfile`);
    const layout = settings.relative(layoutOf(attempt));
    // The cell's own tag moves last, when the image is proven.
    const file = bakeFile([withCell(planned, { tags: [held] })], {
      context: () => context,
      dockerfile: () => dockerfile,
      cache: settings.cache,
      parentImage: () => (parent ? `docker-image://${parent.ref}@${parent.digest}` : undefined),
      annotates: "manifest,index",
      output: () => ["type=docker", ...(layers ? [`type=oci,dest=${layout},tar=false`] : [])],
    });
    writeWhole(bakeFileOf(attempt), file.text, false);
    await keep("dockerfile", text);
    await keep("bake_file", file.text);
    // Prefixes are targets of their own only for the cache refs that they fill.
    // Those of a cell with a parent are not baked ahead: they are on an image that was not there yet.
    const isBaked = settings.prefixesBaked === true && !origin;
    attempt.prefixes = !settings.cache?.writes || isBaked ? [] : file.prefixes;
    return null;
  },
};
