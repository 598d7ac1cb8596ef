import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Settings } from "./catalog/catalog.ts";
import type { OpenCatalog } from "./catalog/open.ts";
import type { Context } from "./commands/context.ts";
import type { Mask } from "./model/mask.ts";
import { RETRIES } from "./model/retries.ts";
import { KEYLESS } from "./model/signing.ts";
import { addressWithoutUserinfo } from "./model/userinfo.ts";
import type { Palette } from "./screen/palette.ts";
import { FactoryError } from "./errors.ts";
import type { GlobalOptions } from "./program.ts";

/** What a command's context is made of. */
interface Surroundings {
  cwd: string;
  env: NodeJS.ProcessEnv;
  color: Palette;
  stderrColor: boolean;
  columns: number | undefined;
  say: (text: string) => void;
  mask: Mask;
  signal: () => AbortSignal;
}

/** A signing key as cosign is to get it: a file by its absolute path. */
function keyFrom(key: string, folder: string): string {
  if (key === KEYLESS || key.includes("://")) return key;
  return key.startsWith("~/") ? join(homedir(), key.slice(2)) : resolve(folder, key);
}

/**
 * FACTORY_REPOSITORY, FACTORY_CACHE_REPOSITORY, FACTORY_RECORDS_REMOTE and FACTORY_SIGNING_KEY replace the settings of
 * factory.yaml. Owners' names may be in upper case.
 */
async function withEnvironment(
  catalog: OpenCatalog,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<OpenCatalog> {
  const { isRepository } = await import("./catalog/names.ts");
  const read = (name: string): string | undefined => {
    const text = env[name]?.toLowerCase();
    if (text === undefined || text === "") return undefined;
    if (isRepository(text)) return text;
    throw new FactoryError(
      "USAGE",
      `${name} is not a repository: ${JSON.stringify(addressWithoutUserinfo(env[name] ?? ""))}`,
      {
        fix: "such as registry.example:5000/team",
      },
    );
  };
  const remote = (env.FACTORY_RECORDS_REMOTE ?? "").toLowerCase();
  if (remote !== "" && !(remote.startsWith("oci://") && isRepository(remote.slice("oci://".length)))) {
    throw new FactoryError(
      "USAGE",
      `FACTORY_RECORDS_REMOTE is no repository: ${JSON.stringify(addressWithoutUserinfo(remote))}`,
      { fix: "such as oci://registry.example:5000/team/records" },
    );
  }
  const repository = read("FACTORY_REPOSITORY");
  const cache_repository = read("FACTORY_CACHE_REPOSITORY");
  const key = env.FACTORY_SIGNING_KEY ?? "";
  const signing = ({ signing: own }: Settings): Settings["signing"] => {
    if (key === "none") return null;
    if (key !== "") return { key: keyFrom(key, cwd), transparencyLog: key === KEYLESS };
    return own && { ...own, key: keyFrom(own.key, catalog.root) };
  };
  return {
    ...catalog,
    settings: () => {
      const own = catalog.settings();
      return {
        ...own,
        repository: repository ?? own.repository,
        cache:
          cache_repository === undefined
            ? own.cache
            : {
                place: { type: "registry", repository: cache_repository },
                write: own.cache?.write ?? "always",
              },
        records_remote: remote === "" ? own.records_remote : remote,
        signing: signing(own),
      };
    },
  };
}

/** What buildx itself passes from the environment to every build: it becomes the times in an image. */
function buildEnvironment({ SOURCE_DATE_EPOCH }: NodeJS.ProcessEnv): Record<string, string> {
  return SOURCE_DATE_EPOCH ? { SOURCE_DATE_EPOCH } : {};
}

/** The context of one command. The workspace and the engine are looked for when they are first needed. */
export function createContext(options: GlobalOptions, around: Surroundings): Context {
  const { cwd, env, color, stderrColor, columns } = around;
  const named = options.workspace ?? (env.FACTORY_WORKSPACE || undefined);
  let catalog: Promise<OpenCatalog> | undefined;
  /** The workspace as soon as it is found: libraries are fetched before it is whole. */
  let found: OpenCatalog | undefined;

  const world: Context["world"] = async () =>
    (await import("./world.ts")).createWorld(env, {
      mask: around.mask,
      say: options.quiet ? () => undefined : around.say,
      trace: options.verbose ? around.say : undefined,
      signal: around.signal,
      retries: () => found?.settings().retries ?? RETRIES,
    });

  /** Fetches the libraries that are not there. */
  const fetchMissing = async ({ root, libraries }: OpenCatalog): Promise<void> => {
    if (libraries().every(({ source }) => source.oci === undefined)) return;
    const { isUnpacked } = await import("./catalog/libraries.ts");
    const missing = libraries().filter((one) => one.source.oci !== undefined && !isUnpacked(root, one));
    if (missing.length === 0) return;
    const { fetchLibraries } = await import("./library/fetch-library.ts");
    const registries = await (await world()).registries();
    await fetchLibraries(root, missing, registries, options.quiet ? () => undefined : around.say);
  };

  const open: Context["catalog"] = async ({ trust, fetch = true } = {}) => {
    const { findWorkspace, openCatalog } = await import("./catalog/open.ts");
    const opened = openCatalog(named === undefined ? findWorkspace(cwd) : resolve(cwd, named), {
      trust,
      onProgress: options.quiet ? undefined : around.say,
    });
    found = opened;
    if (fetch) await fetchMissing(opened);
    return withEnvironment(opened, env, cwd);
  };

  return {
    cwd,
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    columns,
    color,
    stderrColor,
    environment: buildEnvironment(env),
    catalog: (how) => (catalog ??= open(how)),
    world,
    now: Date.now,
    say: options.quiet ? () => undefined : around.say,
    get signal() {
      return around.signal();
    },
  };
}
