import { github } from "./github.ts";
import { none } from "./none.ts";
import type { CiEvents, CiSystem, Environment } from "./system.ts";

/**
 * Every CI system that Factory knows, in the order in which they are tried; `none` is last. The name of one with a matrix
 * is also a format of `factory plan`.
 */
export const CI_SYSTEMS = { github, none } satisfies Record<string, CiSystem>;

/** The CI system that runs this process. */
export function detectCi(env: Environment): CiSystem {
  return Object.values<CiSystem>(CI_SYSTEMS).find(({ isHere }) => isHere(env)) ?? none;
}

/** How the CI system that runs this process says why; elsewhere, how the first one does that says it at all. */
export function eventsFor(env: Environment): CiEvents | null {
  const systems = [detectCi(env), ...Object.values<CiSystem>(CI_SYSTEMS)];
  return systems.find(({ events }) => events !== null)?.events ?? null;
}

/** Whether this process runs in a CI job, of a known system or, as $CI says, of another. */
export function runsInCi(env: Environment): boolean {
  return detectCi(env) !== none || (env.CI !== undefined && env.CI !== "" && env.CI !== "false");
}
