import { spawnSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { FactoryError } from "../../src/errors.ts";
import { exec, type Exec } from "../../src/tools/exec.ts";
import { isAhead, mergeBase, sourceState } from "../../src/tools/git.ts";
import { exportTree } from "../../src/tools/git-export.ts";
import { temporaryFolder, treeOf, writeFiles, type Files } from "./workspace.ts";

const OWN = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };

/** The real exec, without the configuration of whoever runs the tests. */
const quiet: Exec = (file, argv, options = {}) =>
  exec(file, argv, { ...options, env: { ...OWN, ...options.env } });

/** Git itself, as a person would run it. */
function git(folder: string, ...argv: string[]): string {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@example", "-c", "protocol.file.allow=always"];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  const { status, stdout, stderr } = spawnSync("git", ["-C", folder, ...who, ...argv], {
    env: { ...env, ...OWN },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`git ${argv.join(" ")}: ${stderr}`);
  return stdout.trim();
}

function commit(folder: string, files: Files = {}): string {
  writeFiles(folder, files);
  git(folder, "add", "--all", ".");
  git(folder, "commit", "--quiet", "--allow-empty", "--message=one");
  return git(folder, "rev-parse", "HEAD");
}

function repository(files: Files = { "factory.yaml": "schema_version: 1\n" }): string {
  const root = temporaryFolder();
  git(root, "init", "--quiet", "--initial-branch=main");
  commit(root, files);
  return root;
}

async function errorOf(work: Promise<unknown>): Promise<FactoryError> {
  return work.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error: unknown) => error as FactoryError,
  );
}

function stubEnv(values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

const hasGit = spawnSync("git", ["--version"]).status === 0;
beforeEach((context) => context.skip(!hasGit, "git is not installed"));

describe("sourceState", () => {
  it("is the commit of the workspace's own repository, and whether files differ, whatever a hook's environment names", async () => {
    const [root, other] = [repository(), repository({ "other.txt": "other\n" })];
    const head = git(root, "rev-parse", "HEAD");
    expect(git(other, "rev-parse", "HEAD")).not.toBe(head);
    stubEnv({
      GIT_DIR: join(other, ".git"),
      GIT_WORK_TREE: other,
      GIT_INDEX_FILE: join(other, ".git/index"),
    });
    expect(await sourceState(quiet, root)).toEqual({ commit: head, dirty: false });
    writeFileSync(join(root, "new.txt"), "new\n");
    expect(await sourceState(quiet, root)).toEqual({ commit: head, dirty: true });
  });

  it("is unknown outside a repository, before the first commit and without git; an index that cannot be read tells no changes", async () => {
    const unknown = { commit: null, dirty: null };
    const outside = temporaryFolder();
    stubEnv({ GIT_CEILING_DIRECTORIES: join(outside, "..") });
    expect(await sourceState(quiet, outside)).toEqual(unknown);
    git(outside, "init", "--quiet");
    expect(await sourceState(quiet, outside)).toEqual(unknown);
    const none: Exec = (_file, argv, options) => exec("no-such-git", argv, options);
    expect(await sourceState(none, repository())).toEqual(unknown);
    const broken = repository();
    writeFileSync(join(broken, ".git/index"), "none");
    expect(await sourceState(quiet, broken)).toMatchObject({
      commit: git(broken, "rev-parse", "HEAD"),
      dirty: null,
    });
  });
});

describe("isAhead", () => {
  it("is so for commits that have what is checked out in their history, and for no other", async () => {
    const root = repository();
    const base = git(root, "rev-parse", "HEAD");
    const later = commit(root, { a: "1" });
    git(root, "switch", "--quiet", "--create", "side", base);
    const side = commit(root, { b: "1" });
    const ahead = async () => {
      const all: boolean[] = [];
      for (const one of [base, later, side, "0".repeat(40), "main", "--all"])
        all.push(await isAhead(quiet, root, one));
      return all;
    };
    expect(await ahead()).toEqual([false, false, false, false, false, false]);
    git(root, "checkout", "--quiet", base);
    expect(await ahead()).toEqual([false, true, true, false, false, false]);
  });
});

describe("mergeBase", () => {
  it("is where the histories part, from a folder of the repository too", async () => {
    const root = repository({ "ws/factory.yaml": "a\n" });
    const base = git(root, "rev-parse", "HEAD");
    git(root, "checkout", "--quiet", "-b", "topic");
    const topic = commit(root, { a: "1" });
    git(root, "tag", "--annotate", "--message=v", "v1");
    git(root, "checkout", "--quiet", "main");
    commit(root, { b: "1" });
    for (const ref of ["topic", "v1", topic, topic.slice(0, 12), topic.toUpperCase(), "refs/heads/topic"])
      expect(await mergeBase(quiet, join(root, "ws"), ref), ref).toEqual({ commit: base });
    expect(await mergeBase(quiet, root, "main~1")).toEqual({ commit: base });
  });

  it.each([
    "nope",
    "",
    "-n",
    "--help",
    "--all",
    "^main",
    "main..main",
    "main\nmain",
    "main\0",
    "0".repeat(40),
    "0123abc",
    "main:factory.yaml:x",
    "main~5",
  ])("knows no ref %j", async (ref) => {
    const unknown = { commit: null, cause: "unknown-ref", shallow: false };
    expect(await mergeBase(quiet, repository(), ref)).toEqual(unknown);
  });

  it("refuses what is there and is no commit", async () => {
    const root = repository();
    const blob = git(root, "rev-parse", "main:factory.yaml");
    for (const ref of ["main^{tree}", "main:factory.yaml", blob]) {
      const error = await errorOf(mergeBase(quiet, root, ref));
      expect([error.code, error.exitCode], ref).toEqual(["GIT_FAILED", 3]);
      expect(error.message).toContain("does not lead to a commit");
    }
  });

  it("refuses a branch whose commit is missing", async () => {
    const root = repository();
    writeFileSync(join(root, ".git/refs/heads/broken"), `${"1".repeat(40)}\n`);
    const error = await errorOf(mergeBase(quiet, root, "broken"));
    expect(error.code).toBe("GIT_FAILED");
    expect(error.message).toContain("1".repeat(40));
  });

  it("tells histories that do not meet, and a branch without a commit", async () => {
    const root = repository();
    git(root, "checkout", "--quiet", "--orphan", "other");
    const apart = { commit: null, cause: "no-merge-base", shallow: false };
    expect(await mergeBase(quiet, root, "main")).toEqual(apart);
    commit(root, { a: "1" });
    expect(await mergeBase(quiet, root, "main")).toEqual(apart);
  });

  it("says that a clone is shallow", async () => {
    const root = repository();
    const first = git(root, "rev-parse", "HEAD");
    git(root, "checkout", "--quiet", "-b", "topic");
    commit(root, { a: "1" });
    git(root, "checkout", "--quiet", "main");
    commit(root, { b: "1" });
    const clone = join(temporaryFolder(), "clone");
    git(root, "clone", "--quiet", "--depth=1", "--no-single-branch", `file://${root}`, clone);
    expect(await mergeBase(quiet, clone, "origin/topic")).toEqual({
      commit: null,
      cause: "no-merge-base",
      shallow: true,
    });
    for (const ref of [first, "topic"])
      expect(await mergeBase(quiet, clone, ref)).toEqual({
        commit: null,
        cause: "unknown-ref",
        shallow: true,
      });
  });

  it("fails outside a work tree, with git's own words", async () => {
    const bare = repository();
    for (const folder of [temporaryFolder(), join(bare, ".git"), join(bare, "nowhere")]) {
      const error = await errorOf(mergeBase(quiet, folder, "main"));
      expect([error.code, error.exitCode], folder).toEqual(["GIT_FAILED", 3]);
      expect(error.message).toMatch(/not a git repository|work tree|No such file/);
      expect(error.fix).toContain("fetch-depth: 0");
    }
  });

  it("says that git is missing, and that it took too long", async () => {
    const root = repository();
    const none: Exec = (_file, argv, options) => exec("no-such-git", argv, options);
    expect((await errorOf(mergeBase(none, root, "main"))).code).toBe("TOOL_MISSING");
    const slow: Exec = (_file, _argv, options) => {
      const { timeoutMs } = options ?? {};
      const timedOut = timeoutMs !== undefined;
      return Promise.resolve({ exitCode: null, stdout: "", stderr: "", timedOut, aborted: false });
    };
    const error = await errorOf(mergeBase(slow, root, "main"));
    expect([error.code, error.message]).toEqual(["GIT_FAILED", expect.stringContaining("took too long")]);
  });

  it("asks the repository that the workspace is in, whatever the environment says", async () => {
    const root = repository();
    const other = repository({ other: "1" });
    stubEnv({
      GIT_DIR: join(other, ".git"),
      GIT_WORK_TREE: other,
      GIT_INDEX_FILE: join(other, "no-index"),
      GIT_OBJECT_DIRECTORY: join(other, "no-objects"),
      GIT_COMMON_DIR: join(other, "no-common"),
      GIT_NAMESPACE: "elsewhere",
      GIT_PREFIX: "x/",
      GIT_ICASE_PATHSPECS: "1",
    });
    expect(await mergeBase(quiet, root, "main")).toEqual({ commit: git(root, "rev-parse", "main") });
    const into = temporaryFolder();
    await exportTree(quiet, root, git(root, "rev-parse", "main"), ["factory.yaml", "other"], into);
    expect(readdirSync(into)).toEqual(["factory.yaml"]);
    expect(readdirSync(other).sort()).toEqual([".git", "other"]);
  });
});

const NAMES = ["factory.yaml", "factory.lock", "manifests", "fragments"];

describe("exportTree", () => {
  it("is what a checkout of the commit has", async () => {
    const root = repository({
      "factory.yaml": "a\n",
      "fragments/core/0.1.0/run": "#!\n",
      README: "r",
      "[x]": "x",
    });
    writeFileSync(join(root, "fragments/binary"), Buffer.from([0, 255, 254, 10, 13, 195, 40]));
    writeFileSync(join(root, "fragments", 'ä "quoted"\nname'), "odd\n");
    writeFileSync(
      Buffer.concat([Buffer.from(join(root, "fragments/latin-")), Buffer.from([0xe4])]),
      "latin\n",
    );
    symlinkSync("core/0.1.0/run", join(root, "fragments/link"));
    git(root, "add", "--all");
    git(root, "update-index", "--chmod=+x", "fragments/core/0.1.0/run");
    git(root, "commit", "--quiet", "--message=two");
    const at = git(root, "rev-parse", "HEAD");
    const checkout = join(temporaryFolder(), "clone");
    git(root, "clone", "--quiet", root, checkout);
    commit(root, { "factory.yaml": "b\n", fragments: null, "manifests/late.yaml": "late\n" });

    const into = join(temporaryFolder(), "a", "b");
    await exportTree(quiet, root, at, [...NAMES, "[x]", ":(top)README"], into);
    expect(readdirSync(into).sort()).toEqual(["[x]", "factory.yaml", "fragments"]);
    git(root, "diff", "--no-index", "--exit-code", join(checkout, "fragments"), join(into, "fragments"));
    expect(readdirSync(join(into, "fragments"))).toHaveLength(5);
    expect(readFileSync(join(into, "factory.yaml"), "utf8")).toBe("a\n");
    expect(readlinkSync(join(into, "fragments/link"))).toBe("core/0.1.0/run");
    expect(statSync(join(into, "fragments/core/0.1.0/run")).mode & 0o111).not.toBe(0);
    expect(statSync(join(into, "factory.yaml")).mode & 0o111).toBe(0);
  });

  it("takes the workspace's own folder of a repository", async () => {
    const root = repository({
      "ws/factory.yaml": "inner\n",
      "ws/manifests/a.yaml": "a\n",
      "factory.yaml": "outer\n",
      "fragments/x": "x",
    });
    const into = temporaryFolder();
    await exportTree(quiet, join(root, "ws"), git(root, "rev-parse", "HEAD"), NAMES, into);
    expect(readdirSync(into).sort()).toEqual(["factory.yaml", "manifests"]);
    expect(readFileSync(join(into, "factory.yaml"), "utf8")).toBe("inner\n");
  });

  it("leaves out a workspace that the commit does not have", async () => {
    const root = repository({ a: "1" });
    writeFiles(root, { "ws/factory.yaml": "a\n" });
    const into = temporaryFolder();
    await exportTree(quiet, join(root, "ws"), git(root, "rev-parse", "HEAD"), NAMES, into);
    await exportTree(quiet, root, git(root, "rev-parse", "HEAD"), [], into);
    expect(readdirSync(into)).toEqual([]);
  });

  it("touches no index and no work tree, and runs no hook, monitor or filter", async () => {
    const root = repository({
      "factory.yaml": "a\n",
      "fragments/big": "pointer\n",
      "fragments/.gitattributes": "big filter=odd.one\n",
    });
    const at = git(root, "rev-parse", "HEAD");
    const ran = join(temporaryFolder(), "ran");
    const program = join(root, ".git", "program");
    writeFiles(root, { ".git/program": `#!/bin/sh\necho "$0 $*" >>'${ran}'\ncat\n` }, () => true);
    for (const hook of ["post-checkout", "post-index-change", "pre-auto-gc", "reference-transaction"])
      symlinkSync(program, join(root, ".git/hooks", hook));
    for (const [key, value] of [
      ["filter.odd.one.smudge", program],
      ["filter.odd.one.process", program],
      ["filter.odd.one.required", "true"],
      ["core.fsmonitor", program],
      ["core.splitIndex", "true"],
      ["core.hooksPath", join(root, ".git/hooks")],
    ] as const)
      git(root, "config", key, value);
    writeFiles(root, { "factory.yaml": "not committed\n", untracked: "u" });
    const before = treeOf(root);

    const into = temporaryFolder();
    await exportTree(quiet, root, at, NAMES, into);
    expect(treeOf(root)).toBe(before);
    expect(existsSync(ran)).toBe(false);
    expect(readFileSync(join(into, "factory.yaml"), "utf8")).toBe("a\n");
    expect(readFileSync(join(into, "fragments/big"), "utf8")).toBe("pointer\n");
  });

  it("has line ends as the commit's own attributes say, above the workspace too", async () => {
    const root = repository({
      "ws/fragments/a.txt": "one\ntwo\n",
      ".gitattributes": "*.txt text eol=crlf\n",
    });
    const at = git(root, "rev-parse", "HEAD");
    commit(root, { ".gitattributes": "*.txt text eol=lf\n" });
    const into = temporaryFolder();
    await exportTree(quiet, join(root, "ws"), at, NAMES, into);
    expect(readFileSync(join(into, "fragments/a.txt"), "utf8")).toBe("one\r\ntwo\r\n");
  });

  it("works in a linked work tree and below a sparse checkout", async () => {
    const root = repository({ "factory.yaml": "a\n", "fragments/a": "a", "docs/b": "b" });
    const linked = join(temporaryFolder(), "linked");
    git(root, "worktree", "add", "--quiet", linked);
    git(linked, "sparse-checkout", "set", "--cone", "--sparse-index", "docs");
    const into = temporaryFolder();
    await exportTree(quiet, linked, git(root, "rev-parse", "HEAD"), NAMES, into);
    expect(readdirSync(into).sort()).toEqual(["factory.yaml", "fragments"]);
    expect(readFileSync(join(into, "fragments/a"), "utf8")).toBe("a");
  });

  it("leaves a submodule as an empty folder", async () => {
    const inner = repository({ file: "f" });
    const root = repository();
    git(root, "submodule", "--quiet", "add", inner, "fragments/sub");
    const at = commit(root);
    const into = temporaryFolder();
    await exportTree(quiet, root, at, NAMES, into);
    expect(readdirSync(join(into, "fragments/sub"))).toEqual([]);
  });

  it("fetches nothing for a clone that lacks the objects", async () => {
    const root = repository({ "fragments/a": "old" });
    const at = git(root, "rev-parse", "HEAD");
    commit(root, { "fragments/a": "new" });
    git(root, "config", "uploadpack.allowFilter", "true");
    git(root, "config", "uploadpack.allowAnySHA1InWant", "true");
    const clone = join(temporaryFolder(), "clone");
    git(root, "clone", "--quiet", "--filter=blob:none", `file://${root}`, clone);
    const into = temporaryFolder();
    const error = await errorOf(exportTree(quiet, clone, at, NAMES, into));
    expect([error.code, error.fix]).toEqual(["GIT_FAILED", expect.stringContaining("without a filter")]);
    expect(readdirSync(into)).toEqual([]);
    const missing = git(clone, "rev-list", "--objects", "--missing=print", "--all");
    expect(missing).toContain(`?${git(root, "rev-parse", `${at}:fragments/a`)}`);
  });

  it("fails for a commit that is not there, and for a folder that cannot be written", async () => {
    const root = repository();
    const into = temporaryFolder();
    const unknown = await errorOf(exportTree(quiet, root, "1".repeat(40), NAMES, into));
    expect(unknown.code).toBe("GIT_FAILED");
    const at = git(root, "rev-parse", "HEAD");
    const blocked = await errorOf(exportTree(quiet, root, at, NAMES, join(root, "factory.yaml")));
    expect(blocked.code).toBe("WRITE_FAILED");
    expect(readdirSync(into)).toEqual([]);
  });

  it.each(["--help", "main", "HEAD", `${"a".repeat(40)}\n`])("takes no %j for a commit", async (at) => {
    await expect(exportTree(quiet, "/", at, NAMES, "/")).rejects.toThrow(RangeError);
  });

  it.each(["", ".", "..", "a/b", "a\\b", "a\0"])("takes no %j for a name", async (name) => {
    await expect(exportTree(quiet, "/", "a".repeat(40), [name], "/")).rejects.toThrow(RangeError);
  });
});
