import { FactoryError } from "../errors.ts";
import type { Exec } from "./exec.ts";

/** One image of one platform in an OCI layout folder. */
export interface RepackRequest {
  /** Absolute paths of layouts; `to` is made. */
  from: string;
  to: string;
  platform: string;
  /** How large a layer may be, in bytes, packed. */
  targetSize: number;
  signal?: AbortSignal;
}

/** https://github.com/orf/docker-repack: the same files in layers of about one size. */
export interface DockerRepack {
  /** Its version; null where it is not installed. It is asked once, when it is first needed. */
  version: () => Promise<string | null>;
  /** @throws FactoryError TOOL_FAILED, TOOL_MISSING, INTERRUPTED */
  repack: (request: RepackRequest) => Promise<void>;
}

const NAME = "docker-repack";
const MINUTE = 60_000;

export function dockerRepack(exec: Exec): DockerRepack {
  const ask = async (): Promise<string | null> => {
    try {
      const { exitCode, stdout } = await exec(NAME, ["--version"], { timeoutMs: MINUTE });
      return exitCode === 0 ? (stdout.trim().split(/\s+/).at(-1) ?? "") : null;
    } catch (error) {
      if (error instanceof FactoryError && error.code === "TOOL_MISSING") return null;
      throw error;
    }
  };
  let known: Promise<string | null> | undefined;
  return {
    version: () => (known ??= ask()),
    repack: async ({ from, to, platform, targetSize, signal }) => {
      const argv = [
        "--target-size",
        `${targetSize}B`,
        "--platform",
        platform,
        `oci://${from}`,
        `oci://${to}`,
      ];
      const { exitCode, stderr, aborted } = await exec(NAME, argv, { signal });
      if (aborted || signal?.aborted) throw new FactoryError("INTERRUPTED", "interrupted while repacking");
      if (exitCode === 0) return;
      const words = stderr.trim().split("\n").at(-1) ?? "";
      throw new FactoryError("TOOL_FAILED", `${NAME} ended with ${exitCode}: ${words}`, {
        fix: "try `--with zstd`",
      });
    },
  };
}
