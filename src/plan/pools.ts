import type { Catalog, Entry } from "../catalog/catalog.ts";
import { checkPools } from "../catalog/check.ts";
import { findingsOf } from "../catalog/document.ts";
import { errorOf, type Finding } from "../errors.ts";
import type { Pool } from "../schemas/types.ts";
import type { PlannedCell } from "./cell.ts";

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
 * Finds the pool of the workspace that runs the cells of a platform; null if none takes them. Cells that ask for GPUs go
 * to a pool with `gpus`, all others to one without. All pools are read at once.
 * @throws FactoryError the findings of pools that cannot be read. The returned function throws POOL_AMBIGUOUS for a
 * platform that several pools take, once for each platform that these pools share
 */
export function poolOf(catalog: Catalog): (platform: string, gpus: Gpus) => Pool | null {
  const pools = readPools(catalog);
  const known = new Map<string, Pool | null>();
  const find = (platform: string, gpus: boolean): Pool | null => {
    const takers = pools.filter(
      ({ document }) => (document.gpus ?? false) === gpus && document.platforms.includes(platform),
    );
    if (takers.length > 1) throw errorOf(checkPools(takers));
    return takers[0]?.document ?? null;
  };
  return (platform, gpus) => {
    const key = `${platform} ${gpus !== null}`;
    const earlier = known.get(key);
    if (earlier !== undefined) return earlier;
    const pool = find(platform, gpus !== null);
    known.set(key, pool);
    return pool;
  };
}

/** A name for the machines of a platform that a cell may run on, for people and for `shard`: `pool gpu`, `no pool, with GPUs`. */
export function runnerKey(pool: Pool | null, gpus: Gpus): string {
  if (pool) return `pool ${pool.pool_id}`;
  return gpus === null ? "no pool" : "no pool, with GPUs";
}
