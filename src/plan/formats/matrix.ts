import { type CiJob, type CiMatrix, jobNameFindings } from "../../ci/system.ts";
import { errorOf, FactoryError } from "../../errors.ts";
import { isDone, type PlannedCell } from "../cell.ts";
import { poolOf } from "../pools.ts";
import { chiefOf } from "../shards/groups.ts";
import type { WriteFormat } from "./format.ts";

/** A CI system that takes a matrix, which `D` is. */
export interface MatrixSystem<D = unknown> {
  title: string;
  matrix: Omit<CiMatrix, "document"> & { document: (jobs: readonly CiJob[]) => D };
}

/** What a matrix depends on beside the shards. */
export interface MatrixOptions {
  /** The words that choose the machine of a cell; the same for all cells of a shard. */
  runsOn: (planned: PlannedCell) => string | string[];
  /** Whether there is work to do for a cell; a shard without any gets no job. Default: always. */
  needed?: (planned: PlannedCell) => boolean;
  /** What tells this partition from another: a run refuses a shard of another one. */
  fingerprint?: string;
}

/**
 * Refuses what the system would refuse later.
 * @throws FactoryError USAGE
 */
export function checkMaxJobs(maxJobs: number, { title, matrix }: MatrixSystem): void {
  if (maxJobs <= matrix.maxJobs) return;
  throw new FactoryError(
    "USAGE",
    `--max-jobs ${maxJobs}: ${title} takes ${matrix.maxJobs} jobs in one matrix`,
    {
      fix: `use --max-jobs ${matrix.maxJobs}: a job then runs several cells`,
    },
  );
}

/** One job a shard that has work to do, with the shard's own number. */
function jobsOf(
  shards: readonly (readonly PlannedCell[])[],
  { runsOn, needed = () => true, fingerprint }: MatrixOptions,
): CiJob[] {
  const count = shards.length;
  const width = String(count).length;
  return shards.flatMap((cells, at): CiJob[] => {
    const [first, ...others] = cells;
    if (!first || !cells.some(needed)) return [];
    const { cell } = first;
    const alone = others.length === 0;
    // The machine has to be one that all of them can run on.
    const chief = chiefOf(cells) ?? first;
    return [
      {
        name: alone ? cell.cell_id : `shard-${String(at + 1).padStart(width, "0")}-of-${count}`,
        shard: `${at + 1}/${count}${fingerprint === undefined ? "" : `@${fingerprint}`}`,
        cells: cells.length,
        platform: cell.platform,
        runner: runsOn(chief),
        ...(alone
          ? { cell_id: cell.cell_id, manifest_id: cell.manifest_id, plan_id: cell.plan_ids[0] ?? "" }
          : {}),
      },
    ];
  });
}

/**
 * The CI matrix of a plan's shards, as the system reads it.
 * @throws FactoryError JOB_NAME_COLLISION; USAGE where more shards have work to do than the system takes jobs
 */
export function ciMatrix<D>(
  system: MatrixSystem<D>,
  shards: readonly (readonly PlannedCell[])[],
  options: MatrixOptions,
): D {
  const { title, matrix } = system;
  const jobs = jobsOf(shards, options);
  if (jobs.length > matrix.maxJobs) {
    throw new FactoryError(
      "USAGE",
      `${jobs.length} shards have work to do, and ${title} takes ${matrix.maxJobs} jobs in one matrix`,
      { fix: `use --max-jobs ${matrix.maxJobs}: a job then runs several cells` },
    );
  }
  const findings = jobNameFindings(jobs, matrix);
  if (findings.length > 0) throw errorOf(findings);
  return matrix.document(jobs);
}

/** Writes the matrix of a CI system: a job for each shard that has work to do, on a pool's machine or one of the system's own. */
export function matrixWriter(system: MatrixSystem): WriteFormat {
  return ({ catalog, sharded, maxJobs }) => {
    if (maxJobs !== undefined) checkMaxJobs(maxJobs, system);
    const poolFor = poolOf(catalog);
    const json = ciMatrix(system, sharded?.shards ?? [], {
      fingerprint: sharded?.fingerprint,
      runsOn: ({ cell: { platform }, keys: { gpus } }) =>
        poolFor(platform, gpus)?.runs_on ?? system.matrix.runnerFor(platform, gpus !== null),
      needed: ({ cell }) => !isDone(cell),
    });
    const text = JSON.stringify(json);
    return { count: 1, files: [{ name: "matrix.json", text }], isContent: false, document: { json } };
  };
}
