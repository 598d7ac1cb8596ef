import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { describeEngine, temporaryFolder } from "./engine.ts";
import { factory, imagesOfTest, project } from "./run-workspace.ts";

describeEngine("the example of a private index", () => {
  test("builds with its token alone, and reuses without it", { timeout: 300_000 }, async () => {
    const root = join(temporaryFolder(), "private-index");
    cpSync(join(project, "examples/private-index"), root, { recursive: true });
    const env = {
      FACTORY_REPOSITORY: imagesOfTest(),
      HTTP_PROXY: "",
      HTTPS_PROXY: "",
      NO_PROXY: "",
      COMPANY_CA: "",
    };
    const args = ["run", "--manifest-id", "app", "--json"];
    const without = await factory(root, args, { env: { ...env, INDEX_TOKEN: "" } });
    expect(without.exitCode, without.stdout).toBe(3);
    expect(existsSync(join(root, "records"))).toBe(false);

    const ended = await factory(root, args, { env: { ...env, INDEX_TOKEN: "open-sesame-0123456789" } });
    expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
    const { results } = JSON.parse(ended.stdout) as { results: { record: string }[] };
    const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
    expect(record.tests.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "tool/runs pass",
      "manifest/holds-no-token pass",
    ]);
    const again = await factory(root, [...args, "--reuse"], { env: { ...env, INDEX_TOKEN: "" } });
    expect(again.exitCode, again.stderr + again.stdout).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ summary: { reused: 1 } });
  });
});
