import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine, uniqueName } from "./engine.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";
import { tinyBase } from "./tiny-base.ts";

interface Ran {
  results: { status: string; image: { ref: string } | null; record: string; notes: string[] }[];
}

/** An npm package as npm leaves it, without npm. */
const npm = (name: string, license: string) =>
  `mkdir -p /opt/node_modules/${name} && printf '{"name":"${name}","version":"1.0.0","license":"${license}"}' > /opt/node_modules/${name}/package.json`;

/** Two fragments: `core` brings 300 kB and a package under MIT, `light` 10 kB and one under two licences. */
const workspace = (smoke: string, repository: string) =>
  makeWorkspace(
    {
      fragments: {
        core: {
          "0.1.0": {
            body: `RUN --network=none echo ${uniqueName("nonce")} > /nonce && ${npm("left-pad", "MIT")}\nRUN --network=none i=0; while [ $i -lt 30000 ]; do echo 123456789; i=$((i+1)); done > /big`,
            yaml: "smoke: [{id: small, budget: {of: self, size: 400 kB, layers: 2, packages: 1, licenses: [MIT]}}]\n",
          },
        },
        light: { "0.1.0": { body: `RUN --network=none ${npm("both", "(MIT AND Zlib)")}` } },
      },
      base: tinyBase(),
      manifest: `smoke: [${smoke}]\n`,
    },
    repository,
  );

async function ran(root: string, argv: string[], exit: number) {
  const { exitCode, stdout, stderr } = await factory(root, [...argv, "--json"]);
  expect(exitCode, stderr + stdout).toBe(exit);
  return JSON.parse(stdout) as unknown;
}

describeEngine("budgets of fragments", () => {
  test(
    "count what each brought into a real image, in a run, for `smoke`, and after a repack",
    { timeout: 240_000 },
    async () => {
      const repository = imagesOfTest();
      const root = workspace(
        "{id: base-is-small, budget: {of: base, size: 20 MB, packages: 0}}, {id: whole, budget: {packages: 2, licenses: [MIT, Zlib]}}",
        repository,
      );
      const { results } = (await ran(root, ["run", "--all"], 0)) as Ran;
      expect(results.map(({ status }) => status)).toEqual(["pass"]);
      const ref = results[0]?.image?.ref ?? "";
      await ran(root, ["smoke", ref, "--manifest-id", "app"], 0);
      const repacked = (await ran(root, ["repack", "app.linux-amd64", "--with", "zstd"], 0)) as {
        status: string;
      };
      expect(repacked.status).toBe("pass");
    },
  );

  test("fail the cell where one is exceeded, and say by what", { timeout: 120_000 }, async () => {
    const root = workspace(
      "{id: core, budget: {of: core, size: 100 kB, layers: 1}}, {id: light, budget: {of: light, packages: 0}}, {id: licences, budget: {licenses: [MIT]}}",
      imagesOfTest(),
    );
    const { results } = (await ran(root, ["run", "--all"], 1)) as Ran;
    expect(results[0]?.status).toBe("fail");
    const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as {
      result: { log_excerpt: string[] };
    };
    const said = record.result.log_excerpt.map((line) => line.replace(/[\d.]+ kB \(\d+ bytes\)/, "… kB"));
    expect(said).toEqual([
      "manifest/core: expected at most 1 layers of core; at most 100.0 kB unpacked of core",
      "manifest/core: got 2 layers; … kB",
      "manifest/light: expected at most 0 packages of light",
      "manifest/light: got 1 packages",
      "manifest/licences: expected only licences of the list",
      'manifest/licences: got "both" "1.0.0": "(MIT AND Zlib)"',
    ]);
  });
});
