import type { Finding } from "../errors.ts";

/** The environment of a process, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One job of a matrix: a shard, run with `factory run --shard`. */
export interface CiJob {
  /** Unique in the matrix: the id of its only cell, or `shard-003-of-256`. */
  name: string;
  /** `3/256`, or `3/256@1a2b3c4d5e6f` with the partition's fingerprint, for `--shard`. */
  shard: string;
  /** How many cells the shard has. */
  cells: number;
  platform: string;
  /** The words that choose its machine. */
  runner: string | string[];
  /** These three only if the shard is one cell. */
  cell_id?: string;
  manifest_id?: string;
  /** The first plan that asks for the cell; empty for a manifest by itself. */
  plan_id?: string;
}

/** How a system is given many jobs at once. */
export interface CiMatrix {
  /** What the matrix is, in a few words for the help of `factory plan --format`. */
  description: string;
  /** The system's own limit on the jobs of one matrix. */
  maxJobs: number;
  /** The words for a machine that the system itself offers, for a platform that no pool of the workspace takes. */
  runnerFor: (platform: string, gpus: boolean) => string | string[];
  /** Two job names for which this gives the same text are one name to the system, such as in the names of artifacts. */
  sameName: (name: string) => string;
  /** The matrix as the system reads it. */
  document: (jobs: readonly CiJob[]) => unknown;
}

/** Why a job runs, as its system says. A commit is a whole hash; null if the system does not name it. */
export type CiEvent =
  /** `fork`: its commits are those of another repository. */
  | { kind: "pull_request"; number: number; commit: string; fork: boolean }
  | { kind: "branch"; branch: string; is_default: boolean; commit: string | null }
  /** `prerelease`: somebody says so, whatever the tag's name is. */
  | { kind: "tag"; tag: string; prerelease: boolean; commit: string | null }
  /** A branch as it would be if some pull requests were merged. */
  | { kind: "merge_queue"; commit: string }
  /** A branch or tag was deleted, a release taken back: there is nothing to build. */
  | { kind: "gone" }
  | { kind: "other" };

/** How a system says why a job runs. */
export interface CiEvents {
  /** Which file to name, for people. */
  fix: string;
  /** The file with the event; undefined if the environment names none. */
  path: (env: Environment) => string | undefined;
  /** Reads an event. @param payload JSON that anybody may have written @throws FactoryError EVENT_INVALID */
  read: (payload: unknown) => CiEvent;
}

/** What Factory knows of a CI system. */
export interface CiSystem {
  /** The name as people write it; null for `none`. */
  title: string | null;
  /** Whether this process runs in one of its jobs. */
  isHere: (env: Environment) => boolean;
  /** The address of the job that runs this process; null if it is not known. */
  jobUrl: (env: Environment) => string | null;
  /** null if the system has no matrix. */
  matrix: CiMatrix | null;
  /** null if the system has no events that can be read. */
  events: CiEvents | null;
}

/** Findings about jobs with the name of an earlier one: the artifact of one would replace that of the other. */
export function jobNameFindings(
  jobs: readonly Pick<CiJob, "name">[],
  { sameName }: Pick<CiMatrix, "sameName">,
): Finding[] {
  const seen = new Map<string, { name: string; at: number }>();
  return jobs.flatMap(({ name }, at): Finding[] => {
    const key = sameName(name);
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
        fix: "remove one of the two cells from the plan, or give one of the manifests another id",
      },
    ];
  });
}
