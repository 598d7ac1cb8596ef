import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BaseRef, BaseResolution } from "./builder/base.ts";
import { cacheTrouble } from "./cache-trouble.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { detectCi, runsInCi } from "./ci/detect.ts";
import type { OpenCatalog } from "./catalog/open.ts";
import { readCiEvent } from "./ci-event.ts";
import { findingsOf } from "./catalog/document.ts";
import { errorOf, FactoryError } from "./errors.ts";
import { insideWorkspace } from "./files/own-folders.ts";
import { readLines } from "./files/read-input.ts";
import type { Attempts } from "./plan/decide/attempts.ts";
import type { Places } from "./plan/decide/placement.ts";
import { openRunFolder, type RunFolder, sweepRunFolders } from "./files/run-folder.ts";
import { asksForTraces } from "./telemetry/asks-for-traces.ts";
import { createMask, type Mask } from "./model/mask.ts";
import type { RetryPolicy } from "./model/retries.ts";
import { type ImageTools, imageTools, type SbomTool } from "./image-tools.ts";
import { openStore } from "./pipeline/open-store.ts";
import { openLayerCache } from "./sbom/layer-cache.ts";
import { openLayerStore } from "./sbom/layer-store.ts";
import type { View } from "./screen/live-view.ts";
import { openSecrets } from "./run/secrets.ts";
import type { RunDeps } from "./run/types.ts";
import type { RunEvent } from "./schemas/types.ts";
import { type Buildx, createBuildx } from "./tools/buildx.ts";
import { throughPlugin } from "./tools/buildx-plugin.ts";
import { createDocker, type Docker } from "./tools/docker.ts";
import { createEngineApi } from "./tools/engine-api.ts";
import { every, sleep } from "./tools/sleep.ts";
import { resolveEndpoint } from "./tools/engine-endpoint.ts";
import { exec as realExec, execDuplex, type ExecOptions } from "./tools/exec.ts";
import { sourceState } from "./tools/git.ts";
import { commitTimes, gitNames } from "./tools/git-names.ts";
import { buildLayers, type LayersOf } from "./tools/build-layers.ts";
import { openLease } from "./tools/lease.ts";
import type { Registries } from "./tools/oci/registries.ts";
import { obtainSecret } from "./tools/secret-source.ts";
import { obtainSsh } from "./tools/ssh-source.ts";
import { smoking } from "./smoking.ts";
import { type Shared, sharedRegistries } from "./shared-registries.ts";
import type { DoctorDeps } from "./doctor/deps.ts";
import { type Verifying, verifying } from "./verifying.ts";
import { version } from "./version.ts";
import { workspaceAt } from "./workspace-at.ts";

/** The real engine, clock and services. */
export interface World extends Shared, ImageTools, Verifying {
  docker: Docker;
  buildx: Buildx;
  /** What a run asks of the world, without its listeners. */
  runDeps: (catalog: Catalog, options: { sbomWith: SbomTool }) => Omit<RunDeps, "onEvent">;
  smokeDeps: { docker: Docker; clock: { now: () => number } };
  /** This process's folder below `.factory/run`. */
  runFolder: (root: string) => RunFolder;
  /**
   * How the builder resolves base images, by `baseKey`. With `pull` it asks the registry what a tag points to now; without,
   * an image that the engine holds counts, as it does in a build.
   * @throws FactoryError INTERRUPTED, and if there is no engine to ask
   */
  baseDigests: (
    refs: readonly BaseRef[],
    options: { pull: boolean; signal?: AbortSignal },
  ) => Promise<Map<string, BaseResolution>>;
  /** The layers that a plain build gives. */
  buildLayers: LayersOf;
  /** Where the images that records prove are. */
  places: Places;
  /**
   * What the records of some manifests say. `note` gets lines for people.
   * @throws FactoryError with `strict` RECORD_UNREADABLE for every record that cannot be read
   */
  attempts: (
    root: string,
    manifestIds: readonly string[],
    options: { note: (text: string) => void; strict: boolean },
  ) => Promise<Attempts>;
  /**
   * The workspace as it was at the merge base of HEAD and a commit, in a temporary folder; `unknown` says why there is
   * none. @throws FactoryError GIT_FAILED, TOOL_MISSING
   */
  workspaceAt: (
    root: string,
    ref: string,
  ) => Promise<{ catalog: OpenCatalog; remove: () => void } | { unknown: string }>;
  gitNames: (root: string) => ReturnType<typeof gitNames>;
  commitTimes: (root: string) => ReturnType<typeof commitTimes>;
  ciEvent: (file: string | undefined, cwd: string) => ReturnType<typeof readCiEvent>;
  exists: (root: string, path: string) => boolean;
  /** The lines of a file, or of stdin for `-`. @throws FactoryError FILE_UNREADABLE */
  readLines: (file: string, cwd: string) => string[];
  /** This process as the owner of containers and folders; see src/tools/lease.ts. */
  owner: string;
  view: (options: { quiet: boolean; color: boolean }) => Promise<View>;
  /**
   * Writes the events of a run to a file, a pipe or a device, one per line, without secrets. `close` gives the error that
   * kept one from being written, if there was one. @param path absolute @throws FactoryError USAGE, WRITE_FAILED, INTERRUPTED
   */
  eventFile: (
    path: string,
    signal: AbortSignal | undefined,
  ) => Promise<{ take: (event: RunEvent) => void; close: () => Promise<FactoryError | null> }>;
  /** Sends the events of a run as a trace, without secrets; null where the environment names no collector. */
  traces: () => Promise<{ take: (event: RunEvent) => void; close: () => Promise<void> } | null>;
  /** What the doctor asks. */
  doctorDeps: () => Promise<Omit<DoctorDeps, "now" | "sweep">>;
}

/** How long a layer that no image uses is kept. */
const LAYER_AGE_MS = 7 * 24 * 3600 * 1000;

/**
 * @param around `say` takes a line for people, and `trace` one for each outside program that is run, with its arguments; `mask`
 * is told every secret that is obtained
 */
export function createWorld(
  env: NodeJS.ProcessEnv,
  around: {
    mask: Mask;
    say: (line: string) => void;
    trace?: (line: string) => void;
    signal: () => AbortSignal;
    /** What factory.yaml says about failures that may pass by themselves, by now. */
    retries: () => RetryPolicy;
  },
): World {
  const { mask, say, trace } = around;
  const traced =
    <R>(call: (file: string, argv: readonly string[], options?: ExecOptions) => R) =>
    (file: string, argv: readonly string[], options?: ExecOptions): R => {
      trace?.(`+ ${[file, ...argv].join(" ")}`);
      return call(file, argv, options);
    };
  const exec = throughPlugin(traced(realExec), env);
  const lease = openLease();
  const api = createEngineApi({
    endpoint: () => resolveEndpoint(env),
    dial: () => execDuplex("docker", ["system", "dial-stdio"]),
    env,
    trace,
  });
  const docker = createDocker({ exec, api });
  const buildx = createBuildx(exec);
  /** Events as other programs may have them: values of variables that look like secrets are not for them either. */
  const forOthers = () => {
    const ofEnvironment = createMask(env);
    const masked = (_: string, value: unknown) =>
      typeof value === "string" ? ofEnvironment(mask(value)) : value;
    return (event: RunEvent) => JSON.stringify(event, masked);
  };
  const clock = { now: () => performance.now(), date: () => new Date() };
  const { owner } = lease;
  const smokeDeps = { docker, clock };

  let known: Registries | undefined;
  const registries = async () =>
    (known ??= (await import("./tools/oci/registries.ts")).dockerRegistries({ env, exec, mask }));

  const shared = sharedRegistries({
    ...around,
    env,
    exec,
    registries,
    sleep,
    every,
    by: detectCi(env).jobUrl(env) ?? "",
  });

  const images = imageTools({ env, exec, docker, clock, signal: around.signal });

  const baseDigests: World["baseDigests"] = async (refs, options) => {
    const { resolveBases } = await import("./builder/base.ts");
    const resolved = await resolveBases(refs, { docker, buildx }, options);
    // If the engine does not answer, no base is to blame: asking for its version gives the right error.
    if ([...resolved.values()].some(({ error }) => error?.class === "environment")) await buildx.version();
    return resolved;
  };
  return {
    docker,
    buildx,
    smokeDeps,
    runFolder: (root) => openRunFolder(root, lease),
    ...images,
    ...verifying({ exec, docker, baseDigests, registries: shared.registries, signal: around.signal }),
    baseDigests,
    places: {
      engineTags: async (repositories) => {
        try {
          return await docker.taggedImages(repositories);
        } catch (error) {
          if (error instanceof FactoryError) return null;
          throw error;
        }
      },
      engineHolds: async (digest) => {
        try {
          await docker.inspectImage(digest);
          return true;
        } catch (error) {
          if (error instanceof FactoryError) return false;
          throw error;
        }
      },
      served: async (ref) => (await registries()).servedDigest(ref),
    },
    attempts: async (root, manifestIds, { note, strict }) => {
      const unreadable: FactoryError[] = [];
      const attempts = await openStore(root).attempts({
        manifestIds,
        onNote: note,
        onUnreadable: (error) => void unreadable.push(error),
        onProgress: (read, of) => {
          if (of >= 1000 && (read === of || read % 8192 < 256)) note(`records read: ${read} of ${of}`);
        },
      });
      // An unreadable record may be a failure that came after a pass: then nothing may be reused.
      if (strict && unreadable.length > 0) throw errorOf(unreadable.flatMap(findingsOf));
      for (const { message } of unreadable) note(`warning: ${message}`);
      return attempts;
    },
    buildLayers: buildLayers(exec),
    ...shared,
    workspaceAt: (root, ref) => workspaceAt(exec, root, ref, shared.registries),
    gitNames: (root) => gitNames(exec, root),
    commitTimes: (root) => commitTimes(exec, root),
    ciEvent: (file, cwd) => readCiEvent(file, cwd, env),
    exists: (root, path) => existsSync(join(root, path)),
    readLines,
    owner,
    runDeps: (catalog, options) => {
      // Nothing that is written below these may leave the workspace either.
      insideWorkspace(catalog.root, ".factory/run");
      const folder = insideWorkspace(catalog.root, ".factory/layers");
      const layers = options.sbomWith === "factory" ? openLayerStore(folder) : null;
      const cache = openLayerCache(folder, version);
      const processFolder = openRunFolder(catalog.root, lease);
      return {
        layers,
        docker,
        folder: processFolder,
        lease,
        buildx,
        clock,
        store: openStore(catalog.root),
        sleep,
        moveTag: async (ref, digest, signal) => (await registries()).moveTag(ref, digest, signal),
        random: Math.random,
        every,
        secrets: openSecrets({
          settings: catalog.secrets,
          obtain: async (kind, name, declared) => {
            const about = { env, exec, root: catalog.root, signal: around.signal() };
            return kind === "ssh" ? obtainSsh(name, declared, about) : obtainSecret(name, declared, about);
          },
          isSet: (variable) => (env[variable] ?? "").trim() !== "",
          mask,
          note: say,
        }),
        randomHex: () => randomBytes(4).toString("hex"),
        smokeTest: smoking({ smokeDeps, owner }, { catalog, folder: processFolder }),
        makeSbom: (image, signal) =>
          images.makeSbom(image, { sbomWith: options.sbomWith, signal, cache, onUnreadable: layers?.drop }),
        prepare: async (layouts, platforms, signal) => {
          try {
            const [{ readAhead }] = await Promise.all([
              import("./sbom/read-ahead.ts"),
              import("./smoke/smoke-cell.ts"),
            ]);
            if (layers) await readAhead(layouts, platforms, cache, signal);
          } catch {
            // See RunDeps.prepare.
          }
        },
        source: async () => ({
          ...(await sourceState(exec, catalog.root)),
          ci_url: detectCi(env).jobUrl(env),
        }),
        cacheTrouble: cacheTrouble({ env, docker, buildx, mask, root: catalog.root }),
        sweep: async () => {
          sweepRunFolders(catalog.root, lease.stateOf, Date.now());
          layers?.sweep(Date.now(), LAYER_AGE_MS);
          const { removeOrphans } = await import("./smoke/containers.ts");
          // Machines that share an engine can be copies of one machine, down to its boot and process ids.
          const stateOf = (name: string) =>
            docker.isLocal() || name === owner ? lease.stateOf(name) : "unknown";
          await removeOrphans(docker, stateOf).catch((error: unknown) => {
            // It does not matter if another run is removing the same container right now.
            if (!(error instanceof FactoryError)) throw error;
          });
        },
      };
    },
    eventFile: async (path, signal) => {
      const { openLines } = await import("./files/line-stream.ts");
      const lines = await openLines(path, signal);
      const text = forOthers();
      return { take: (event) => lines.write(text(event)), close: lines.close };
    },
    traces: async () => {
      if (!asksForTraces(env)) return null;
      const { openTraces } = await import("./telemetry/traces.ts");
      const { take, close } = openTraces({ env, version, say });
      const text = forOthers();
      return { take: (event) => take(JSON.parse(text(event)) as RunEvent), close };
    },
    doctorDeps: async () =>
      (await import("./doctoring.ts")).doctoring({ env, exec, docker, buildx, mask, lease }),
    view: async ({ quiet, color }) => {
      if (quiet) return { take: () => undefined, close: () => undefined };
      const { createView } = await import("./screen/live-view.ts");
      const stream = process.stderr;
      const interactive = stream.isTTY === true && !runsInCi(env) && env.TERM !== "dumb";
      return createView({ stream, interactive, color, clock: { now: clock.now, every } });
    },
  };
}
