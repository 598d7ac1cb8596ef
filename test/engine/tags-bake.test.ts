import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { copyReference, factory, temporaryFolder, writeFiles } from "../unit/workspace.ts";
import { describeEngine } from "./engine.ts";

interface Printed {
  group: Record<string, { targets: string[] }>;
  target: Record<string, { dockerfile?: string; platforms?: string[]; tags?: string[] }>;
}

describeEngine("factory tags --format bake", () => {
  it("gives the targets of a plan's bake file their tags, and changes nothing else", () => {
    const root = copyReference();
    const event = {
      pull_request: { number: 12, head: { sha: "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c", repo: null } },
    };
    const folder = temporaryFolder();
    writeFiles(folder, { "event.json": JSON.stringify(event) });
    const stdoutOf = (...argv: string[]) => {
      const { status, stdout, stderr } = factory(root, argv);
      expect(status, stderr).toBe(0);
      return stdout;
    };
    writeFiles(root, {
      "docker-bake.hcl": stdoutOf("plan", "baseline_core_light", "--format", "bake"),
      "tags.hcl": stdoutOf("tags", "--format", "bake", "--event", `${folder}/event.json`),
    });
    const print = (...files: string[]) => {
      const argv = ["buildx", "bake", ...files.flatMap((file) => ["--file", file]), "--print"];
      const printed = execFileSync("docker", argv, {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      return JSON.parse(printed) as Printed;
    };
    const before = print("docker-bake.hcl");
    const after = print("docker-bake.hcl", "tags.hcl");
    expect(after.group).toEqual(before.group);
    const given = new Set<string>();
    for (const [name, target] of Object.entries(before.target)) {
      const { tags = [], ...rest } = after.target[name] ?? {};
      const { tags: own = [], ...same } = target;
      expect(rest).toEqual(same);
      expect(tags.slice(0, own.length)).toEqual(own);
      const more = tags.slice(own.length);
      if (own.length > 0) expect(more.length).toBeGreaterThan(0);
      for (const tag of more) {
        expect(tag).toMatch(
          /^127\.0\.0\.1:5000\/products\/llm_factory:pr-12-0d1a26e(-core\S+)?-linux-(amd|arm)64$/,
        );
        expect(tag.endsWith((target.platforms?.[0] ?? "").replace("/", "-"))).toBe(true);
        // What two targets push under one tag, the last one has.
        expect(given.has(tag)).toBe(false);
        given.add(tag);
      }
    }
    expect(given.size).toBe(8);
  });
});
