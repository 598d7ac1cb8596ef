import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { describeEngine, docker, temporaryFolder } from "../../engine/engine.ts";
import { factory, makeWorkspace } from "../../engine/run-workspace.ts";

/** Names that mean something to a shell, to git, to a Dockerfile or to its ignore file. */
const DECLARED = [
  "[slug].tsx",
  "with space",
  "  lead",
  "trail ",
  "#hash",
  "!bang",
  ".dot",
  "a*b",
  "a?b",
  "axb",
  "q'uo\"te",
  "back\\slash",
  "new\nline",
  "tab\t",
  "é^$(x){y}|z+",
  "~tilde",
  "%20",
  "-dash",
  "CON.",
  "\u00a0nbsp\u00a0",
  "a/keep.log",
  "a/sub/deep",
  "src/dist",
];
const IGNORED = [
  "node_modules/x/y.js",
  "a/node_modules/q",
  "a/__pycache__/z.pyc",
  "x.log",
  "dist/o.js",
  "build/x",
  "tmp-1/x",
  "a/tmp-2",
  "od d/[x]",
  "logs/keep.log",
  "gone ",
  "a*c",
];

describeEngine("a source with odd names", () => {
  it("8.1 reaches plain docker build and bake exactly as it is declared", { timeout: 300_000 }, async () => {
    const root = makeWorkspace({
      fragments: { app: { "0.1.0": { body: 'COPY {{source "app"}} /app' } } },
      manifest:
        'sources: {app: {path: services/web, from_gitignore: true, ignore: [node_modules, "**/__pycache__", "*.log", "!keep.log", "od d", "gone\\\\ ", "a\\\\*c", "logs/"]}}\n',
    });
    writeFileSync(join(root, ".gitignore"), "dist/\n/services/*/build\ntmp-[12]\n");
    for (const name of [...DECLARED, ...IGNORED]) {
      const file = join(root, "services/web", name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, name);
    }
    mkdirSync(join(root, "services/web/empty"));
    symlinkSync("a/sub", join(root, "services/web/link"));
    writeFileSync(join(root, "secret"), "not declared");
    expect((await factory(root, ["stitch", "--manifest-id", "app"])).exitCode).toBe(0);
    const out = temporaryFolder();
    // The Dockerfile of the whole context: what the builder gets.
    const dockerfile = join(out, "Dockerfile");
    writeFileSync(dockerfile, "FROM scratch\nCOPY . /\n");
    execFileSync("cp", [
      join(root, ".factory/stitch/app/Dockerfile.dockerignore"),
      `${dockerfile}.dockerignore`,
    ]);
    docker(["build", "-q", "-f", dockerfile, "--output", `type=local,dest=${out}/context`, root]);
    const find = (folder: string, ...more: string[]) =>
      execFileSync("find", [folder, "-mindepth", "1", ...more, "-printf", "%y %P\\0"], { encoding: "utf8" })
        .split("\0")
        .filter(Boolean)
        .sort();
    const names = [
      ...DECLARED.map((name) => `f ${name}`),
      "f .gitignore",
      ...["a", "a/sub", "empty", "src"].map((name) => `d ${name}`),
      "l link",
    ].filter((name) => name !== "f .gitignore");
    expect(find(join(out, "context/services/web"))).toEqual(names.sort());
    expect(find(join(out, "context"), "-maxdepth", "2")).toEqual(["d services", "d services/web"]);
    // The same by the Dockerfile that was stitched, and by the bake file of a plan.
    const target = ["--target", "app", "--output", "type=cacheonly"];
    docker(["build", "-q", "-f", join(root, ".factory/stitch/app/Dockerfile"), ...target, root]);
  });
});
