import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { sourceNames } from "../../src/plan/decide/source-names.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { fragmentFindings } from "../../src/stitch/every-version.ts";
import { workspace } from "../fixtures/catalog/workspace.ts";
import { errorFrom, makeCatalog, makeWorkspace } from "./workspace.ts";

const FRAGMENT = "schema_version: 1\nname: core\nversion: 0.1.0\norder: 1\n";
const PINNED = `postgres:17@sha256:${"a".repeat(64)}`;

/** What is found in the tests of a fragment. */
function found(...tests: string[]): string[] {
  const text = `${FRAGMENT}smoke:\n${tests.map((one) => `  - ${one}\n`).join("")}`;
  const { findings } = openCatalog(workspace({ "fragments/core/0.1.0/fragment.yaml": text })).loadFolder(
    "fragment",
    "core",
    "0.1.0",
  );
  return findings.map(
    ({ code, what, where }) => `${code} ${where?.line}:${where?.col} ${what.replaceAll("`", '"')}`,
  );
}

describe("what a test says about its container", () => {
  it.each([
    `{id: a, env: {A: "1"}, user: "0", memory_mb: 1024, shm_mb: 1, tmpfs: [/run/app], command: {argv: [x]}}`,
    `{id: a, argv: [serve], wait_for: {path: /ready}, http: {port: 1, path: /}}`,
    `{id: a, script: {path: tests/x y.py, interpreter: [python3], args: ["-v"]}}`,
    `{id: a, services: {db: {image: "${PINNED}", wait_for: {command: [pg_isready]}}, self: {}}, command: {argv: [x]}}`,
  ])("may be %s", (test) => expect(found(test)).toEqual([]));

  it("may be left to the test before", () => {
    expect(
      found(
        "{id: a, http: {port: 1, path: /}}",
        '{id: b, after: a, user: "0", env: {A: "1"}, command: {argv: [x]}}',
        "{id: c, after: b, http: {port: 1, path: /x}}",
      ),
    ).toEqual([]);
  });

  const wrong: [string, string][] = [
    ["{id: a, env: {A: x}, file: {path: /x}}", "has `env`, which means nothing for file"],
    ["{id: a, services: {db: {}}, budget: {layers: 1}}", "has `services`, which means nothing for budget"],
    ["{id: a, argv: [x], command: {argv: [y]}}", "has `argv`, which means nothing for command"],
    ["{id: a, wait_for: {path: /}, command: {argv: [y]}}", "has `wait_for`, which means nothing for command"],
    [
      "{id: a, wait_for: {path: /, command: [x]}, http: {port: 1, path: /}}",
      "waits for two things: command and path",
    ],
    ["{id: a, wait_for: {log: {matches: '('}}, http: {port: 1, path: /}}", "is not a regular expression"],
    ["{id: a, services: {db: {wait_for: {path: /}}}, command: {argv: [y]}}", "asks a path of a service"],
    [
      "{id: a, services: {db: {image: 'postgres:17'}}, command: {argv: [y]}}",
      'uses "postgres:17", which may be',
    ],
    ["{id: a, tmpfs: [/proc/x], command: {argv: [y]}}", 'cannot have "/proc/x" writable'],
    ["{id: a, tmpfs: [/a/../dev], command: {argv: [y]}}", 'cannot have "/a/../dev" writable'],
    ["{id: a, services: {db: {tmpfs: [/tmp]}}, command: {argv: [y]}}", 'cannot have "/tmp" writable'],
    ["{id: a, script: {path: ../x}}", 'names "../x"'],
    ["{id: a, script: {path: a//x}}", 'names "a//x"'],
    ["{id: a, after: a, command: {argv: [x]}}", 'comes after "a", which is no earlier test'],
    ["{id: a, after: b, command: {argv: [x]}}", 'comes after "b", which is no earlier test'],
    ["{id: a, after: b, budget: {layers: 1}}", "has `after`, but budget runs nothing"],
  ];
  it.each(wrong)("may not be %s", (test, what) => {
    const findings = found(test);
    expect(findings.join("\n")).toContain(what.replaceAll("`", '"'));
    expect(findings.every((one) => one.startsWith("TEST_INVALID 6:"))).toBe(true);
  });

  it("fits to the test that it comes after", () => {
    const file = "{id: a, file: {path: /x}}";
    expect(found(file, "{id: b, after: a, command: {argv: [x]}}").join()).toContain(
      "which runs no container",
    );
    const command = "{id: a, command: {argv: [x]}}";
    expect(found(command, "{id: b, after: a, http: {port: 1, path: /}}").join()).toContain(
      "does not start it",
    );
    expect(found(command, "{id: b, after: a, memory_mb: 99, command: {argv: [x]}}").join()).toContain(
      'has "memory_mb", but its container is that of "a"',
    );
  });

  it("names a service by a host name", () => {
    for (const name of ["Db", "a.b", "-a", "a_b", "a-"])
      expect(found(`{id: a, services: {"${name}": {}}, command: {argv: [x]}}`)).not.toEqual([]);
  });
});

describe("the scripts of tests", () => {
  const script = (path: string) => `smoke: [{id: s, script: {path: "${path}"}}]\n`;
  const manifest = `schema_version: 1
manifest_id: demo
template: plain@~0.1
base: debian:bookworm-slim
fragments: {core: ~0.1, app: 0.1.0}
args: {port: 8080}
`;

  it("are part of the verdict, not of the image", () => {
    const keys = (text: string) => {
      const catalog = makeCatalog({
        "manifests/demo.yaml": manifest + script("tests/x.sh"),
        "tests/x.sh": text,
      });
      const { build_key, verdict_key, tests } = stitch(catalog, "demo");
      expect(tests.at(-1)?.script?.path).toBe("tests/x.sh");
      return { build_key, verdict_key };
    };
    const [one, other] = [keys("echo 1\n"), keys("echo 2\n")];
    expect(one.build_key).toBe(other.build_key);
    expect(one.verdict_key).not.toBe(other.verdict_key);
  });

  it("are taken along where an earlier state of the workspace is looked at", () => {
    const files = { "manifests/demo.yaml": manifest + script("checks/x.sh"), "checks/x.sh": "true\n" };
    expect(sourceNames(makeCatalog(files))).toContain("checks");
  });

  it.each(["tests/none.sh", "fragments"])("have to be files: %s", (path) => {
    const catalog = makeCatalog({ "manifests/demo.yaml": manifest + script(path) });
    const error = errorFrom(() => stitch(catalog, "demo"));
    expect(error.findings ?? [error]).toMatchObject([{ where: { file: "manifests/demo.yaml", line: 7 } }]);
  });

  it("of a fragment are in its folder, and are looked for whether anything uses it or not", () => {
    const root = makeWorkspace({
      "fragments/lone/0.1.0/fragment.yaml": `schema_version: 1\nname: lone\nversion: 0.1.0\norder: 1\n${script("x.sh")}`,
      "fragments/lone/0.1.0/Dockerfile.hbs": "RUN true\n",
    });
    const catalog = openCatalog(root);
    const found = fragmentFindings(catalog, catalog.fragment("lone", "0.1.0"));
    expect(found).toMatchObject([
      { code: "FILE_MISSING", where: { file: "fragments/lone/0.1.0/fragment.yaml", line: 5 } },
    ]);
  });
});
