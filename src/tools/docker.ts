import type { Readable } from "node:stream";
import { FactoryError } from "../errors.ts";
import { type Containers, createContainers } from "./containers.ts";
import { type EngineApi, EngineRefusal, pathPart, platformQuery, textOf } from "./engine-api.ts";
import { isOnThisMachine } from "./engine-endpoint.ts";
import type { Exec, ExecResult } from "./exec.ts";
import { createNetworks, type Networks } from "./networks.ts";

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
    Volumes?: Record<string, unknown> | null;
  };
  RootFS?: { Type?: string; Layers?: string[] | null };
}

/** What an engine says of itself, as `docker info` shows it, as far as Factory reads it. */
export interface EngineInfo {
  ServerVersion: string;
  /** The version of its API that is used. */
  ApiVersion: string;
  Driver?: string;
  DriverStatus?: [string, string][] | null;
  DockerRootDir?: string;
  /** ISO 8601. */
  SystemTime?: string;
  Warnings?: string[] | null;
}

/** What Factory asks of the engine. */
export interface Docker {
  /** `docker ARGV`, for pushes, which need the command line's own credentials. A non-zero exit is a result. */
  run: (argv: readonly string[], options?: Parameters<Exec>[2]) => Promise<ExecResult>;
  /** As `docker image inspect REF`. @throws FactoryError IMAGE_NOT_FOUND, ENGINE_UNREACHABLE, ENGINE_FAILED, INTERRUPTED */
  inspectImage: (ref: string, options?: { platform?: string; signal?: AbortSignal }) => Promise<ImageInspect>;
  /**
   * Bytes of the image's unpacked layers, as `docker history` shows them. In the containerd image store the `Size` of an
   * inspected image is that of the compressed blobs. Whole blocks on the disk are counted, a few percent more than the sum
   * of the files. A layer that is not unpacked yet counts as 0, so a container has to be created from the image first.
   * @throws as `inspectImage`
   */
  unpackedSize: (ref: string, options?: { platform?: string; signal?: AbortSignal }) => Promise<number>;
  /** What made an image, the first step first, and the bytes of each step's layer, counted as for `unpackedSize`. @throws as `inspectImage` */
  history: (
    ref: string,
    options?: { platform?: string; signal?: AbortSignal },
  ) => Promise<{ created_by: string; bytes: number }[]>;
  /** As `docker image save REF`: a tar with `index.json` and `manifest.json`. `done` rejects if it broke off. */
  saveImage: (
    ref: string,
    options?: { platform?: string; signal?: AbortSignal },
  ) => Promise<{ stdout: Readable; done: Promise<void> }>;
  /**
   * As `docker image load`. @param tar an archive as `docker image save` writes it; what it throws is thrown on
   * @throws FactoryError ENGINE_FAILED, ENGINE_UNREACHABLE, INTERRUPTED
   */
  loadImages: (tar: AsyncIterable<Uint8Array>, options?: { signal?: AbortSignal }) => Promise<void>;
  /**
   * Digests by tag of all images in some repositories (`127.0.0.1:5000/factory/demo`). One question, however many there are.
   * @throws FactoryError ENGINE_UNREACHABLE, ENGINE_FAILED
   */
  taggedImages: (repositories: readonly string[]) => Promise<Map<string, string>>;
  /** Gives an image that the engine holds another tag. @throws as `inspectImage` */
  tagImage: (image: string, ref: string, options?: { signal?: AbortSignal }) => Promise<void>;
  /** Removes a tag; one that is gone is fine. @throws FactoryError ENGINE_FAILED, ENGINE_UNREACHABLE */
  removeTag: (ref: string) => Promise<void>;
  /**
   * Gets an image from its registry, with the command line's own credentials.
   * @returns docker's words if that fails; undefined if the engine has it now
   */
  pull: (ref: string, options: { platform?: string; signal?: AbortSignal }) => Promise<string | undefined>;
  /** @throws FactoryError ENGINE_UNREACHABLE, ENGINE_FAILED, INTERRUPTED */
  info: (signal?: AbortSignal) => Promise<EngineInfo>;
  containers: Containers;
  networks: Networks;
  /** Whether the engine certainly runs on this machine. */
  isLocal: () => boolean;
}

export interface DockerDeps {
  exec: Exec;
  api: EngineApi;
}

/**
 * How often a tag is asked for. An engine moves a tag by removing and making it, so of two that move one at the same
 * time, one may be told that it already exists.
 */
const TAG_TRIES = 10;

/** Whether requests about images may name a platform: since API 1.49, which is Docker 28.1. */
async function tellsPlatforms(api: EngineApi): Promise<boolean> {
  const [major = 0, minor = 0] = (await api.version()).split(".").map(Number);
  return major > 1 || minor >= 49;
}

function imageError(what: string, error: unknown): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  if (error.status === 404)
    return new FactoryError("IMAGE_NOT_FOUND", `${what}: ${error.message}`, {
      fix: "build or pull the image first",
    });
  return new FactoryError("ENGINE_FAILED", `${what}: ${error.message}`);
}

export function createDocker({ exec, api }: DockerDeps): Docker {
  const about = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      throw imageError(what, error);
    }
  };
  const of = (ref: string, rest: string) => `/images/${pathPart(ref)}${rest}`;

  /** The part of a request that names a platform; an engine that cannot tell platforms apart must hold exactly that one. */
  const platformOf = async (ref: string, platform: string | undefined, signal: AbortSignal | undefined) => {
    if (platform === undefined || (await tellsPlatforms(api))) return { platform: platformQuery(platform) };
    const { Os, Architecture, Variant } = await api.json<ImageInspect>("GET", of(ref, "/json"), { signal });
    const [os, architecture, variant] = platform.split("/");
    if (Os === os && Architecture === architecture && (variant === undefined || variant === Variant))
      return {};
    const what = `image ${ref}: the engine has it for ${Os}/${Architecture}, not for ${platform}`;
    throw new FactoryError("IMAGE_NOT_FOUND", what, { fix: "build or pull the image first" });
  };

  const inspectImage: Docker["inspectImage"] = (ref, { platform, signal } = {}) =>
    about(`image ${ref}`, async () => {
      const query = await platformOf(ref, platform, signal);
      return api.json<ImageInspect>("GET", of(ref, "/json"), { query, signal });
    });
  const history: Docker["history"] = (ref, { platform, signal } = {}) =>
    about(`image ${ref}`, async () => {
      const query = await platformOf(ref, platform, signal);
      const steps = await api.json<{ Size: number; CreatedBy?: string }[]>("GET", of(ref, "/history"), {
        query,
        signal,
      });
      // The engine tells the last step first.
      return steps.reverse().map(({ Size: bytes, CreatedBy: created_by = "" }) => ({ created_by, bytes }));
    });
  const removeTag: Docker["removeTag"] = (ref) =>
    about(`removing the tag ${ref}`, async () => {
      await api.json("DELETE", of(ref, ""), { query: { noprune: true } }).catch((error: unknown) => {
        if (!(error instanceof EngineRefusal && error.status === 404)) throw error;
      });
    });
  const tagImage: Docker["tagImage"] = (image, ref, { signal } = {}) =>
    about(`tagging ${image} as ${ref}`, async () => {
      const at = ref.lastIndexOf(":");
      const isTagged = at > ref.lastIndexOf("/");
      const query = { repo: isTagged ? ref.slice(0, at) : ref, tag: isTagged ? ref.slice(at + 1) : "latest" };
      for (let left = TAG_TRIES; ; left -= 1) {
        try {
          await api.json("POST", of(image, "/tag"), { query, signal });
          return;
        } catch (error) {
          const isRace = error instanceof EngineRefusal && error.message.includes("already exists");
          if (!isRace || left <= 1) throw error;
        }
      }
    });

  return {
    run: (argv, options) => exec("docker", argv, options),
    inspectImage,
    tagImage,
    removeTag,

    history,
    info: (signal) =>
      about("the engine", async () => ({
        ...(await api.json<Omit<EngineInfo, "ApiVersion">>("GET", "/info", { signal })),
        ApiVersion: await api.version(),
      })),
    unpackedSize: async (ref, options) =>
      (await history(ref, options)).reduce((total, { bytes }) => total + bytes, 0),

    saveImage: (ref, { platform, signal } = {}) =>
      about(`image ${ref}`, async () => {
        const query = await platformOf(ref, platform, signal);
        const { body } = await api.stream("GET", of(ref, "/get"), { query, signal, timeoutMs: null });
        const done = new Promise<void>((end, fail) => {
          const broken = () =>
            fail(new FactoryError("ENGINE_FAILED", `image ${ref}: the engine broke off while it saved it`));
          body
            .on("end", end)
            .on("error", broken)
            .on("close", () => (body.readableEnded ? end() : broken()));
        });
        done.catch(() => undefined);
        return { stdout: body, done };
      }),

    loadImages: (tar, { signal } = {}) =>
      about("loading images", async () => {
        const query = { quiet: true };
        const { body } = await api.stream("POST", "/images/load", { query, tar, signal, timeoutMs: null });
        // Once it has begun to answer, it tells its errors in the answer.
        for (const line of (await textOf(body)).split("\n")) {
          const words = /"error"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
          if (words === undefined) continue;
          throw new FactoryError("ENGINE_FAILED", `loading images: ${String(JSON.parse(words))}`);
        }
      }),

    taggedImages: (repositories) =>
      about("listing images", async () => {
        const query = { filters: { reference: repositories } };
        const images = await api.json<{ Id: string; RepoTags?: string[] | null }[]>("GET", "/images/json", {
          query,
        });
        return new Map(
          images.flatMap(({ Id, RepoTags }) => (RepoTags ?? []).map((tag) => [tag, Id] as const)),
        );
      }),

    pull: async (ref, { platform, signal }) => {
      const argv = ["pull", "--quiet", ...(platform === undefined ? [] : ["--platform", platform]), ref];
      const { exitCode, stderr } = await exec("docker", argv, { signal });
      return exitCode === 0 ? undefined : stderr.trim().slice(-1000) || `docker pull exited with ${exitCode}`;
    },

    containers: createContainers(api),
    networks: createNetworks(api),
    isLocal: () => isOnThisMachine(api.endpoint()),
  };
}
