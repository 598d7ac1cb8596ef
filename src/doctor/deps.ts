import type { OpenCatalog } from "../catalog/open.ts";
import type { FactoryError } from "../errors.ts";
import type { CachePlace } from "../model/cache-place.ts";
import type { Buildx } from "../tools/buildx.ts";
import type { EngineInfo } from "../tools/docker.ts";
import type { Exec, ExecResult } from "../tools/exec.ts";
import type { OpenRepository } from "../tools/oci/repository-client.ts";

/** Room on a file system, in bytes and in files; null where the file system does not count files. */
export interface Room {
  bytes: number;
  files: { free: number; all: number } | null;
}

/** What the doctor asks of the world. */
export interface DoctorDeps {
  env: NodeJS.ProcessEnv;
  /** Milliseconds since 1970. */
  now: () => number;
  /** The version of Node.js that runs this, such as `20.20.2`. */
  node: string;
  /** @throws FactoryError ENGINE_UNREACHABLE */
  engine: (signal: AbortSignal) => Promise<EngineInfo>;
  /** Whether the engine certainly runs on this machine. */
  isLocal: () => boolean;
  buildx: Pick<Buildx, "version" | "platforms" | "driver">;
  exec: Exec;
  /** Runs git in a folder; that it cannot answer is a result. @throws FactoryError TOOL_MISSING, GIT_FAILED */
  git: (folder: string, words: readonly string[]) => Promise<ExecResult>;
  /** Asks once and waits for seconds: a registry that is slow is told. */
  repository: OpenRepository;
  cacheTrouble: (root: string, place: CachePlace) => Promise<string | null>;
  /** @param path absolute; null if it cannot be told */
  room: (path: string) => Promise<Room | null>;
  /** Absolute. */
  temporary: string;
  /** The CI system that runs this, in a word; null outside of one. */
  ci: string | null;
  /** How many folders killed runs left in the workspace. */
  abandoned: (root: string) => number;
  /** Removes what killed runs left: containers, networks, folders. @throws FactoryError ENGINE_* */
  sweep: (catalog: OpenCatalog) => Promise<void>;
  /** How many records there are, and what is wrong with the first file that is none; null if all are. */
  records: (root: string) => Promise<{ total: number; unreadable: number; first: string | null }>;
}

/** The workspace, or why there is none. */
export type Workspace = { catalog: OpenCatalog } | { error: FactoryError };
