import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { STARTER } from "../../src/adopt/starter.ts";
import { factory, temporaryFolder, treeOf, writeFiles } from "./workspace.ts";

const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe("factory init", { timeout: 60_000 }, () => {
  it("makes a workspace that validates, stitches and plans, and says what comes next", () => {
    const root = temporaryFolder();
    const made = factory(root, ["init", "images"]);
    expect(made.status, made.stderr).toBe(0);
    expect(made.stdout).toContain("factory run --all");
    const folder = join(root, "images");
    expect(readdirSync(root)).toEqual(["images"]);
    expect(statSync(folder).mode & 0o777).toBe(0o777 & ~process.umask());
    expect(factory(folder, ["validate"]).stdout).toContain(
      "valid: 1 manifest, 2 fragments, 1 template, 1 plan",
    );
    const cells = json(factory(folder, ["plan", "--format", "json"]).stdout).cells;
    expect(cells).toHaveLength(2);
    const { stdout } = factory(folder, ["stitch", "--manifest-id", "hello", "-o", "-"]);
    expect(stdout).toContain('ENV GREETING="Hello"');
    expect(stdout).not.toMatch(/apt-get|https?:\/\//);
  });

  it("fills the current folder, lists its files as JSON, and keeps what is there", () => {
    const root = temporaryFolder();
    writeFiles(root, { "README.md": "mine\n", ".gitignore": "*.log\n", "notes/a.txt": "a\n" });
    const made = factory(root, ["init", "--json"]);
    expect(made.status, made.stderr).toBe(0);
    const { workspace, files, kept } = json(made.stdout);
    expect(workspace).toBe(root);
    expect(kept).toEqual([".gitignore", "README.md"]);
    expect(files).toEqual(
      Object.keys(STARTER)
        .filter((path) => path !== "README.md" && path !== ".gitignore")
        .sort(),
    );
    expect(readFileSync(join(root, "README.md"), "utf8")).toBe("mine\n");
    expect(factory(root, ["validate"]).status).toBe(0);
    expect(factory(root, ["init"]).status).toBe(2);
  });

  it("names the lines that a .gitignore of one's own lacks", () => {
    const root = temporaryFolder();
    writeFiles(root, { ".gitignore": "*.log\n" });
    expect(factory(root, ["init"]).stdout).toContain("add .factory/ and factory.local.yaml to .gitignore");
  });

  it("changes nothing where a workspace is already", () => {
    const root = temporaryFolder();
    writeFiles(root, { "factory.yaml": "schema_version: 1\n" });
    const before = treeOf(root);
    const refused = factory(root, ["init", "--json"]);
    expect(refused.status).toBe(2);
    expect(json(refused.stdout)).toMatchObject({ error: { code: "WORKSPACE_EXISTS" } });
    expect(treeOf(root)).toBe(before);
  });

  it.each<[string, string, (root: string) => void]>([
    ["a file where a folder has to be", "WRITE_FAILED", (root) => writeFileSync(join(root, "manifests"), "")],
    [
      "a folder that leads elsewhere",
      "FILE_OUTSIDE",
      (root) => {
        mkdirSync(join(root, "../elsewhere"));
        symlinkSync("../elsewhere", join(root, "templates"));
      },
    ],
    ["a file in place of the folder", "WRITE_FAILED", (root) => writeFileSync(join(root, "templates"), "")],
  ])("writes all or nothing: %s", (_, code, spoil) => {
    const top = temporaryFolder();
    const root = join(top, "images");
    mkdirSync(root);
    spoil(root);
    const before = treeOf(top);
    const refused = factory(root, ["init", "--json"]);
    expect([2, 3]).toContain(refused.status);
    expect(json(refused.stdout)).toMatchObject({ error: { code } });
    expect(treeOf(top)).toBe(before);
  });

  it("is what WORKSPACE_NOT_FOUND names", () => {
    expect(factory(temporaryFolder(), ["validate"]).stderr).toContain("factory init");
  });
});
