import { describe, expect, it } from "vitest";
import { valueProblem } from "../../src/catalog/value-rules.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import type { Finding } from "../../src/errors.ts";
import { SOUND, workspace } from "../fixtures/catalog/workspace.ts";

function findings(kind: "manifest" | "plan", text: string): Finding[];
function findings(kind: "fragment" | "template", text: string): Finding[];
function findings(kind: "manifest" | "plan" | "fragment" | "template", text: string): Finding[] {
  if (kind === "manifest")
    return openCatalog(workspace({ "manifests/demo.yaml": text })).loadFile(kind, "demo").findings;
  if (kind === "plan")
    return openCatalog(workspace({ "control_plane/plans/all.yaml": text })).loadFile(kind, "all").findings;
  const id = kind === "fragment" ? "core" : "plain";
  const file = `${kind}s/${id}/0.1.0/${kind}.yaml`;
  return openCatalog(workspace({ [file]: text })).loadFolder(kind, id, "0.1.0").findings;
}

function said(list: readonly Finding[]): string[] {
  return list.map(({ code, where }) => `${code} ${where?.line}:${where?.col}`);
}

const FRAGMENT = "schema_version: 1\nname: core\nversion: 0.1.0\norder: 1\n";

describe("names", () => {
  it("have to agree with the path", () => {
    expect(
      said(
        findings(
          "manifest",
          (SOUND["manifests/demo.yaml"] ?? "").replace("manifest_id: demo", "manifest_id: other"),
        ),
      ),
    ).toEqual(["NAME_MISMATCH 3:14"]);
    expect(said(findings("fragment", "schema_version: 1\nname: cor\nversion: 0.1.1\norder: 1\n"))).toEqual([
      "NAME_MISMATCH 2:7",
      "NAME_MISMATCH 3:10",
    ]);
    expect(
      said(findings("template", "schema_version: 1\ntemplate_id: x\nversion: 0.2.0\nslots: [{name: a}]\n")),
    ).toHaveLength(2);
    expect(said(findings("plan", "schema_version: 1\nplan_id: most\nmanifest_id: demo\n"))).toEqual([
      "NAME_MISMATCH 2:10",
    ]);
  });
});

describe("ranges", () => {
  it("have to be semver", () => {
    const text = (SOUND["manifests/demo.yaml"] ?? "")
      .replace("plain@~0.1", "plain@x.y.z.w")
      .replace("~0.1", '">>1"');
    expect(said(findings("manifest", text))).toEqual(["RANGE_INVALID 4:11", "RANGE_INVALID 6:19"]);
    expect(said(findings("fragment", `${FRAGMENT}requires: {a: "=="}\nconflicts: {b: "1 -"}\n`))).toEqual([
      "RANGE_INVALID 5:15",
      "RANGE_INVALID 6:16",
    ]);
    const plan =
      'schema_version: 1\nplan_id: all\nmanifest_id: demo\nfixed: {core: "=="}\nexclude: [{core: "==", platform: linux/amd64}]\n';
    expect(
      said(
        findings(
          "plan",
          `${plan}expect: [{when: {light: ">>1"}, result: fail, owner: a, reason: x, until: never}]\n`,
        ),
      ),
    ).toEqual(["RANGE_INVALID 4:15", "RANGE_INVALID 5:18", "RANGE_INVALID 6:25"]);
  });

  it("may not be fixed and an axis", () => {
    const plan =
      "schema_version: 1\nplan_id: all\nmanifest_id: demo\naxes: {core: [0.1.0]}\nfixed: {core: 0.1.0}\n";
    expect(said(findings("plan", plan))).toEqual(["SCHEMA 5:15"]);
  });
});

describe("smoke tests", () => {
  const smoke = (...tests: string[]) =>
    findings("fragment", `${FRAGMENT}smoke:\n${tests.map((one) => `  - ${one}\n`).join("")}`);

  it("do exactly one thing", () => {
    expect(said(smoke("{id: a, summary: x}"))).toEqual(["TEST_INVALID 6:5"]);
    const two = smoke("{id: a, command: {argv: [x]}, budget: {layers: 1}}");
    expect(said(two)).toEqual(["TEST_INVALID 6:43"]);
    expect(two[0]?.what).toContain("command and budget");
  });

  it("have each id once", () => {
    expect(said(smoke("{id: a, budget: {layers: 1}}", "{id: a, budget: {layers: 2}}"))).toEqual([
      "TEST_DUPLICATE 7:10",
    ]);
  });

  it.each([
    "command: {argv: [x], stdout: {matches: '('}}",
    "command: {argv: [x], stderr: {matches: '('}}",
    "http: {port: 1, path: /, response: {matches: '('}}",
    "file: {path: /x, contents: {matches: '('}}",
  ])("hold regular expressions: %s", (test) => {
    const found = smoke(`{id: a, ${test}}`);
    expect(found).toMatchObject([{ code: "TEST_INVALID", where: { line: 6, col: 13 + test.indexOf("'(") } }]);
    expect(found[0]?.what).toContain("Unterminated group");
  });

  it("do not look into a file that must not be there", () => {
    expect(said(smoke("{id: a, file: {path: /x, exists: false, mode: '0644'}}"))).toEqual([
      "TEST_INVALID 6:51",
    ]);
    expect(smoke("{id: a, file: {path: /x, exists: false}}")).toEqual([]);
  });
});

describe("arguments", () => {
  const args = (declaration: string) =>
    findings("fragment", `${FRAGMENT}args:\n  a: ${declaration}\n`).map(({ what }) => what);

  it.each([
    ["{type: string, default: 1}", "1 is not text"],
    ['{type: integer, default: "1"}', "the text `1` is not a whole number"],
    ["{type: boolean, default: 1}", "1 is not true or false"],
    ["{type: string, enum: [a, b], default: c}", "`c` is not one of `a`, `b`"],
    ["{type: string, enum: [a, 1]}", "its enum: 1 is not text"],
    ["{type: string, pattern: '[a-z]+', default: a1}", "`a1` does not match `[a-z]+`"],
    ["{type: string, pattern: 'a|b', default: bc}", "`bc` does not match"],
    ["{type: string, pattern: '('}", "Unterminated group"],
    ["{type: integer, pattern: 'a'}", "only text can have a pattern"],
    ["{type: string, minimum: 1}", "only whole numbers can have a minimum"],
    ["{type: integer, minimum: 2, maximum: 1}", "minimum 2 is more than its maximum 1"],
    ["{type: integer, minimum: 2, default: 1}", "1 is less than 2"],
    ["{type: integer, maximum: 2, enum: [3]}", "3 is more than 2"],
  ])("are declared soundly, unlike %s", (declaration, what) => {
    const found = args(declaration);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(what);
  });

  it("may have any sound default", () => {
    expect(args("{type: integer, minimum: 1, maximum: 3, enum: [1, 2], default: 2}")).toEqual([]);
    expect(valueProblem("8080", { type: "string", pattern: "\\d+" })).toBeUndefined();
    expect(valueProblem("x", { type: "string", pattern: "(?=x)(.)" })).toBeUndefined();
  });

  it("have no pattern that ends the process, or keeps it", () => {
    const declaration = { type: "string", pattern: "(a+)+" } as const;
    const start = performance.now();
    // However many values it is asked about.
    for (let count = 0; count < 100; count += 1)
      expect(valueProblem(`${"a".repeat(50)}${count}`, declaration)?.what).toMatch(
        /^`a+\d+` cannot be checked against `\(a\+\)\+`: .* 1000 ms$/,
      );
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe("slots", () => {
  it("have each name once", () => {
    const text =
      "schema_version: 1\ntemplate_id: plain\nversion: 0.1.0\nslots: [{name: a}, {name: b}, {name: a}]\n";
    expect(said(findings("template", text))).toEqual(["SLOT_DUPLICATE 4:38"]);
  });
});

it("gives what rules find besides what the schema finds", () => {
  const text = `schema_version: 1\nname: core\nversion: 0.2.0\nordr: 1\nrequires: {a: "==", B: 1}\nsmoke: [{id: A, summary: x}, {id: b, file: {path: x, contents: {matches: "("}}}]\n`;
  expect(said(findings("fragment", text))).toEqual([
    "NAME_MISMATCH 3:10",
    "SCHEMA_UNKNOWN_FIELD 4:1",
    "RANGE_INVALID 5:15",
    "SCHEMA 5:21",
    "SCHEMA 5:24",
    "SCHEMA 6:14",
    "SCHEMA 6:51",
    "TEST_INVALID 6:74",
  ]);
});
