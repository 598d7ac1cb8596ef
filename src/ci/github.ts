import { withoutUserinfo } from "../model/userinfo.ts";
import type { CiJob, CiMatrix, CiSystem } from "./system.ts";

/** The `strategy` of a job of GitHub Actions. */
export interface Strategy {
  "fail-fast": false;
  matrix: { include: CiJob[] };
}

/** Machines that GitHub offers. */
const HOSTED: Readonly<Record<string, string>> = {
  "linux/amd64": "ubuntu-24.04",
  "linux/arm64": "ubuntu-24.04-arm",
};

const matrix = {
  description: "the strategy of a GitHub Actions job",
  maxJobs: 256,
  // A platform for which GitHub has no machine is emulated.
  runnerFor: (platform, gpus) =>
    gpus
      ? ["self-hosted", "linux", platform.split("/")[1] ?? "amd64", "gpu"]
      : (HOSTED[platform] ?? "ubuntu-24.04"),
  sameName: (name) => name.toLowerCase(),
  document: (jobs): Strategy => ({ "fail-fast": false, matrix: { include: [...jobs] } }),
} as const satisfies CiMatrix;

/** GitHub Actions. */
export const github = {
  title: "GitHub",
  isHere: ({ GITHUB_ACTIONS }) => GITHUB_ACTIONS === "true",
  jobUrl: ({ GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID }) => {
    if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY || !GITHUB_RUN_ID) return null;
    return withoutUserinfo(`${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`);
  },
  matrix,
} as const satisfies CiSystem;
