import { execFileSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { ERRORS, FactoryError } from "../../src/errors.ts";
import { SOUND, workspace, writeFiles } from "../fixtures/catalog/workspace.ts";

const check = (root: string) => checkWorkspace(openCatalog(root)).findings;

/** `CODE file:line:col` of every finding. */
function said(root: string): string[] {
  return check(root).map(
    ({ code, where }) => `${code} ${[where?.file, where?.line, where?.col].filter(Boolean).join(":")}`,
  );
}

function changed(file: string, ...replacements: [string, string][]): Record<string, string> {
  let text = SOUND[file] ?? "";
  for (const [from, to] of replacements) text = text.replace(from, to);
  return { [file]: text };
}

function fragment(name: string, requires: Record<string, string>, version = "0.1.0"): Record<string, string> {
  const folder = `fragments/${name}/${version}`;
  const text = `schema_version: 1\nname: ${name}\nversion: ${version}\norder: 1\nrequires: ${JSON.stringify(requires)}\n`;
  return { [`${folder}/fragment.yaml`]: text, [`${folder}/Dockerfile.hbs`]: "" };
}

describe("checkWorkspace", () => {
  it("finds nothing in a sound workspace, and counts it", () => {
    const pool = "schema_version: 1\npool_id: amd64\nplatforms: [linux/amd64]\nruns_on: ubuntu-24.04\n";
    const result = checkWorkspace(openCatalog(workspace({ "control_plane/pools/amd64.yaml": pool })));
    expect(result).toEqual({
      findings: [],
      summary: { manifests: 1, fragments: 2, templates: 1, plans: 1, policies: 0, pools: 1, products: 1 },
    });
  });

  it("takes a workspace that holds factory.yaml alone", () => {
    const root = workspace();
    for (const folder of ["manifests", "fragments", "templates", "control_plane"])
      rmSync(join(root, folder), { recursive: true });
    expect(checkWorkspace(openCatalog(root))).toMatchObject({ findings: [], summary: { manifests: 0 } });
  });

  it("gives everything at once, sorted by place", () => {
    const root = workspace({
      ...changed(
        "manifests/demo.yaml",
        ["core: ~0.1", "cor: ~0.1"],
        ["plain@", "plane@"],
        ["base:", "bsae:"],
      ),
      ...changed("control_plane/plans/all.yaml", ["demo", "dmeo"]),
      ...changed("control_plane/products/demo.yaml", ["manifest_id: demo", "manifest_id: else"]),
      ...changed("fragments/light/0.1.0/fragment.yaml", ["core", "coar"]),
      "factory.yaml": "schema_version: 1\nrepo: x\n",
    });
    expect(said(root)).toEqual([
      "UNKNOWN_MANIFEST control_plane/plans/all.yaml:3:14",
      "UNKNOWN_MANIFEST control_plane/products/demo.yaml:3:14",
      "SCHEMA_UNKNOWN_FIELD factory.yaml:2:1",
      "UNKNOWN_FRAGMENT fragments/light/0.1.0/fragment.yaml:5:12",
      "UNKNOWN_TEMPLATE manifests/demo.yaml:4:11",
      "SCHEMA_UNKNOWN_FIELD manifests/demo.yaml:5:1",
      "UNKNOWN_FRAGMENT manifests/demo.yaml:6:13",
    ]);
    expect(check(root).every(({ fix }) => (fix ?? "").length > 0)).toBe(true);
  });

  it("says which versions there are where a range takes none", () => {
    const root = workspace({
      ...changed("manifests/demo.yaml", ["core: ~0.1", "core: ^2.0"], ["plain@~0.1", "plain@9.0.0"]),
      ...fragment("core", {}, "0.10.0"),
      ...fragment("core", {}, "0.9.0"),
    });
    expect(check(root)).toMatchObject([
      { code: "RANGE_UNSATISFIED", where: { line: 4, col: 11 }, fix: "there is: `0.1.0`" },
      {
        code: "RANGE_UNSATISFIED",
        where: { line: 6, col: 19 },
        fix: "there are: `0.1.0`, `0.9.0`, `0.10.0`",
      },
    ]);
  });

  it("holds a plan's names and versions to its manifest", () => {
    const plan = `schema_version: 1
plan_id: all
manifest_id: demo
axes: {cor: [0.1.0, 0.2.0], light: [0.1.0, 0.2.0]}
fixed: {core: ^3.0}
include: [{core: 0.1.0, platform: linux/amd64}, {lihgt: 0.1.0}]
exclude: [{security: "*"}]
expect: [{when: {core: ">1"}, result: fail, owner: a, reason: x, until: never}]
`;
    const file = "control_plane/plans/all.yaml";
    const root = workspace({ [file]: plan, ...fragment("security", {}) });
    expect(said(root)).toEqual([
      `UNKNOWN_AXIS ${file}:4:8`,
      `RANGE_UNSATISFIED ${file}:4:44`,
      `RANGE_UNSATISFIED ${file}:5:15`,
      `UNKNOWN_AXIS ${file}:6:50`,
      `UNKNOWN_AXIS ${file}:7:12`,
      `RANGE_UNSATISFIED ${file}:8:24`,
    ]);
    expect(check(root)[0]?.fix).toBe("did you mean `core`?");
  });

  it("finds circles among requirements, version by version", () => {
    const circle = workspace({
      ...fragment("a", { b: "*" }),
      ...fragment("b", { c: "0.1.0" }),
      ...fragment("c", { a: ">=0.1" }),
    });
    expect(check(circle)).toMatchObject([
      {
        code: "REQUIRES_CYCLE",
        what: "fragments require each other in a cycle: a@0.1.0 → b@0.1.0 → c@0.1.0 → a@0.1.0",
        where: { file: "fragments/c/0.1.0/fragment.yaml", line: 5 },
      },
    ]);
    expect(said(workspace(fragment("self", { self: "*" })))).toEqual([
      "REQUIRES_CYCLE fragments/self/0.1.0/fragment.yaml:5:19",
    ]);
    const apart = {
      ...fragment("a", { b: "0.1.0" }),
      ...fragment("b", {}),
      ...fragment("b", { a: "*" }, "0.2.0"),
    };
    expect(said(workspace(apart))).toEqual([]);
  });

  it("walks a long chain of requirements", () => {
    const chain = Array.from({ length: 300 }, (_, at) =>
      fragment(`f${at}`, at === 299 ? {} : { [`f${at + 1}`]: "*" }),
    );
    expect(check(workspace(Object.assign({}, ...chain) as Record<string, string>))).toEqual([]);
  });

  it("names files and folders that nothing reads", () => {
    const root = workspace({
      "manifests/x.yml": "",
      "manifests/Upper.yaml": "",
      "manifests/team/y.yaml": "",
      "manifests/README.md": "",
      "manifests/.keep": "",
      "control_plane/plans/p.json": "",
      "fragments/core/latest/fragment.yaml": "",
      "fragments/Core/0.1.0/fragment.yaml": "",
      "fragments/core.yaml": "",
      "templates/plain/1/x": "",
      "fragments/light/0.2.0/notes": "",
      "fragments/new\nline/0.1.0/x": "",
    });
    expect(said(root)).toEqual([
      "NAME_MISMATCH control_plane/plans/p.json",
      "NAME_MISMATCH fragments/Core",
      "NAME_MISMATCH fragments/core.yaml",
      "NAME_MISMATCH fragments/core/latest",
      "FILE_MISSING fragments/light/0.2.0/Dockerfile.hbs",
      "FILE_MISSING fragments/light/0.2.0/fragment.yaml",
      "NAME_MISMATCH fragments/new\\nline",
      "NAME_MISMATCH manifests/Upper.yaml",
      "NAME_MISMATCH manifests/team",
      "NAME_MISMATCH manifests/x.yml",
      "NAME_MISMATCH templates/plain/1",
    ]);
  });

  it("finds links out of the workspace and pipes, once each, and goes on", () => {
    const outside = workspace();
    const root = workspace({ "manifests/other.yaml": "manifest_id: [" });
    rmSync(join(root, "fragments/core"), { recursive: true });
    symlinkSync(join(outside, "fragments/core"), join(root, "fragments/core"));
    rmSync(join(root, "templates/plain/0.1.0"), { recursive: true });
    symlinkSync(join(outside, "templates/plain/0.1.0"), join(root, "templates/plain/0.1.0"));
    execFileSync("mkfifo", [join(root, "manifests/pipe.yaml")]);
    expect(said(root)).toEqual([
      "FILE_OUTSIDE fragments/core",
      "YAML_SYNTAX manifests/other.yaml:1:15",
      "FILE_UNREADABLE manifests/pipe.yaml",
      "FILE_OUTSIDE templates/plain/0.1.0/Dockerfile.hbs",
      "FILE_OUTSIDE templates/plain/0.1.0/template.yaml",
    ]);
  });

  it("asks the render check about manifests without findings, and keeps what it says or throws once", () => {
    const root = workspace({ "manifests/broken.yaml": "x", ...changed("manifests/demo.yaml") });
    const asked: string[] = [];
    const others = { fragment: () => [], template: () => [] };
    const { findings } = checkWorkspace(openCatalog(root), {
      ...others,
      manifest: (id) => {
        asked.push(id);
        throw new FactoryError("SLOT_EMPTY", "no fragment", {
          where: { file: "manifests/demo.yaml", line: 1 },
        });
      },
    });
    expect(asked).toEqual(["demo"]);
    expect(findings.map(({ code }) => code)).toEqual(["SCHEMA", "SLOT_EMPTY"]);
    expect(() =>
      checkWorkspace(openCatalog(root), {
        ...others,
        manifest: () => {
          throw new TypeError("a bug");
        },
      }),
    ).toThrow(TypeError);
  });

  it("says the same whatever the order on disk", () => {
    const files = {
      ...SOUND,
      "manifests/a.yaml": "",
      "manifests/b.yaml": "",
      ...fragment("z", { y: "*" }),
      ...fragment("y", { z: "*" }),
    };
    const forward = workspace();
    const backward = workspace();
    writeFiles(forward, files);
    writeFiles(backward, Object.fromEntries(Object.entries(files).reverse()));
    expect(check(backward)).toEqual(check(forward));
  });

  it("cuts what a hostile file would say", () => {
    const lines = Array.from({ length: 5000 }, (_, at) => `f${at}: 1`).join("\n");
    const findings = check(workspace({ "factory.yaml": `schema_version: 1\n${lines}\n` }));
    expect(findings).toHaveLength(101);
    expect(findings.some(({ what }) => what.includes("the rest is left out"))).toBe(true);
  });

  it("gives findings, and nothing else, for any text as any document", () => {
    const files = Object.keys(SOUND).filter((file) => file.endsWith(".yaml"));
    const words = Object.values(SOUND).flatMap((text) => text.split(/([\s{}[\]:,"'])/));
    const token = fc.oneof(
      fc.constantFrom(...words),
      fc.constantFrom("\n", "  ", "- ", ": ", "null", "0.1", "&a", "*a", "!x", "__proto__: 1", "()", "-1"),
      fc.string(),
    );
    const scrambled = fc
      .tuple(fc.constantFrom(...files), fc.nat(), fc.nat({ max: 40 }), token)
      .map(([file, at, cut, word]) => {
        const text = SOUND[file] ?? "";
        const start = at % (text.length + 1);
        return [file, text.slice(0, start) + word + text.slice(start + cut)] as const;
      });
    const scratch = fc.tuple(
      fc.constantFrom(...files),
      fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join("")),
    );
    const root = workspace();
    fc.assert(
      fc.property(fc.oneof(scrambled, scratch), ([file, text]) => {
        writeFiles(root, { [file]: text });
        try {
          for (const { code, what, where } of check(root)) {
            expect(ERRORS[code]).toBe(2);
            expect(what).not.toMatch(/\p{Cc}/u);
            expect(Object.keys(SOUND)).toContain(where?.file);
          }
        } finally {
          writeFiles(root, { [file]: SOUND[file] ?? "" });
        }
      }),
      { numRuns: 300 },
    );
  });
});
