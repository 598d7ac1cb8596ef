import { FactoryError } from "./errors.ts";
import { createMask } from "./model/mask.ts";
import type { LayerCache } from "./sbom/layer-cache.ts";
import type { SbomImage } from "./sbom/sbom.ts";
import type { Scanner } from "./scan/scan-image.ts";
import type { ScanOutcome } from "./scan/scan-finding.ts";
import type { Docker } from "./tools/docker.ts";
import { type DockerRepack, dockerRepack } from "./tools/docker-repack.ts";
import type { ExecOptions, exec as realExec } from "./tools/exec.ts";
import { version } from "./version.ts";

export type SbomTool = "factory" | "syft";

type SbomSource = Pick<SbomImage, "ref" | "digest" | "platform" | "name" | "layout" | "recipe">;

/** What looks into images: each is loaded when it is first asked for. */
export interface ImageTools {
  makeSbom: (
    image: SbomSource,
    options: {
      sbomWith: SbomTool;
      signal?: AbortSignal;
      cache?: LayerCache;
      onUnreadable?: (digest: string) => void;
      /** Called with the progress, once a second if the work takes longer. */
      onProgress?: (text: string) => void;
    },
  ) => Promise<{ json: string; components: number; warnings: string[] }>;
  /** @throws FactoryError TOOL_MISSING if the tool that is to write SBOMs is not installed */
  requireSbomTool: (tool: SbomTool) => Promise<void>;
  dockerRepack: DockerRepack;
  /** Has an SBOM judged by a scanner; see src/scan/scan-image.ts. @throws FactoryError INTERRUPTED */
  scanSbom: (sbom: Uint8Array, platform: string, scanner?: Scanner) => Promise<ScanOutcome>;
  /**
   * Writes top-level files and folders of the workspace as a commit has them into a folder.
   * @returns why it cannot; null if it could @throws FactoryError WRITE_FAILED
   */
  exportCommit: (
    root: string,
    commit: string,
    names: readonly string[],
    into: string,
  ) => Promise<string | null>;
}

/** Where Debian's security updates are, and the keys that sign them. */
const DEBIAN = {
  mirror: "http://deb.debian.org/debian-security",
  keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
};

export function imageTools(around: {
  env: NodeJS.ProcessEnv;
  exec: (file: string, argv: readonly string[], options?: ExecOptions) => ReturnType<typeof realExec>;
  docker: Docker;
  clock: { now: () => number; date: () => Date };
  signal: () => AbortSignal;
}): ImageTools {
  const { env, exec, docker, clock } = around;
  return {
    makeSbom: async (image, { sbomWith, ...options }) => {
      if (sbomWith === "syft") {
        const { makeSbomWithSyft } = await import("./sbom/syft.ts");
        return makeSbomWithSyft(image, { exec, clock: clock.now, ...options });
      }
      const { makeSbom: make } = await import("./sbom/sbom.ts");
      const epoch = env.SOURCE_DATE_EPOCH;
      const now = () => (epoch && /^\d+$/.test(epoch) ? new Date(Number(epoch) * 1000) : clock.date());
      return make(image, { docker, now, clock: clock.now, toolVersion: version, ...options });
    },
    scanSbom: async (sbom, platform, scanner) => {
      const [{ scanSbom }, { getFile }] = await Promise.all([
        import("./scan/scan-image.ts"),
        import("./tools/get-file.ts"),
      ]);
      const signal = around.signal();
      const outcome = await scanSbom(sbom, platform, scanner, {
        exec,
        get: (url, most) => getFile(url, most, signal),
        mirror: env.FACTORY_DEBIAN_SECURITY || DEBIAN.mirror,
        keyring: env.FACTORY_DEBIAN_KEYRING || DEBIAN.keyring,
        now: Date.now(),
        signal,
      });
      // What a scanner says when it fails may hold what it was logged in with.
      const mask = createMask(env);
      return JSON.parse(JSON.stringify(outcome), (_, value: unknown) =>
        typeof value === "string" ? mask(value) : value,
      ) as ScanOutcome;
    },
    requireSbomTool: async (tool) => {
      if (tool === "syft") await exec("syft", ["version"], { timeoutMs: 30_000 });
    },
    dockerRepack: dockerRepack(exec),
    exportCommit: async (root, commit, names, into) => {
      const { exportTree, namesIn } = await import("./tools/git-export.ts");
      try {
        const all = names.includes(".") ? await namesIn(exec, root, commit) : names;
        await exportTree(exec, root, commit, all, into);
        return null;
      } catch (error) {
        const isGit = error instanceof FactoryError && ["GIT_FAILED", "TOOL_MISSING"].includes(error.code);
        if (!isGit) throw error;
        return error.message;
      }
    },
  };
}
