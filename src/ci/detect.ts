import { github } from "./github.ts";
import { none } from "./none.ts";
import type { CiSystem, Environment } from "./system.ts";

/**
 * Every CI system that Factory knows, in the order in which they are looked for; `none` last. One with a matrix is also a
 * format of `factory plan`, by the name that it has here.
 */
export const CI_SYSTEMS = { github, none } satisfies Record<string, CiSystem>;

/** The CI system in one of whose jobs this process runs. */
export function detectCi(env: Environment): CiSystem {
  return Object.values<CiSystem>(CI_SYSTEMS).find(({ isHere }) => isHere(env)) ?? none;
}

/** Whether this process runs in a job, of a known system or another: $CI says so. */
export function runsInCi(env: Environment): boolean {
  return detectCi(env) !== none || (env.CI !== undefined && env.CI !== "" && env.CI !== "false");
}
