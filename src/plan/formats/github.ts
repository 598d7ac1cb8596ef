import { errorOf, FactoryError, type Finding } from "../../errors.ts";
import type { PlannedCell } from "../cell.ts";

/** One job of the CI matrix: a shard, to be run with `factory run --shard`. */
export interface MatrixEntry {
  /** The job's name, unique in the matrix: the id of its one cell, or `shard-003-of-256`. */
  name: string;
  /** `3/256`, or `3/256@1a2b3c4d5e6f` with the partition's fingerprint, for `--shard`. */
  shard: string;
  /** How many cells the shard has. */
  cells: number;
  platform: string;
  /** For `runs-on`. */
  runner: string | string[];
  /** These three only where the shard is one cell. */
  cell_id?: string;
  manifest_id?: string;
  /** The first plan that asks for the cell; empty for a manifest by itself. */
  plan_id?: string;
}

/** The whole `strategy` of a GitHub Actions job. */
export interface Strategy {
  "fail-fast": false;
  matrix: { include: MatrixEntry[] };
}

/** What a matrix depends on beside the shards. */
export interface MatrixOptions {
  /** `runs-on` of a cell; the same for all cells of a shard. */
  runsOn: (planned: PlannedCell) => string | string[];
  /** Whether there is work to do for a cell; a shard without any gets no job. Default: always. */
  needed?: (planned: PlannedCell) => boolean;
  /** What tells this partition from another: a run refuses a shard of another one. */
  fingerprint?: string;
}

/** GitHub's own limit on the jobs of one matrix. */
const MAX_JOBS = 256;

/**
 * Refuses what GitHub would refuse later.
 * @throws FactoryError USAGE
 */
export function checkMaxJobs(maxJobs: number): void {
  if (maxJobs <= MAX_JOBS) return;
  throw new FactoryError("USAGE", `--max-jobs ${maxJobs}: GitHub takes ${MAX_JOBS} jobs in one matrix`, {
    fix: `use --max-jobs ${MAX_JOBS}: a job then runs several cells`,
  });
}

/** One job a shard that has work to do, with the shard's own number. */
function matrixEntries(
  shards: readonly (readonly PlannedCell[])[],
  { runsOn, needed = () => true, fingerprint }: MatrixOptions,
): MatrixEntry[] {
  const count = shards.length;
  const width = String(count).length;
  return shards.flatMap((cells, at): MatrixEntry[] => {
    const [first, ...others] = cells;
    if (!first || !cells.some(needed)) return [];
    const { cell } = first;
    const alone = others.length === 0;
    return [
      {
        name: alone ? cell.cell_id : `shard-${String(at + 1).padStart(width, "0")}-of-${count}`,
        shard: `${at + 1}/${count}${fingerprint === undefined ? "" : `@${fingerprint}`}`,
        cells: cells.length,
        platform: cell.platform,
        runner: runsOn(first),
        ...(alone
          ? { cell_id: cell.cell_id, manifest_id: cell.manifest_id, plan_id: cell.plan_ids[0] ?? "" }
          : {}),
      },
    ];
  });
}

/** Jobs that have the name of an earlier one: the artifact of one would take the place of the other's. */
export function jobNameFindings(entries: readonly Pick<MatrixEntry, "name">[]): Finding[] {
  const seen = new Map<string, { name: string; at: number }>();
  return entries.flatMap(({ name }, at): Finding[] => {
    const key = name.toLowerCase();
    const earlier = seen.get(key);
    if (!earlier) {
      seen.set(key, { name, at });
      return [];
    }
    const names =
      earlier.name === name ? `both named \`${name}\`` : `named \`${earlier.name}\` and \`${name}\``;
    return [
      {
        code: "JOB_NAME_COLLISION",
        what: `jobs ${earlier.at + 1} and ${at + 1} of the matrix are ${names}`,
        fix: "take one of the two cells out of the plan, or give one of the manifests another id",
      },
    ];
  });
}

/**
 * The CI matrix of a plan's shards.
 * @throws FactoryError JOB_NAME_COLLISION; USAGE where more than 256 shards have work to do, which GitHub refuses
 */
export function githubStrategy(
  shards: readonly (readonly PlannedCell[])[],
  options: MatrixOptions,
): Strategy {
  const include = matrixEntries(shards, options);
  if (include.length > MAX_JOBS) {
    throw new FactoryError(
      "USAGE",
      `${include.length} shards have work to do, and GitHub takes ${MAX_JOBS} jobs in one matrix`,
      { fix: `use --max-jobs ${MAX_JOBS}: a job then runs several cells` },
    );
  }
  const findings = jobNameFindings(include);
  if (findings.length > 0) throw errorOf(findings);
  return { "fail-fast": false, matrix: { include } };
}
