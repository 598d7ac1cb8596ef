import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { describeEngine, docker, temporaryFolder } from "./engine.ts";
import { factory, imagesOfTest, project } from "./run-workspace.ts";

describeEngine("the example of services", () => {
  test("builds a service with its own files, and without what is ignored", { timeout: 300_000 }, async () => {
    const root = join(temporaryFolder(), "services");
    cpSync(join(project, "examples/services"), root, { recursive: true, verbatimSymlinks: true });
    mkdirSync(join(root, "services/billing/node_modules/tea"), { recursive: true });
    writeFileSync(join(root, "services/billing/node_modules/tea/index.js"), "tea\n");
    writeFileSync(join(root, "services/billing/today.log"), "busy\n");
    writeFileSync(join(root, "services/billing/next.draft.txt"), "soon\n");
    const env = { FACTORY_REPOSITORY: imagesOfTest() };
    const run = ["run", "--manifest-id", "billing", "--json"];
    const ended = await factory(root, run, { env });
    expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
    const { results } = JSON.parse(ended.stdout) as {
      results: { record: string; image: { digest: string } }[];
    };
    const found = docker([
      "run",
      "--rm",
      results[0]?.image.digest ?? "",
      "find",
      "/srv",
      "-printf",
      "%y %m %P %l\n",
    ]);
    expect(found.trim().split("\n").sort()).toEqual([
      "d 755  ",
      "d 755 src ",
      "f 644 price list.txt ",
      "f 644 src/[slug].tsx ",
      "f 755 start.sh ",
      "l 777 current src",
    ]);
    const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
    expect(record.sources).toMatchObject([{ path: "services/billing", entries: 6 }]);
    expect(Object.keys(record.evidence)).toContain("source_files");
    expect((await factory(root, ["records", "verify"])).exitCode).toBe(0);

    writeFileSync(join(root, "services/billing/today.log"), "busier\n");
    const again = await factory(root, [...run, "--reuse"], { env });
    expect(JSON.parse(again.stdout)).toMatchObject({ summary: { reused: 1 } });
    // A listing that is not the one of the inputs is found out.
    const { source_files: listing } = record.evidence;
    const file = join(root, "records/billing", listing?.path ?? "");
    writeFileSync(file, readFileSync(file, "utf8").replace("start.sh", "start.sX"));
    expect((await factory(root, ["records", "verify"])).exitCode).toBe(1);
  });
});
