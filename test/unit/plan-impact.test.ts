import { chmodSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { FactoryError } from "../../src/errors.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { affectedByFiles, affectedSince, type ChangedFiles } from "../../src/plan/decide/impact.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { cellOf, MUTATIONS, RECIPE } from "./plan-reason-cells.ts";
import { errorFrom, filesBelow, type Files, makeWorkspace, writeFiles } from "./workspace.ts";

const withCore = (version: string) =>
  cellOf({
    chosen: `core-${version}`,
    fragments: [{ name: "core", version, text: version }, ...RECIPE.fragments.slice(1)],
  });

/** What the Dockerfile of the small workspace copies. */
const COPIED = [
  "fragments/app/0.1.0/data/",
  "fragments/app/0.1.0/data/a.txt",
  "fragments/app/0.1.0/server.py",
];

/** Ids, reasons and changed paths of the cells that the files touch. */
function touched(
  root: string,
  changed: readonly string[],
  cells: readonly PlannedCell[] = [withCore("0.1.0"), withCore("0.2.0")],
  more: Partial<ChangedFiles> = {},
) {
  const found = affectedByFiles(cells, {
    catalog: openCatalog(root),
    changed,
    exists: (path) => existsSync(join(root, path)),
    inputsOfFiles: () => COPIED,
    sourcesOf: () => [],
    ...more,
  });
  return found.map(({ cell }) => {
    const changes = cell.changes.map(({ input, before, after }) => `${input} ${before ?? ""}→${after ?? ""}`);
    return [/core-([^.]+\.[^.]+\.\d)/.exec(cell.cell_id)?.[1], cell.reason, ...changes];
  });
}

describe("affectedSince", () => {
  it("leaves out what has an equal before, and keeps the order", () => {
    const cells = [cellOf({ chosen: "b" }), cellOf({ chosen: "a" })];
    expect(affectedSince(cells, [...cells].reverse())).toEqual([]);
    expect(affectedSince(cells, []).map(({ cell }) => [cell.cell_id, cell.reason, cell.changes])).toEqual([
      ["demo.b.linux-amd64", "NEW", []],
      ["demo.a.linux-amd64", "NEW", []],
    ]);
    expect(affectedSince([], cells)).toEqual([]);
  });

  it("does not take the same keys under another id for an equal", () => {
    const moved = affectedSince([cellOf({ chosen: "b" })], [cellOf({ chosen: "a" })]);
    expect(moved.map(({ cell }) => cell.reason)).toEqual(["NEW"]);
  });

  it.each(MUTATIONS)("tells another %s, without rendering", (_name, changes, reason, names) => {
    const now = [cellOf(changes), cellOf({ chosen: "same" })];
    const [one, ...rest] = affectedSince(now, [cellOf(), cellOf({ chosen: "same" })]);
    expect(rest).toEqual([]);
    expect(one?.cell.reason).toBe(reason);
    expect(one?.cell.changes.map(({ input }) => input)).toEqual(names);
    expect(now[0]?.cell.reason).toBe("NOT_ASKED");
  });
});

describe("affectedByFiles", () => {
  it.each<[string, ...(readonly unknown[])[]]>([
    ["README.md"],
    ["records/demo/x.json"],
    ["control_plane/plans/other.yaml"],
    ["control_plane/products/demo.yaml"],
    ["control_plane/pools/gpu.yaml"],
    ["manifests/other.yaml"],
    ["fragments/app/0.1.0/README.md"],
    ["fragments/core/0.1.1/fragment.yaml"],
    ["fragments/extra/0.1.0/Dockerfile.hbs"],
    ["fragments/gone/0.1.0/Dockerfile.hbs"],
    ["templates/gone/0.1.0/Dockerfile.hbs"],
    ["fragments/app/0.1.0/server.py.orig"],
    ["../factory.yaml"],
    ["docs/.gitattributes"],
    [""],
    ["fragments/core/0.1.0/Dockerfile.hbs", ["0.1.0", "FILES", "fragments.core"]],
    ["./fragments//core/0.1.0/../0.1.0/fragment.yaml", ["0.1.0", "FILES", "fragments.core"]],
    ["fragments/core/0.2.0", ["0.2.0", "FILES", "fragments.core"]],
    ["fragments/core/0.2.0/", ["0.2.0", "FILES", "fragments.core"]],
    [
      "fragments/app/0.1.0/server.py",
      ["0.1.0", "FILES", "fragments.app"],
      ["0.2.0", "FILES", "fragments.app"],
    ],
    [
      "fragments/app/0.1.0/data/deep/new",
      ["0.1.0", "FILES", "fragments.app"],
      ["0.2.0", "FILES", "fragments.app"],
    ],
    [
      "templates/plain/0.1.0/template.yaml",
      ["0.1.0", "TEMPLATE", "template"],
      ["0.2.0", "TEMPLATE", "template"],
    ],
    [
      "templates/plain/0.1.0/Dockerfile.hbs",
      ["0.1.0", "TEMPLATE", "template"],
      ["0.2.0", "TEMPLATE", "template"],
    ],
    ["manifests/demo.yaml", ["0.1.0", "POLICY", "manifest"], ["0.2.0", "POLICY", "manifest"]],
    ["control_plane/plans/grid.yaml", ["0.1.0", "POLICY", "plans.grid"], ["0.2.0", "POLICY", "plans.grid"]],
    ["factory.yaml", ["0.1.0", "POLICY", "factory.yaml"], ["0.2.0", "POLICY", "factory.yaml"]],
    ["factory.lock", ["0.1.0", "POLICY", "factory.lock"], ["0.2.0", "POLICY", "factory.lock"]],
  ])("tells what %s touches", (path, ...expected) => {
    const extra: Files = {
      "fragments/app/0.1.0/README.md": "r",
      "fragments/app/0.1.0/server.py.orig": "o",
      "fragments/app/0.1.0/data/deep/new": "n",
    };
    const wanted = expected.map(([core, reason, input]) => [core, reason, `${String(input)} →${path}`]);
    expect(touched(makeWorkspace(extra), [path])).toEqual(wanted);
  });

  it("takes what is gone for a version that a range may have chosen", () => {
    const root = makeWorkspace();
    expect(
      touched(root, ["fragments/core/0.9.0/fragment.yaml", "fragments/core/0.9.0/Dockerfile.hbs"]),
    ).toEqual([
      ["0.1.0", "FRAGMENT", "fragments.core fragments/core/0.9.0/Dockerfile.hbs→"],
      ["0.2.0", "FRAGMENT", "fragments.core fragments/core/0.9.0/Dockerfile.hbs→"],
    ]);
    expect(touched(root, ["templates/plain/9.0.0/template.yaml"], [withCore("0.1.0")])).toEqual([
      ["0.1.0", "TEMPLATE", "template templates/plain/9.0.0/template.yaml→"],
    ]);
    expect(touched(root, ["fragments/core/0.1.0/notes"])).toEqual([
      ["0.1.0", "FILES", "fragments.core fragments/core/0.1.0/notes→"],
      ["0.2.0", "FRAGMENT", "fragments.core fragments/core/0.1.0/notes→"],
    ]);
    expect(touched(root, ["fragments/app/0.1.0/data/b"], [withCore("0.1.0")])).toEqual([
      ["0.1.0", "FILES", "fragments.app →fragments/app/0.1.0/data/b"],
    ]);
  });

  it("has the most telling reason first, and a path for each thing that is read", () => {
    const changed = [
      "factory.yaml",
      "templates/plain/0.1.0/Dockerfile.hbs",
      "fragments/core/0.1.0/fragment.yaml",
    ];
    expect(touched(makeWorkspace(), changed, [withCore("0.1.0")])).toEqual([
      [
        "0.1.0",
        "TEMPLATE",
        "template →templates/plain/0.1.0/Dockerfile.hbs",
        "fragments.core →fragments/core/0.1.0/fragment.yaml",
        "factory.yaml →factory.yaml",
      ],
    ]);
  });

  it("does not depend on the order of the paths", () => {
    const root = makeWorkspace();
    const paths = [
      "factory.yaml",
      "fragments/app/0.1.0/server.py",
      "fragments/app/0.1.0/data/a.txt",
      "fragments/core/9/x",
    ];
    const all = touched(root, paths);
    expect(all).toHaveLength(2);
    expect(touched(root, [...paths, ...paths].reverse())).toEqual(all);
  });

  it("refuses what is no path from the root", () => {
    for (const path of ["/srv/ws/factory.yaml", "a\0b"]) {
      const error = errorFrom(() => touched(makeWorkspace(), [path]));
      expect([error.code, error.fix]).toEqual(["USAGE", expect.stringContaining("--relative")]);
    }
  });

  it("takes a path from the repository's root for one of the workspace, in doubt", () => {
    const root = makeWorkspace({ "docs/fragments/core/0.1.0/fragment.yaml": "x" });
    expect(touched(root, ["ws/fragments/core/0.1.0/fragment.yaml"])).toEqual([
      ["0.1.0", "FILES", "fragments.core →ws/fragments/core/0.1.0/fragment.yaml"],
    ]);
    expect(touched(root, ["a/b/factory.yaml"], [withCore("0.1.0")])).toEqual([
      ["0.1.0", "POLICY", "factory.yaml →a/b/factory.yaml"],
    ]);
    expect(touched(root, ["docs/fragments/core/0.1.0/fragment.yaml"])).toEqual([]);
  });

  it("takes attributes of git for a change of what they stand above", () => {
    const root = makeWorkspace({ "fragments/core/.gitattributes": "* text" });
    expect(touched(root, ["fragments/core/.gitattributes"], [withCore("0.2.0")])[0]?.[1]).toBe("FILES");
    for (const path of [".gitattributes", "../.gitattributes", "../../.gitattributes"])
      expect(touched(root, [path]), path).toHaveLength(2);
  });

  it("follows links inside the workspace", () => {
    const root = makeWorkspace();
    mkdirSync(join(root, "shared"));
    renameSync(join(root, "manifests/demo.yaml"), join(root, "shared/demo.yaml"));
    symlinkSync("../shared/demo.yaml", join(root, "manifests/demo.yaml"));
    renameSync(join(root, "fragments/app/0.1.0"), join(root, "shared/app"));
    symlinkSync("../../shared/app", join(root, "fragments/app/0.1.0"));
    const one = [withCore("0.1.0")];
    expect(touched(root, ["shared/demo.yaml"], one)).toEqual([
      ["0.1.0", "POLICY", "manifest →shared/demo.yaml"],
    ]);
    // A Dockerfile copies from where a folder really is.
    const { files } = stitch(openCatalog(root), "demo");
    const more = { inputsOfFiles: () => files.map(({ path }) => path) };
    for (const path of ["shared/app/server.py", "shared/app/data/a.txt", "fragments/app/0.1.0"])
      expect(touched(root, [path], one, more), path).toEqual([["0.1.0", "FILES", `fragments.app →${path}`]]);
    writeFiles(root, { "shared/app/README": "r" });
    expect(touched(root, ["shared/app/README"], one, more)).toEqual([]);
  });

  it.each([
    ["strategy: pairwise", 2],
    ["strategy: {t: 3}", 2],
    ["zip: [[core, app]]", 2],
    ["strategy: all", 0],
  ])("takes another version for a change of a plan with %s", (line, count) => {
    const plan = `schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {core: [0.1.0, 0.2.0], app: [0.1.0]}\n${line}\n`;
    const root = makeWorkspace({ "control_plane/plans/grid.yaml": plan });
    for (const path of ["fragments/core/0.1.1/fragment.yaml", "fragments/core/0.1.1"]) {
      const found = touched(root, [path]);
      expect(found, path).toHaveLength(count);
      for (const one of found) expect(one.slice(1)).toEqual(["POLICY", `plans.grid →${path}`]);
    }
    expect(
      touched(root, ["fragments/core/0.1.1/Dockerfile.hbs", "fragments/extra/0.1.0/fragment.yaml"]),
    ).toEqual([]);
  });

  it("asks what is copied only where it may matter, once for cells of the same arguments", () => {
    const root = makeWorkspace({ "fragments/app/0.1.0/README": "r" });
    let asked = 0;
    const inputsOfFiles = () => {
      asked += 1;
      return COPIED;
    };
    touched(root, ["README", "fragments/app/0.1.0/Dockerfile.hbs", "fragments/core/0.1.1/x"], undefined, {
      inputsOfFiles,
    });
    expect(asked).toBe(0);
    touched(root, ["fragments/app/0.1.0/README"], undefined, { inputsOfFiles });
    expect(asked).toBe(1);
  });

  it("takes all of a fragment's folder where it cannot be told what is copied", () => {
    const root = makeWorkspace({ "fragments/app/0.1.0/README": "r" });
    const failing = (error: Error) => ({
      inputsOfFiles: () => {
        throw error;
      },
    });
    const path = "fragments/app/0.1.0/README";
    const unclear = failing(new FactoryError("FILE_MISSING", "there is no file"));
    expect(touched(root, [path], [withCore("0.1.0")], unclear)).toEqual([
      ["0.1.0", "FILES", `fragments.app →${path}`],
    ]);
    expect(() => touched(root, [path], undefined, failing(new Error("a bug")))).toThrow("a bug");
  });
});

/** The cells of the small workspace with their real keys, as far as they come to any; by id. */
function realCells(root: string) {
  const catalog = openCatalog(root);
  const cells: { planned: PlannedCell; files: string[] }[] = [];
  for (const core of ["0.1.0", "0.2.0", null]) {
    try {
      const made = stitch(catalog, "demo", core === null ? {} : { set: { core } }, {
        platform: "linux/amd64",
      });
      const planned = cellOf({ chosen: core ?? "any" });
      const { build_key, verdict_key, args } = made;
      Object.assign(planned.cell, { build_key, verdict_key, args });
      Object.assign(planned.keys, made);
      // What the Dockerfile may copy is what its .dockerignore lets in.
      const files = made.dockerignore.match(/(?<=^!).+$/gm) ?? [];
      const isFolder = (path: string) => lstatSync(join(root, path)).isDirectory();
      cells.push({ planned, files: files.map((path) => (isFolder(path) ? `${path}/` : path)) });
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
    }
  }
  return { catalog, cells };
}

describe("affectedByFiles: any change of files", () => {
  it("never leaves out a cell whose key changed", () => {
    const root = makeWorkspace({
      "README.md": "r\n",
      "fragments/core/0.1.0/README.md": "r\n",
      "fragments/app/0.1.0/unused.txt": "u\n",
      "fragments/core/0.1.2/fragment.yaml": "schema_version: 1\nname: core\nversion: 0.1.2\norder: 10\n",
      "fragments/core/0.1.2/Dockerfile.hbs": "RUN newest\n",
    });
    const contents = filesBelow(root);
    // Without its settings it is no workspace, and a plan that is gone plans no cells.
    const paths = Object.keys(contents).filter((path) => !/^(control_plane\/|factory\.yaml$)/.test(path));
    const before = new Map(realCells(root).cells.map(({ planned }) => [planned.cell.cell_id, planned]));
    expect(before.size).toBe(3);
    let spared = 0;
    const edit = fc.tuple(
      fc.constantFrom(...paths),
      fc.constantFrom("append", "mode", "delete", "delete folder"),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
        const there = (path: string) => existsSync(join(root, path));
        const changed = new Set<string>();
        for (const [path, how] of edits) {
          if (!there(path)) continue;
          if (how === "append") writeFiles(root, { [path]: `${contents[path] ?? ""}\n# more\n` });
          else if (how === "mode") chmodSync(join(root, path), 0o755);
          else
            rmSync(join(root, how === "delete" || path === "README.md" ? path : dirname(path)), {
              recursive: true,
            });
          changed.add(path);
        }
        for (const path of paths) if (!there(path)) changed.add(path);
        try {
          const { catalog, cells } = realCells(root);
          const filesOf = new Map(cells.map(({ planned, files }) => [planned, files]));
          const found = affectedByFiles([...filesOf.keys()], {
            catalog,
            changed: [...changed],
            exists: there,
            inputsOfFiles: (planned) => filesOf.get(planned) ?? [],
            sourcesOf: () => [],
          });
          const ids = new Set(found.map(({ cell }) => cell.cell_id));
          for (const { planned } of cells) {
            const { cell_id } = planned.cell;
            const same = before.get(cell_id)?.keys.verdict_key === planned.keys.verdict_key;
            if (!same) expect(ids, `${[...changed].join()} and ${cell_id}`).toContain(cell_id);
            if (!ids.has(cell_id)) spared += 1;
          }
          if ([...changed].every((path) => basename(path) === "README.md" && there(path)))
            expect(ids.size).toBe(0);
        } finally {
          writeFiles(root, Object.fromEntries([...changed].map((path) => [path, contents[path] ?? ""])));
        }
      }),
      { numRuns: 100 },
    );
    expect(spared).toBeGreaterThan(10);
  });
});
