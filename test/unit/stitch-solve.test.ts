import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expand } from "../../src/plan/expand.ts";
import type { PickVersion } from "../../src/stitch/choice.ts";
import { isOfFamily } from "../../src/stitch/base-family.ts";
import { resolve } from "../../src/stitch/resolve.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import {
  errorFrom,
  type Files,
  factory,
  findingsFrom,
  makeCatalog,
  makeWorkspace,
  writeFiles,
} from "./workspace.ts";

const TODAY = { today: "2026-11-26" };

interface Contract {
  requires?: Record<string, string>;
  conflicts?: Record<string, string>;
}

/** Fragments `a`, `b`, … in this order of the template, with a contract for each version. */
function family(
  fragments: Record<string, Record<string, Contract>>,
  ranges: Record<string, string> = {},
): Files {
  const names = Object.keys(fragments);
  const files: Record<string, string | null> = {
    "control_plane/plans/grid.yaml": null,
    "templates/plain/0.1.0/template.yaml": `schema_version: 1\ntemplate_id: plain\nversion: 0.1.0\nslots: [${names.map((name) => `{name: ${name}}`).join(", ")}]\n`,
    "templates/plain/0.1.0/Dockerfile.hbs": `FROM {{base}} AS base\n\n${names.map((name) => `{{slot "${name}"}}\n\n`).join("")}FROM {{last}} AS image\n{{labels}}\n`,
    "manifests/demo.yaml": `schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: debian:12\nfragments: ${JSON.stringify(Object.fromEntries(names.map((name) => [name, ranges[name] ?? "*"])))}\n`,
  };
  for (const [at, name] of names.entries()) {
    for (const [version, contract] of Object.entries(fragments[name] ?? {})) {
      files[`fragments/${name}/${version}/fragment.yaml`] =
        `schema_version: 1\nname: ${name}\nversion: ${version}\norder: ${at}\nrequires: ${JSON.stringify(contract.requires ?? {})}\nconflicts: ${JSON.stringify(contract.conflicts ?? {})}\n`;
      files[`fragments/${name}/${version}/Dockerfile.hbs`] = `RUN ${name} ${version}\n`;
    }
  }
  return files;
}

const GPU = {
  cuda: { "11.8.0": {}, "12.1.0": {}, "12.4.0": {} },
  torch: { "2.0.0": { requires: { cuda: "~12.1" } }, "2.1.0": { requires: { cuda: "~12.1" } } },
};

const versionsOf = (files: Files, choice = {}) =>
  Object.fromEntries(
    stitch(makeCatalog(files), "demo", choice).fragments.map(({ name, version }) => [name, version]),
  );

describe("ranges", () => {
  it("give the highest versions where these fit, and no explanation", () => {
    const files = family({ a: { "1.0.0": {}, "2.0.0": {} }, b: { "1.0.0": { requires: { a: ">=1" } } } });
    expect(versionsOf(files)).toEqual({ a: "2.0.0", b: "1.0.0" });
    expect(stitch(makeCatalog(files), "demo").lowered).toEqual([]);
  });

  it("are solved together: cuda >=12 finds the 12.x that fits, and says why", () => {
    const { lowered, fragments } = stitch(makeCatalog(family(GPU, { cuda: ">=12" })), "demo");
    expect(fragments.map(({ name, version }) => `${name} ${version}`)).toEqual([
      "cuda 12.1.0",
      "torch 2.1.0",
    ]);
    expect(lowered).toEqual([
      { name: "cuda", version: "12.1.0", highest: "12.4.0", because: ["torch@2.1.0 requires cuda ~12.1"] },
    ]);
  });

  it("prefer higher versions of what comes first in the template", () => {
    const either = { "1.0.0": {}, "2.0.0": { conflicts: { b: ">=2" } } };
    expect(versionsOf(family({ a: either, b: { "1.0.0": {}, "2.0.0": {} } }))).toEqual({
      a: "2.0.0",
      b: "1.0.0",
    });
    const files = family({ b: { "1.0.0": {}, "2.0.0": {} }, a: either });
    expect(versionsOf(files)).toEqual({ b: "2.0.0", a: "1.0.0" });
  });

  it("of --set count, and exact versions are ranges of one", () => {
    expect(versionsOf(family(GPU), { set: { cuda: "12.1.0" } })).toEqual({ cuda: "12.1.0", torch: "2.1.0" });
    const error = errorFrom(() => versionsOf(family(GPU), { set: { cuda: "12.4.0" } }));
    expect(error.code).toBe("VERSIONS_CONTRADICT");
  });

  it("that nothing satisfies are named with the contracts that contradict them, and nothing else", () => {
    const files = family({ other: { "1.0.0": {}, "2.0.0": {} }, ...GPU }, { cuda: ">=12.2" });
    const [finding, ...more] = findingsFrom(() => versionsOf(files));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      code: "VERSIONS_CONTRADICT",
      what: "no versions of cuda, torch fit together: >=12.2 is asked for cuda; torch 2.0.0, 2.1.0 requires cuda ~12.1",
      where: { file: "manifests/demo.yaml" },
    });
  });

  it("leave exact versions at odds to their own findings", () => {
    const files = family(GPU, { cuda: "12.4.0", torch: "2.1.0" });
    expect(findingsFrom(() => versionsOf(files)).map(({ code }) => code)).toEqual(["REQUIRES_VERSION"]);
  });

  it("keep locked versions that still fit, and take none that is later", () => {
    const locked =
      (versions: Record<string, string>): PickVersion =>
      (what, name) =>
        what === "fragment" ? versions[name] : undefined;
    const files = family({ ...GPU, torch: { ...GPU.torch, "2.2.0": {} } });
    expect(versionsOf(files, { pick: locked({ cuda: "12.1.0", torch: "2.0.0" }) })).toEqual({
      cuda: "12.1.0",
      torch: "2.0.0",
    });
    // 12.4.0 does not fit the locked torch; torch 2.2.0 would fit, but came later.
    expect(versionsOf(files, { pick: locked({ cuda: "12.4.0", torch: "2.1.0" }) })).toEqual({
      cuda: "12.1.0",
      torch: "2.1.0",
    });
  });

  it("find the documented optimum, and find one exactly where brute force does", () => {
    const names = ["a", "b", "c"];
    const versions = ["1.0.0", "2.0.0", "3.0.0"];
    const range = fc.constantFrom("*", ">=2", "<3", "~1.0", "2.0.0 || 3.0.0", "1.0.0");
    const contract = fc.record({
      requires: fc.dictionary(fc.constantFrom(...names), range, { maxKeys: 1 }),
      conflicts: fc.dictionary(fc.constantFrom(...names), range, { maxKeys: 1 }),
    });
    const one = fc.record({ "1.0.0": contract, "2.0.0": contract, "3.0.0": contract });
    const ranges = fc.record({ a: range, b: range, c: range });
    const inRange: Record<string, string[]> = {
      "*": versions,
      ">=2": ["2.0.0", "3.0.0"],
      "<3": ["1.0.0", "2.0.0"],
      "~1.0": ["1.0.0"],
      "2.0.0 || 3.0.0": ["2.0.0", "3.0.0"],
      "1.0.0": ["1.0.0"],
    };
    let solved = 0;
    let none = 0;
    fc.assert(
      fc.property(fc.record({ a: one, b: one, c: one }), ranges, (made, asked) => {
        // What a fragment says of itself, and circles, are findings of another kind.
        const fragments: Record<string, Record<string, Contract>> = Object.fromEntries(
          names.map((name, at) => [
            name,
            Object.fromEntries(
              Object.entries(made[name as "a"]).map(([version, { requires, conflicts }]) => [
                version,
                {
                  requires: Object.fromEntries(
                    Object.entries(requires).filter(([to]) => names.indexOf(to) < at),
                  ),
                  conflicts: Object.fromEntries(Object.entries(conflicts).filter(([to]) => to !== name)),
                },
              ]),
            ),
          ]),
        );
        const fits = (chosen: Record<string, string>) =>
          names.every((name) => {
            const { requires = {}, conflicts = {} } = fragments[name]?.[chosen[name] ?? ""] ?? {};
            return (
              Object.entries(requires).every(([to, r]) => inRange[r]?.includes(chosen[to] ?? "")) &&
              Object.entries(conflicts).every(([to, r]) => !inRange[r]?.includes(chosen[to] ?? ""))
            );
          });
        const high = (name: "a" | "b" | "c") => [...(inRange[asked[name]] ?? [])].reverse();
        const best = high("a")
          .flatMap((a) => high("b").flatMap((b) => high("c").map((c) => ({ a, b, c }))))
          .find(fits);
        const catalog = makeCatalog(family(fragments, asked));
        if (best) {
          solved += 1;
          const { pieces } = resolve(catalog, "demo");
          expect(
            Object.fromEntries(pieces.map(({ entry }) => [entry.document.name, entry.document.version])),
          ).toEqual(best);
        } else {
          none += 1;
          const codes = findingsFrom(() => resolve(catalog, "demo")).map(({ code }) => code);
          expect(
            codes.every((code) => ["VERSIONS_CONTRADICT", "REQUIRES_VERSION", "CONFLICT"].includes(code)),
          ).toBe(true);
        }
      }),
      { numRuns: 150, seed: 9 },
    );
    expect(solved).toBeGreaterThan(30);
    expect(none).toBeGreaterThan(10);
  });
});

describe("a plan whose ranges are solved for each cell", () => {
  const files = {
    ...family({
      cuda: { "11.8.0": {}, "12.1.0": {}, "13.0.0": {} },
      torch: {
        "2.0.0": { requires: { cuda: "<12" } },
        "2.1.0": { requires: { cuda: ">=12 <13" } },
      },
    }),
    "control_plane/plans/grid.yaml":
      'schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {cuda: "*"}\n',
  };

  it("has for each cell the versions that fit, and names what nothing fits", () => {
    const { cells, left_out } = expand(makeCatalog(files), { planId: "grid" }, TODAY);
    expect(cells.map(({ cell }) => [cell.cell_id, cell.fragments.torch, cell.lowered?.length ?? 0])).toEqual([
      ["demo.cuda-11.8.0.linux-amd64", "2.0.0", 1],
      ["demo.cuda-12.1.0.linux-amd64", "2.1.0", 0],
    ]);
    expect(left_out.map(({ values }) => values)).toEqual([{ cuda: "13.0.0" }]);
    expect(left_out[0]?.what).toBe(
      "no versions of cuda, torch fit together: 13.0.0 is asked for cuda; torch 2.0.0 requires cuda <12; torch 2.1.0 requires cuda >=12 <13",
    );
  });

  it("covers all pairs that are left", () => {
    const more = {
      ...files,
      "control_plane/plans/grid.yaml": `${files["control_plane/plans/grid.yaml"]}strategy: pairwise\nplatforms: [linux/amd64, linux/arm64]\n`,
    };
    const { cells, coverage } = expand(makeCatalog(more), { planId: "grid" }, TODAY);
    expect(cells).toHaveLength(4);
    expect(coverage.grid).toMatchObject({ allowed: 4, covered: 4 });
  });

  it("refuses a rule about a fragment that has no version of its own there", () => {
    const rule = `${files["control_plane/plans/grid.yaml"]}exclude: [{torch: 2.0.0}]\n`;
    const [finding] = findingsFrom(() =>
      expand(makeCatalog({ ...files, "control_plane/plans/grid.yaml": rule }), { planId: "grid" }, TODAY),
    );
    expect(finding).toMatchObject({ code: "RULE_UNUSED", fix: 'make it an axis, such as `torch: "*"`' });
  });

  it("is explained: by stitch, and by explain", () => {
    const root = makeWorkspace(family(GPU));
    expect(factory(root, ["stitch", "--manifest-id", "demo"]).stdout).toContain(
      "cuda 12.1.0, not 12.4.0, because torch@2.1.0 requires cuda ~12.1",
    );
    expect(JSON.parse(factory(root, ["stitch", "--manifest-id", "demo", "--json"]).stdout)).toMatchObject({
      lowered: [{ name: "cuda", version: "12.1.0", highest: "12.4.0" }],
    });
    const { stdout } = factory(root, ["plan", "--manifest-id", "demo", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ cells: [{ lowered: [{ name: "cuda" }] }] });
    expect(factory(root, ["validate"])).toMatchObject({ status: 0 });
  });
});

describe("a fragment for some bases", () => {
  it.each([
    ["debian:12", ["debian"], true],
    ["docker.io/library/debian:12@sha256:0", ["ubuntu", "debian"], true],
    ["registry.example:5000/debian", ["debian"], true],
    ["nvidia/cuda:12", ["nvidia/cuda"], true],
    ["cuda:12", ["nvidia/cuda"], false],
    ["mydebian:12", ["debian"], false],
    ["debian/x:12", ["debian"], false],
    ["scratch", ["debian"], false],
  ])("%s is of %s: %s", (ref, families, fits) => {
    expect(isOfFamily(ref, families)).toBe(fits);
  });

  const only = (family: string): Files => ({
    "fragments/app/0.1.0/fragment.yaml": `schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nbases: [${family}]\nargs: {port: {type: integer, default: 80}, name: {type: string, default: app}}\n`,
  });

  it("is a finding of a manifest on another base, also through parents", () => {
    expect(findingsFrom(() => stitch(makeCatalog(only("alpine")), "demo"))).toEqual([
      {
        code: "BASE_UNSUPPORTED",
        what: "app@0.1.0 does not work on debian:bookworm-slim",
        where: { file: "manifests/demo.yaml", line: 5, col: 7 },
        fix: "it works on alpine",
      },
    ]);
    const child = (family: string) =>
      makeCatalog({
        ...only(family),
        "manifests/demo.yaml":
          "schema_version: 1\nmanifest_id: demo\ntemplate: plain@~0.1\nbase: debian:bookworm-slim\nfragments: {core: 0.1.0, app: 0.1.0}\n"
            .replace(", app: 0.1.0", "")
            .replace("plain@~0.1", "plain@0.1.0"),
        "templates/plain/0.1.0/template.yaml":
          "schema_version: 1\ntemplate_id: plain\nversion: 0.1.0\nslots: [{name: core}, {name: extra, optional: true}, {name: app, optional: true}]\n",
        "manifests/child.yaml":
          "schema_version: 1\nmanifest_id: child\ntemplate: plain@0.1.0\nbase: {manifest: demo}\nfragments: {core: 0.1.0, app: 0.1.0}\n",
        "control_plane/plans/grid.yaml": null,
      });
    expect(stitch(child("debian"), "child").manifest_id).toBe("child");
    expect(findingsFrom(() => stitch(child("alpine"), "child")).map(({ code }) => code)).toEqual([
      "BASE_UNSUPPORTED",
    ]);
  });

  it("leaves other bases out of a plan, and names them", () => {
    const plan =
      "schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {base: [alpine:3, debian:12]}\nplatforms: [linux/amd64]\n";
    const { cells, left_out } = expand(
      makeCatalog({ ...only("debian"), "control_plane/plans/grid.yaml": plan }),
      { planId: "grid" },
      TODAY,
    );
    expect(cells.map(({ cell }) => cell.base.ref)).toEqual(["debian:12"]);
    expect(left_out.map(({ what }) => what)).toEqual([
      "app@0.1.0 only works on debian",
      "is in no cell, since app@0.1.0 only works on debian",
    ]);
  });
});

describe("a lock", () => {
  it("keeps what is solved when later versions appear that would fit better", () => {
    const files: Files = {
      ...family(GPU),
      "control_plane/plans/grid.yaml":
        "schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {base: [scratch]}\n",
      "manifests/demo.yaml":
        'schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: scratch\nfragments: {cuda: "*", torch: "*"}\n',
    };
    const root = makeWorkspace(files);
    expect(factory(root, ["lock"])).toMatchObject({ status: 0 });
    const later = family({ torch: { "3.0.0": { requires: { cuda: "~12.4" } } } });
    writeFiles(
      root,
      Object.fromEntries(Object.entries(later).filter(([path]) => path.startsWith("fragments/"))),
    );
    const planned = (flags: string[]) =>
      (
        JSON.parse(factory(root, ["plan", "grid", "--json", ...flags]).stdout) as {
          cells: { fragments: Record<string, string> }[];
        }
      ).cells[0]?.fragments;
    expect(planned(["--locked"])).toEqual({ cuda: "12.1.0", torch: "2.1.0" });
    expect(planned([])).toEqual({ cuda: "12.4.0", torch: "3.0.0" });
  });
});
