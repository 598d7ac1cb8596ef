import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isMap, parseDocument, visit } from "yaml";
import { factory, type Files, SMALL, temporaryFolder, treeOf, writeFiles } from "./workspace.ts";

const PLAN = `schema_version: 1
plan_id: grid
manifest_id: demo
axes: {core: [0.2.0, 0.1.0], app: [0.1.0, 0.2.0]}
fixed: {extra: "*"}
include: [{core: 0.1.1, app: 0.2.0, platform: linux/arm64}]
exclude: [{core: 0.2.0, app: 0.1.0, platform: linux/arm64}]
expect: [{when: {core: 0.1.0, app: 0.1.0}, result: fail, owner: "@us", reason: meant to, until: never}]
`;
const FILES: Files = {
  ...SMALL,
  "manifests/demo.yaml": (SMALL["manifests/demo.yaml"] ?? "").replace("{core", "{extra: 0.1.0, core"),
  "control_plane/plans/grid.yaml": PLAN,
  "fragments/app/0.2.0/fragment.yaml": `schema_version: 1
name: app
version: 0.2.0
order: 30
requires: {core: ">=0.1.1", extra: ">=0.1"}
args: {port: {type: integer, default: 80}, zone: {type: string, default: UTC}}
`,
  "fragments/app/0.2.0/Dockerfile.hbs": "ENV TZ={{args.zone}}\nEXPOSE {{args.port}}\n",
};

/** The same documents with the keys of every mapping in reverse. */
function reversed(files: Files): Files {
  const turned = Object.entries(files).map(([path, text]): [string, string | null] => {
    if (!path.endsWith(".yaml") || text === null) return [path, text];
    const document = parseDocument(text);
    visit(document, { Map: (_, node) => void (isMap(node) && node.items.reverse()) });
    return [path, document.toString()];
  });
  return Object.fromEntries(turned.reverse());
}

const COMMANDS = [
  ["stitch", "--manifest-id", "demo", "-o", "-"],
  ["stitch", "--manifest-id", "demo", "--json", "-o", "-", "--arg", "name=x", "--set", "core=0.2.0"],
  ["stitch", "--manifest-id", "demo", "--json", "-o", "-", "--set", "core=0.2.0", "--arg", "name=x"],
  ["plan", "grid", "--format", "json"],
  ["plan", "grid", "--format", "github"],
  ["plan", "grid", "--format", "bake"],
  ["plan", "grid", "--format", "dot"],
  ["plan", "grid", "--format", "mermaid"],
  ["plan", "grid"],
  ["plan", "--manifest-id", "demo", "--json"],
  ["validate", "--json"],
];

/** What every command prints, in a new workspace. */
function outputs(files: Files, folder: string, env: NodeJS.ProcessEnv, below = "."): string[] {
  const root = join(temporaryFolder(), folder);
  mkdirSync(root, { recursive: true });
  writeFiles(root, files);
  return COMMANDS.map((argv) => {
    const { status, stdout, stderr } = factory(join(root, below), argv, env);
    if (status !== 0) throw new Error(`${argv.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  });
}

describe("the same input gives the same bytes", () => {
  let kept: string[] | undefined;
  const baseline = () => (kept ??= outputs(FILES, "w", plain));
  const plain = { TZ: "UTC", LC_ALL: "C", LANG: "C", HOME: "/root", USER: "a" };

  it.each([
    ["under another time zone", FILES, "w", { ...plain, TZ: "Pacific/Kiritimati" }, "."],
    ["under another locale", FILES, "w", { ...plain, LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" }, "."],
    ["for another user", FILES, "w", { ...plain, HOME: "/nonexistent", USER: "b", LOGNAME: "b" }, "."],
    ["in another place, from a folder below", FILES, "a longer/path with ünïcode", plain, "fragments/core"],
    ["with files and keys in another order", reversed(FILES), "w", plain, "."],
  ])("%s", (_, files, folder, env, below) => {
    expect(outputs(files, folder, env, below)).toEqual(baseline());
  });

  it("a second time, also in what is written", () => {
    const root = temporaryFolder();
    writeFiles(root, FILES);
    const write = () => {
      factory(root, ["stitch", "--manifest-id", "demo"]);
      factory(root, ["plan", "grid", "--format", "bake", "-o", "docker-bake.hcl"]);
      return treeOf(root);
    };
    const first = write();
    expect(first).toContain(".factory/stitch/demo/Dockerfile.dockerignore ");
    expect(write()).toBe(first);
  });
});
