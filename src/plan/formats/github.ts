import { github } from "../../ci/github.ts";
import { poolOf } from "../pools.ts";
import type { WriteFormat } from "./format.ts";
import { checkMaxJobs, ciMatrix } from "./matrix.ts";

/** As many jobs as GitHub takes. */
export const { maxJobs } = github.matrix;

/** `--format github` */
export const write: WriteFormat = ({ catalog, sharded, maxJobs: asked }) => {
  if (asked !== undefined) checkMaxJobs(asked, github);
  const runnerOf = poolOf(catalog, github.matrix);
  const json = ciMatrix(github, sharded?.shards ?? [], {
    fingerprint: sharded?.fingerprint,
    runsOn: ({ cell, keys }) => runnerOf(cell.platform, keys.gpus).runs_on,
    needed: ({ cell }) => cell.action !== "reuse",
  });
  const text = JSON.stringify(json);
  return { count: 1, files: [{ name: "strategy.json", text }], isContent: false, document: { json } };
};
