import { join } from "node:path";
import { expect, it } from "vitest";
import { filesBelow, writeFiles } from "../unit/workspace.ts";
import { describeEngine, docker, removeImageAfterwards, temporaryFolder, uniqueName } from "./engine.ts";
import { factory, project } from "./run-workspace.ts";

describeEngine("examples/python-images", () => {
  it("builds, tests and records: the image has what the builder made, and no more of it", async () => {
    const root = temporaryFolder();
    writeFiles(root, filesBelow(join(project, "examples/python-images")));
    const repository = uniqueName("python-images");
    const cell = "compile-3.13.1.post1.variant-dev.linux-amd64";
    const image = `${repository}/python:${cell}`;
    removeImageAfterwards(image);
    const ended = await factory(root, ["run", "--plan", "python", "--cell", `python.${cell}`, "--json"], {
      env: { FACTORY_REPOSITORY: repository },
    });
    expect(ended.exitCode, ended.stderr).toBe(0);
    const { results } = JSON.parse(ended.stdout) as { results: { status: string }[] };
    expect(results.map(({ status }) => status)).toEqual(["pass"]);
    const script =
      "python3 --version; python3 --modules; ls -d /src /usr/local/include 2>/dev/null; echo $TZ $LANG";
    const said = docker(["run", "--rm", "--network", "none", image, "sh", "-c", script]);
    expect(said.trim().split("\n")).toEqual([
      ...["Python 3.13.1.post1", "json", "sqlite3", "tkinter", "ensurepip"],
      ...["/usr/local/include", "Etc/UTC C.UTF-8"],
    ]);
    expect((await factory(root, ["records", "verify"])).exitCode).toBe(0);
  });
});
