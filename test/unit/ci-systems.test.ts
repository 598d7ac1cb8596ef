import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CI_SYSTEMS, detectCi, runsInCi } from "../../src/ci/detect.ts";
import { github } from "../../src/ci/github.ts";
import { none } from "../../src/ci/none.ts";
import type { CiSystem } from "../../src/ci/system.ts";
import type { PlanFormat } from "../../src/plan/formats/format.ts";
import { PLAN_FORMATS } from "../../src/plan/formats/formats.ts";
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

  it.each([
    ["linux/amd64", false, "ubuntu-24.04"],
    ["linux/arm64", false, "ubuntu-24.04-arm"],
    ["linux/riscv64", false, "ubuntu-24.04"],
    ["linux/amd64", true, ["self-hosted", "linux", "amd64", "gpu"]],
    ["linux/arm64", true, ["self-hosted", "linux", "arm64", "gpu"]],
  ])("has a machine for %s, with GPUs: %s", (platform, gpus, runner) => {
    expect(github.matrix.runnerFor(platform, gpus)).toEqual(runner);
  });

  it("is a file and a line each, by one name, and a format where it takes a matrix", async () => {
    const files = readdirSync(join(repository, "src/ci")).sort();
    const names = Object.keys(CI_SYSTEMS);
    expect(files).toEqual([...names, "detect", "system"].map((name) => `${name}.ts`).sort());
    for (const [name, { title, matrix }] of Object.entries<CiSystem>(CI_SYSTEMS)) {
      const format = Object.entries<PlanFormat>(PLAN_FORMATS).find(([one]) => one === name)?.[1];
      if (matrix === null) expect(format).toBeUndefined();
      else {
        expect(title).toBeTruthy();
        expect(format).toMatchObject({ description: matrix.description, maxJobs: matrix.maxJobs });
        await expect(format?.load()).resolves.toHaveProperty("write");
      }
    }
  });

  it("is named in src/ci alone", () => {
    const argv = ["-rlE", "GITHUB_|GITLAB_|BUILDKITE|CIRCLECI", "src", "--include=*.ts"];
    const files = execFileSync("grep", argv, { cwd: repository, encoding: "utf8" }).trim().split("\n");
    expect(files).toContain("src/ci/github.ts");
    for (const file of files) expect(file).toMatch(/^src\/ci\//);
  });
});
