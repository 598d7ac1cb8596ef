import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine, registry, uniqueName } from "./engine.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";
import { tinyBase } from "./tiny-base.ts";

interface Listed {
  refs: {
    tag: string;
    kind: string;
    fragment: string;
    size: number;
    made: string;
    used: boolean;
    plans: string[];
  }[];
  summary: { refs: number; used: number; missing: number; size: number };
}

describeEngine("a cache in a registry", () => {
  test("is listed, and loses what no plan uses any more", { timeout: 120_000 }, async () => {
    const nonce = uniqueName("nonce");
    const body = (name: string, more = "") =>
      `RUN --network=none echo ${name} ${nonce} ${more} > /tmp/${name}\n`;
    const root = makeWorkspace(
      {
        fragments: {
          core: { "0.1.0": { body: body("core") } },
          app: { "0.1.0": { body: body("app") }, "0.2.0": { body: body("app", "2") } },
        },
        base: tinyBase(),
        plans: { one: "axes: {app: [0.1.0]}\n" },
        cacheRepository: `${registry}/${uniqueName("factory-test-cache")}`,
      },
      imagesOfTest(),
    );
    const call = async (argv: string[]) => {
      const { exitCode, stdout, stderr } = await factory(root, [...argv, "--json"]);
      expect(exitCode, stderr + stdout).toBe(0);
      return JSON.parse(stdout) as Listed & { pruned: { tag: string }[] };
    };
    const run = () => call(["run", "--plan", "one"]);
    expect((await call(["cache", "list"])).summary).toEqual({ refs: 0, used: 0, missing: 2, size: 0 });
    await run();
    const first = await call(["cache", "list"]);
    expect(first.summary).toMatchObject({ refs: 2, used: 2, missing: 0 });
    for (const { kind, used, plans, made, size } of first.refs) {
      expect([kind, used, plans]).toEqual(["cache", true, ["one"]]);
      expect(Math.abs(Date.now() - Date.parse(made))).toBeLessThan(15 * 60_000);
      expect(size).toBeGreaterThan(100);
    }
    const plan = join(root, "control_plane/plans/one.yaml");
    writeFileSync(plan, readFileSync(plan, "utf8").replace("[0.1.0]", "[0.2.0]"));
    await run();
    const planned = await call(["cache", "prune", "--keep", "0"]);
    const app = first.refs.filter(({ fragment }) => fragment === "app").map(({ tag }) => tag);
    expect(planned.pruned.map(({ tag }) => tag)).toEqual(app);
    expect((await call(["cache", "list"])).summary.refs).toBe(3);
    await call(["cache", "prune", "--keep", "0", "--yes"]);
    const left = await call(["cache", "list"]);
    expect(left.summary).toMatchObject({ refs: 2, used: 2, missing: 0 });
    expect(left.refs.map(({ tag }) => tag)).not.toContain(app[0]);
  });
});
