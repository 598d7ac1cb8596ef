import { FactoryError } from "../errors.ts";
import type { Exec, ExecResult } from "./exec.ts";

export interface BakeOptions {
  /** The bake file, absolute or relative to `cwd`. */
  file: string;
  /** Names of its targets, all built in one bake: one that fails cancels the others. */
  targets: readonly string[];
  /** The folder that relative contexts in the bake file start from. */
  cwd: string;
  /** Where BuildKit's metadata goes. It is written only where every target was built. */
  metadataFile: string;
  /** Values in place of those of the file, as `--set` takes them: `*.cache-from=`. */
  set?: readonly string[];
  /** Files or folders outside `cwd` that the bake may read. */
  read?: readonly string[];
  /** Whether it may use the agent of SSH, or a key for it. */
  ssh?: boolean;
  env?: Record<string, string>;
  signal?: AbortSignal;
  /** Each line of the progress: JSON (`--progress=rawjson`), then the plain text of an error. */
  onLine: (line: string) => void;
}

/** What Factory asks of `docker buildx`, for the builder that is current. */
export interface Buildx {
  /**
   * Starts to ask the builder what it is and what it can build; `version`, `platforms` and `driver` wait for that answer, and ask
   * themselves where nobody did. A failure is theirs to throw.
   * @param signal ends the question
   */
  ask: (signal: AbortSignal) => void;
  /**
   * Versions of the engine, of buildx and of BuildKit (null where the builder does not tell).
   * @throws FactoryError DOCKER_MISSING, BUILDX_MISSING, ENGINE_UNREACHABLE
   */
  version: () => Promise<{ docker: string; buildx: string; buildkit: string | null }>;
  /** The platforms the builder can build, such as `linux/arm64`, sorted. @throws FactoryError as `version` */
  platforms: () => Promise<string[]>;
  /** `docker`, `docker-container`, `kubernetes` or `remote`. @throws FactoryError as `version` */
  driver: () => Promise<string>;
  /** `docker buildx bake`. A non-zero exit is a result. */
  bake: (options: BakeOptions) => Promise<ExecResult>;
}

interface Builder {
  driver: string;
  buildkit: string | null;
  platforms: string[];
}

/** How long a question about the engine may take before it counts as unreachable. */
const ANSWER_MS = 30_000;

const UNREACHABLE_FIX = "start the engine, or point DOCKER_HOST or `docker context` at one that runs";

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

function unreachable(result: ExecResult): FactoryError {
  const words = result.timedOut ? `no answer within ${ANSWER_MS / 1000} s` : lastLine(result.stderr);
  return new FactoryError("ENGINE_UNREACHABLE", `the Docker engine does not answer: ${words}`, {
    fix: UNREACHABLE_FIX,
  });
}

/** Docker takes a plugin that it does not have for an unknown command, or for flags of its own. */
function buildxMissing(text: string): boolean {
  return /unknown command: docker buildx|'buildx' is not a docker command|unknown (shorthand )?flag/i.test(
    text,
  );
}

function buildxError(result: ExecResult): FactoryError {
  if (result.timedOut) return unreachable(result);
  if (buildxMissing(result.stderr)) {
    return new FactoryError("BUILDX_MISSING", "docker has no buildx plugin", {
      fix: "install the buildx plugin (on Debian and Ubuntu: docker-buildx or docker-buildx-plugin)",
    });
  }
  if (/cannot connect|failed to connect|error during connect/i.test(result.stderr))
    return unreachable(result);
  const words = lastLine(result.stderr);
  return new FactoryError("ENGINE_FAILED", `docker buildx: ${words}`, {
    fix: /read-only file system|permission denied/i.test(words)
      ? "make the folder writable, or set BUILDX_CONFIG to one that is: buildx keeps its state there"
      : "see `docker buildx ls` for the builders there are",
  });
}

/** `linux/amd64/v3*` is linux/amd64 to us; `linux/arm/v7` is a platform of its own. */
function foldPlatform(text: string): string {
  return text.replace(/\*$/, "").replace(/^([^/]+\/(?:amd64|arm64))\/v\d+$/, "$1");
}

/** Reads what `docker buildx inspect` prints: fields of the builder, then those of each node. */
export function parseInspect(text: string): Builder & { error: string | null } {
  const values = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}:[ \\t]*(.*)$`, "gm"))].map(([, value]) => (value ?? "").trim());
  const platforms = values("Platforms").flatMap((list) =>
    list.split(",").map((one) => foldPlatform(one.trim())),
  );
  const versions = values("BuildKit version").filter((version) => version && !version.includes("unknown"));
  return {
    driver: values("Driver")[0] ?? "",
    buildkit: versions[0] ?? null,
    platforms: [...new Set(platforms.filter(Boolean))].sort(),
    error: values("Error")[0] ?? null,
  };
}

async function inspectBuilder(exec: Exec, signal?: AbortSignal): Promise<Builder> {
  const argv = ["buildx", "inspect", "--bootstrap"];
  const result = await exec("docker", argv, { timeoutMs: ANSWER_MS, signal });
  if (result.exitCode !== 0) throw buildxError(result);
  const { error, ...builder } = parseInspect(result.stdout);
  if (builder.platforms.length > 0) return builder;
  throw new FactoryError(
    "ENGINE_UNREACHABLE",
    `the builder does not answer: ${error ?? "it names no platform"}`,
    {
      fix: `${UNREACHABLE_FIX}; or choose another builder with \`docker buildx use\``,
    },
  );
}

/** The builder is asked once, when it is first needed; its answer is kept. */
export function createBuildx(exec: Exec): Buildx {
  let asked: Promise<Builder> | undefined;
  const builder = () => (asked ??= inspectBuilder(exec));

  return {
    ask: (signal) => {
      asked ??= inspectBuilder(exec, signal);
      asked.catch(() => undefined);
    },

    version: async () => {
      const [engine, plugin] = await Promise.all([
        exec("docker", ["version", "--format", "{{.Server.Version}}"], { timeoutMs: ANSWER_MS }),
        exec("docker", ["buildx", "version"], { timeoutMs: ANSWER_MS }),
      ]);
      if (engine.exitCode !== 0) throw unreachable(engine);
      if (plugin.exitCode !== 0) throw buildxError(plugin);
      const { buildkit } = await builder();
      const [, version = ""] = plugin.stdout.trim().split(/\s+/);
      return { docker: engine.stdout.trim(), buildx: version.replace(/^v/, ""), buildkit };
    },

    platforms: async () => (await builder()).platforms,
    driver: async () => (await builder()).driver,

    bake: ({ file, targets, cwd, metadataFile, set = [], read = [], ssh = false, env, signal, onLine }) => {
      const allow = [...read.map((path) => `--allow=fs.read=${path}`), ...(ssh ? ["--allow=ssh"] : [])];
      const values = set.map((value) => `--set=${value}`);
      const flags = [
        "--file",
        file,
        "--progress=rawjson",
        "--metadata-file",
        metadataFile,
        ...values,
        ...allow,
      ];
      return exec("docker", ["buildx", "bake", ...flags, "--", ...targets], {
        cwd,
        env,
        signal,
        onStderrLine: onLine,
      });
    },
  };
}
