import { expect, test } from "vitest";
import { exampleWorkspace } from "../unit/example.ts";
import { describeEngine, docker } from "./engine.ts";
import { factory, imagesOfTest } from "./run-workspace.ts";

describeEngine("the example of notebooks", () => {
  test("builds a line of images, each on the one before", { timeout: 300_000 }, async () => {
    const root = exampleWorkspace("notebooks");
    const repository = imagesOfTest();
    const env = { FACTORY_REPOSITORY: repository };
    const ended = await factory(root, ["run", "--manifest-id", "scipy_notebook", "--json"], { env });
    expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ summary: { pass: 4 } });
    const says = docker(["run", "--rm", `${repository}/scipy_notebook:linux-amd64`]);
    expect(says.trim().split("\n")).toEqual([
      "base-files",
      "tini",
      "jupyterlab",
      "notebook",
      "git",
      "nano",
      "numpy",
      "pandas",
      "scipy",
    ]);
  });
});
