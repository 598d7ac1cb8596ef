import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../unit/workspace.ts";
import { describeEngine, docker, registry, uniqueName } from "./engine.ts";
import { factory, makeWorkspace } from "./run-workspace.ts";
import { canStartEngine, startEmptyEngine } from "./second-engine.ts";

interface Cells {
  cells: { cell_id: string; action: string; reason: string | null }[];
}
interface Results {
  results: { cell_id: string; status: string; record_id: string }[];
}
interface Strategy {
  matrix: { include: { shard: string }[] };
}

describeEngine("records through a registry", () => {
  test.skipIf(!canStartEngine)(
    "a second machine with an empty engine builds nothing, and after a change exactly what changed",
    { timeout: 600_000 },
    async () => {
      const nonce = uniqueName("nonce");
      const body = (name: string) => ({ body: `RUN --network=none echo ${name} ${nonce} > /${name}` });
      const repository = `${registry}/${uniqueName("factory-test")}`;
      const root = makeWorkspace({
        fragments: {
          core: { "0.1.0": body("core-1"), "0.2.0": body("core-2") },
          light: { "0.1.0": body("light") },
        },
        plans: { both: "axes: {core: [0.1.0, 0.2.0]}\n" },
      });
      onTestFinished(() => {
        const ids = ["0.1.0", "0.2.0"].map((version) => `core-${version}.linux-amd64`);
        docker(["image", "rm", "--force", ...ids.map((id) => `${repository}/app:${id}`)]);
      });
      const copy = (): string => {
        const other = temporaryFolder();
        cpSync(root, other, {
          recursive: true,
          filter: (path) => !/\/(\.factory|records)$/.test(path.slice(root.length)),
        });
        return other;
      };
      const remote = {
        FACTORY_REPOSITORY: repository,
        FACTORY_RECORDS_REMOTE: `oci://${repository}/records`,
      };
      const run = async (at: string, more: string[], env: Record<string, string> = {}) => {
        const argv = ["run", "--plan", "both", "--reuse", "--push", ...more, "--json"];
        const { exitCode, stdout, stderr } = await factory(at, argv, { env: { ...remote, ...env } });
        expect(exitCode, stderr + stdout).toBe(0);
        return (JSON.parse(stdout) as Results).results.map(({ cell_id, status }) => `${cell_id} ${status}`);
      };

      // Shards are handed out once, while what is proven changes from job to job.
      const planned = await factory(copy(), ["plan", "both", "--format", "github"], { env: remote });
      const [one, two] = (JSON.parse(planned.stdout) as Strategy).matrix.include.map(({ shard }) => shard);
      expect(one).toMatch(/^1\/2@/);
      const [ofOne, ofTwo] = [
        await run(copy(), ["--shard", one ?? ""]),
        await run(copy(), ["--shard", two ?? ""]),
      ];
      expect([...ofOne, ...ofTwo].sort()).toEqual([
        "app.core-0.1.0.linux-amd64 pass",
        "app.core-0.2.0.linux-amd64 pass",
      ]);

      const away = { DOCKER_HOST: await startEmptyEngine() };
      const machine = copy();
      const plan = await factory(machine, ["plan", "both", "--reuse", "--json"], {
        env: { ...remote, ...away },
      });
      expect(plan.exitCode, plan.stderr).toBe(0);
      expect((JSON.parse(plan.stdout) as Cells).cells.map(({ action }) => action)).toEqual([
        "reuse",
        "reuse",
      ]);
      expect(await run(machine, [], away)).toEqual([
        "app.core-0.1.0.linux-amd64 reused",
        "app.core-0.2.0.linux-amd64 reused",
      ]);
      const reused = ofOne.map((line) => line.replace("pass", "reused"));
      expect(await run(copy(), ["--shard", one ?? ""], away)).toEqual(reused);
      const verified = await factory(machine, ["records", "verify"]);
      expect(verified.exitCode, verified.stdout).toBe(0);
      const again = await factory(machine, ["records", "sync", "--json"], { env: remote });
      expect(JSON.parse(again.stdout)).toEqual({
        pushed: [],
        pulled: [],
        unchanged: 2,
        pruned: [],
        attached: 0,
      });

      // A tag that was moved in the registry goes back there: no image comes to this machine.
      const [moved, other] = ["0.1.0", "0.2.0"].map((v) => `${repository}/app:core-${v}.linux-amd64`);
      const rawOf = (ref = "") => docker(["buildx", "imagetools", "inspect", "--raw", ref]);
      const proven = rawOf(moved);
      docker(["buildx", "imagetools", "create", "--tag", moved ?? "", other ?? ""]);
      expect(rawOf(moved)).toBe(rawOf(other));
      expect(await run(machine, [], away)).toEqual([
        "app.core-0.1.0.linux-amd64 reused",
        "app.core-0.2.0.linux-amd64 reused",
      ]);
      expect(rawOf(moved)).toBe(proven);
      const held = execFileSync("docker", ["image", "ls", "--all", "--quiet"], {
        env: { ...process.env, ...away },
        encoding: "utf8",
      });
      expect(held).toBe("");

      // Other tests of the same bits: only the registry has these.
      const manifest = join(machine, "manifests/app.yaml");
      const before = readFileSync(manifest, "utf8");
      writeFileSync(
        manifest,
        `${before}smoke: [{id: more, command: {argv: [cat, /light], stdout: {contains: ${nonce}}}}]\n`,
      );
      const tested = await factory(
        machine,
        ["run", "--plan", "both", "--cell", "app.core-0.1.0.linux-amd64", "--reuse", "--push", "--json"],
        { env: { ...remote, ...away } },
      );
      expect(tested.exitCode, tested.stderr).toBe(0);
      expect(tested.stdout).toContain("tested again");
      expect((JSON.parse(tested.stdout) as { results: { cache: unknown }[] }).results[0]?.cache).toEqual({
        hits: 0,
        total: 0,
      });
      writeFileSync(manifest, before);

      writeFileSync(
        join(machine, "fragments/core/0.2.0/Dockerfile.hbs"),
        `RUN --network=none echo changed ${nonce} > /core\n`,
      );
      expect(await run(machine, [], away)).toEqual([
        "app.core-0.1.0.linux-amd64 reused",
        "app.core-0.2.0.linux-amd64 pass",
      ]);
    },
  );
});
