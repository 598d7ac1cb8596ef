import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { makeFolder, removeTree } from "../files/folders.ts";
import { type RetryPolicy, startRetries } from "../model/retries.ts";
import type { Buildx } from "../tools/buildx.ts";
import type { Docker } from "../tools/docker.ts";
import {
  bakeWatched,
  BLOCKED_S,
  blockedWait,
  CACHE_WAIT_S,
  cacheWait,
  type Every,
  WITHOUT_CACHE,
} from "./cache-watch.ts";
import { classifyFailure, type BuildClass, type Classified } from "./classify.ts";
import { failureMessage } from "./failure-message.ts";
import type { Handover } from "./handover.ts";
import { readMetadata } from "./metadata.ts";
import { createProgress, type Progress, type Snapshot, type StepPart } from "./progress.ts";

export interface BuildRequest {
  /** The workspace, absolute: the contexts in the bake file start here. */
  root: string;
  /** Absolute, or relative to `root`. */
  bakeFile: string;
  /** The targets to bake: the cell's own, and those that only fill the cache. */
  targets: string[];
  /** The cell's own target: the one that loads an image. */
  target: string;
  /** The tag that the image will have. */
  image: string;
  platform: string;
  /** A folder for this build alone; it is made if it is missing. The metadata file stays in it. */
  workDir: string;
  /** The secrets of its targets, as a bake takes them. */
  secrets?: Handover;
  signal?: AbortSignal;
  onProgress?: (snapshot: Snapshot) => void;
  /** Called for each step that has ended, once the bake has. */
  onPart?: (part: StepPart) => void;
  /** What is done if another attempt may help. BuildKit itself has retried for some seconds by then. */
  retries: RetryPolicy;
}

export interface BuildDeps {
  buildx: Pick<Buildx, "bake">;
  docker: Pick<Docker, "inspectImage">;
  every: Every;
  /** From 0 up to, but not 1. */
  random: () => number;
  /** Resolves after the milliseconds, or when the signal fires. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Replaces secrets in what is kept or shown. Default: those in URLs. */
  mask?: (text: string) => string;
  /** Takes each line of the kept log. */
  appendLog: (line: string) => void;
}

/** Steps of the Dockerfile, and how many of them came from the cache. A step that an earlier attempt ran does not count as a hit. */
export interface CacheCount {
  hits: number;
  total: number;
}

export type BuildOutcome =
  | {
      status: "built";
      /** The digest by which the engine knows the image: that of the index if there are attestations. */
      digest: string;
      /** The digest of the platform's image manifest, which stays the same for a fully cached build. */
      manifest_digest: string;
      provenance: unknown;
      cache: CacheCount;
      retries: number;
      /** Whether the registry cache was left out because its registry had stopped answering. */
      withoutCache: boolean;
    }
  | {
      status: "failed";
      class: BuildClass;
      message: string;
      log_tail: string[];
      cache: CacheCount;
      retries: number;
    };

const TAIL_LINES = 40;
const TAIL_LENGTH = 1000;

function createLog(append: (line: string) => void) {
  const tail: string[] = [];
  return {
    tail,
    write: (line: string) => {
      append(line);
      tail.push(line.length > TAIL_LENGTH ? `${line.slice(0, TAIL_LENGTH - 1)}…` : line);
      if (tail.length > TAIL_LINES) tail.shift();
    },
  };
}

type Attempt = { progress: Progress } & (
  | { status: "built"; digest: string; provenance: unknown }
  | { status: "silent" }
  | ({ status: "failed"; message: string } & Classified)
);

async function attemptBuild(
  request: BuildRequest,
  deps: BuildDeps,
  { write, withoutCache }: { write: (line: string) => void; withoutCache: boolean },
): Promise<Attempt> {
  const { target, signal, onProgress, secrets } = request;
  const targets = withoutCache ? [target] : request.targets;
  const metadataFile = join(request.workDir, `${target}.metadata.json`);
  removeTree(metadataFile);

  const progress = createProgress({ targets, onLog: write, mask: deps.mask });
  const result = await bakeWatched(
    {
      file: request.bakeFile,
      targets,
      cwd: request.root,
      metadataFile,
      set: [...(withoutCache ? WITHOUT_CACHE : []), ...(secrets?.set ?? [])],
      read: secrets?.read,
      ssh: secrets?.ssh,
      env: { BUILDX_METADATA_PROVENANCE: "max", ...secrets?.env },
      signal,
      onLine: (line) => {
        progress.line(line);
        onProgress?.(progress.snapshot());
      },
    },
    withoutCache ? blockedWait(progress) : cacheWait(progress),
    deps,
  );
  for (const part of progress.parts()) request.onPart?.(part);
  if (result.silent && withoutCache)
    return {
      progress,
      status: "failed",
      class: "registry-unavailable",
      message: `the builder did nothing for ${BLOCKED_S} s: it is still waiting for the cache registry, which stopped answering`,
      retry: "no",
    };
  if (result.silent) return { progress, status: "silent" };
  throwIfInterrupted(signal, result.aborted);

  if (result.exitCode !== 0) {
    const text = progress.errorText();
    return {
      progress,
      status: "failed",
      message: failureMessage(text),
      ...classifyFailure(result.exitCode, text),
    };
  }
  const metadata = (await readMetadata(metadataFile)).get(target);
  if (metadata?.digest)
    return { progress, status: "built", digest: metadata.digest, provenance: metadata.provenance };
  const message = `BuildKit reported no image digest for the target ${target}`;
  return { progress, status: "failed", message, class: "builder", retry: "no" };
}

function throwIfInterrupted(signal: AbortSignal | undefined, aborted = false): void {
  if (aborted || signal?.aborted) throw new FactoryError("INTERRUPTED", "interrupted while building");
}

/**
 * The image manifest's digest: BuildKit reports it while it exports; otherwise the engine is asked for the platform's
 * manifest (the image's id, in an engine with the containerd image store).
 */
async function manifestDigest(progress: Progress, request: BuildRequest, deps: BuildDeps): Promise<string> {
  const exported = progress.exportedManifest();
  if (exported) return exported;
  const { image, platform, signal } = request;
  return (await deps.docker.inspectImage(image, { platform, signal })).Id;
}

/**
 * Builds a cell into the engine's image store with one bake, and again if the failure may go away by itself. A failed build
 * is a result. The log goes to `appendLog` line by line, with a warning before each retry.
 * @throws FactoryError INTERRUPTED if the signal fires, DOCKER_MISSING, IMAGE_NOT_FOUND
 */
export async function buildCell(request: BuildRequest, deps: BuildDeps): Promise<BuildOutcome> {
  const { signal } = request;
  const { tries } = request.retries;
  const again = startRetries(request.retries, deps.random);
  const log = createLog(deps.appendLog);
  const ranBefore = new Set<string>();
  let withoutCache = false;
  makeFolder(request.workDir);

  for (let retries = 0; ; retries++) {
    throwIfInterrupted(signal);
    const attempt = await attemptBuild(request, deps, { write: log.write, withoutCache });
    const { progress } = attempt;
    if (attempt.status === "silent") {
      for (const step of progress.ran()) ranBefore.add(step);
      log.write(`warning: the cache registry has not answered for ${CACHE_WAIT_S} s, so building without it`);
      withoutCache = true;
      continue;
    }
    const cache = progress.cache(ranBefore);
    if (attempt.status === "built") {
      const { status, digest, provenance } = attempt;
      const manifest_digest = await manifestDigest(progress, request, deps);
      return { status, digest, manifest_digest, provenance, cache, retries, withoutCache };
    }
    const { status, message } = attempt;
    const wait = again.next(attempt.retry);
    if (wait === null)
      return { status, class: attempt.class, message, log_tail: [...log.tail], cache, retries };

    for (const step of progress.ran()) ranBefore.add(step);
    const next = `the next one in ${Math.ceil(wait / 1000)} s`;
    log.write(
      `warning: attempt ${again.failed()} of ${tries} failed (${attempt.class}): ${message}; ${next}`,
    );
    await deps.sleep(wait, signal);
  }
}
