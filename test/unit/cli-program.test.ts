import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { momentOf } from "../../src/records/parse-filter.ts";
import { table } from "../../src/screen/table.ts";
import { createProgram } from "../../src/program.ts";
import { workspaceWithLibrary } from "./library-made.ts";
import {
  cleanEnv,
  cli,
  errorFrom,
  factory,
  makeWorkspace,
  repository,
  sha256,
  temporaryFolder,
  treeOf,
} from "./workspace.ts";

const STITCH = ["stitch", "--manifest-id", "demo"];

describe("the command line", () => {
  it("says its version, wherever it is asked for", () => {
    const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
      version: string;
    };
    for (const argv of [["--version"], ["-V"], ["--no-color", "--version"]])
      expect(factory("/", argv)).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("shows its help where it is called with nothing", () => {
    const { status, stdout, stderr } = factory("/", []);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("Usage: factory [options] [command]");
    expect(stdout).toContain("Exit codes:");
  });

  it("shows an example in the help of each command, and the same in two ways", () => {
    const program = createProgram(
      () => expect.unreachable(),
      () => expect.unreachable(),
    );
    const names = program.commands
      .filter((one) => !one.name().startsWith("__"))
      .flatMap((one) => [[one.name()], ...one.commands.map((below) => [one.name(), below.name()])]);
    expect(names.length).toBeGreaterThanOrEqual(11);
    const [plan] = names.filter(([name]) => name === "plan");
    expect(factory("/", ["help", ...(plan ?? [])]).stdout).toBe(
      factory("/", [...(plan ?? []), "--help"]).stdout,
    );
    for (const name of names) {
      const { status, stdout, stderr } = factory("/", [...name, "--help"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain(`Usage: factory ${name.join(" ")}`);
      expect(stdout).toMatch(new RegExp(`\nExamples:\n  (source <\\()?factory ${name.join(" ")}`));
    }
  });

  it.each([
    [["stich"], "unknown command 'stich'", "did you mean stitch?"],
    [["stitch", "--manifes-id", "demo"], "unknown option '--manifes-id'", "did you mean --manifest-id?"],
    [["plan", "--formt", "json", "grid"], "unknown option '--formt'", "did you mean --format?"],
    [["records", "lst"], "unknown command 'lst'", "did you mean list?"],
    [["records"], "no known command is named", "--help"],
    [["help", "stich"], "no known command is named", "--help"],
    [["plan", "grid", "more"], "too many arguments", "--help"],
    [
      ["plan", "grid", "--format", "yaml"],
      "Allowed choices are table, json, bake, github, dot, mermaid",
      "--help",
    ],
    [["plan", "grid", "--quiet", "--verbose"], "cannot be used with", "--help"],
    [["stitch", "--manifest-id"], "argument missing", "--help"],
    [["completion", "bahs"], 'no completion for "bahs"', "did you mean bash?"],
    [["completion"], "missing required argument", "--help"],
  ])("answers %j with what was meant", (argv, what, fix) => {
    const { status, stdout, stderr } = factory(makeWorkspace(), argv);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error USAGE: /);
    expect(stderr).toContain(what);
    expect(stderr).toContain(`  fix: ${fix.startsWith("-") ? "see `factory " : ""}${fix}`);
  });

  it("takes --json before and behind the command", () => {
    const root = makeWorkspace();
    const [before, behind] = [
      factory(root, ["--json", "plan", "grid"]),
      factory(root, ["plan", "grid", "--json"]),
    ];
    expect(before).toEqual(behind);
    expect(JSON.parse(before.stdout)).toMatchObject({ plan_id: "grid", summary: { cells: 4 } });
    expect(factory(root, ["plan", "grid", "--format", "json"]).stdout).toBe(before.stdout);
    for (const argv of [
      ["--json", "nonsense"],
      ["nonsense", "--json"],
      ["plan", "--json", "--nonsense"],
    ]) {
      const { status, stdout, stderr } = factory(root, argv);
      expect({ status, stderr }).toEqual({ status: 2, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "USAGE", where: null } });
    }
  });

  it("finds its workspace upward, by name and in the environment", () => {
    const root = makeWorkspace();
    const elsewhere = temporaryFolder();
    const counts = { manifests: 1, fragments: 5, templates: 1, plans: 1, policies: 0, pools: 0, products: 0 };
    const summary = (cwd: string, argv: string[], env = {}) => {
      const { stdout } = factory(cwd, ["validate", "--json", ...argv], env);
      return (JSON.parse(stdout) as { summary?: object }).summary;
    };
    expect(summary(join(root, "fragments/core"), [])).toEqual(counts);
    expect(summary(elsewhere, ["--workspace", root])).toEqual(counts);
    expect(summary(elsewhere, [], { FACTORY_WORKSPACE: root })).toEqual(counts);
    expect(summary(root, [], { FACTORY_WORKSPACE: "" })).toEqual(counts);
    expect(summary(root, ["--workspace", "."], { FACTORY_WORKSPACE: elsewhere })).toEqual(counts);
    expect(factory(elsewhere, ["validate"])).toMatchObject({ status: 2 });
  });

  it("takes repositories from the environment", () => {
    const root = makeWorkspace();
    const env = {
      FACTORY_REPOSITORY: "ghcr.example/Owner",
      FACTORY_CACHE_REPOSITORY: "ghcr.example/owner/cache",
    };
    const { stdout } = factory(root, ["plan", "grid", "--json"], env);
    expect(stdout).toContain('"ghcr.example/owner/demo:core-0.1.0.linux-amd64"');
    expect(stdout).toContain("ref=ghcr.example/owner/cache:");
    const wrong = factory(root, ["plan", "grid"], { FACTORY_REPOSITORY: "a b" });
    expect(wrong).toMatchObject({ status: 2 });
    expect(wrong.stderr).toContain('FACTORY_REPOSITORY is not a repository: "a b"');
  });

  it("colours for a terminal alone, unless it is told to", () => {
    const root = makeWorkspace();
    const escape = "\u001b[";
    expect(factory(root, ["validate"]).stdout).not.toContain(escape);
    expect(factory(root, ["validate"], { FORCE_COLOR: "1" }).stdout).toContain(escape);
    expect(factory(root, ["validate"], { FORCE_COLOR: "1", NO_COLOR: "1" }).stdout).not.toContain(escape);
    expect(factory(root, ["validate", "--no-color"], { FORCE_COLOR: "1" }).stdout).not.toContain(escape);
    expect(factory(root, ["nonsense"], { FORCE_COLOR: "1" }).stderr).toContain(escape);
    expect(factory(root, ["--no-color", "nonsense"], { FORCE_COLOR: "1" }).stderr).not.toContain(escape);
  });

  it("ends quietly when its reader has gone", async () => {
    const names = Array.from({ length: 200 }, (_, at) => `0.0.${at}`);
    const root = makeWorkspace(
      Object.fromEntries(
        names.flatMap((version) => [
          [
            `fragments/core/${version}/fragment.yaml`,
            `schema_version: 1\nname: core\nversion: ${version}\norder: 1\n`,
          ],
          [`fragments/core/${version}/Dockerfile.hbs`, "RUN a\n"],
          [
            "control_plane/plans/grid.yaml",
            `schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {core: [${names.join(", ")}]}\n`,
          ],
          [
            "fragments/app/0.1.0/fragment.yaml",
            "schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nargs: {port: {type: integer, default: 80}, name: {type: string, default: a}}\n",
          ],
        ]),
      ),
    );
    const child = spawn(process.execPath, [cli, "plan", "grid", "--json"], {
      cwd: root,
      env: cleanEnv(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    // More than a pipe holds is coming; its reader leaves after the first piece.
    await once(child.stdout, "data");
    child.stdout.destroy();
    const [status] = (await once(child, "close")) as [number | null];
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("is a plugin of the docker command line", () => {
    const { stdout, status } = factory("/", ["docker-cli-plugin-metadata"]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ SchemaVersion: "0.1.0", Vendor: "Factory" });
    const plugin = join(temporaryFolder(), "docker-factory");
    symlinkSync(cli, plugin);
    const root = makeWorkspace();
    const argv = ["plan", "grid", "--format", "github"];
    const called = spawnSync(plugin, ["factory", ...argv], { cwd: root, env: cleanEnv(), encoding: "utf8" });
    const { status: code, stdout: matrix, stderr } = called;
    expect({ status: code, stdout: matrix, stderr }).toEqual(factory(root, argv));
    expect({ status: code, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(/^4 shards \([a-f0-9]{12}\): [^\n]+\n$/) as string,
    });
    expect(JSON.parse(matrix)).toMatchObject({ "fail-fast": false });
  });
});

describe("stitch", () => {
  it("writes a Dockerfile with its .dockerignore, where it is told to, and says the same on stdout", () => {
    const root = makeWorkspace();
    const stdout = factory(root, [...STITCH, "-o", "-"]).stdout;
    const before = treeOf(root);
    expect(before).not.toContain("factory/stitch");
    expect(factory(root, STITCH).stdout).toMatch(
      /^\.factory\/stitch\/demo\/Dockerfile\n {2}fragments {2}core@0\.1\.1, app@0\.1\.0\n/,
    );
    expect(readFileSync(join(root, ".factory/stitch/demo/Dockerfile"), "utf8")).toBe(stdout);
    expect(factory(join(root, "fragments"), [...STITCH, "-o", "../deep/er/Dockerfile"]).status).toBe(0);
    expect(readFileSync(join(root, "deep/er/Dockerfile"), "utf8")).toBe(stdout);
    expect(readFileSync(join(root, "deep/er/Dockerfile.dockerignore"), "utf8")).toMatch(/^\*\n!/);
  });

  it("gives all that the contract names with --json", () => {
    const root = makeWorkspace();
    const document = JSON.parse(factory(root, [...STITCH, "--json", "--arg", "name=a b"]).stdout) as Record<
      string,
      unknown
    >;
    expect(document).toMatchObject({
      manifest_id: "demo",
      template: { id: "plain", version: "0.1.0" },
      base: { ref: "debian:bookworm-slim", digest: null },
      fragments: [
        { name: "core", version: "0.1.1", digest: expect.stringMatching(/^sha256:/) as string },
        { name: "app", version: "0.1.0" },
      ],
      args: { name: "a b", port: 8080 },
      path: ".factory/stitch/demo/Dockerfile",
    });
    expect(document.dockerfile).toBe(readFileSync(join(root, ".factory/stitch/demo/Dockerfile"), "utf8"));
    expect(document.dockerfile).toContain(`io.factory.recipe-key="${String(document.recipe_key)}"`);
    // Which bits are meant is not known before the base is resolved.
    expect(document.dockerfile).not.toContain("io.factory.build-key");
    expect(document.build_key).toMatch(/^sha256:[a-f0-9]{64}$/);
    expect(document.verdict_key).toMatch(/^sha256:[a-f0-9]{64}$/);
  });

  it("says with --check whether the file is up to date, and writes nothing", () => {
    const root = makeWorkspace();
    const check = () => {
      const before = treeOf(root);
      const { status, stdout } = factory(root, [...STITCH, "-o", "Dockerfile", "--check"]);
      expect(treeOf(root)).toBe(before);
      return { status, stdout };
    };
    expect(check().status).toBe(1);
    factory(root, [...STITCH, "-o", "Dockerfile"]);
    expect(check()).toEqual({ status: 0, stdout: "Dockerfile is up to date\n" });
    writeFileSync(join(root, "Dockerfile.dockerignore"), "");
    expect(check()).toEqual({
      status: 1,
      stdout: "Dockerfile.dockerignore differs from what would be rendered\n",
    });
    factory(root, [...STITCH, "-o", "Dockerfile"]);
    writeFileSync(join(root, "fragments/app/0.1.0/server.py"), "another");
    expect(check().status).toBe(1);
    mkdirSync(join(root, "folder"));
    expect(factory(root, [...STITCH, "-o", "folder", "--check"]).status).toBe(1);
  });

  it("says where it cannot write", () => {
    const root = makeWorkspace();
    for (const file of ["factory.yaml/Dockerfile", "fragments"]) {
      const { status, stderr } = factory(root, [...STITCH, "-o", file]);
      expect(status).toBe(3);
      expect(stderr).toContain("error WRITE_FAILED: cannot write");
    }
  });
});

describe("plan", () => {
  it("writes what it would print into a file", () => {
    const root = makeWorkspace();
    for (const format of ["table", "json", "bake", "github", "dot", "mermaid"]) {
      const { stdout } = factory(root, ["plan", "grid", "--format", format]);
      expect(factory(root, ["plan", "grid", "--format", format, "-o", "out"])).toMatchObject({
        status: 0,
        stdout: "out: 4 cells\n",
      });
      expect(readFileSync(join(root, "out"), "utf8")).toBe(stdout);
    }
  });

  it("takes every plan of the workspace where none is named", () => {
    const other = "schema_version: 1\nplan_id: other\nmanifest_id: demo\naxes: {core: [0.1.0, 0.1.1]}\n";
    const root = makeWorkspace({ "control_plane/plans/other.yaml": other });
    const { status, stdout, stderr } = factory(root, ["plan", "--json"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { plan_id, plan_ids, manifest_id, cells } = JSON.parse(stdout) as {
      plan_id: null;
      plan_ids: string[];
      manifest_id: string | null;
      cells: { cell_id: string; plan_ids: string[] }[];
    };
    expect({ plan_id, plan_ids, manifest_id }).toEqual({
      plan_id: null,
      plan_ids: ["grid", "other"],
      manifest_id: "demo",
    });
    const plansOf = Object.fromEntries(cells.map((cell) => [cell.cell_id, cell.plan_ids]));
    expect(cells).toHaveLength(6);
    expect(plansOf).toEqual({
      "demo.core-0.1.0.linux-amd64": ["grid", "other"],
      "demo.core-0.1.0.linux-arm64": ["grid", "other"],
      "demo.core-0.1.1.linux-amd64": ["other"],
      "demo.core-0.1.1.linux-arm64": ["other"],
      "demo.core-0.2.0.linux-amd64": ["grid"],
      "demo.core-0.2.0.linux-arm64": ["grid"],
    });
  });

  it("gives cells with all that the contract names", () => {
    const { cells } = JSON.parse(factory(makeWorkspace(), ["plan", "grid", "--json"]).stdout) as {
      cells: object[];
    };
    for (const cell of cells) {
      expect(Object.keys(cell)).toEqual(
        expect.arrayContaining(
          "cell_id manifest_id platform fragments base args build_key verdict_key target tags cache_from cache_to action reason plan_ids changes record_id expect".split(
            " ",
          ),
        ),
      );
    }
  });
});

describe("completion", () => {
  it.each(["bash", "zsh", "fish"])("prints a script for %s", (shell) => {
    const { status, stdout } = factory("/", ["completion", shell]);
    expect(status).toBe(0);
    expect(stdout).toContain("factory __complete -- ");
  });

  it("prints a script that bash takes, and completes with it", () => {
    const { stdout: script } = factory("/", ["completion", "bash"]);
    const root = makeWorkspace({ "manifests/demo_two.yaml": "" });
    const bin = temporaryFolder();
    symlinkSync(cli, join(bin, "factory"));
    const ask = `${script}\nCOMP_WORDS=(factory stitch --manifest-id de); COMP_CWORD=3; _factory; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = cleanEnv({ PATH: `${bin}:${process.env.PATH}`, LC_ALL: "C" });
    const { stdout, stderr } = spawnSync("bash", ["-c", ask], { cwd: root, env, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "demo\ndemo_two\n", stderr: "" });
    expect(spawnSync("bash", ["-n"], { input: script, env, encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
  });

  it.each([
    [["st"], ["stitch"]],
    [
      ["records", ""],
      ["list", "matrix", "badge", "readme", "show", "verify", "push", "pull", "sync", "prune"],
    ],
    [["plan", ""], ["grid"]],
    [["plan", "g"], ["grid"]],
    [
      ["plan", "--format", ""],
      ["table", "json", "bake", "github", "dot", "mermaid"],
    ],
    [["plan", "--form"], ["--format"]],
    [["run", "--plan", ""], ["grid"]],
    [["run", "--platform", "linux/ar"], ["linux/arm64"]],
    [["records", "list", "--status", "f"], ["fail"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [["--json", "stitch", "--manifest-id", ""], ["demo"]],
    [["nonsense", "x"], []],
  ])("completes %j", (words, expected) => {
    const { status, stdout, stderr } = factory(makeWorkspace(), ["__complete", "--", ...words]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const found = stdout.split("\n").filter(Boolean);
    expect(found).toEqual(expected);
  });

  it.each([
    ["library", "update", ""],
    ["library", "outdated", "company", "co"],
  ])("completes the names of libraries: %s %s", (...words) => {
    const found = factory(workspaceWithLibrary(), ["__complete", "--", ...words]);
    expect(found).toEqual({ status: 0, stdout: "company\n", stderr: "" });
  });

  it("says nothing where there is no workspace", () => {
    const found = factory(temporaryFolder(), ["__complete", "--", "stitch", "--manifest-id", ""]);
    expect(found).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});

describe("moments and tables", () => {
  const now = Date.UTC(2026, 0, 31);

  it.each([
    ["2026-01-30", Date.UTC(2026, 0, 30)],
    ["2026-01-30T12:00", Date.UTC(2026, 0, 30, 12)],
    ["2026-01-30T12:00:00.5Z", Date.UTC(2026, 0, 30, 12, 0, 0, 500)],
    ["2026-01-30T12:00:00+02:00", Date.UTC(2026, 0, 30, 10)],
    ["90m", now - 90 * 60_000],
    ["12h", now - 12 * 3_600_000],
    ["7d", now - 7 * 86_400_000],
    ["2w", now - 14 * 86_400_000],
  ])("reads %s", (text, expected) => {
    expect(momentOf(text, now)).toBe(expected);
  });

  it.each([
    "",
    "yesterday",
    "7",
    "-7d",
    "7y",
    "1.5h",
    "2026",
    "2026-1-1",
    "2026-13-01",
    "2026-01-01T25:00:00Z",
    "2026-01-01 12:00",
  ])("refuses %j", (text) => {
    expect(errorFrom(() => momentOf(text, now))).toMatchObject({ code: "USAGE" });
  });

  it("fits a table into a terminal, and cuts nothing without one", () => {
    const rows = [
      ["a".repeat(30), "b"],
      ["表".repeat(5), "c"],
    ];
    expect(table(["ONE", "TWO"], rows, undefined).split("\n")).toEqual([
      `ONE${" ".repeat(29)}TWO`,
      `${"a".repeat(30)}  b`,
      `${"表".repeat(5)}${" ".repeat(22)}c`,
    ]);
    const narrow = table(["ONE", "TWO"], rows, 20).split("\n");
    expect(narrow[1]).toBe(`${"a".repeat(14)}…  b`);
    expect(sha256(narrow.join())).toBe(sha256(table(["ONE", "TWO"], rows, 20).split("\n").join()));
  });
});
