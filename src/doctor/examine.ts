import { FactoryError } from "../errors.ts";
import type { EngineInfo } from "../tools/docker.ts";
import { documents, folders, git, records } from "./checkout.ts";
import type { DoctorDeps, Workspace } from "./deps.ts";
import { broken, type Diagnosis, warning } from "./diagnosis.ts";
import { builder, engine, unreachable } from "./engine.ts";
import { cache, ci, programs } from "./environment.ts";
import { clock, disk, nodeVersion } from "./machine.ts";
import { registries } from "./registry-rights.ts";

/** How long all of it may take, in milliseconds: what has not answered by then is told as that. */
const PATIENCE_MS = 3500;

/** What a look came to; a failure that it did not expect is broken, and one that ran out of time a warning. */
async function within(
  check: string,
  { late, limit }: { late: Promise<void>; limit: AbortSignal },
  look: () => Diagnosis[] | Promise<Diagnosis[]>,
): Promise<Diagnosis[]> {
  const slow = (): Diagnosis[] => [
    warning(check, {
      what: `no answer within ${PATIENCE_MS / 1000} s`,
      fix: "see what is slow, and ask again",
    }),
  ];
  const told = Promise.resolve()
    .then(look)
    .catch((error: unknown): Diagnosis[] => {
      if (limit.aborted) return slow();
      if (!(error instanceof FactoryError)) throw error;
      return [broken(check, { what: error.message, fix: error.fix ?? "see docs/errors.md" })];
    });
  // What only waited for another look ends by itself then.
  const given = late.then(() => new Promise((resolve) => void setImmediate(resolve)));
  return Promise.race([told, given.then(slow)]);
}

interface Engine {
  info: EngineInfo;
  told: Diagnosis[];
}

/**
 * Looks at all that Factory needs, everything at once, for a few seconds at most.
 * @returns in a fixed order
 */
export async function examine(
  deps: DoctorDeps,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<Diagnosis[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const late = new Promise<void>((resolve) => {
    limit.addEventListener("abort", () => resolve(), { once: true });
  });
  const asked: Promise<Engine | { told: Diagnosis[] }> = deps.engine(limit).then(
    (info) => ({ info, told: engine(deps, info) }),
    (error: unknown) => {
      if (limit.aborted) throw error;
      return { told: [unreachable(error)] };
    },
  );
  asked.catch(() => undefined);
  /** null where the engine does not tell, or is late: that is told once. */
  const infoOf = async () => {
    const found = await Promise.race([asked.catch(() => null), late.then(() => null)]);
    return found && "info" in found ? found.info : null;
  };
  const looks: [string, () => Diagnosis[] | Promise<Diagnosis[]>][] = [
    ["node", () => nodeVersion(deps)],
    ["engine", async () => (await asked).told],
    ["builder", async () => ((await infoOf()) ? builder(deps, workspace) : [])],
    ["clock", async () => clock(deps, "the engine", Date.parse((await infoOf())?.SystemTime ?? ""))],
    [
      "disk",
      async () => disk(deps, workspace, deps.isLocal() ? ((await infoOf())?.DockerRootDir ?? null) : null),
    ],
    ["workspace", () => documents(workspace)],
    ["folders", () => folders(deps, workspace)],
    ["records", () => records(deps, workspace)],
    ["git", () => git(deps, workspace)],
    ["registry", () => registries(deps, workspace, limit)],
    ["cache", () => cache(deps, workspace)],
    ["programs", () => programs(deps, workspace)],
    ["ci", () => ci(deps)],
  ];
  const found = (
    await Promise.all(looks.map(([check, look]) => within(check, { late, limit }, look)))
  ).flat();
  if (signal.aborted) throw new FactoryError("INTERRUPTED", "interrupted while looking");
  return found;
}
