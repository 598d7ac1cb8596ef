import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Catalog } from "./catalog/catalog.ts";
import { FactoryError } from "./errors.ts";
import { openRecordStore } from "./records/store.ts";
import { type LayerCache, openLayerCache } from "./sbom/layer-cache.ts";
import { openLayerStore } from "./sbom/layer-store.ts";
import type { View } from "./run/live-view.ts";
import type { RunDeps } from "./run/types.ts";
import { type Buildx, createBuildx } from "./tools/buildx.ts";
import { createDocker, type Docker } from "./tools/docker.ts";
import {
  exec as realExec,
  type ExecOptions,
  execStream as realExecStream,
  type ExecStream,
} from "./tools/exec.ts";
import { sourceState } from "./tools/git.ts";
import { isLoopback, loopbackRegistryAnswers } from "./tools/registry.ts";
import { version } from "./version.ts";

/** The real engine, clock and services. */
export interface World {
  docker: Docker;
  buildx: Buildx;
  /** What a run asks of the world, but for its listeners. */
  runDeps: (
    catalog: Catalog,
    options: { sbomWith: SbomTool },
  ) => Omit<RunDeps, "onState" | "onFinish" | "onNote">;
  smokeDeps: { docker: Docker; execStream: ExecStream; clock: { now: () => number } };
  makeSbom: (
    image: SbomSource,
    options: {
      sbomWith: SbomTool;
      signal?: AbortSignal;
      cache?: LayerCache;
      onUnreadable?: (digest: string) => void;
    },
  ) => Promise<{ json: string; components: number; warnings: string[] }>;
  /** @throws FactoryError TOOL_MISSING where what is to write SBOMs is not installed */
  requireSbomTool: (tool: SbomTool) => Promise<void>;
  /** Names this process as the owner of containers: host and process id. */
  owner: string;
  view: (options: { quiet: boolean; color: boolean }) => Promise<View>;
}

/** How long a layer that no image uses is kept. */
const LAYER_AGE_MS = 7 * 24 * 3600 * 1000;

export type SbomTool = "factory" | "syft";
type SbomSource = { ref: string; digest: string | null; platform?: string; name: string; layout?: string };

/** Whether a process of this machine runs. Processes of other machines count as running: their containers are theirs. */
function isAlive(host: string, pid: number): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Removes the folders below `.factory/run` that killed runs of this machine left. */
function sweepFolders(root: string): void {
  const base = join(root, ".factory", "run");
  let names: string[] = [];
  try {
    names = readdirSync(base);
  } catch {
    return;
  }
  for (const name of names) {
    const pid = /-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(hostname(), Number(pid)))
      rmSync(join(base, name), { recursive: true, force: true });
  }
}

/** The link to the CI job that runs this, in GitHub's variables; null elsewhere. */
function ciUrl({ GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID }: NodeJS.ProcessEnv): string | null {
  if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY || !GITHUB_RUN_ID) return null;
  return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
}

/** @param trace is told each outside program that is run, with its arguments */
export function createWorld(env: NodeJS.ProcessEnv, trace?: (line: string) => void): World {
  const traced =
    <R>(call: (file: string, argv: readonly string[], options?: ExecOptions) => R) =>
    (file: string, argv: readonly string[], options?: ExecOptions): R => {
      trace?.(`+ ${[file, ...argv].join(" ")}`);
      return call(file, argv, options);
    };
  const exec = traced(realExec);
  const execStream = traced(realExecStream);
  const docker = createDocker(exec, execStream);
  const buildx = createBuildx(exec);
  const clock = { now: () => performance.now(), date: () => new Date() };
  const owner = `${hostname()}:${process.pid}`;
  const smokeDeps = { docker, execStream, clock };

  const makeSbom: World["makeSbom"] = async (image, { sbomWith, signal, cache, onUnreadable }) => {
    if (sbomWith === "syft") {
      const { makeSbomWithSyft } = await import("./sbom/syft.ts");
      return makeSbomWithSyft(image, { exec, signal });
    }
    const { makeSbom: make } = await import("./sbom/sbom.ts");
    const epoch = env.SOURCE_DATE_EPOCH;
    const now = () => (epoch && /^\d+$/.test(epoch) ? new Date(Number(epoch) * 1000) : clock.date());
    return make(image, { docker, now, toolVersion: version, signal, cache, onUnreadable });
  };

  return {
    docker,
    buildx,
    smokeDeps,
    makeSbom,
    requireSbomTool: async (tool) => {
      if (tool === "syft") await exec("syft", ["version"], { timeoutMs: 30_000 });
    },
    owner,
    runDeps: (catalog, options) => {
      const folder = join(catalog.root, ".factory", "layers");
      const layers = options.sbomWith === "factory" ? openLayerStore(folder) : null;
      const cache = openLayerCache(folder, version);
      return {
        layers,
        docker,
        buildx,
        clock,
        store: openRecordStore(catalog.root),
        sleep: async (ms, signal) => {
          await wait(ms, undefined, { signal }).catch((error: unknown) => {
            if (!signal?.aborted) throw error;
          });
        },
        randomHex: () => randomBytes(4).toString("hex"),
        smokeTest: async (image, inspected, { cell, stitched }, signal) => {
          const { smokeTest } = await import("./smoke/smoke.ts");
          const { tests, gpus } = stitched;
          const limits = catalog.settings().smoke;
          const request = {
            image,
            inspected,
            platform: cell.platform,
            tests,
            gpus: gpus ?? undefined,
            limits,
            owner,
            signal,
          };
          return smokeTest(request, smokeDeps);
        },
        makeSbom: (image, signal) =>
          makeSbom(image, { sbomWith: options.sbomWith, signal, cache, onUnreadable: layers?.drop }),
        prepare: async (layouts, platforms, signal) => {
          try {
            const [{ readAhead }] = await Promise.all([
              import("./sbom/read-ahead.ts"),
              import("./smoke/smoke.ts"),
            ]);
            if (layers) await readAhead(layouts, platforms, cache, signal);
          } catch {
            // See RunDeps.prepare.
          }
        },
        source: async () => ({ ...(await sourceState(exec, catalog.root)), ci_url: ciUrl(env) }),
        registryAnswers: async (repository) => {
          const elsewhere = env.DOCKER_HOST !== undefined && !env.DOCKER_HOST.startsWith("unix:");
          return elsewhere || !isLoopback(repository) || (await loopbackRegistryAnswers(repository));
        },
        sweep: async () => {
          sweepFolders(catalog.root);
          layers?.sweep(Date.now(), LAYER_AGE_MS);
          const { removeOrphans } = await import("./smoke/containers.ts");
          await removeOrphans(docker, (name) => {
            const [, host = "", pid] = /^(.*):(\d+)$/.exec(name) ?? [];
            return isAlive(host, Number(pid));
          }).catch((error: unknown) => {
            // A container that another run is removing at this moment is no reason to stop.
            if (!(error instanceof FactoryError)) throw error;
          });
        },
      };
    },
    view: async ({ quiet, color }) => {
      if (quiet)
        return {
          update: () => undefined,
          finish: () => undefined,
          note: () => undefined,
          close: () => undefined,
        };
      const { createView } = await import("./run/live-view.ts");
      const stream = process.stderr;
      const every = (ms: number, call: () => void) => {
        const timer = setInterval(call, ms);
        return () => clearInterval(timer);
      };
      const interactive = stream.isTTY === true && !env.CI && env.TERM !== "dumb";
      return createView({ stream, interactive, color, clock: { now: clock.now, every }, cells: [] });
    },
  };
}
