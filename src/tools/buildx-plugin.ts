import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, isAbsolute, join } from "node:path";
import type { Exec } from "./exec.ts";

/** Where docker's command line looks for its plugins after the folders of the user, in this order. */
const SYSTEM_FOLDERS = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/** How programs begin that are no scripts: ELF, and Mach-O for one or several processors. */
const BINARY = ["7f454c46", "cffaedfe", "cafebabe"];

/** The first of some files that is there; undefined if none is, or if the user may not run it. */
function firstProgram(files: readonly string[]): string | undefined {
  const file = files.find((one) => statSync(one, { throwIfNoEntry: false })?.isFile());
  if (file === undefined) return undefined;
  accessSync(file, constants.X_OK);
  return file;
}

function beginning(file: string): string {
  const bytes = Buffer.alloc(4);
  const opened = openSync(file, "r");
  try {
    return bytes.subarray(0, readSync(opened, bytes, 0, 4, 0)).toString("hex");
  } finally {
    closeSync(opened);
  }
}

/** The folders of plugins that the user's own settings of docker name; null where docker has to read these itself. */
function foldersOfUser(env: NodeJS.ProcessEnv): string[] | null {
  const config = env.DOCKER_CONFIG || join(homedir(), ".docker");
  const file = join(config, "config.json");
  const settings: unknown = statSync(file, { throwIfNoEntry: false })
    ? JSON.parse(readFileSync(file, "utf8"))
    : {};
  const { cliPluginsExtraDirs: extra = [] } = settings as { cliPluginsExtraDirs?: unknown };
  const isPlain = (folder: unknown): folder is string => typeof folder === "string" && isAbsolute(folder);
  return Array.isArray(extra) && extra.every(isPlain) ? [...extra, join(config, "cli-plugins")] : null;
}

/**
 * The program of the buildx plugin that `docker buildx` would start; undefined wherever that is in doubt: no docker, one
 * that is a script (of the user, of podman) or another program's other name (snap), no plugin where docker looks.
 * @param systemFolders where docker looks last
 */
export function buildxPlugin(
  env: NodeJS.ProcessEnv,
  systemFolders: readonly string[] = SYSTEM_FOLDERS,
): string | undefined {
  if (process.platform === "win32") return undefined;
  try {
    const path = (env.PATH ?? "").split(delimiter).filter(isAbsolute);
    const docker = firstProgram(path.map((folder) => join(folder, "docker")));
    if (docker === undefined) return undefined;
    const real = realpathSync(docker);
    if (basename(real) !== "docker" || !BINARY.includes(beginning(real))) return undefined;
    const folders = foldersOfUser(env);
    if (!folders) return undefined;
    return firstProgram([...folders, ...systemFolders].map((one) => join(one, "docker-buildx")));
  } catch {
    return undefined;
  }
}

/**
 * Starts `docker buildx …` as the program of the plugin itself, which saves docker's command line looking for it; where that
 * program is in doubt, docker is started as ever.
 */
export function throughPlugin(exec: Exec, env: NodeJS.ProcessEnv): Exec {
  let found: { plugin: string | undefined } | undefined;
  return (file, argv, options) => {
    if (file !== "docker" || argv[0] !== "buildx") return exec(file, argv, options);
    const { plugin } = (found ??= { plugin: buildxPlugin(env) });
    return plugin === undefined ? exec(file, argv, options) : exec(plugin, argv.slice(1), options);
  };
}
