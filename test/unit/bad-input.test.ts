import { rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { validate } from "../../src/commands/validate.ts";
import type { Context } from "../../src/commands/context.ts";
import type { ErrorCode, Finding } from "../../src/errors.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import {
  errorFrom,
  factory,
  factoryAtOnce,
  type Files,
  makeWorkspace,
  SMALL,
  temporaryFolder,
  treeOf,
} from "./workspace.ts";

/** Something wrong with a workspace or a command line. */
interface Case {
  /** What is changed in the small workspace. */
  files?: Files;
  /** What cannot be said as a file. */
  prepare?: (root: string) => void;
  /** The command line. Default: stitch of the manifest `demo`. */
  argv?: string[];
  code: ErrorCode;
  /** `file:line`, where it lies in a document. */
  at?: string;
  /** A part of the text. */
  what?: string;
  /** Whether `validate` finds it too. Default: wherever it lies in a document. */
  validates?: boolean;
}

const STITCH = ["stitch", "--manifest-id", "demo"];
const MANIFEST = "manifests/demo.yaml";
const CORE = "fragments/core/0.1.1/fragment.yaml";
const CORE_HBS = "fragments/core/0.1.1/Dockerfile.hbs";
const PLAN = "control_plane/plans/grid.yaml";

/** A file of the small workspace with a part replaced. */
function change(file: string, from: string, to: string): Files {
  const text = SMALL[file] ?? "";
  if (!text.includes(from)) throw new Error(`${file} holds no ${from}`);
  return { [file]: text.replace(from, () => to) };
}

const fragment = (name: string, more: string): Files => ({
  [`fragments/${name}/1.0.0/fragment.yaml`]: `schema_version: 1\nname: ${name}\nversion: 1.0.0\n${more}`,
  [`fragments/${name}/1.0.0/Dockerfile.hbs`]: `RUN ${name}\n`,
});
const plan = (lines: string): Files => ({
  [PLAN]: `schema_version: 1\nplan_id: grid\nmanifest_id: demo\n${lines}`,
});

const DOCUMENTS: Record<string, Case> = {
  "broken YAML": {
    files: change(MANIFEST, "{core: ~0.1,", "{core: ~0.1,,"),
    code: "YAML_SYNTAX",
    at: `${MANIFEST}:7`,
  },
  "broken YAML, an open quote": { files: change(MANIFEST, "A demonstration", '"A'), code: "YAML_SYNTAX" },
  "a duplicate key": {
    files: change(MANIFEST, "args:", "base: b\nargs:"),
    code: "YAML_DUPLICATE_KEY",
    at: `${MANIFEST}:8`,
  },
  "a YAML alias bomb": {
    files: {
      [MANIFEST]: `a: &a [x, x, x, x, x, x, x, x, x]\n${[..."bcdefghi"].map((name, at) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[at]}`).join(", ")}]`).join("\n")}\n`,
    },
    code: "YAML_ALIAS",
    at: `${MANIFEST}:1`,
  },
  "a file of 50 MB": {
    prepare: (root) => truncateSync(join(root, MANIFEST), 50_000_000),
    code: "FILE_TOO_LARGE",
    at: MANIFEST,
  },
  "a Dockerfile.hbs of 50 MB": {
    prepare: (root) => truncateSync(join(root, CORE_HBS), 50_000_000),
    code: "FILE_TOO_LARGE",
    at: CORE_HBS,
  },
  "bytes that are no text": {
    prepare: (root) => writeFileSync(join(root, MANIFEST), Buffer.from([0x61, 0xff])),
    code: "FILE_UNREADABLE",
    at: MANIFEST,
  },
  "a document that is no mapping": { files: { [MANIFEST]: "- a\n" }, code: "SCHEMA", at: `${MANIFEST}:1` },
  "an empty document": { files: { [MANIFEST]: "" }, code: "SCHEMA", at: `${MANIFEST}:1` },
  "an unknown field": {
    files: change(MANIFEST, "platforms:", "platfroms:"),
    code: "SCHEMA_UNKNOWN_FIELD",
    at: `${MANIFEST}:6`,
    what: "platfroms",
  },
  "a missing field": {
    files: change(MANIFEST, "base: debian:bookworm-slim\n", ""),
    code: "SCHEMA_MISSING_FIELD",
    at: `${MANIFEST}:1`,
    what: "base",
  },
  "a field of the wrong type": {
    files: change(MANIFEST, "[linux/amd64, linux/arm64]", "linux/amd64"),
    code: "SCHEMA",
    at: `${MANIFEST}:6`,
  },
  "another schema_version": {
    files: change(MANIFEST, "schema_version: 1", "schema_version: 2"),
    code: "SCHEMA",
    at: `${MANIFEST}:1`,
  },
  "a __proto__ key": {
    files: change(MANIFEST, "args: {", "args: {__proto__: 1, "),
    code: "YAML_KEY",
    at: `${MANIFEST}:8`,
  },
  "a __proto__ key at the top": {
    files: change(MANIFEST, "args:", "__proto__: {base: a}\nargs:"),
    code: "YAML_KEY",
    at: `${MANIFEST}:8`,
  },
  "a tag": {
    files: change(MANIFEST, "A demonstration", "!!js/function 'x'"),
    code: "YAML_UNSUPPORTED",
    at: `${MANIFEST}:3`,
  },
  "an id unlike the file's name": {
    files: change(MANIFEST, "manifest_id: demo", "manifest_id: other"),
    code: "NAME_MISMATCH",
    at: `${MANIFEST}:2`,
  },
  "a base that would add a line": {
    files: change(MANIFEST, "debian:bookworm-slim", '"a\\nRUN b"'),
    code: "SCHEMA",
    at: `${MANIFEST}:5`,
  },
  "a summary with a line break": {
    files: change(MANIFEST, "A demonstration", '"a\\nRUN b"'),
    code: "SCHEMA",
    at: `${MANIFEST}:3`,
  },
  "a repository with HCL in it": {
    files: { "factory.yaml": 'schema_version: 1\nrepository: "a${b}"\n' },
    code: "SCHEMA",
    at: "factory.yaml:2",
  },
  "a manifest that leads out of the workspace": {
    prepare: (root) => {
      const outside = join(temporaryFolder(), "demo.yaml");
      writeFileSync(outside, SMALL[MANIFEST] ?? "");
      rmSync(join(root, MANIFEST));
      symlinkSync(outside, join(root, MANIFEST));
    },
    code: "FILE_OUTSIDE",
    at: MANIFEST,
  },
  "a fragment's file that leads out of the workspace": {
    prepare: (root) => {
      rmSync(join(root, "fragments/app/0.1.0/server.py"));
      symlinkSync("/etc/passwd", join(root, "fragments/app/0.1.0/server.py"));
    },
    code: "FILE_UNREADABLE",
    at: "fragments/app/0.1.0/Dockerfile.hbs:1",
  },
  "a link in the middle of a fragment's file": {
    files: change("fragments/app/0.1.0/Dockerfile.hbs", '"server.py"', '"etc/hostname"'),
    prepare: (root) => symlinkSync("/etc", join(root, "fragments/app/0.1.0/etc")),
    code: "FILE_OUTSIDE",
    at: "fragments/app/0.1.0/Dockerfile.hbs:1",
  },
  "a file that is not there": {
    files: { "fragments/app/0.1.0/server.py": null },
    code: "FILE_MISSING",
    at: "fragments/app/0.1.0/Dockerfile.hbs:1",
  },
  "a missing requirement": {
    files: change(CORE, "order:", "requires: {extra: '*'}\norder:"),
    code: "REQUIRES_MISSING",
    at: `${MANIFEST}:7`,
  },
  "a requirement in another version": {
    files: {
      ...change(CORE, "order:", "requires: {app: '>=1'}\norder:"),
      ...change(MANIFEST, "core: ~0.1", "core: 0.1.1"),
    },
    code: "REQUIRES_VERSION",
    at: `${MANIFEST}:7`,
    validates: false,
  },
  "a cyclic requirement": {
    files: change(CORE, "order:", "requires: {app: '*'}\norder:"),
    code: "REQUIRES_CYCLE",
    at: `${CORE}:4`,
    validates: false,
  },
  "a conflict": {
    files: {
      ...change(CORE, "order:", "conflicts: {app: '*'}\norder:"),
      ...change(MANIFEST, "core: ~0.1", "core: 0.1.1"),
    },
    code: "CONFLICT",
    at: `${MANIFEST}:7`,
  },
  "a range that nothing satisfies": {
    files: change(MANIFEST, "~0.1, app", "~7.1, app"),
    code: "RANGE_UNSATISFIED",
    at: `${MANIFEST}:7`,
    what: "core",
  },
  "a range that is none": {
    files: change(MANIFEST, "~0.1, app", "a.b, app"),
    code: "RANGE_INVALID",
    at: `${MANIFEST}:7`,
  },
  "two fragments for one slot": {
    files: {
      ...change(MANIFEST, "app: 0.1.0", "app: 0.1.0, other: 1.0.0"),
      ...fragment("other", "order: 1\nslot: core\n"),
    },
    code: "SLOT_CLAIMED_TWICE",
    at: `${MANIFEST}:7`,
  },
  "a slot without a fragment": {
    files: change(MANIFEST, "core: ~0.1, ", ""),
    code: "SLOT_EMPTY",
    at: `${MANIFEST}:7`,
  },
  "a slot that there is not": {
    files: {
      ...change(MANIFEST, "app: 0.1.0", "app: 0.1.0, other: 1.0.0"),
      ...fragment("other", "order: 1\n"),
    },
    code: "SLOT_UNKNOWN",
    at: `${MANIFEST}:7`,
  },
  "an undeclared argument": {
    files: change(MANIFEST, "{port: 8080}", "{port: 8080, prot: 1}"),
    code: "ARG_UNDECLARED",
    at: `${MANIFEST}:8`,
  },
  "an argument of the wrong type": {
    files: change(MANIFEST, "8080}", "eighty}"),
    code: "ARG_TYPE",
    at: `${MANIFEST}:8`,
  },
  "a number out of its range": {
    files: change(MANIFEST, "8080}", "0}"),
    code: "ARG_TYPE",
    at: `${MANIFEST}:8`,
  },
  "an undeclared argument in a template": {
    files: { [CORE_HBS]: "USER a\nRUN {{args.pyhton}}\n" },
    code: "ARG_UNDECLARED",
    at: `${CORE_HBS}:2`,
    what: "pyhton",
  },
  "a Handlebars syntax error": {
    files: { [CORE_HBS]: "USER a\nRUN {{args.python}\n" },
    code: "TEMPLATE_SYNTAX",
    at: `${CORE_HBS}:2`,
  },
  "a Handlebars block left open": {
    files: { [CORE_HBS]: "{{#if args.python}}\nRUN a\n" },
    code: "TEMPLATE_SYNTAX",
  },
  "an unknown helper": {
    files: { [CORE_HBS]: "USER a\n\nRUN {{shell args.python}}\n" },
    code: "TEMPLATE_HELPER",
    at: `${CORE_HBS}:3`,
  },
  "an unknown block helper": {
    files: { [CORE_HBS]: "{{#with args}}x{{/with}}\n" },
    code: "TEMPLATE_HELPER",
    at: `${CORE_HBS}:1`,
  },
  "a value that would add an instruction": {
    files: { ...change(MANIFEST, "{port: 8080}", '{python: "a\\nRUN b"}') },
    code: "ARG_UNSAFE",
    at: `${CORE_HBS}:1`,
  },
  "two cells with one id": {
    files: plan("axes: {core: [0.1.0]}\ninclude:\n  - {core: 0.1.0}\n"),
    argv: ["plan", "grid"],
    code: "CELL_DUPLICATE",
    at: `${PLAN}:6`,
  },
  "a rule that takes every cell": {
    files: plan("axes: {core: [0.1.0]}\nexclude:\n  - {core: 0.1.0}\n"),
    argv: ["plan", "grid", "--format", "bake"],
    code: "RULE_REMOVES_ALL",
    at: `${PLAN}:6`,
  },
  "a plan with no cells": {
    files: {
      ...plan("axes: {core: [0.1.0]}\n"),
      ...change("fragments/app/0.1.0/fragment.yaml", '">=0.1 <1"', '">=0.1.1"'),
    },
    argv: ["plan", "grid", "--format", "bake"],
    code: "PLAN_EMPTY",
    at: `${MANIFEST}:7`,
    what: "app@0.1.0 requires core >=0.1.1",
  },
  "an axis that the manifest has not": {
    files: plan("axes: {cores: [0.1.0]}\n"),
    argv: ["plan", "grid"],
    code: "UNKNOWN_AXIS",
    at: `${PLAN}:4`,
    what: "did you mean `core`?",
  },
  "a version that is not there": {
    files: plan("axes: {core: [7.0.0]}\n"),
    argv: ["plan", "grid"],
    code: "RANGE_UNSATISFIED",
    validates: false,
  },
};
const LINES: Record<string, Case> = {
  "no manifest": { argv: ["stitch"], code: "USAGE" },
  "nothing to plan": {
    files: { [PLAN]: null, "manifests/demo.yaml": null },
    argv: ["plan"],
    code: "USAGE",
    what: "there is nothing to plan",
  },
  "a plan and a manifest": { argv: ["plan", "grid", "--manifest-id", "demo"], code: "USAGE" },
  "an unknown manifest": {
    argv: ["stitch", "--manifest-id", "dmeo"],
    code: "UNKNOWN_MANIFEST",
    what: "demo",
  },
  "an unknown plan": { argv: ["plan", "gird"], code: "UNKNOWN_PLAN", what: "grid" },
  "an unknown fragment": { argv: [...STITCH, "--set", "cor=0.1.0"], code: "UNKNOWN_FRAGMENT", what: "core" },
  "a version that is not there, chosen": { argv: [...STITCH, "--set", "core=7"], code: "RANGE_UNSATISFIED" },
  "no version": { argv: [...STITCH, "--set", "core="], code: "RANGE_INVALID" },
  "no pair": { argv: [...STITCH, "--set", "core"], code: "USAGE", what: "NAME=VALUE" },
  "one name twice": { argv: [...STITCH, "--arg", "port=1", "--arg", "port=2"], code: "USAGE", what: "twice" },
  "an undeclared argument, given": {
    argv: [...STITCH, "--arg", "prot=1"],
    code: "ARG_UNDECLARED",
    what: "port",
  },
  "a __proto__ argument": { argv: [...STITCH, "--arg", "__proto__=1"], code: "ARG_UNDECLARED" },
  "an argument of the wrong type, given": { argv: [...STITCH, "--arg", "port=eighty"], code: "ARG_TYPE" },
  "a value with a line break": {
    argv: [...STITCH, "--arg", "python=a\nRUN b"],
    code: "ARG_UNSAFE",
    at: `${CORE_HBS}:1`,
  },
  "a workspace that is not there": {
    argv: ["validate", "--workspace", "/nonexistent"],
    code: "WORKSPACE_NOT_FOUND",
  },
  "a cell that is not there": {
    argv: ["run", "--plan", "grid", "--cell", "demo.core-0.1.0.linux-amd46"],
    code: "UNKNOWN_CELL",
    what: "did you mean",
  },
  "nothing to run": { argv: ["run"], code: "USAGE" },
  "a plan and a manifest to run": { argv: ["run", "--plan", "grid", "--manifest-id", "demo"], code: "USAGE" },
  "no number of jobs": { argv: ["run", "--plan", "grid", "--jobs", "many"], code: "USAGE" },
  "no jobs": { argv: ["run", "--plan", "grid", "--jobs", "0"], code: "USAGE" },
  "an unknown record": { argv: ["records", "show", "../../factory.yaml"], code: "UNKNOWN_RECORD" },
  "an unknown record to verify": {
    argv: ["records", "verify", "20260101t000000000z-00000000"],
    code: "UNKNOWN_RECORD",
  },
  "no moment": { argv: ["records", "list", "--since", "yesterday"], code: "USAGE" },
  "a moment that is none": { argv: ["records", "list", "--since", "2026-13-45"], code: "USAGE" },
};
/** What `validate` needs of the program. */
function contextOf(root: string): Context {
  const same = (text: string) => text;
  const color = { red: same, green: same, yellow: same, cyan: same, dim: same, bold: same };
  const now = () => Date.UTC(2026, 0, 1);
  return { catalog: () => Promise.resolve(openCatalog(root)), color, now } as Partial<Context> as Context;
}

interface Failure {
  error: Finding & { where: { file: string; line?: number; col?: number } | null };
  findings?: Finding[];
}

const placeOf = ({ where }: Pick<Finding, "where"> | Failure["error"]) =>
  where ? [where.file, where.line].filter((part) => part !== undefined).join(":") : undefined;

/** Whether a finding is the one that a case is about. */
function isIt({ code, at, what = "" }: Case, finding: Finding): boolean {
  const place = placeOf(finding) ?? "";
  const isThere = at === undefined || place === at || (!/:\d+$/.test(at) && place.startsWith(at));
  return finding.code === code && isThere && `${finding.what} ${finding.fix ?? ""}`.includes(what);
}

describe.each([
  ["in a document", Object.entries(DOCUMENTS)],
  ["on the command line", Object.entries(LINES)],
])("bad input %s", (kind, cases) => {
  it.each(cases)("%s", async (_, one) => {
    const root = makeWorkspace(one.files);
    one.prepare?.(root);
    const argv = one.argv ?? STITCH;
    const before = treeOf(root);
    const [asJson, asText] = await Promise.all([
      factoryAtOnce(root, ["--json", ...argv]),
      factoryAtOnce(root, argv),
    ]);

    expect(asJson.stderr).toBe("");
    const { error, findings = [error] } = JSON.parse(asJson.stdout) as Failure;
    expect(
      findings.filter((finding) => isIt(one, finding)),
      asJson.stdout,
    ).not.toEqual([]);
    expect(Object.keys(error)).toEqual(["code", "what", "where", "fix"]);
    expect(
      findings.every(({ fix, what }) => what && fix),
      asJson.stdout,
    ).toBe(true);
    expect(asJson.status).toBe(2);

    expect(asText).toMatchObject({ status: 2, stdout: "" });
    expect(asText.stderr).toContain(`error ${one.code}: `);
    if (one.at) expect(asText.stderr).toContain(`\n  at ${one.at}`);
    expect(asText.stderr).toContain("\n  fix: ");
    expect(asText.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|\n {4}at /);

    if (kind === "in a document" && one.validates !== false) {
      const { json, exitCode } = await validate(contextOf(root));
      const all = (json as { findings: Finding[] }).findings;
      expect(all.filter((finding) => isIt(one, finding))).not.toEqual([]);
      expect(exitCode).toBe(2);
    }
    expect(treeOf(root)).toBe(before);
  });
});

/** Texts that a shell, HCL, a path or a Dockerfile would take for something else. */
const HOSTILE = [
  "a/b",
  "../demo",
  "..",
  "a\nb",
  "a\u0000b",
  "$(id)",
  "`id`",
  "a;b",
  "${a}",
  "%{a}",
  "a b",
  "demo\n",
  "-x",
  "ä",
  "A",
];

describe("hostile names", () => {
  it("are found in every kind of document that may hold one", () => {
    const files: Record<string, string> = {};
    const places: string[] = [];
    const add = (file: string, from: string, id: string, original = file) => {
      const text = SMALL[original] ?? "";
      if (!text.includes(from)) throw new Error(`${original} holds no ${from}`);
      files[file] = text.replace(from, () => from.replace(/[^ {]+$/, "") + JSON.stringify(id));
      places.push(`${file}:${text.slice(0, text.indexOf(from)).split("\n").length}`);
    };
    for (const [at, id] of HOSTILE.entries()) {
      add(`manifests/a${at}.yaml`, "manifest_id: demo", id, MANIFEST);
      add(`manifests/b${at}.yaml`, "core: ~0.1", id, MANIFEST);
      add(`manifests/c${at}.yaml`, "template: plain@~0.1", id, MANIFEST);
      add(`control_plane/plans/a${at}.yaml`, "plan_id: grid", id, PLAN);
      add(`control_plane/plans/b${at}.yaml`, "manifest_id: demo", id, PLAN);
      add(`fragments/f${at}/0.1.1/fragment.yaml`, "name: core", id, CORE);
      add(`fragments/g${at}/0.1.1/fragment.yaml`, "version: 0.1.1", id, CORE);
      files[`fragments/h${at}/0.1.1/fragment.yaml`] =
        `schema_version: 1\nname: h${at}\nversion: 0.1.1\norder: 1\nrequires:\n  ? ${JSON.stringify(id)}\n  : "*"\n`;
      places.push(`fragments/h${at}/0.1.1/fragment.yaml:6`);
    }
    const root = makeWorkspace(files);
    const { status, stdout } = factory(root, ["validate", "--json"]);
    expect(status).toBe(2);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const found = new Set(findings.filter(({ code }) => /^(SCHEMA|RANGE|YAML)/.test(code)).map(placeOf));
    // `A` and `-x` are words that a range may be made of; that they are none is found as well.
    expect(places.filter((place) => !found.has(place))).toEqual([]);
  });

  it("name nothing on the command line", () => {
    const catalog = openCatalog(makeWorkspace());
    for (const id of HOSTILE) {
      const code = (call: () => unknown) => errorFrom(call).code;
      expect(code(() => catalog.manifest(id))).toBe("UNKNOWN_MANIFEST");
      expect(code(() => catalog.plan(id))).toBe("UNKNOWN_PLAN");
      expect(code(() => stitch(catalog, "demo", { set: { core: id } }))).toBe("RANGE_INVALID");
      expect(code(() => stitch(catalog, "demo", { set: { [id]: "0.1.0" } }))).toBe("UNKNOWN_FRAGMENT");
    }
  });
});

describe("a missing environment", () => {
  it("names Docker where it is not installed, and leaves nothing behind", () => {
    const root = makeWorkspace();
    const before = treeOf(root);
    const PATH = temporaryFolder();
    const { status, stderr, stdout } = factory(root, ["run", "--manifest-id", "demo"], { PATH });
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toContain("error DOCKER_MISSING: docker is not installed");
    expect(stderr).toContain("install Docker Engine with the buildx plugin");
    expect(treeOf(root)).toBe(before);
  });

  it("names the engine where none answers", () => {
    const root = makeWorkspace();
    const DOCKER_HOST = `unix://${temporaryFolder()}/none.sock`;
    const { status, stdout } = factory(root, ["sbom", "image:tag", "--json"], { DOCKER_HOST });
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "ENGINE_UNREACHABLE", where: null } });
  });

  it("names syft where that is to write the SBOM, before anything is built", () => {
    const root = makeWorkspace();
    const before = treeOf(root);
    const argv = ["run", "--manifest-id", "demo", "--sbom-with", "syft", "--json"];
    const { status, stdout } = factory(root, argv, { PATH: temporaryFolder() });
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "TOOL_MISSING", what: "syft is not installed" },
    });
    expect(treeOf(root)).toBe(before);
  });

  it("names buildx where docker lacks it", () => {
    const root = makeWorkspace();
    const PATH = temporaryFolder();
    // What Docker 28 says without the plugin, and to `docker version`.
    const script = `#!/bin/sh
if [ "$1" = version ]; then echo 28.5.0; exit 0; fi
echo "docker: unknown command: docker $1" >&2; exit 1
`;
    writeFileSync(join(PATH, "docker"), script, { mode: 0o755 });
    const { status, stderr } = factory(root, ["run", "--manifest-id", "demo"], { PATH });
    expect(status).toBe(3);
    expect(stderr).toContain("error BUILDX_MISSING: docker has no buildx plugin");
    expect(stderr).toContain("docker-buildx");
  });
});
