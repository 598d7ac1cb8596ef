import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Files, cleanEnv, cli, factory, makeWorkspace, writeFiles } from "../unit/workspace.ts";

interface Document {
  findings: { code: string; what: string; where: { file: string; line?: number } }[];
}

/** `CODE file` of each finding. */
function findingsOf(root: string): string[] {
  const { stdout, status } = factory(root, ["--json", "validate"]);
  const { findings } = JSON.parse(stdout) as Document;
  expect(status).toBe(findings.length === 0 ? 0 : 2);
  return findings.map(({ code, where }) => `${code} ${where.file}`);
}

/** A version of a fragment that no manifest uses. */
const unused = (version: string, body: string, yaml = ""): Files => ({
  [`fragments/spare/${version}/fragment.yaml`]: `schema_version: 1\nname: spare\nversion: ${version}\norder: 90\n${yaml}`,
  [`fragments/spare/${version}/Dockerfile.hbs`]: `${body}\n`,
});
const FILE = (version: string) => `fragments/spare/${version}/Dockerfile.hbs`;

const template = (version: string, body: string, slots = "{name: a}, {name: b, optional: true}"): Files => ({
  [`templates/spare/${version}/template.yaml`]: `schema_version: 1\ntemplate_id: spare\nversion: ${version}\nslots: [${slots}]\n`,
  [`templates/spare/${version}/Dockerfile.hbs`]: body,
});
const BOTH = 'FROM {{base}} AS base\n\n{{slot "a"}}\n\n{{slot "b"}}\n\nFROM {{last}} AS image\n{{labels}}\n';

describe("validate", () => {
  it.each<[string, string, string, string]>([
    ["a helper that is not there", "RUN {{upper args.x}}", "", "TEMPLATE_HELPER"],
    ["an argument that is not declared", "RUN {{sh args.y}}", "", "ARG_UNDECLARED"],
    ["a block that does not end", "{{#if args.x}}RUN true", "", "TEMPLATE_SYNTAX"],
    ["a stage of its own", "FROM debian:bookworm-slim", "", "TEMPLATE_INSTRUCTION"],
    ["a file that is not there", 'COPY {{file "nothing"}} /', "", "FILE_MISSING"],
    [
      "a default that cannot stand in a Dockerfile",
      "RUN echo {{args.x}}",
      "args: {x: {type: string, default: a b}}",
      "ARG_UNSAFE",
    ],
    ["a here-document without an end", "RUN <<END\ntrue", "", "TEMPLATE_INSTRUCTION"],
    ["a source that is not pinned", "ADD https://example.org/x /x", "", "SOURCE_UNPINNED"],
  ])("B5 finds in each version of a fragment that nothing uses %s", (_, body, yaml, code) => {
    const args = yaml || "args: {x: {type: string, default: word}}";
    const root = makeWorkspace({
      ...unused("0.1.0", body, args),
      ...unused("0.2.0", "RUN true"),
      ...unused("0.3.0", body, args),
    });
    expect(findingsOf(root)).toEqual([`${code} ${FILE("0.1.0")}`, `${code} ${FILE("0.3.0")}`]);
  });

  it("B5 finds what only some value of an argument leads to", () => {
    const root = makeWorkspace(
      unused(
        "0.1.0",
        'RUN true\n{{#if args.debug}}COPY {{file "tools"}} /\n{{/if}}{{#if (eq args.kind "big")}}RUN echo {{args.kind}} <<END{{/if}}',
        "args: {debug: {type: boolean, default: false}, kind: {type: string, enum: [small, big]}}",
      ),
    );
    expect(findingsOf(root)).toEqual([`ARG_UNSAFE ${FILE("0.1.0")}`, `FILE_MISSING ${FILE("0.1.0")}`]);
    expect(factory(root, ["validate"]).stdout).toContain("(if `debug` is true)");
  });

  it("B5 takes values without a default for what they would be", () => {
    const root = makeWorkspace({
      ...unused(
        "0.1.0",
        [
          "ADD https://example.org/x.git#{{args.commit}} /x",
          "ADD --checksum=sha256:{{args.sum}} https://example.org/y /y",
          "EXPOSE {{args.port}}",
          "{{#unless args.debug}}RUN true{{/unless}}",
          "ENV NAME={{quote args.name}}",
        ].join("\n"),
        "args: {commit: {type: string}, sum: {type: string}, port: {type: integer, minimum: 1024}, debug: {type: boolean}, name: {type: string, pattern: '[a-z]+'}}",
      ),
      ...unused("0.2.0", "COPY --from=debian@{{args.digest}} /x /x", "args: {digest: {type: string}}"),
    });
    expect(findingsOf(root)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ["a slot that is not placed", BOTH.replace('{{slot "b"}}\n\n', ""), "TEMPLATE_INSTRUCTION"],
    ["a slot that there is not", BOTH.replace('"b"', '"c"'), "SLOT_UNKNOWN"],
    ["no labels", BOTH.replace("{{labels}}", ""), "TEMPLATE_INSTRUCTION"],
    ["no base", BOTH.replace("{{base}}", "debian"), "TEMPLATE_INSTRUCTION"],
    ["something behind a slot", BOTH.replace('{{slot "a"}}', '{{slot "a"}} # more'), "TEMPLATE_INSTRUCTION"],
    [
      "something behind a slot that may be empty",
      BOTH.replace('{{slot "b"}}', '{{slot "b"}} # more'),
      "TEMPLATE_INSTRUCTION",
    ],
    ["an image that is not clear", BOTH.replace("FROM {{last}}", "ARG X=1\nFROM debian:$X"), "IMAGE_UNCLEAR"],
  ])("B5 finds in each version of a template that nothing uses %s", (_, body, code) => {
    const root = makeWorkspace({
      ...template("0.1.0", body),
      ...template("0.2.0", BOTH),
      ...template("0.3.0", body),
    });
    const file = (version: string) => `templates/spare/${version}/Dockerfile.hbs`;
    expect([...new Set(findingsOf(root))]).toEqual([`${code} ${file("0.1.0")}`, `${code} ${file("0.3.0")}`]);
  });

  it("B5 says once what the manifests that use a version say too", () => {
    const root = makeWorkspace({ "fragments/app/0.1.0/Dockerfile.hbs": 'COPY {{file "nothing"}} /\n' });
    expect(findingsOf(root)).toEqual(["FILE_MISSING fragments/app/0.1.0/Dockerfile.hbs"]);
  });

  it("B5 refuses each link among the files of a fragment, used or not, wherever it leads", () => {
    const root = makeWorkspace(unused("0.1.0", 'COPY {{file "one"}} {{file "tree"}} /'));
    const folder = join(root, "fragments/spare/0.1.0");
    mkdirSync(join(folder, "tree"));
    for (const name of ["one", "kept", "tree/two"]) {
      writeFileSync(join(folder, name), "");
      chmodSync(join(folder, name), 0o644);
    }
    expect(findingsOf(root)).toEqual([]);
    for (const [link, to] of [
      ["one", "kept"],
      ["tree/two", "../kept"],
      ["tree/three", "../nothing"],
    ] as const) {
      rmSync(join(folder, link), { force: true });
      symlinkSync(to, join(folder, link));
      expect(findingsOf(root), link).toEqual([`FILE_UNREADABLE ${FILE("0.1.0")}`]);
      rmSync(join(folder, link));
      if (link !== "tree/three") writeFileSync(join(folder, link), "");
    }
    renameSync(join(folder, "tree"), join(folder, "kept-tree"));
    symlinkSync("kept-tree", join(folder, "tree"));
    expect(findingsOf(root)).toEqual([`FILE_UNREADABLE ${FILE("0.1.0")}`]);
  });
});

describe("patterns of arguments", () => {
  const ENDLESS = `${"a".repeat(60)}!`;
  /** Runs the program; one that hangs is killed, and its status is null. */
  const bounded = (root: string, argv: string[]) =>
    spawnSync(process.execPath, [cli, ...argv], {
      cwd: root,
      env: cleanEnv(),
      encoding: "utf8",
      timeout: 60_000,
      killSignal: "SIGKILL",
    });

  it("B2 one that backtracks without end is a finding, for the default, each value of an enum, the manifest's and --arg", () => {
    const declared = (rest: string) =>
      makeWorkspace(unused("0.1.0", "RUN true", `args: {x: {type: string, pattern: "(a+)+", ${rest}}}`));
    const values = Array.from({ length: 50 }, (_, at) => `${ENDLESS}${at}`);
    for (const rest of [`default: "${ENDLESS}"`, `enum: ${JSON.stringify(values)}`]) {
      const { status, stdout } = bounded(declared(rest), ["validate"]);
      expect(stdout).toContain("error ARG_TYPE");
      expect(stdout).toContain("the pattern took more than 1000 ms");
      expect(status).toBe(2);
    }
    const root = declared("default: aaa");
    expect(bounded(root, ["validate"]).status).toBe(0);
    writeFileSync(
      join(root, "manifests/spare.yaml"),
      `schema_version: 1\nmanifest_id: spare\ntemplate: spare@0.1.0\nbase: debian:bookworm-slim\nfragments: {spare: "*"}\nargs: {x: "${ENDLESS}"}\n`,
    );
    writeFiles(
      root,
      template("0.1.0", BOTH.replace('{{slot "b"}}\n\n', "").replace('"a"', '"spare"'), "{name: spare}"),
    );
    for (const argv of [
      ["validate"],
      ["stitch", "--manifest-id", "spare", "-o", "-"],
      ["stitch", "--manifest-id", "spare", "-o", "-", "--arg", `x=${ENDLESS}0`],
    ]) {
      const { status, stdout, stderr } = bounded(root, argv);
      expect(`${stdout}${stderr}`, argv.join(" ")).toContain("the pattern took more than 1000 ms");
      expect(status).toBe(2);
    }
    const sound = bounded(root, ["stitch", "--manifest-id", "spare", "-o", "-", "--arg", "x=aaaa"]);
    expect([sound.status, sound.stderr]).toEqual([0, expect.any(String)]);
  });
});
