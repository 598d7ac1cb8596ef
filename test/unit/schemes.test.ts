import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import type { Scheme } from "../../src/catalog/schemes/scheme.ts";
import { SCHEMES } from "../../src/catalog/schemes/schemes.ts";
import { isVersion, sortVersions, versionsIn } from "../../src/catalog/versions.ts";
import { compareText } from "../../src/model/compare.ts";
import { cellId } from "../../src/plan/cell-names.ts";
import { expand } from "../../src/plan/expand.ts";
import { keepLock } from "../../src/plan/lock/draft.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { factory, type Files, findingsFrom, makeCatalog, makeWorkspace } from "./workspace.ts";

const { semver, pep440, calver, opaque } = SCHEMES;
const number = fc.nat(12);

/** Versions of each scheme, near each other. */
const VERSIONS: Record<Scheme["name"], fc.Arbitrary<string>> = {
  semver: fc
    .tuple(number, number, number, fc.constantFrom("", "-rc.1", "-rc.2", "-a", "+b"))
    .map(([a, b, c, more]) => `${a}.${b}.${c}${more}`),
  pep440: fc
    .tuple(
      fc.array(number, { minLength: 1, maxLength: 3 }),
      fc.constantFrom("", "a1", "b2", "rc1", ".post1", ".dev3", "rc1.post2", "+cpu", "-1"),
    )
    .map(([parts, more]) => parts.join(".") + more),
  calver: fc
    .tuple(
      fc.constantFrom(".", "-"),
      fc.array(fc.constantFrom("24", "4", "04", "2024", "11", "1", "01", "0"), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([between, parts]) => parts.join(between)),
  opaque: fc
    .stringMatching(/^[0-9a-zA-Z][0-9a-zA-Z.+-]{0,6}$/)
    .filter((text) => isVersion(text, SCHEMES.opaque)),
};

describe.each(Object.values(SCHEMES))("the scheme $name", (scheme) => {
  const version = VERSIONS[scheme.name];
  const total = (a: string, b: string) => Math.sign(scheme.compare(a, b) || compareText(a, b));

  it("takes its own versions, each as a range that means at least itself", () => {
    fc.assert(
      fc.property(version, (a) => {
        expect(isVersion(a, scheme)).toBe(true);
        expect(scheme.isRange(a)).toBe(true);
        expect(versionsIn(a, [a], scheme)).toEqual([a]);
        expect(scheme.satisfies(a, a, true)).toBe(true);
      }),
    );
  });

  it("orders all versions: one way, and without circles", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(total(a, a)).toBe(0);
        expect(total(a, b)).toBe(-total(b, a) + 0);
        if (total(a, b) <= 0 && total(b, c) <= 0) expect(total(a, c)).toBeLessThanOrEqual(0);
        if (scheme.compare(a, b) === 0)
          expect(Math.sign(scheme.compare(a, c))).toBe(Math.sign(scheme.compare(b, c)));
      }),
      { numRuns: 500 },
    );
  });

  it("sorts the same, whatever the order was", () => {
    fc.assert(
      fc.property(fc.uniqueArray(version, { maxLength: 6 }), (versions) => {
        const sorted = sortVersions(versions, scheme);
        expect(sortVersions([...versions].reverse(), scheme)).toEqual(sorted);
        for (const [at, one] of sorted.entries())
          if (at > 0) expect(scheme.compare(sorted[at - 1] ?? "", one)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it("has ranges that agree with its order", () => {
    if (scheme.name === "opaque") return;
    fc.assert(
      fc.property(version, version, (a, b) => {
        // Local parts of PEP 440, and builds of semver, have no place in a comparison.
        fc.pre(!/\+/.test(a) && !/\+/.test(b));
        const order = scheme.compare(a, b);
        expect(scheme.satisfies(a, `>=${b}`, true)).toBe(order >= 0);
        expect(scheme.satisfies(a, `<=${b}`, true)).toBe(order <= 0);
        // PEP 440 leaves pre- and post-releases of the very version out of `<` and `>`.
        if (scheme.satisfies(a, `>${b}`, true)) expect(order).toBeGreaterThan(0);
        if (scheme.satisfies(a, `<${b}`, true)) expect(order).toBeLessThan(0);
        if (scheme.name !== "pep440") expect(scheme.satisfies(a, `>${b}`, true)).toBe(order > 0);
      }),
    );
  });

  it("has minor versions that are in a row", () => {
    const { minorOf } = scheme;
    if (!minorOf) return;
    fc.assert(
      fc.property(fc.uniqueArray(version, { minLength: 2, maxLength: 8 }), (versions) => {
        const minors = sortVersions(versions, scheme).map(minorOf);
        const runs = minors.filter((minor, at) => minor !== minors[at - 1]);
        expect(new Set(runs).size).toBe(runs.length);
      }),
    );
  });

  it("refuses what is no version, or no range", () => {
    for (const text of [
      "",
      " ",
      "../x",
      "a/b",
      "a b",
      ">1",
      "1..2",
      "1.",
      ".",
      "..",
      "1\n2",
      "$(id)",
      "x".repeat(300),
    ])
      expect([text, isVersion(text, scheme)]).toEqual([text, false]);
    for (const text of ["", " ", ">>1", ">=", "$(id)", "a/b", "<=>1", "1.x.y.z.*", "../x"])
      expect([text, scheme.isRange(text)]).toEqual([text, false]);
  });
});

describe("ranges", () => {
  it.each<[Scheme, string, string[], string[]]>([
    [pep440, "~=3.11", ["3.10", "3.11", "3.12.1", "4.0"], ["3.11", "3.12.1"]],
    [pep440, ">=3.11, <3.13", ["3.10", "3.11", "3.12.9", "3.13"], ["3.11", "3.12.9"]],
    [pep440, "3.12", ["3.12.0", "3.12.1"], ["3.12.0"]],
    [pep440, "==3.12.*", ["3.12.0", "3.12.1", "3.13"], ["3.12.0", "3.12.1"]],
    [pep440, "!=3.12", ["3.11", "3.12"], ["3.11"]],
    [pep440, ">=0.8.5", ["0.8.5rc1", "0.8.5", "0.8.5.post1", "0.9a1"], ["0.8.5", "0.8.5.post1"]],
    [pep440, ">=0.9a1", ["0.8.5", "0.9a1", "0.9"], ["0.9a1", "0.9"]],
    [calver, "24.*", ["23.10", "24.04", "24.10", "25.04"], ["24.04", "24.10"]],
    [calver, ">=24.04 <25", ["23.10", "24.04", "24.10.1", "25.04"], ["24.04", "24.10.1"]],
    [calver, ">= 2024-06-01", ["2024-05-31", "2024-06-01", "2024-11-05"], ["2024-06-01", "2024-11-05"]],
    [calver, "~24.04", ["24.04", "24.04.1", "24.4.2", "24.10"], ["24.04", "24.04.1", "24.4.2"]],
    [calver, "23.10 || >24.10", ["23.10", "24.10", "25.04"], ["23.10", "25.04"]],
    [opaque, "bookworm", ["bookworm", "trixie"], ["bookworm"]],
    [opaque, "book", ["bookworm"], []],
    [semver, "~0.1", ["0.1.0", "0.1.9", "0.2.0-rc.1", "0.2.0"], ["0.1.0", "0.1.9"]],
  ])("%j", (scheme, range, versions, allowed) => {
    expect(scheme.isRange(range)).toBe(true);
    expect(versionsIn(range, versions, scheme)).toEqual(allowed);
  });

  it("of one scheme are none of another", () => {
    expect([pep440, calver, opaque].map((scheme) => scheme.isRange("~=3.11"))).toEqual([true, false, false]);
    expect(pep440.isRange("~3.11")).toBe(false);
    expect(pep440.isRange("===x")).toBe(false);
    expect(calver.isRange(">=24.04 <")).toBe(false);
    expect(calver.isRange("24.04-rc1")).toBe(false);
    expect(opaque.isRange("~1")).toBe(false);
  });

  it("of opaque versions are listed with numbers by their size", () => {
    expect(sortVersions(["r10", "r9", "r9b", "a", "01", "1"], opaque)).toEqual([
      "01",
      "1",
      "a",
      "r9",
      "r9b",
      "r10",
    ]);
  });
});

/** A fragment with versions of a scheme, beside the small workspace. */
const fragment = (name: string, versions: readonly string[], scheme = "", order = 10): Files =>
  Object.fromEntries(
    versions.flatMap((version) => [
      [
        `fragments/${name}/${version}/fragment.yaml`,
        `schema_version: 1\nname: ${name}\nversion: "${version}"\norder: ${order}\n${scheme}`,
      ],
      [`fragments/${name}/${version}/Dockerfile.hbs`, "RUN echo {{fragment.version}}\n"],
    ]),
  );
const without: Files = { "fragments/core": null };
const python = (range: string, more: Files = {}): Files => ({
  ...without,
  ...fragment("core", ["3.9", "3.10", "3.11", "3.12", "3.12.1", "3.13rc1", "3.12.post1"], "scheme: pep440\n"),
  "fragments/app/0.1.0/fragment.yaml":
    'schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nrequires: {core: ">=3.10rc1, <4"}\n',
  "fragments/app/0.1.0/Dockerfile.hbs": "RUN app\n",
  "manifests/demo.yaml": `schema_version: 1\nmanifest_id: demo\ntemplate: plain@~0.1\nbase: debian:bookworm-slim\nfragments: {core: "${range}", app: 0.1.0}\n`,
  "control_plane/plans/grid.yaml": null,
  ...more,
});
const plan = (lines: string): Files => ({
  "control_plane/plans/grid.yaml": `schema_version: 1\nplan_id: grid\nmanifest_id: demo\n${lines}\n`,
});
const versionsOf = (files: Files) =>
  expand(makeCatalog(files), { planId: "grid" }, { today: "2026-01-01" }).cells.map(
    ({ cell }) => cell.fragments.core,
  );

describe("a fragment with a scheme", () => {
  it("is listed, chosen and required by it", () => {
    const catalog = makeCatalog(python("~=3.11"));
    expect(catalog.fragmentVersions("core")).toEqual([
      "3.9",
      "3.10",
      "3.11",
      "3.12",
      "3.12.post1",
      "3.12.1",
      "3.13rc1",
    ]);
    const chosen = (range: string) => stitch(catalog, "demo", { set: { core: range } }).fragments[0]?.version;
    expect(chosen("~=3.11")).toBe("3.12.1");
    expect(chosen("3.12")).toBe("3.12");
    expect(chosen("<3.12")).toBe("3.11");
    expect(findingsFrom(() => chosen("3.9")).map(({ code }) => code)).toEqual(["REQUIRES_VERSION"]);
    expect(findingsFrom(() => chosen("~3.9"))[0]).toMatchObject({
      code: "RANGE_INVALID",
      fix: expect.stringContaining("~=3.12") as string,
    });
    expect(stitch(catalog, "demo").dockerfile).toContain("RUN echo 3.12.1\n");
  });

  it("is planned by it: latest, latest-minor, ranges, rules and the order of cells", () => {
    expect(versionsOf(python("3.12", plan("axes: {core: {latest: 2}}")))).toEqual(["3.12.post1", "3.12.1"]);
    expect(versionsOf(python("3.12", plan("axes: {core: {latest-minor: 2}}")))).toEqual(["3.11", "3.12.1"]);
    expect(versionsOf(python("3.12", plan("axes: {core: {latest: 1, range: '>=3.13rc1'}}")))).toEqual([
      "3.13rc1",
    ]);
    expect(versionsOf(python("3.12", plan("axes: {core: '==3.12.*'}\nexclude: [{core: '>3.12'}]")))).toEqual([
      "3.12",
      "3.12.post1",
    ]);
    expect(versionsOf(python("3.12", plan('axes: {core: ["3.12", "3.9", "3.10"]}\nfixed: {}')))).toEqual([
      "3.10",
      "3.12",
    ]);
    expect(
      versionsOf(
        python(
          "3.12",
          plan(
            'axes: {core: ["3.10", "3.12"]}\nexpect: [{when: {core: "<3.12"}, result: fail, owner: us, reason: none, until: never}]',
          ),
        ),
      ),
    ).toEqual(["3.10", "3.12"]);
  });

  it("is locked by it", () => {
    const catalog = makeCatalog(python("~=3.11", plan("axes: {core: {latest: 2}}")));
    const { entries } = keepLock(catalog, new Map());
    expect(
      [...entries.values()].filter(({ name }) => name === "core").map(({ at, value }) => [at, value]),
    ).toEqual([
      ["~=3.11", "3.12.1"],
      ["latest: 2", ["3.12.post1", "3.12.1"]],
    ]);
  });

  it.each([
    ["calver", ["23.10", "24.04", "2024-11-05"], "24.*", "24.04"],
    ["opaque", ["bookworm", "trixie", "r10"], "trixie", "trixie"],
    ["pep440", ["0.8.5", "0.8.5.post1", "0.9"], "<0.9", "0.8.5.post1"],
  ])("%s validates, plans and stitches", (scheme, versions, range, chosen) => {
    const files: Files = {
      ...without,
      ...fragment("core", versions, `scheme: ${scheme}\n`),
      "fragments/app/0.1.0/fragment.yaml": "schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\n",
      "fragments/app/0.1.0/Dockerfile.hbs": "RUN app\n",
      "fragments/app/0.1.0/server.py": null,
      "manifests/demo.yaml": `schema_version: 1\nmanifest_id: demo\ntemplate: plain@~0.1\nbase: debian:bookworm-slim\nfragments: {core: "${range}", app: 0.1.0}\n`,
      ...plan(`axes: {core: [${versions.map((one) => `"${one}"`).join(", ")}]}`),
    };
    const root = makeWorkspace(files);
    expect(factory(root, ["validate"]).stdout).toContain("valid: ");
    expect(factory(root, ["stitch", "--manifest-id", "demo", "-o", "-"]).stdout).toContain(
      `core@${chosen},app@0.1.0`,
    );
    expect(factory(root, ["plan", "grid"]).stdout).toContain(`core-${versions[0] ?? ""}.linux-amd64`);
  });

  it("that is opaque has no latest version", () => {
    const files: Files = {
      ...without,
      "manifests/demo.yaml":
        "schema_version: 1\nmanifest_id: demo\ntemplate: plain@~0.1\nbase: scratch\nfragments: {core: a, app: 0.1.0}\n",
      "fragments/app/0.1.0/Dockerfile.hbs": "RUN app\n",
      ...fragment("core", ["a", "b"], "scheme: opaque\n"),
      "fragments/app/0.1.0/fragment.yaml": "schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\n",
    };
    for (const axis of ["{latest: 1}", "{latest-minor: 1}"])
      expect(findingsFrom(() => versionsOf({ ...files, ...plan(`axes: {core: ${axis}}`) }))[0]).toMatchObject(
        { code: "RANGE_INVALID", where: { file: "control_plane/plans/grid.yaml", line: 4 } },
      );
    expect(versionsOf({ ...files, ...plan("axes: {core: [b, a]}") })).toEqual(["a", "b"]);
  });

  it("has one scheme for all of its versions", () => {
    const files = python("3.12", fragment("core", ["3.11.0"]));
    const { findings } = checkWorkspace(makeCatalog(files));
    expect(findings).toEqual([
      expect.objectContaining({
        code: "SCHEME_MIXED",
        where: expect.objectContaining({ file: "fragments/core/3.11.0/fragment.yaml" }) as object,
      }),
    ]);
    expect(findingsFrom(() => makeCatalog(files).fragment("core", "3.11.0")).map(({ code }) => code)).toEqual(
      ["SCHEME_MIXED"],
    );
  });

  it("has folders named after its versions, and says so of others", () => {
    const { findings } = checkWorkspace(
      makeCatalog({ ...fragment("core", ["3.12"]), ...fragment("other", ["24.04-x"], "scheme: calver\n") }),
    );
    expect(findings.map(({ code, where, fix }) => [code, where?.file, fix])).toEqual([
      [
        "NAME_MISMATCH",
        "fragments/core/3.12",
        "name it after an exact version, such as `0.1.0`, or say which `scheme:` its versions have",
      ],
      [
        "NAME_MISMATCH",
        "fragments/other/24.04-x",
        'name it after an exact version, such as `"24.04"`, or say which `scheme:` its versions have',
      ],
    ]);
  });

  it("is named in the fix for a range of another scheme, wherever it is", () => {
    const places: [Files, string][] = [
      [python("~3.11"), "manifests/demo.yaml"],
      [python("3.12", plan("axes: {core: '>=3 || <2'}")), "control_plane/plans/grid.yaml"],
      [python("3.12", plan("fixed: {core: ^3}")), "control_plane/plans/grid.yaml"],
      [python("3.12", plan("exclude: [{core: 3.x}]")), "control_plane/plans/grid.yaml"],
      [
        python("3.12", {
          "fragments/app/0.1.0/fragment.yaml":
            "schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nrequires: {core: ~3}\n",
        }),
        "fragments/app/0.1.0/fragment.yaml",
      ],
    ];
    for (const [files, file] of places) {
      const { findings } = checkWorkspace(makeCatalog(files));
      expect(findings.map(({ code, where, fix }) => [code, where?.file, fix?.includes("~=3.12")])).toEqual([
        ["RANGE_INVALID", file, true],
      ]);
    }
  });
});

describe("ids of cells", () => {
  it("are never those of other cells, whatever versions look like", () => {
    const id = (...chosen: [string, string][]) => cellId("demo", chosen, "linux/amd64");
    expect(id(["core", "3.12"])).toBe("demo.core-3.12.linux-amd64");
    expect(id(["core", "0.8.5.post1"])).toBe("demo.core-0.8.5.post1.linux-amd64");
    expect(id(["core", "1.light-2"])).not.toBe(id(["core", "1"], ["light", "2"]));
    expect(id(["core", "1.linux-arm64"])).toMatch(/_h[0-9a-f]{8}$/);
    expect(id(["core", "1.0.0-rc.1"])).toBe("demo.core-1.0.0-rc.1.linux-amd64");
  });
});
