import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine, registry, uniqueName } from "../../engine/engine.ts";
import { factory, makeWorkspace } from "../../engine/run-workspace.ts";

/** The tags that the registry has of a repository. */
async function tagsOf(repository: string): Promise<string[]> {
  const [host, ...path] = repository.split("/");
  const answer = await fetch(`http://${host}/v2/${path.join("/")}/tags/list`);
  if (answer.status === 404) return [];
  return ((await answer.json()) as { tags: string[] | null }).tags ?? [];
}

/** What plain bake says of a group, a line a step. */
function bake(root: string, ...targets: string[]): string {
  const argv = ["-c", 'exec docker buildx bake --progress=plain -f out/docker-bake.hcl "$@" 2>&1', "sh"];
  return execFileSync("sh", [...argv, ...targets], { cwd: root, encoding: "utf8", timeout: 240_000 });
}

describeEngine("plain docker buildx bake", () => {
  test(
    "B2.8 the group of prefixes fills the cache refs, and the cells read all of them",
    { timeout: 600_000 },
    async () => {
      const nonce = uniqueName("nonce");
      const body = (name: string) => ({ body: `RUN --network=none echo ${name} ${nonce} > /${name}` });
      const cache = `${registry}/${uniqueName("factory-test-cache")}`;
      const root = makeWorkspace({
        fragments: {
          security: { "0.1.0": body("security") },
          core: { "0.1.0": body("core") },
          light: { "0.1.0": body("light-1"), "0.2.0": body("light-2") },
        },
        plans: { siblings: "axes: {light: [0.1.0, 0.2.0]}\n" },
        cacheRepository: cache,
      });
      const planned = await factory(root, [
        "plan",
        "siblings",
        "--format",
        "bake",
        "-o",
        "out/docker-bake.hcl",
      ]);
      expect(planned.exitCode, planned.stderr).toBe(0);
      const text = readFileSync(join(root, "out/docker-bake.hcl"), "utf8");
      expect(text).toMatch(/^# Made by `factory plan siblings --format bake`/);
      expect(text).toContain("docker buildx bake -f THIS_FILE prefixes");
      const shared = [
        ...text.matchAll(/cache-to = \["type=registry,ref=[^,]+:((?:security|core)-[^,]+),/g),
      ].map(([, tag = ""]) => tag);
      expect(shared).toHaveLength(2);
      expect(await tagsOf(cache)).toEqual([]);

      bake(root, "prefixes");
      expect((await tagsOf(cache)).sort()).toEqual([...shared].sort());

      const said = bake(root);
      for (const tag of shared) {
        const [step] =
          new RegExp(`^#\\d+ \\[[^\\]]+\\] importing cache manifest from ${cache}:${tag}`, "m").exec(said) ??
          [];
        expect(step, said).toBeDefined();
        expect(said).not.toContain(`${step?.split(" ")[0]} ERROR`);
      }
      expect(await tagsOf(cache)).toHaveLength(4);
    },
  );
});
