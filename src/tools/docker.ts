import type { Readable } from "node:stream";
import { FactoryError } from "../errors.ts";
import type { Exec, ExecResult, ExecStream } from "./exec.ts";

/** The part of `docker image inspect` that Factory reads. */
export interface ImageInspect {
  Id: string;
  RepoDigests?: string[] | null;
  Architecture: string;
  Variant?: string;
  Os: string;
  Size: number;
  Config?: {
    User?: string;
    WorkingDir?: string;
    Entrypoint?: string[] | null;
    Cmd?: string[] | null;
    Env?: string[] | null;
    Labels?: Record<string, string> | null;
    ExposedPorts?: Record<string, unknown> | null;
  };
  RootFS?: { Type?: string; Layers?: string[] | null };
}

/** What Factory asks of the engine's command line. Every call takes an argv array; none goes through a shell. */
export interface Docker {
  /** `docker ARGV`. A non-zero exit is a result. */
  run: (argv: readonly string[], options?: Parameters<Exec>[2]) => Promise<ExecResult>;
  /** `docker image inspect REF`. @throws FactoryError IMAGE_NOT_FOUND, ENGINE_UNREACHABLE */
  inspectImage: (ref: string, options?: { platform?: string; signal?: AbortSignal }) => Promise<ImageInspect>;
  /**
   * Bytes that the image's unpacked layers take, as `docker history` tells. In the containerd image store the `Size` of
   * `docker image inspect` is that of the compressed blobs. These are whole blocks on the disk, some percent above the files' own sum; a layer that
   * is not unpacked yet counts as 0, so a container has to be created from the image first.
   * @throws FactoryError IMAGE_NOT_FOUND, ENGINE_UNREACHABLE, ENGINE_FAILED
   */
  unpackedSize: (ref: string, options?: { platform?: string; signal?: AbortSignal }) => Promise<number>;
  /** `docker image save REF`: a tar with `index.json` and `manifest.json`. `done` rejects where the engine failed. */
  saveImage: (
    ref: string,
    options?: { platform?: string; signal?: AbortSignal },
  ) => Promise<{ stdout: Readable; done: Promise<void> }>;
}

/** Turns a failed call into the error a person can act on. */
function engineError(what: string, result: ExecResult): FactoryError {
  const text = result.stderr.trim() || result.stdout.trim();
  const last = text.split("\n").at(-1) ?? "";
  if (
    /Cannot connect to the Docker daemon|failed to connect to the docker API|error during connect|permission denied while trying to connect/i.test(
      text,
    )
  ) {
    return new FactoryError("ENGINE_UNREACHABLE", `the Docker engine does not answer: ${last}`, {
      fix: "start the engine, or point DOCKER_HOST or `docker context` at one that runs",
    });
  }
  if (/No such image|not found|no such object/i.test(text)) {
    return new FactoryError("IMAGE_NOT_FOUND", `${what}: ${last}`, { fix: "build or pull the image first" });
  }
  return new FactoryError("ENGINE_FAILED", `${what}: ${last || `exit ${result.exitCode}`}`);
}

export function createDocker(exec: Exec, execStream: ExecStream): Docker {
  const platformFlag = (platform: string | undefined) => (platform ? ["--platform", platform] : []);
  return {
    run: (argv, options) => exec("docker", argv, options),

    inspectImage: async (ref, options = {}) => {
      const argv = ["image", "inspect", ...platformFlag(options.platform), ref];
      const result = await exec("docker", argv, { signal: options.signal });
      if (result.exitCode !== 0) throw engineError(`docker image inspect ${ref}`, result);
      const [image] = JSON.parse(result.stdout) as ImageInspect[];
      if (!image)
        throw new FactoryError("IMAGE_NOT_FOUND", `no image ${ref}`, {
          fix: "build or pull the image first",
        });
      return image;
    },

    unpackedSize: async (ref, options = {}) => {
      const argv = [
        "history",
        ...platformFlag(options.platform),
        "--no-trunc",
        "--human=false",
        "--format={{.Size}}",
        ref,
      ];
      const result = await exec("docker", argv, { signal: options.signal });
      if (result.exitCode !== 0) throw engineError(`docker history ${ref}`, result);
      const sizes = result.stdout.trim().split("\n").map(Number);
      if (!sizes.every(Number.isFinite))
        throw new FactoryError("ENGINE_FAILED", `docker history ${ref} gave no numbers`);
      return sizes.reduce((total, size) => total + size, 0);
    },

    saveImage: async (ref, options = {}) => {
      const argv = ["image", "save", ...platformFlag(options.platform), ref];
      const { stdout, done } = await execStream("docker", argv, { signal: options.signal });
      return {
        stdout,
        done: done.then((result) => {
          if (result.exitCode !== 0) throw engineError(`docker image save ${ref}`, result);
        }),
      };
    },
  };
}
