import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { describeEngine, registry, uniqueName } from "./engine.ts";
import { factory, makeWorkspace } from "./run-workspace.ts";
import { canStartEngine, startEmptyEngine } from "./second-engine.ts";

describeEngine("registry cache refs of prefixes", () => {
  test.skipIf(!canStartEngine)(
    "a new sibling cell on an empty builder runs only its own steps",
    { timeout: 600_000 },
    async () => {
      const nonce = uniqueName("nonce");
      const body = (name: string) => ({ body: `RUN --network=none echo ${name} ${nonce} > /${name}` });
      const root = makeWorkspace({
        fragments: {
          security: { "0.1.0": body("security") },
          core: { "0.1.0": body("core") },
          light: { "0.1.0": body("light-1"), "0.2.0": body("light-2") },
          top: { "0.1.0": body("top") },
        },
        plans: { siblings: "axes: {light: [0.1.0, 0.2.0]}\n" },
        cacheRepository: `${registry}/${uniqueName("factory-test-cache")}`,
      });
      const first = await factory(root, [
        "run",
        "--plan",
        "siblings",
        "--cell",
        "app.light-0.1.0.linux-amd64",
        "--json",
      ]);
      expect(first.exitCode, first.stderr).toBe(0);

      const host = await startEmptyEngine();
      const sibling = await factory(
        root,
        ["run", "--plan", "siblings", "--cell", "app.light-0.2.0.linux-amd64", "--json"],
        {
          env: { DOCKER_HOST: host },
        },
      );
      expect(sibling.exitCode, sibling.stderr + sibling.stdout).toBe(0);
      const { results } = JSON.parse(sibling.stdout) as { results: { record: string }[] };
      const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
      expect(record.cache).toEqual({ hits: 2, total: 4 });
    },
  );
});
