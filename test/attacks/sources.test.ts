import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  factory,
  factoryAtOnce,
  makeWorkspace,
  SMALL,
  temporaryFolder,
  writeFiles,
} from "../unit/workspace.ts";

const MANIFEST = "manifests/demo.yaml";
const HBS = "fragments/app/0.1.0/Dockerfile.hbs";

function workspace(
  declared = "{path: services/web, from_gitignore: true}",
  body = 'COPY {{source "app"}} /app\n',
): string {
  return makeWorkspace({
    [MANIFEST]: `${SMALL[MANIFEST]}sources: {app: ${declared}}\n`,
    [HBS]: body,
    ".gitignore": "node_modules\n",
    "services/web/main.js": "main\n",
    "services/web/[slug].tsx": "slug\n",
    "services/web/node_modules/x.js": "x\n",
    "services/api/main.js": "api\n",
  });
}

const WEB = "services/web";
const COMMANDS = [
  ["validate"],
  ["stitch", "--manifest-id", "demo"],
  ["plan", "grid", "--format", "bake", "-o", "out.hcl"],
  ["plan", "--manifest-id", "demo", "--format", "json"],
];
const statuses = (root: string) => COMMANDS.map((argv) => factory(root, argv).status);
const link = (target: string, path: string) => (root: string) => symlinkSync(target, join(root, path));

describe("what lies in a source", { timeout: 120_000 }, () => {
  it.each<[string, (root: string) => void]>([
    ["a link that leads out", link("../../../x", `${WEB}/x`)],
    [
      "a link that leads out and back in",
      (root) => link(`../../../${root.split("/").at(-1)}/factory.yaml`, `${WEB}/x`)(root),
    ],
    [
      "a link that leads out through another one",
      (root) => [link("../..", `${WEB}/up`)(root), link("up/../x", `${WEB}/x`)(root)],
    ],
    ["a link to a file of the machine", link("/etc/passwd", `${WEB}/x`)],
    ["a link to itself", link("x", `${WEB}/x`)],
    ["two links in a circle", (root) => [link("y", `${WEB}/x`)(root), link("x", `${WEB}/y`)(root)]],
    ["a pipe", (root) => void execFileSync("mkfifo", [join(root, WEB, "x")])],
    [
      "a name that is not text",
      (root) => writeFileSync(Buffer.concat([Buffer.from(join(root, WEB, "x")), Buffer.from([0xe9])]), ""),
    ],
    [
      "the source itself as a link that leads out",
      (root) => [rmSync(join(root, WEB), { recursive: true }), link("/etc", WEB)(root)],
    ],
    [
      "the source itself as a circle",
      (root) => [rmSync(join(root, WEB), { recursive: true }), link("web", WEB)(root)],
    ],
    [
      "a .gitignore that is a pipe",
      (root) => void execFileSync("mkfifo", [join(root, "services/.gitignore")]),
    ],
  ])("8.1 is refused by all commands alike, and none hangs: %s", (_, make) => {
    const root = workspace();
    make(root);
    expect(statuses(root)).toEqual([2, 2, 2, 2]);
    expect(readdirSync(root)).not.toContain(".factory");
  });

  it.each<[string, (root: string) => void]>([
    [
      "links within it, to what is not there, and to a folder above",
      (root) =>
        ["main.js", "nothing", "..", "../api"].forEach((target, at) =>
          link(target, `${WEB}/link${at}`)(root),
        ),
    ],
    [
      "what is refused elsewhere, where it is ignored",
      (root) => link("/etc", `${WEB}/node_modules/etc`)(root),
    ],
    [
      "the source behind links, as in npm workspaces",
      (root) => {
        mkdirSync(join(root, "packages"));
        renameSync(join(root, WEB), join(root, "packages/web"));
        link("../packages/web", WEB)(root);
      },
    ],
    ["a submodule", (root) => writeFileSync(join(root, WEB, ".git"), "gitdir: ../../.git/modules/web\n")],
  ])("8.1 is taken by all commands alike: %s", (_, make) => {
    const root = workspace();
    make(root);
    expect(statuses(root)).toEqual([0, 0, 0, 0]);
  });

  it("8.1 is never what a body copies without declaring it", () => {
    for (const body of [
      `COPY {{source "app"}}/../api /app\n`,
      `COPY {{source "app"}} services/api /app/\n`,
      'COPY /services /app\n# {{source "app"}}\n',
    ])
      expect(statuses(workspace(undefined, body)), body).toEqual([2, 2, 2, 2]);
  });

  it("8.1 is what it is, however many commands keep its hashes at once", async () => {
    const root = workspace();
    writeFileSync(join(root, WEB, "large"), Buffer.alloc(9 << 20));
    const argv = ["stitch", "--manifest-id", "demo", "-o", "-", "--json"];
    const ended = await Promise.all(Array.from({ length: 6 }, () => factoryAtOnce(root, argv)));
    expect(new Set(ended.map(({ status, stdout }) => `${status} ${stdout}`)).size).toBe(1);
    expect(ended[0]?.status).toBe(0);
    const caches = readdirSync(join(root, ".factory/hashes"));
    expect(caches).toHaveLength(1);
    writeFiles(root, { [`.factory/hashes/${caches[0]}`]: "\0".repeat(100) });
    expect(factory(root, argv).stdout).toBe(ended[0]?.stdout);
  });
});

describe("what changed in a source", { timeout: 120_000 }, () => {
  const touched = (root: string, changed: string) => {
    const list = join(temporaryFolder(), "list");
    writeFileSync(list, `${changed}\n`);
    const { status, stdout } = factory(root, ["plan", "grid", "--changed-files-from", list]);
    expect(status).toBe(0);
    return /demo\.core\S+ +build +(.*)/.exec(stdout)?.[1] ?? null;
  };

  it.each([
    [`${WEB}/main.js`, true],
    [`${WEB}/[slug].tsx`, true],
    [`${WEB}/deleted/below.js`, true],
    [WEB, true],
    ["services", true],
    [".gitignore", true],
    ["services/.gitignore", true],
    [`${WEB}/.gitignore`, true],
    [`${WEB}/node_modules/x.js`, false],
    [`${WEB}/lib/node_modules/new/x.js`, false],
    ["services/api/main.js", false],
    ["services/website/main.js", false],
    ["docs/.gitignore", false],
    ["README.md", false],
  ])("8.1 is told by plan of %s: %s", (path, isTouched) => {
    expect(touched(workspace(), path)).toBe(isTouched ? `FILES sources.${WEB} ${path}` : null);
  });

  it("8.1 is told by plan of what links lead to", () => {
    const root = workspace();
    mkdirSync(join(root, "packages"));
    renameSync(join(root, WEB), join(root, "packages/web"));
    symlinkSync("../packages/web", join(root, WEB));
    for (const path of ["packages/web/main.js", `${WEB}/main.js`, WEB])
      expect(touched(root, path), path).toBe(`FILES sources.packages/web ${path}`);
  });

  it("8.1 is seen since a commit: code, modes, links and .gitignore files, and nothing that is ignored", () => {
    const root = workspace();
    const git = (...argv: string[]) => {
      const own = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgSign=false"];
      execFileSync("git", ["-C", root, ...own, ...argv], { stdio: "ignore" });
    };
    symlinkSync("main.js", join(root, WEB, "link"));
    git("init", "-q");
    git("add", "-A");
    git("commit", "-qm", "first");
    const since = () => {
      const { status, stdout, stderr } = factory(root, ["plan", "grid", "--since", "HEAD"]);
      expect([status, stderr], stderr).toEqual([0, ""]);
      return /demo\.core\S+ +build +(\S+ \S+)/.exec(stdout)?.[1] ?? null;
    };
    expect(since()).toBeNull();
    writeFiles(root, { [`${WEB}/node_modules/y.js`]: "y\n", "services/api/main.js": "other\n" });
    expect(since()).toBeNull();
    const told = `FILES sources.${WEB}`;
    for (const [change, back] of [
      [{ [`${WEB}/main.js`]: "Main\n" }, { [`${WEB}/main.js`]: "main\n" }],
      [{ ".gitignore": "node_modules\nmain.js\n" }, { ".gitignore": "node_modules\n" }],
      [{ [`${WEB}/new`]: "" }, { [`${WEB}/new`]: null }],
    ] as const) {
      writeFiles(root, change);
      expect(since(), JSON.stringify(change)).toBe(told);
      writeFiles(root, back);
      expect(since()).toBeNull();
    }
    execFileSync("chmod", ["+x", join(root, WEB, "main.js")]);
    expect(since()).toBe(told);
  });
});
