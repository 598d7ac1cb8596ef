import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { detectCi, runsInCi } from "../../src/ci/detect.ts";
import { github } from "../../src/ci/github.ts";
import { none } from "../../src/ci/none.ts";
import { repository } from "./workspace.ts";

const JOB = {
  GITHUB_ACTIONS: "true",
  GITHUB_SERVER_URL: "https://github.example",
  GITHUB_REPOSITORY: "team/images",
  GITHUB_RUN_ID: "42",
};

describe("the CI system of a process", () => {
  it("is GitHub in a job of GitHub's, and none elsewhere", () => {
    expect(detectCi(JOB)).toBe(github);
    for (const env of [{}, { CI: "true" }, { GITHUB_ACTIONS: "false" }, { GITHUB_REPOSITORY: "team/images" }])
      expect(detectCi(env)).toBe(none);
    expect(none.jobUrl()).toBeNull();
  });

  it("is asked for, whether it is known or not", () => {
    expect([{}, { CI: "" }, { CI: "false" }].map(runsInCi)).toEqual([false, false, false]);
    expect([{ CI: "1" }, { CI: "true" }, { GITHUB_ACTIONS: "true" }].map(runsInCi)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("names its job by an address without a user or password", () => {
    expect(github.jobUrl(JOB)).toBe("https://github.example/team/images/actions/runs/42");
    expect(github.jobUrl({ ...JOB, GITHUB_SERVER_URL: "https://me:tok@github.example" })).toBe(
      "https://***@github.example/team/images/actions/runs/42",
    );
    for (const name of ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"])
      expect(github.jobUrl({ ...JOB, [name]: "" })).toBeNull();
  });

  it("is named in src/ci alone", () => {
    const argv = ["-rlE", "GITHUB_|GITLAB_|BUILDKITE|CIRCLECI", "src", "--include=*.ts"];
    const files = execFileSync("grep", argv, { cwd: repository, encoding: "utf8" }).trim().split("\n");
    expect(files).toEqual(["src/ci/github.ts"]);
  });
});
