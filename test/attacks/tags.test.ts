import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BUILT, proven } from "../unit/reuse-world.ts";
import {
  cleanEnv,
  cli,
  factory,
  makeWorkspace,
  SMALL,
  temporaryFolder,
  writeFiles,
} from "../unit/workspace.ts";

const COMMIT = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c";
const PRODUCT = {
  "control_plane/products/public.yaml": `schema_version: 1
product_id: public
manifest_id: demo
repository: registry.example/public
tags: ["{{core.version}}", latest]
`,
};

const NO_ENGINE = () => ({ DOCKER_HOST: `unix://${temporaryFolder()}/none.sock` });

const pull = (sha = COMMIT) => ({ pull_request: { number: 12, head: { sha, repo: null } } });
const push = (ref: string) => ({ ref, after: COMMIT, repository: { default_branch: "main" } });

/** A workspace with a product whose one cell passed an hour ago. */
async function published(): Promise<string> {
  const { root } = await proven({ at: Date.now() - 3_600_000 });
  writeFiles(root, PRODUCT);
  rmSync(join(root, "control_plane/plans/grid.yaml"));
  return root;
}

/** A workspace with a product, without records. */
const unproven = () => makeWorkspace({ ...SMALL, ...PRODUCT, "control_plane/plans/grid.yaml": null });

function tagsIn(root: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = factory(root, ["tags", ...argv, "--json"], { ...NO_ENGINE(), ...env });
  const json = JSON.parse(stdout) as {
    tags?: { ref: string; record_ids: string[] }[];
    missing?: { what: string; why: string }[];
    error?: { code: string };
  };
  return { status, stderr, ...json, refs: json.tags?.map(({ ref }) => ref.split(":").at(-1)) };
}

/** Tags by an event that somebody wrote. */
function tagsBy(root: string, event: unknown) {
  const file = join(temporaryFolder(), "event.json");
  writeFileSync(file, typeof event === "string" ? event : JSON.stringify(event));
  return tagsIn(root, ["--event", file]);
}

describe("tags", () => {
  it("9.4 a public tag stands only for what a record proves, and an edited record proves nothing", async () => {
    const root = await published();
    const { status, tags, missing } = tagsIn(root, []);
    expect(status).toBe(0);
    expect(missing).toEqual([]);
    expect(tags?.map(({ ref }) => ref)).toEqual([
      "registry.example/public:0.1.1",
      "registry.example/public:latest",
    ]);
    expect(tags?.map(({ record_ids }) => record_ids.length)).toEqual([1, 1]);
    const folder = join(root, "records/demo");
    const name = readdirSync(folder).find((one) => one.endsWith(".json")) ?? "";
    const text = readFileSync(join(folder, name), "utf8");
    expect(text).toContain(BUILT);
    writeFileSync(join(folder, name), text.replaceAll(BUILT, `sha256:${"9".repeat(64)}`));
    const forged = tagsIn(root, []);
    expect(forged).toMatchObject({ status: 2, error: { code: "EVIDENCE_MISMATCH" } });
  });

  it("9.4 a pull request gets no public tag, however it is written, and whatever is proven", async () => {
    const root = await published();
    const before = tagsBy(root, pull());
    expect(before.refs).toEqual(["pr-12-0d1a26e"]);
    // A name of another event beside it, or one behind its prototype, changes nothing.
    expect(tagsBy(root, { ...push("refs/heads/main"), ...pull() }).refs).toEqual(before.refs);
    const behind = `{"__proto__": ${JSON.stringify(push("refs/tags/v1.0.0"))}, "action": "opened"}`;
    expect(tagsBy(root, behind).refs).toEqual([]);
  });

  it("9.4 a branch takes the tag of no pull request and no commit, and says nothing to a terminal", () => {
    const root = unproven();
    for (const name of ["PR/12", "\u001b]0;x\u0007sha", "x\ny"]) {
      const { status, refs, stderr } = tagsBy(root, push(`refs/heads/${name}`));
      expect(status, name).toBe(0);
      expect(refs, name).toHaveLength(2);
      expect(refs?.[0], name).toMatch(/^(?!pr-\d+-0|sha-0)[a-z0-9_][a-z0-9._-]*-0d1a26e$/);
      expect(refs?.[1], name).toBe("sha-0d1a26e");
      expect(stderr, name).not.toContain("\u001b");
    }
  });

  it("9.4 an event that is no file, too large or no event is refused, and hangs nothing", () => {
    const root = unproven();
    const folder = temporaryFolder();
    execFileSync("mkfifo", [join(folder, "pipe")]);
    writeFileSync(join(folder, "large"), "{");
    truncateSync(join(folder, "large"), (25 << 20) + 1);
    symlinkSync("loop", join(folder, "loop"));
    for (const name of ["pipe", "large", "loop", "none", ".", "/dev/zero"]) {
      const { status, error } = tagsIn(root, ["--event", join(folder, name).replace(/^.*\/dev\//, "/dev/")]);
      expect([name, status, error?.code]).toEqual([name, 2, "FILE_UNREADABLE"]);
    }
    for (const text of [
      "",
      "{",
      "[".repeat(1 << 20),
      "null",
      '"x"',
      JSON.stringify(pull("HEAD; rm -rf /")),
    ]) {
      const { status, error } = tagsBy(root, text);
      expect([text.slice(0, 20), status, error?.code]).toEqual([text.slice(0, 20), 2, "EVENT_INVALID"]);
    }
  });

  it("9.4 an event may come through a pipe, and in a job from where the system says, but only there", () => {
    const root = unproven();
    const { status, stdout } = spawnSync(process.execPath, [cli, "tags", "--event", "-"], {
      cwd: root,
      env: cleanEnv(NO_ENGINE()),
      encoding: "utf8",
      input: JSON.stringify(pull()),
    });
    expect([status, stdout]).toEqual([0, "registry.example/public:pr-12-0d1a26e\n"]);
    const file = join(temporaryFolder(), "event.json");
    writeFileSync(file, JSON.stringify(pull()));
    expect(tagsIn(root, [], { GITHUB_ACTIONS: "true", GITHUB_EVENT_PATH: file }).refs).toEqual([
      "pr-12-0d1a26e",
    ]);
    expect(tagsIn(root, [], { GITHUB_ACTIONS: "", GITHUB_EVENT_PATH: file }).refs).toEqual([]);
  });

  it("9.4 git's names are of this workspace's repository, whatever the environment says, and are only texts", () => {
    const root = unproven();
    const git = (...argv: string[]) =>
      execFileSync("git", ["-C", root, "-c", "user.name=t", "-c", "user.email=t@example.com", ...argv], {
        encoding: "utf8",
        env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
      });
    git("init", "--quiet", "--initial-branch=Feature/X");
    git("commit", "--quiet", "--allow-empty", "--message=one");
    for (const tag of ["v1.2.3", "v1.2", "v999999999999.0.0", "v1.2.4-rc.1", "x/v3.0.0", "$(id)"])
      git("tag", tag);
    const commit = git("rev-parse", "HEAD").slice(0, 7);
    const expected = [`feature-x-${commit}`, `sha-${commit}`, "1.2.3", "1.2", "1", "1.2.4-rc.1", "latest"];
    for (const env of [{}, { GIT_DIR: "/nowhere", GIT_WORK_TREE: "/" }])
      expect(tagsIn(root, [], env).refs).toEqual(expected);
  });
});
