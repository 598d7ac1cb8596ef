import type { Catalog, Entry } from "../catalog/catalog.ts";
import { checkPools } from "../catalog/check.ts";
import { findingsOf } from "../catalog/document.ts";
import { github } from "../ci/github.ts";
import type { CiMatrix } from "../ci/system.ts";
import { errorOf, type Finding } from "../errors.ts";
import type { Pool } from "../schemas/types.ts";
import type { PlannedCell } from "./cell.ts";

/** Where a cell runs: the pool that takes it, and the words that choose a machine of it. */
export interface Runner {
  /** null for the machines that the CI system itself offers, where no pool takes a platform. */
  pool_id: string | null;
  runs_on: string | string[];
}

/** The GPUs that a cell asks for; null for none. */
export type Gpus = PlannedCell["keys"]["gpus"];

function readPools(catalog: Catalog): Entry<Pool>[] {
  const findings: Finding[] = [];
  const pools = catalog.poolIds().flatMap((id) => {
    try {
      return [catalog.pool(id)];
    } catch (error) {
      findings.push(...findingsOf(error));
      return [];
    }
  });
  if (findings.length > 0) throw errorOf(findings);
  return pools;
}

/**
 * Who runs the cells of a platform, by the pools of the workspace. Cells that ask for GPUs go to a pool with `gpus`, all
 * others to one without. Reads every pool at once.
 * @throws FactoryError the findings of pools that cannot be read; when it is asked about a platform that several pools
 * take: POOL_AMBIGUOUS, once for each platform that these pools share
 */
export function poolOf(
  catalog: Catalog,
  { runnerFor }: Pick<CiMatrix, "runnerFor"> = github.matrix,
): (platform: string, gpus: Gpus) => Runner {
  const pools = readPools(catalog);
  const known = new Map<string, Runner>();
  const find = (platform: string, gpus: boolean): Runner => {
    const takers = pools.filter(
      ({ document }) => (document.gpus ?? false) === gpus && document.platforms.includes(platform),
    );
    const [taker, ...others] = takers;
    if (!taker) return { pool_id: null, runs_on: runnerFor(platform, gpus) };
    if (others.length > 0) throw errorOf(checkPools(takers));
    const { pool_id, runs_on } = taker.document;
    return { pool_id, runs_on };
  };
  return (platform, gpus) => {
    const key = `${platform} ${gpus !== null}`;
    const runner = known.get(key) ?? find(platform, gpus !== null);
    known.set(key, runner);
    return runner;
  };
}

/** What tells one kind of runner of a platform from another, for people and for `shard`: `pool gpu`, `ubuntu-24.04`. */
export function runnerKey({ pool_id, runs_on }: Runner): string {
  return pool_id === null ? [runs_on].flat().join(", ") : `pool ${pool_id}`;
}
