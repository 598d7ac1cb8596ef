import type { ImageContents } from "../model/image-contents.ts";
import type { SmokeLimits } from "../model/smoke.ts";
import type { Docker } from "../tools/docker.ts";
import type { Settings } from "./settings.ts";

/** What the tests of one image share. */
export interface SmokeContext {
  /** An id, digest or reference that the engine has. */
  image: string;
  platform: string | undefined;
  contents: ImageContents;
  gpus: "all" | number | undefined;
  limits: SmokeLimits;
  /** What the containers are like beside the sandbox's defaults. */
  settings: Settings;
  /** Files that are mounted read-only: absolute paths by the place in the container. */
  mounts: ReadonlyMap<string, string>;
  /** The private network that the containers are in; undefined for none. */
  network: string | undefined;
  /** Names the process that owns the containers: the value of their label. */
  owner: string;
  /** Names this suite's run, among several of one owner. */
  suite: string;
  /** The longest that a container of this suite may be of use, in seconds. Older ones are nobody's. */
  lifeS: number;
  signal: AbortSignal;
  docker: Docker;
  /** Removals under way. None of them rejects; each gives what went wrong, or null. */
  removals: Promise<Error | null>[];
  /** Names of the networks that were made: they are removed when no container is left in them. */
  networks: string[];
}

/** The same for containers with these settings: their memory is the limit then. */
export function withSettings(context: SmokeContext, settings: Settings): SmokeContext {
  const { memory_mb = context.limits.memory_mb } = settings;
  return { ...context, settings, limits: { ...context.limits, memory_mb } };
}
