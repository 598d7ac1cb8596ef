import { FactoryError } from "../errors.ts";
import type { PlannedCell } from "./cell.ts";

/** One job of the CI matrix. Every value is a plain text, or a list of texts for `runs-on`. */
export interface MatrixEntry {
  cell_id: string;
  manifest_id: string;
  platform: string;
  /** For `runs-on`. */
  runner: string | string[];
}

/** The whole `strategy` of a GitHub Actions job. */
export interface Strategy {
  "fail-fast": false;
  matrix: { include: MatrixEntry[] };
}

/** GitHub's own limit on the jobs of one matrix. */
const MAX_JOBS = 256;

const RUNNERS: Record<string, string> = {
  "linux/amd64": "ubuntu-24.04",
  "linux/arm64": "ubuntu-24.04-arm",
};

function runnerOf({ cell, stitched }: PlannedCell): string | string[] {
  if (stitched.gpus !== null) return ["self-hosted", "linux", cell.platform.split("/")[1] ?? "amd64", "gpu"];
  return RUNNERS[cell.platform] ?? "ubuntu-24.04";
}

/**
 * The CI matrix of a plan: one job a cell, on a runner of the cell's platform.
 * @throws FactoryError MATRIX_TOO_LARGE over 256 jobs, which GitHub refuses
 */
export function githubStrategy(cells: readonly PlannedCell[]): Strategy {
  if (cells.length > MAX_JOBS) {
    throw new FactoryError(
      "MATRIX_TOO_LARGE",
      `the plan has ${cells.length} cells, and GitHub takes ${MAX_JOBS} jobs in one matrix`,
      {
        fix: "split the plan, or narrow its axes",
      },
    );
  }
  return {
    "fail-fast": false,
    matrix: {
      include: cells.map((planned) => ({
        cell_id: planned.cell.cell_id,
        manifest_id: planned.cell.manifest_id,
        platform: planned.cell.platform,
        runner: runnerOf(planned),
      })),
    },
  };
}
