import { join } from "node:path";
import { type BuildDeps, buildCell } from "../builder/build.ts";
import { type StoredImage, storedUnder } from "../compare/stored-image.ts";
import { FactoryError } from "../errors.ts";
import { openBlobFolder } from "../files/blob-folder.ts";
import { writeWhole } from "../files/write-whole.ts";
import type { Descriptor } from "../handover/descriptors.ts";
import type { Repacked } from "../model/inputs.ts";
import type { RetryPolicy } from "../model/retries.ts";
import { createHclWriter } from "../plan/formats/hcl.ts";
import { openDocuments } from "../sbom/layout.ts";
import { manifestsIn } from "../sbom/manifest.ts";
import type { DockerRepack } from "../tools/docker-repack.ts";
import { writeMarks } from "./layout-marks.ts";

/** What repacking programs are asked with. */
export interface ProgramDeps extends Omit<BuildDeps, "appendLog" | "mask"> {
  retries: RetryPolicy;
  dockerRepack: DockerRepack;
  signal: AbortSignal;
}

/** An image that is to be repacked: a layout whose index names it alone. */
export interface Source {
  /** Absolute, and nobody else's: the layout is `original` in it. */
  folder: string;
  manifest: Descriptor;
  platform: string;
  /** How large a layer may be, in bytes, packed; for docker-repack. */
  targetSize: number;
}

/** Has BuildKit pack the layers anew. They stay the same layers. @returns the folder of the layout */
async function withZstd({ folder, manifest, platform }: Source, deps: ProgramDeps): Promise<string> {
  const hcl = createHclWriter();
  hcl.block("target", "repacked", {
    context: ".",
    contexts: { original: `oci-layout://original@${manifest.digest}` },
    platforms: [platform],
    attest: ["type=provenance,disabled=true"],
    output: ["type=oci,dest=repacked,tar=false,compression=zstd,force-compression=true"],
  });
  writeWhole(join(folder, "Dockerfile"), "FROM original\n", false);
  writeWhole(join(folder, "Dockerfile.dockerignore"), "*\n", false);
  writeWhole(join(folder, "docker-bake.hcl"), hcl.text(), false);
  const outcome = await buildCell(
    {
      root: folder,
      bakeFile: "docker-bake.hcl",
      targets: ["repacked"],
      target: "repacked",
      image: "repacked",
      platform,
      workDir: folder,
      retries: deps.retries,
      signal: deps.signal,
    },
    { ...deps, appendLog: () => undefined },
  );
  if (outcome.status === "failed")
    throw new FactoryError("TOOL_FAILED", `BuildKit could not repack the image: ${outcome.message}`, {
      fix: "see `docker buildx inspect`; a builder with other compression is chosen with `docker buildx use`",
    });
  return join(folder, "repacked");
}

/** Has docker-repack sort the files into layers of about one size. @returns the folder of the layout */
async function withDockerRepack(
  { folder, platform, targetSize }: Source,
  { dockerRepack, signal }: ProgramDeps,
): Promise<string> {
  const [from, to] = [join(folder, "original"), join(folder, "repacked")];
  await dockerRepack.repack({ from, to, platform, targetSize, signal });
  return to;
}

const PROGRAMS: Record<Repacked["with"], (source: Source, deps: ProgramDeps) => Promise<string>> = {
  zstd: withZstd,
  "docker-repack": withDockerRepack,
};

/**
 * Has a program put an image's files into other layers.
 * @param source its layout has the manifest and all blobs
 * @returns the layers as the program says them: nothing about them is checked yet
 * @throws FactoryError TOOL_FAILED, TOOL_MISSING, IMAGE_UNREADABLE, WRITE_FAILED, INTERRUPTED
 */
export async function repackedBy(
  program: Repacked["with"],
  source: Source,
  deps: ProgramDeps,
): Promise<{ layout: string; image: StoredImage }> {
  writeMarks(join(source.folder, "original"), source.manifest, source.platform);
  const layout = await PROGRAMS[program](source, deps);
  // An index entry need not have a platform: the layout has one image.
  const found = manifestsIn(openDocuments(layout)) ?? [];
  const [only] = found;
  if (!only || found.length > 1)
    throw new FactoryError("TOOL_FAILED", `${program} wrote ${found.length} images, and not one`, {
      fix: "try another `--with`",
    });
  return { layout, image: storedUnder("the repacked image", only.digest, openBlobFolder(layout)) };
}
