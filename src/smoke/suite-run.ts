import type { SmokeLimits } from "../model/smoke.ts";
import type { Docker } from "../tools/docker.ts";

/** What the tests of one image share. */
export interface SmokeContext {
  /** An id, digest or reference that the engine has. */
  image: string;
  platform: string | undefined;
  gpus: "all" | number | undefined;
  limits: SmokeLimits;
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
}
