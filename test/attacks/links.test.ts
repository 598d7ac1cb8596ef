import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { openSnapshots } from "../../src/files/snapshot.ts";
import { expand } from "../../src/plan/expand.ts";
import { factory, makeWorkspace, temporaryFolder } from "../unit/workspace.ts";

/** Moves something of a workspace elsewhere, and leaves a link to it in its place. */
const moved =
  (path: string, to: string) =>
  (root: string): void => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    renameSync(join(root, path), join(root, to));
    symlinkSync(relative(dirname(join(root, path)), join(root, to)), join(root, path));
  };

/** Takes something of a workspace out of it, and leaves a link. */
const outward =
  (path: string) =>
  (root: string): void => {
    const to = join(temporaryFolder(), "kept");
    execFileSync("cp", ["-a", join(root, path), to]);
    rmSync(join(root, path), { recursive: true });
    symlinkSync(to, join(root, path));
  };

const nowhere =
  (path: string) =>
  (root: string): void => {
    rmSync(join(root, path), { recursive: true });
    symlinkSync("nothing-here", join(root, path));
  };

const APP = "fragments/app/0.1.0";
const SOUND: [string, (root: string) => void][] = [
  ["all fragments", moved("fragments", "vendor/fragments")],
  ["a fragment", moved("fragments/app", "vendor/app")],
  ["a version", moved(APP, "vendor/app-0.1.0")],
  ["a version in the manner of npm", moved(APP, "node_modules/@team/app/0.1.0")],
  [
    "a fragment in a submodule",
    (root) => {
      moved("fragments/app", "modules/lib/app")(root);
      writeFileSync(join(root, "modules/lib/.git"), "gitdir: ../../.git/modules/lib\n");
    },
  ],
  [
    "a link to a link",
    (root) => [moved("fragments/app", "a/app"), moved("a/app", "b/app")].forEach((move) => move(root)),
  ],
  ["a Dockerfile.hbs", moved(`${APP}/Dockerfile.hbs`, "shared/app.hbs")],
  ["a fragment.yaml", moved(`${APP}/fragment.yaml`, "shared/app.yaml")],
  ["a manifest", moved("manifests/demo.yaml", "shared/demo.yaml")],
  ["all manifests", moved("manifests", "shared/manifests")],
  ["a template", moved("templates/plain", "shared/plain")],
  ["a plan", moved("control_plane/plans/grid.yaml", "shared/grid.yaml")],
  ["the control plane", moved("control_plane", "shared/control")],
  ["the settings", moved("factory.yaml", "shared/factory.yaml")],
];

const UNSOUND: [string, (root: string) => void][] = [
  ["a file that is copied", moved(`${APP}/server.py`, `${APP}/kept.py`)],
  ["a folder that is copied", moved(`${APP}/data`, `${APP}/kept`)],
  ["a file in it", moved(`${APP}/data/a.txt`, "shared/a.txt")],
  ["a fragment, under a name that no Dockerfile can hold", moved("fragments/app", "ven dor/app")],
  ["a fragment that is outside", outward("fragments/app")],
  ["a Dockerfile.hbs that is outside", outward(`${APP}/Dockerfile.hbs`)],
  ["a template that is outside", outward("templates/plain")],
  ["a manifest that is outside", outward("manifests/demo.yaml")],
  ["a fragment that is nowhere", nowhere("fragments/app")],
  ["a Dockerfile.hbs that is nowhere", nowhere(`${APP}/Dockerfile.hbs`)],
  ["a file that is nowhere", nowhere(`${APP}/server.py`)],
];

const COMMANDS = [
  ["validate"],
  ["stitch", "--manifest-id", "demo"],
  ["plan", "grid", "--format", "bake", "-o", "out.hcl"],
  ["plan", "--manifest-id", "demo", "--format", "json"],
];
const statuses = (root: string) => COMMANDS.map((argv) => factory(root, argv).status);

describe("links", { timeout: 120_000 }, () => {
  it.each(SOUND)("B5 that validate takes, stitch, plan and run take: %s", async (_, link) => {
    const plain = makeWorkspace();
    const root = makeWorkspace();
    link(root);
    expect(statuses(root)).toEqual([0, 0, 0, 0]);
    const cellOf = (at: string) =>
      expand(openCatalog(at), { manifestId: "demo" }, { today: "2026-01-01", digestOf: () => null }).cells[0];
    const [cell, same] = [cellOf(root), cellOf(plain)];
    if (!cell || !same) throw new Error("there is no cell");
    // What the builder gets is there by its real name: it follows no links.
    for (const { path } of cell.inputs.files) {
      const parts = path.replace(/\/$/, "").split("/");
      for (let length = 1; length <= parts.length; length += 1)
        expect(lstatSync(join(root, ...parts.slice(0, length))).isSymbolicLink(), path).toBe(false);
    }
    const snapshot = await openSnapshots(root, join(temporaryFolder(), "s")).of(cell.inputs.files);
    const held = cell.inputs.files.filter(({ path }) => !path.endsWith("/"));
    expect(held).toHaveLength(same.inputs.files.filter(({ path }) => !path.endsWith("/")).length);
    for (const { path } of held)
      expect(readFileSync(join(snapshot, path))).toEqual(readFileSync(join(root, path)));
    // And plain `docker build` is told to send it.
    const ignore = readFileSync(join(root, ".factory/stitch/demo/Dockerfile.dockerignore"), "utf8").split(
      "\n",
    );
    for (const { path } of held)
      expect(
        ignore.some((line) => `/${path}`.startsWith(line.replace("!", "/"))),
        path,
      ).toBe(true);
  });

  it.each(UNSOUND)("B5 that validate refuses, all refuse: %s", (_, link) => {
    const root = makeWorkspace();
    link(root);
    expect(statuses(root)).toEqual([2, 2, 2, 2]);
    expect(existsSync(join(root, "out.hcl"))).toBe(false);
    expect(existsSync(join(root, ".factory")) ? readdirSync(join(root, ".factory")) : []).toEqual([]);
  });

  it("B5 to the workspace itself are none of its own", () => {
    const root = makeWorkspace();
    const link = join(temporaryFolder(), "link");
    symlinkSync(root, link);
    expect(statuses(link)).toEqual([0, 0, 0, 0]);
    expect(factory(link, ["stitch", "--manifest-id", "demo", "-o", "-"]).stdout).toBe(
      factory(root, ["stitch", "--manifest-id", "demo", "-o", "-"]).stdout,
    );
  });
});

describe("what changed behind links", { timeout: 120_000 }, () => {
  const CORE = "fragments/core";
  const both = (one: (root: string) => void, other: (root: string) => void) => (root: string) => {
    one(root);
    other(root);
  };
  const gone = (path: string) => (root: string) => rmSync(join(root, path), { recursive: true });
  /** What links there are, which path changed, and what the first cell is told of it. */
  const CHANGES: [string, (root: string) => void, string, string | null][] = [
    ["a file, by its real name", moved("fragments/app", "v/app"), "v/app/0.1.0/server.py", "FILES app"],
    ["a file, by its name here", moved("fragments/app", "v/app"), `${APP}/server.py`, "FILES app"],
    ["the link", moved("fragments/app", "v/app"), "fragments/app", "FILES app"],
    [
      "a link on the way",
      both(moved("fragments/app", "a/app"), moved("a/app", "b/app")),
      "a/app",
      "FILES app",
    ],
    [
      "a link to a folder on the way",
      both(moved("fragments/app", "a/app"), moved("a", "b")),
      "a",
      "FILES app",
    ],
    ["a Dockerfile.hbs", moved(`${APP}/Dockerfile.hbs`, "v/app.hbs"), "v/app.hbs", "FILES app"],
    ["a template", moved("templates/plain", "v/t"), "v/t/0.1.0/Dockerfile.hbs", "TEMPLATE"],
    [
      "a template's link on the way",
      both(moved("templates/plain", "a/t"), moved("a/t", "b/t")),
      "a/t",
      "TEMPLATE",
    ],
    [
      "a link to a folder on the way to a template",
      both(moved("templates/plain", "a/t"), moved("a", "b")),
      "a",
      "TEMPLATE",
    ],
    ["a manifest", moved("manifests/demo.yaml", "v/m.yaml"), "v/m.yaml", "POLICY manifest"],
    ["a plan", moved("control_plane", "v/c"), "v/c/plans/grid.yaml", "POLICY plans.grid"],
    ["the settings", moved("factory.yaml", "v/f.yaml"), "v/f.yaml", "POLICY factory.yaml"],
    [
      "a version that is gone",
      both(moved(CORE, "v/core"), gone("v/core/0.1.1")),
      "v/core/0.1.1/Dockerfile.hbs",
      "FRAGMENT core",
    ],
    ["a version that no cell uses", moved(CORE, "v/core"), "v/core/0.1.1/Dockerfile.hbs", null],
    ["something beside it", moved("fragments/app", "v/app"), "v/apple/0.1.0/server.py", null],
  ];

  it.each(CHANGES)("B5 is seen by plan: %s", (_, link, changed, told) => {
    const root = makeWorkspace();
    link(root);
    const list = join(temporaryFolder(), "list");
    writeFileSync(list, `${changed}\n`);
    const { status, stdout } = factory(root, ["plan", "grid", "--changed-files-from", list]);
    expect(status).toBe(0);
    const [cell] = stdout.split("\n").filter((line) => line.startsWith("demo.core"));
    if (told === null) expect(stdout).toContain("0 cells");
    else expect(cell).toContain(` ${told} `);
  });
});
