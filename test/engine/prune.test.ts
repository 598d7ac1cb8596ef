import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine, docker, registry, temporaryFolder, uniqueName } from "./engine.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";

interface Pruned {
  pruned: { tag: string; kind: string }[];
  kept: { tag: string; why: string }[];
  error?: { code: string };
}

describeEngine("prune", () => {
  test(
    "deletes what publish marked and is old, from a real registry; what stays can be pulled whole",
    { timeout: 300_000 },
    async () => {
      const repository = imagesOfTest(`${registry}/`);
      const root = makeWorkspace(
        {
          fragments: { core: { "0.1.0": { body: 'COPY {{file "hello"}} /hello' } } },
          base: "scratch",
          manifest: "smoke:\n  - {id: hello, file: {path: /hello, exists: true}}\n",
          plans: { all: "axes: {core: [0.1.0]}\n" },
        },
        repository,
      );
      const product = `${repository}/public`;
      for (const folder of ["products", "policies"]) mkdirSync(join(root, `control_plane/${folder}`));
      writeFileSync(
        join(root, "control_plane/products/app.yaml"),
        `schema_version: 1\nproduct_id: app\nmanifest_id: app\nrepository: ${product}\ntags: [latest]\n`,
      );
      const git = (...argv: string[]) =>
        execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example", ...argv], { cwd: root });
      git("init", "-q");
      const call = async (argv: string[], expected = 0): Promise<Pruned> => {
        const { exitCode, stdout, stderr } = await factory(root, [...argv, "--json"]);
        expect(exitCode, stderr + stdout).toBe(expected);
        return JSON.parse(stdout) as Pruned;
      };
      /** Builds another image, and publishes it as a pull request's. */
      const publish = async (number: number): Promise<string> => {
        writeFileSync(join(root, "fragments/core/0.1.0/hello"), uniqueName("hello"));
        git("add", "-A");
        git("commit", "-qm", String(number));
        await call(["run", "--plan", "all", "--push"]);
        const commit = git("rev-parse", "HEAD").toString().trim();
        const event = join(temporaryFolder(), "event.json");
        const head = { sha: commit, ref: "x", repo: { full_name: "team/app" } };
        writeFileSync(
          event,
          JSON.stringify({
            pull_request: { number, head, base: { ref: "main", repo: { full_name: "team/app" } } },
          }),
        );
        await call(["publish", "--product", "app", "--event", event]);
        return `pr-${number}-${commit.slice(0, 7)}`;
      };
      const tags = () =>
        (
          JSON.parse(
            execFileSync("oras", ["repo", "tags", "--plain-http", "--format", "json", product], {
              encoding: "utf8",
            }),
          ) as { tags: string[] }
        ).tags
          .filter((tag) => !tag.startsWith("sha256-") && !tag.startsWith("_"))
          .sort();
      const first = await publish(1);
      const second = await publish(2);
      await call(["publish", "--product", "app"]);
      expect(tags()).toEqual(expect.arrayContaining(["latest", first, second]));

      // Written right now, they stay.
      expect(await call(["prune"])).toMatchObject({ pruned: [], kept: [] });
      // By another clock a week later, the first one goes; the second one is what `latest` names.
      const later = {
        NODE_OPTIONS: `--import=${JSON.stringify(laterBy(8 * 24 * 3600 * 1000)).slice(1, -1)}`,
      };
      const { exitCode, stdout, stderr } = await factory(
        root,
        ["prune", "--yes", "--max-share", "0.9", "--json"],
        { env: later },
      );
      expect(exitCode, stderr + stdout).toBe(0);
      const done = JSON.parse(stdout) as Pruned;
      expect(done.pruned.map(({ tag, kind }) => [tag, kind])).toContainEqual([first, "pull_request"]);
      expect(done.kept.map(({ tag }) => tag)).toContain(second);
      expect(tags()).toEqual(expect.not.arrayContaining([first]));
      docker(["pull", "--quiet", `${product}:latest`]);
      expect((await call(["prune"])).pruned).toEqual([]);
    },
  );
});

/** A module that sets the clock of a process forward. @returns its address */
function laterBy(ms: number): string {
  const file = join(temporaryFolder(), "later.mjs");
  writeFileSync(file, `const now = Date.now;\nDate.now = () => now() + ${ms};\n`);
  return `file://${file}`;
}
