import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { makeFolderIn, removeTree } from "../files/folders.ts";
import type { Exec } from "./exec.ts";

/** A plain build. */
export interface PlainBuild {
  /** Absolute, as the context is. */
  dockerfile: string;
  context: string;
  platform: string | null;
  signal?: AbortSignal;
}

/** The hashes of an image's layers, uncompressed, the first one first; or why it could not be built. */
export type LayersOf = (build: PlainBuild) => Promise<{ layers: string[] } | { failed: string }>;

function readJson<T>(layout: string, digest?: string): T {
  const path = digest === undefined ? "index.json" : `blobs/${digest.replace(":", "/")}`;
  return JSON.parse(readFileSync(join(layout, path), "utf8")) as T;
}

/**
 * Builds with `docker buildx build`. All times in the layers are cut to 1970, so that two builds of the same files give the
 * same hashes. Nothing is loaded into the engine.
 */
export function buildLayers(exec: Exec): LayersOf {
  return async ({ dockerfile, context, platform, signal }) => {
    const folder = makeFolderIn(tmpdir(), "factory-layers-");
    try {
      const layout = join(folder, "layout");
      const argv = [
        ...["buildx", "build", "--progress=plain", "--provenance=false", "--sbom=false"],
        ...["--output", `type=oci,dest=${layout},tar=false,rewrite-timestamp=true`],
        ...(platform === null ? [] : ["--platform", platform]),
        ...["--file", dockerfile, context],
      ];
      const { exitCode, stderr, aborted } = await exec("docker", argv, {
        env: { SOURCE_DATE_EPOCH: "0" },
        signal,
      });
      if (aborted) throw new FactoryError("INTERRUPTED", "interrupted while building");
      if (exitCode !== 0) {
        const lines = stderr.trim().split("\n");
        return {
          failed: (lines.findLast((line) => /^ERROR/.test(line)) ?? lines.at(-1) ?? "").slice(0, 500),
        };
      }
      const [image] = readJson<{ manifests: { digest: string }[] }>(layout).manifests;
      const { config } = readJson<{ config: { digest: string } }>(layout, image?.digest ?? "");
      return { layers: readJson<{ rootfs: { diff_ids: string[] } }>(layout, config.digest).rootfs.diff_ids };
    } finally {
      removeTree(folder);
    }
  };
}
