import type { SmokeService, SmokeTest } from "../schemas/types.ts";
import type { SmokeLimits } from "../model/smoke.ts";

/** Fields of a test that say what its container is like. */
export const SETTING_NAMES = [
  "env",
  "argv",
  "user",
  "memory_mb",
  "shm_mb",
  "tmpfs",
  "services",
  "wait_for",
] as const satisfies readonly (keyof SmokeTest)[];

export type SettingName = (typeof SETTING_NAMES)[number];

/** What a container is like beside the sandbox's defaults; only what differs from them is there. */
export type Settings = Pick<SmokeTest, SettingName>;

/** The engine's own size of /dev/shm, in MiB. */
const SHM_MB = 64;

type ContainerSettings = Omit<SmokeService, "image">;

/** Leaves out what says nothing, so that a default that is written out changes no hash. */
function settled<T extends ContainerSettings>({ env, shm_mb, tmpfs, ...rest }: T): Partial<T> {
  return {
    ...rest,
    ...(env && Object.keys(env).length > 0 ? { env } : {}),
    ...(shm_mb === undefined || shm_mb === SHM_MB ? {} : { shm_mb }),
    ...(tmpfs ? { tmpfs: [...tmpfs].sort() } : {}),
  } as Partial<T>;
}

/** The settings that a test declares, in the form that is hashed; undefined if there are none. */
export function settingsOf(test: SmokeTest): Settings | undefined {
  const declared = Object.fromEntries(
    SETTING_NAMES.flatMap((name) => (test[name] === undefined ? [] : [[name, test[name]]])),
  ) as Settings;
  const { services, ...own } = declared;
  const settings: Settings = {
    ...settled(own),
    ...(services
      ? { services: Object.fromEntries(Object.entries(services).map(([name, one]) => [name, settled(one)])) }
      : {}),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/**
 * Where a test leaves the sandbox's defaults, in words for people: records keep them.
 * @param about the parts of a test in the form that is hashed
 */
export function loosened(
  { settings = {}, check }: { settings?: Settings; check: { kind: string; path?: string } | null },
  limits: Pick<SmokeLimits, "memory_mb">,
): string[] {
  const { user, memory_mb = 0, shm_mb = 0, tmpfs = [], services = {} } = settings;
  return [
    ...(user === undefined ? [] : [`user ${user}`]),
    ...(memory_mb > limits.memory_mb ? [`memory ${memory_mb} MiB`] : []),
    ...(shm_mb > SHM_MB ? [`/dev/shm ${shm_mb} MiB`] : []),
    ...tmpfs.map((path) => `writable ${path}`),
    ...(check?.kind === "script" ? [`mounted ${check.path ?? ""}`] : []),
    ...Object.entries(services).map(
      ([name, { image }]) => `network with ${name} (${image ?? "the same image"})`,
    ),
  ];
}
