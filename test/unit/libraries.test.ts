import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { cellId } from "../../src/plan/cell-names.ts";
import { expand } from "../../src/plan/expand.ts";
import { sourceOf } from "../../src/stitch/secret-sources.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { DECLARED, libraryIn, lockLibraries, SHARED_MANIFEST, workspaceWithLibrary } from "./library-made.ts";
import { type Files, findingsFrom, makeWorkspace, writeFiles } from "./workspace.ts";

const text = (root: string, id = "shared"): string => stitch(openCatalog(root), id).dockerfile;

/** What `validate` finds, as code and place. */
const found = (root: string): string[] =>
  checkWorkspace(openCatalog(root)).findings.map(
    ({ code, where }) => `${code} ${where?.file}:${where?.line}`,
  );

describe("names", () => {
  it("a library's fragments and templates have its name before theirs", () => {
    const catalog = openCatalog(workspaceWithLibrary());
    expect(catalog.fragmentNames()).toEqual([
      "app",
      "company.app",
      "company.core",
      "company.extra",
      "core",
      "extra",
    ]);
    expect(catalog.templateIds()).toEqual(["company.plain", "plain"]);
    expect(catalog.fragmentVersions("company.core")).toEqual(["0.1.0", "0.1.1", "0.2.0"]);
    const { document, folder, library } = catalog.fragment("company.app", "0.1.0");
    expect(document).toMatchObject({
      name: "company.app",
      slot: "app",
      requires: { "company.core": ">=0.1 <1" },
    });
    expect(folder).toBe("vendor/company/fragments/app/0.1.0");
    expect(library).toEqual({ name: "company", fragments: ["app", "core", "extra"] });
  });

  it("stitches them as stages of those names, with files from the library's folder", () => {
    const root = workspaceWithLibrary();
    expect(text(root)).toContain("FROM base AS company.core\nRUN install --fast python3\n");
    expect(text(root)).toContain(
      "FROM company.core AS company.app\nCOPY vendor/company/fragments/app/0.1.0/server.py ",
    );
    expect(found(root)).toEqual([]);
  });

  it("arguments are named by the whole name of their fragment", () => {
    const manifest = SHARED_MANIFEST.replace("args: {port: 8080}", "args: {company.app: {port: 81}}");
    const root = workspaceWithLibrary({ "manifests/shared.yaml": manifest });
    expect(text(root)).toContain('ENV PORT="81"');
    const { dockerfile } = stitch(openCatalog(root), "shared", { args: { "company.app.port": "82" } });
    expect(dockerfile).toContain('ENV PORT="82"');
  });

  it("a fragment of the workspace may require one of a library, and fill the same template", () => {
    const root = workspaceWithLibrary({
      "fragments/app/0.1.0/fragment.yaml":
        "schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nrequires: {company.core: '>=0.1'}\nargs: {port: {type: integer, default: 1}, name: {type: string, default: x}}\n",
      "manifests/shared.yaml": SHARED_MANIFEST.replace("company.app", "app"),
      "manifests/demo.yaml": null,
      "control_plane/plans/grid.yaml": null,
    });
    expect(found(root)).toEqual([]);
    expect(text(root)).toContain("FROM company.core AS app\n");
  });

  it("a library's own names win in it, and what it does not have is the workspace's", () => {
    const requires = (range: string) =>
      `schema_version: 1\nname: extra\nversion: 0.1.0\norder: 20\nrequires: {${range}}\n`;
    const shared = (range: string) =>
      workspaceWithLibrary(
        libraryIn("vendor/company", { "fragments/extra/0.1.0/fragment.yaml": requires(range) }),
      );
    const named = (root: string) => openCatalog(root).fragment("company.extra", "0.1.0").document.requires;
    expect(named(shared("core: '*'"))).toEqual({ "company.core": "*" });
    expect(named(shared("security: '*'"))).toEqual({ security: "*" });
  });

  it("axes, constraints and cells have the names too, and bake takes them", () => {
    const root = workspaceWithLibrary({
      "control_plane/plans/shared_grid.yaml": `schema_version: 1
plan_id: shared_grid
manifest_id: shared
axes: {company.core: [0.1.0, 0.2.0], args: {company.app.port: [80, 81]}}
expect: [{when: {company.core: ">=0.2"}, result: fail, reason: it is new, owner: us, until: never}]
`,
    });
    const { cells } = expand(openCatalog(root), { planId: "shared_grid" }, { today: "2026-01-01" });
    expect(cells.map(({ cell }) => cell.cell_id)).toEqual([
      "shared.company.core-0.1.0.args.company.app.port-80.linux-amd64",
      "shared.company.core-0.1.0.args.company.app.port-81.linux-amd64",
      "shared.company.core-0.2.0.args.company.app.port-80.linux-amd64",
      "shared.company.core-0.2.0.args.company.app.port-81.linux-amd64",
    ]);
    for (const { cell } of cells) expect(cell.target).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(cells.map(({ cell }) => cell.expect?.result ?? "pass")).toEqual(["pass", "pass", "fail", "fail"]);
  });

  it("names of libraries keep the ids of cells apart", () => {
    const word = fc.constantFrom("a", "b", "a_b", "ab", "c");
    const name = fc.tuple(fc.option(word), fc.constantFrom("a", "b", "a-b", "c"));
    const version = fc.constantFrom("1.0.0", "1", "1.a-1", "a.b-1", "0-a", "1.0.0-a.b-1.0.0", "1.0.0+a.b-1");
    const axes = fc.array(fc.tuple(name, version), { minLength: 1, maxLength: 3 });
    const idOf = (chosen: [[string | null, string], string][]) =>
      cellId(
        "m",
        chosen.map(
          ([[library, own], value]) => [library === null ? own : `${library}.${own}`, value] as const,
        ),
        "linux/amd64",
      );
    fc.assert(
      fc.property(axes, axes, (one, other) => {
        if (JSON.stringify(one) !== JSON.stringify(other)) expect(idOf(one)).not.toBe(idOf(other));
      }),
    );
  });
});

describe("what is locked", () => {
  it("is checked before a library is used, and says what to do", () => {
    const root = workspaceWithLibrary();
    const before = text(root);
    writeFiles(root, { "vendor/company/fragments/extra/0.1.0/Dockerfile.hbs": "RUN other\n" });
    expect(findingsFrom(() => text(root))).toMatchObject([
      {
        code: "LIBRARY_CHANGED",
        where: { file: "factory.yaml", line: 3 },
        fix: expect.stringContaining("factory library update company") as string,
      },
    ]);
    // What does not come from it does not suffer.
    expect(text(root, "demo")).toContain("RUN install");
    writeFiles(root, libraryIn("vendor/company"));
    expect(text(root)).toBe(before);
  });

  it.each<[string, (root: string) => void]>([
    [
      "a byte of a file",
      (root) => writeFiles(root, { "vendor/company/fragments/app/0.1.0/server.py": "no\n" }),
    ],
    ["a file more", (root) => writeFiles(root, { "vendor/company/fragments/app/0.1.0/.bashrc": "" })],
    ["a file less", (root) => writeFiles(root, { "vendor/company/fragments/app/0.1.0/data/b.txt": null })],
    ["an executable", (root) => chmodSync(join(root, "vendor/company/fragments/app/0.1.0/server.py"), 0o755)],
    ["an empty folder", (root) => mkdirSync(join(root, "vendor/company/fragments/app/9.9.9"))],
    [
      "a template",
      (root) => writeFiles(root, { "vendor/company/templates/plain/0.1.0/Dockerfile.hbs": "FROM x\n" }),
    ],
  ])("%s is noticed", (_, change) => {
    const root = workspaceWithLibrary();
    text(root);
    change(root);
    expect(findingsFrom(() => text(root))).toMatchObject([{ code: "LIBRARY_CHANGED" }]);
  });

  it("what lies beside fragments and templates does not count, and neither do other modes", () => {
    const root = workspaceWithLibrary();
    writeFiles(root, { "vendor/company/package.json": "{}", "vendor/company/manifests/x.yaml": "x" });
    chmodSync(join(root, "vendor/company/fragments/app/0.1.0/server.py"), 0o600);
    expect(text(root)).toContain("company.app");
  });

  it("a library that the lock does not have is refused; one that is elsewhere now counts as another", () => {
    const root = workspaceWithLibrary();
    writeFiles(root, { "factory.lock": null });
    expect(findingsFrom(() => text(root))).toMatchObject([
      { code: "LIBRARY_UNLOCKED", fix: expect.stringContaining("factory lock") as string },
    ]);
    lockLibraries(root);
    cpSync(join(root, "vendor/company"), join(root, "vendor/moved"), { recursive: true });
    writeFiles(root, { "factory.yaml": DECLARED.replace("vendor/company", "vendor/moved") });
    expect(findingsFrom(() => text(root))).toMatchObject([{ code: "LIBRARY_UNLOCKED" }]);
  });

  it("does not depend on where the library lies or when it was written", () => {
    const digests = ["vendor/company", "node_modules/@company/fragments"].map((folder) => {
      const root = makeWorkspace({
        "factory.yaml": DECLARED.replace("vendor/company", folder),
        ...libraryIn(folder),
      });
      const catalog = openCatalog(root, { trust: "any" });
      return catalog.libraries().map((library) => catalog.libraryContent(library).digest);
    });
    expect(digests[0]).toEqual(digests[1]);
  });
});

describe("what is not there, or not right", () => {
  const broken = (changes: Files, prepare?: (root: string) => void) => {
    const root = makeWorkspace({
      "factory.yaml": DECLARED,
      "manifests/shared.yaml": SHARED_MANIFEST,
      ...libraryIn("vendor/company"),
      ...changes,
    });
    prepare?.(root);
    return findingsFrom(() => {
      lockLibraries(root);
      text(root);
    });
  };

  it("a folder that is missing, such as a submodule that is not checked out", () => {
    expect(broken({ "vendor/company": null })).toMatchObject([
      {
        code: "LIBRARY_MISSING",
        where: { file: "factory.yaml", line: 3 },
        fix: expect.stringContaining("submodule") as string,
      },
    ]);
    expect(
      broken({ "vendor/company": null }, (root) => mkdirSync(join(root, "vendor/company"))),
    ).toMatchObject([{ code: "LIBRARY_INVALID", fix: expect.stringContaining("submodule") as string }]);
  });

  it("a folder that is a link out of the workspace; one within it is followed, as npm makes them", () => {
    const outside = makeWorkspace();
    const linked = (target: string) => (root: string) => {
      rmSync(join(root, "vendor/company"), { recursive: true, force: true });
      symlinkSync(target, join(root, "vendor/company"));
    };
    expect(broken({}, linked(outside))).toMatchObject([{ code: "FILE_OUTSIDE" }]);
    const root = makeWorkspace({
      "factory.yaml": DECLARED,
      "manifests/shared.yaml": SHARED_MANIFEST,
      ...libraryIn("packages/company"),
      "vendor/x": "",
    });
    symlinkSync("../packages/company", join(root, "vendor/company"));
    lockLibraries(root);
    expect(text(root)).toContain("COPY packages/company/fragments/app/0.1.0/server.py");
  });

  it("a link in a library, wherever it leads", () => {
    const link = (target: string) => (root: string) =>
      symlinkSync(target, join(root, "vendor/company/fragments/app/0.1.0/linked"));
    expect(broken({}, link("server.py"))).toMatchObject([{ code: "LIBRARY_INVALID" }]);
    expect(broken({}, link("/etc/passwd"))).toMatchObject([{ code: "FILE_OUTSIDE" }]);
  });

  it("one library under two names", () => {
    const twice =
      "schema_version: 1\nlibraries:\n  company: {path: vendor/company}\n  other: {path: ./vendor/company/}\n";
    expect(broken({ "factory.yaml": twice })).toMatchObject([{ code: "LIBRARY_TWICE", where: { line: 4 } }]);
  });

  it.each([
    ["{}", "SCHEMA"],
    ["{path: vendor/company, oci: 'a.b/c@sha256:" + "0".repeat(64) + "'}", "SCHEMA"],
    ["{oci: 'ghcr.io/company/fragments:1.4'}", "SCHEMA"],
    ["{path: .}", "LIBRARY_INVALID"],
    ["{path: vendor/..}", "LIBRARY_INVALID"],
    ["{path: ../company}", "FILE_OUTSIDE"],
    ["{path: /srv/company}", "FILE_OUTSIDE"],
  ])("the declaration %s is a finding", (declared, code) => {
    const root = makeWorkspace({ "factory.yaml": `schema_version: 1\nlibraries:\n  company: ${declared}\n` });
    expect(found(root)).toEqual([`${code} factory.yaml:3`]);
  });

  it.each(["args", "base", "platform", "my-lib", "a.b", "A"])("a library cannot be called %s", (name) => {
    const root = makeWorkspace({
      "factory.yaml": `schema_version: 1\nlibraries:\n  ${name}: {path: vendor/company}\n`,
      ...libraryIn("vendor/company"),
    });
    expect(found(root)).toEqual([`SCHEMA factory.yaml:3`]);
  });

  it("an unknown library, or fragment of one, is named with what there is", () => {
    const root = workspaceWithLibrary({
      "manifests/shared.yaml": SHARED_MANIFEST.replace("company.app: 0.1.0", "company.extr: 0.1.0"),
    });
    expect(findingsFrom(() => text(root))).toMatchObject([
      { code: "UNKNOWN_FRAGMENT", fix: "did you mean `company.extra`?" },
    ]);
    writeFiles(root, { "manifests/shared.yaml": SHARED_MANIFEST.replace("company.app", "other.app") });
    expect(findingsFrom(() => text(root))).toMatchObject([{ code: "UNKNOWN_FRAGMENT" }]);
  });

  it("the same fragment from two places", () => {
    const root = workspaceWithLibrary({
      "manifests/shared.yaml": SHARED_MANIFEST.replace("{company.core", "{core: ~0.1, company.core"),
      "fragments/core/0.1.0/fragment.yaml":
        "schema_version: 1\nname: core\nversion: 0.1.0\norder: 20\nslot: extra\n",
      "fragments/core/0.1.0/Dockerfile.hbs": "RUN own\n",
      "fragments/core/0.1.1": null,
      "fragments/core/0.2.0": null,
      "manifests/demo.yaml": null,
      "control_plane/plans/grid.yaml": null,
    });
    expect(findingsFrom(() => text(root))).toMatchObject([
      {
        code: "FRAGMENT_TWICE",
        where: { file: "manifests/shared.yaml" },
        what: expect.stringContaining("core and company.core") as string,
      },
    ]);
  });
});

describe("what a library may not do", () => {
  const EXTRA = "schema_version: 1\nname: extra\nversion: 0.1.0\norder: 20\n";
  const withExtra = (contract: string, body = "RUN extra\n", more: Files = {}) =>
    workspaceWithLibrary({
      ...libraryIn("vendor/company", {
        "fragments/extra/0.1.0/fragment.yaml": EXTRA + contract,
        "fragments/extra/0.1.0/Dockerfile.hbs": body,
      }),
      "manifests/shared.yaml": SHARED_MANIFEST.replace(
        "{company.core",
        "{company.extra: 0.1.0, company.core",
      ),
      ...more,
    });

  it("say which files of the workspace it copies", () => {
    const root = withExtra("sources: {app: {path: .}}\n", 'COPY {{source "app"}} /app\n');
    expect(findingsFrom(() => text(root))).toMatchObject([
      {
        code: "LIBRARY_INVALID",
        where: { file: "vendor/company/fragments/extra/0.1.0/fragment.yaml", line: 5 },
      },
    ]);
    const given = withExtra("sources: {app: {}}\n", 'COPY {{source "app"}} /app\n', {
      "manifests/shared.yaml":
        SHARED_MANIFEST.replace("{company.core", "{company.extra: 0.1.0, company.core") +
        "sources: {app: {path: src}}\n",
      "src/main.py": "x\n",
    });
    expect(text(given)).toContain("COPY src /app");
  });

  it("name a fragment of a library, its own or another's", () => {
    const root = withExtra("requires: {other.core: '*'}\n");
    expect(findingsFrom(() => text(root))).toMatchObject([{ code: "LIBRARY_INVALID" }]);
  });

  it("reach out of its folder", () => {
    const root = withExtra("", 'COPY {{file "../../../../../factory.yaml"}} /\n');
    expect(findingsFrom(() => text(root))).toMatchObject([{ code: "FILE_OUTSIDE" }]);
    const bare = withExtra("", "COPY factory.yaml /\n");
    expect(findingsFrom(() => text(bare))).toMatchObject([{ code: "COPY_UNDECLARED" }]);
  });

  it("ask for a secret that is not for it by name", () => {
    const root = withExtra("secrets: [token]\n", "RUN --mount=type=secret,id=token extra\n");
    const settings = (only: string) =>
      writeFiles(root, { "factory.yaml": `${DECLARED}secrets:\n  token: {env: TOKEN${only}}\n` });
    const asked = () => {
      const catalog = openCatalog(root);
      return stitch(catalog, "shared").secrets.map((need) => sourceOf(need, catalog.secrets()).source);
    };
    settings("");
    expect(findingsFrom(asked)).toMatchObject([
      { code: "SECRET_UNKNOWN", fix: expect.stringContaining("company.extra") as string },
    ]);
    settings(", for: [core]");
    expect(findingsFrom(asked)).toMatchObject([{ code: "SECRET_UNKNOWN" }]);
    settings(", for: [company.extra]");
    expect(asked()).toEqual([{ env: "TOKEN" }]);
  });

  it("copy from a stage by a name that it does not have here", () => {
    const root = withExtra("", "COPY --from=core /a /b\n");
    expect(findingsFrom(() => text(root))).toMatchObject([
      { code: "STAGE_UNKNOWN", fix: expect.stringContaining('{{stage "core"}}') as string },
    ]);
    expect(text(withExtra("", 'COPY --from={{stage "core"}} /a /b\n'))).toContain(
      "COPY --from=company.core /a /b",
    );
  });
});
