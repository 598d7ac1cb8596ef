import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { entriesOf, lockText } from "../../src/plan/lock/lock.ts";
import {
  type BaseAnswer,
  completeLock,
  keepLock,
  lockChanges,
  updateLock,
} from "../../src/plan/lock/draft.ts";
import {
  changeLock,
  digestOn,
  fragmentFiles,
  lockedAs,
  makeBuilder,
  planFile,
  valuesOf,
  writeLock,
} from "./plan-lock-builder.ts";
import { errorFrom, type Files, findingsFrom, makeWorkspace, writeFiles } from "./workspace.ts";

const DEBIAN = "debian:bookworm-slim";

/** The bases that a workspace's lock has, as `ref platform`. */
function basesOf(files: Files): string[] {
  const { entries } = lockedAs(makeWorkspace(files));
  return [...entries.values()].flatMap(({ kind, name, at }) => (kind === "base" ? [`${name} ${at}`] : []));
}

describe("what a lock says", () => {
  it("is what every range, axis and base stands for", () => {
    const root = makeWorkspace({
      ...planFile("fixed", 'axes: {app: "0.x"}\nfixed: {core: ">=0.1"}\nplatforms: [linux/arm/v7]\n'),
      ...planFile("latest", "axes: {core: {latest: 2}}\n"),
      ...planFile("minor", 'axes: {core: {latest-minor: 2, range: "<1"}}\n'),
    });
    expect(valuesOf(lockedAs(root).entries)).toEqual({
      "template plain ~0.1": "0.1.0",
      "fragment core ~0.1": "0.1.1",
      "fragment core >=0.1": "0.2.0",
      "fragment app 0.1.0": "0.1.0",
      "axis app 0.x": ["0.1.0"],
      "axis core latest: 2": ["0.1.1", "0.2.0"],
      "axis core latest-minor: 2 of <1": ["0.1.1", "0.2.0"],
      [`base ${DEBIAN} linux/amd64`]: digestOn(1, DEBIAN),
      [`base ${DEBIAN} linux/arm64`]: digestOn(1, DEBIAN),
      [`base ${DEBIAN} linux/arm/v7`]: digestOn(1, DEBIAN),
    });
  });

  it("is little where there is no plan, and less where there is no manifest", () => {
    const noPlan = makeWorkspace({ "control_plane/plans/grid.yaml": null });
    expect([...lockedAs(noPlan).entries.keys()]).toEqual([
      "template plain ~0.1",
      "fragment core ~0.1",
      "fragment app 0.1.0",
      `base ${DEBIAN} linux/amd64`,
      `base ${DEBIAN} linux/arm64`,
    ]);
    const nothing = makeWorkspace({ "control_plane/plans/grid.yaml": null, "manifests/demo.yaml": null });
    expect(lockedAs(nothing).entries.size).toBe(0);
    writeLock(nothing);
    expect(openCatalog(nothing).lock()?.document).toMatchObject({ fragments: {}, bases: {} });
  });

  it("counts pre-releases only where the range names one of them", () => {
    const root = makeWorkspace({
      ...fragmentFiles(
        "core",
        10,
        ["0.2.1-rc.1", "0.3.0-rc.1", "0.3.0-rc.2"],
        "args: {python: {type: string, default: x}}\n",
      ),
      ...planFile("pre", 'axes: {core: {latest: 2, range: ">=0.3.0-rc.1"}}\n'),
      ...planFile("release", "axes: {core: {latest: 1}}\n"),
      ...planFile("text", 'axes: {core: ">=0.2"}\n'),
    });
    expect(valuesOf(lockedAs(root).entries)).toMatchObject({
      "axis core latest: 2 of >=0.3.0-rc.1": ["0.3.0-rc.1", "0.3.0-rc.2"],
      "axis core latest: 1": ["0.2.0"],
      "axis core >=0.2": ["0.2.0"],
    });
  });

  it("is one entry for ranges that differ in white space alone, and for one axis of two plans", () => {
    const root = makeWorkspace({
      ...planFile("one", 'axes: {core: ">=0.1 <1"}\n'),
      ...planFile("two", 'axes: {core: "  >=0.1   <1"}\n'),
      ...planFile("three", 'fixed: {core: " ~0.1 "}\naxes: {app: [0.1.0]}\n'),
    });
    const keys = [...lockedAs(root).entries.keys()].filter((key) => / core /.test(key));
    expect(keys).toEqual(["fragment core ~0.1", "axis core >=0.1 <1"]);
  });

  it("asks for no digest of scratch and of what names its digest", () => {
    const pinned = `debian@sha256:${"a".repeat(64)}`;
    const root = makeWorkspace(planFile("bases", `axes: {base: [scratch, "${pinned}", other:1]}\n`));
    expect(lockedAs(root).asked).toEqual([
      `${DEBIAN} linux/amd64`,
      `${DEBIAN} linux/arm64`,
      "other:1 linux/amd64",
      "other:1 linux/arm64",
    ]);
  });

  it.each<[string, Files, string[]]>([
    [
      "a base axis on the platforms of its plan",
      planFile("grid", "axes: {base: [one:1, two:1]}\nplatforms: [linux/s390x]\n"),
      [`${DEBIAN} linux/amd64`, `${DEBIAN} linux/arm64`, "one:1 linux/s390x", "two:1 linux/s390x"],
    ],
    [
      "a platform axis",
      planFile("grid", "axes: {platform: [linux/s390x]}\n"),
      [`${DEBIAN} linux/amd64`, `${DEBIAN} linux/arm64`, `${DEBIAN} linux/s390x`],
    ],
    [
      "zipped axes position by position",
      planFile(
        "grid",
        "axes: {base: [one:1, two:1], platform: [linux/s390x, linux/amd64]}\nzip: [[platform, base]]\n",
      ),
      [`${DEBIAN} linux/amd64`, `${DEBIAN} linux/arm64`, "one:1 linux/s390x", "two:1 linux/amd64"],
    ],
    [
      "no pair that a rule takes out",
      planFile(
        "grid",
        `axes: {base: [one:1, two:1], core: [0.1.0, 0.2.0]}
exclude: [{base: one:1, platform: linux/arm64}, {base: two:1, core: 0.2.0}]
`,
      ),
      [
        `${DEBIAN} linux/amd64`,
        `${DEBIAN} linux/arm64`,
        "one:1 linux/amd64",
        "two:1 linux/amd64",
        "two:1 linux/arm64",
      ],
    ],
    [
      "included cells",
      planFile(
        "grid",
        `axes: {base: [one:1]}
platforms: [linux/s390x]
include: [{base: two:1}, {core: 0.1.0}, {platform: linux/arm/v7}, {base: one:1, platform: linux/386}]
`,
      ),
      [
        `${DEBIAN} linux/amd64`,
        `${DEBIAN} linux/arm/v7`,
        `${DEBIAN} linux/arm64`,
        `${DEBIAN} linux/s390x`,
        "one:1 linux/386",
        "one:1 linux/s390x",
        "two:1 linux/s390x",
      ],
    ],
    [
      "no platform that a fragment does not work on",
      {
        ...planFile("grid", "axes: {core: [0.1.0]}\nplatforms: [linux/amd64, linux/s390x]\n"),
        ...fragmentFiles(
          "app",
          30,
          ["0.1.0"],
          "platforms: [linux/amd64, linux/arm64]\nargs: {port: {type: integer, default: 80}}\n",
        ),
      },
      [`${DEBIAN} linux/amd64`, `${DEBIAN} linux/arm64`],
    ],
  ])("has %s", (_what, files, bases) => {
    expect(basesOf(files).sort()).toEqual(bases);
  });
});

describe("keepLock", () => {
  const newer = fragmentFiles("core", 10, ["0.1.2", "0.4.0"], "args: {python: {type: string, default: x}}\n");

  it("keeps what holds, and asks nobody", () => {
    const root = makeWorkspace(planFile("latest", "axes: {core: {latest: 2}}\n"));
    const text = writeLock(root);
    writeFiles(root, newer);
    const { entries, asked } = lockedAs(root, { day: 2 });
    expect(asked).toEqual([]);
    expect(lockText(entries)).toBe(text);
  });

  it("adds what is missing, drops what nothing needs, and asks for the new bases alone", () => {
    const root = makeWorkspace();
    writeLock(root);
    writeFiles(root, { ...newer, ...planFile("more", "axes: {base: [other:1]}\nfixed: {core: ^0.1.1}\n") });
    changeLock(root, {
      "fragment gone ~1": "1.0.0",
      "axis core latest: 9": ["0.1.0"],
      "base gone linux/amd64": digestOn(1, "gone"),
    });
    const { entries, asked } = lockedAs(root, { day: 2 });
    expect(asked).toEqual(["other:1 linux/amd64", "other:1 linux/arm64"]);
    expect(valuesOf(entries)).toEqual({
      "template plain ~0.1": "0.1.0",
      "fragment core ~0.1": "0.1.1",
      "fragment core ^0.1.1": "0.1.2",
      "fragment app 0.1.0": "0.1.0",
      [`base ${DEBIAN} linux/amd64`]: digestOn(1, DEBIAN),
      [`base ${DEBIAN} linux/arm64`]: digestOn(1, DEBIAN),
      "base other:1 linux/amd64": digestOn(2, "other:1"),
      "base other:1 linux/arm64": digestOn(2, "other:1"),
    });
  });

  it.each<[string, Files, Record<string, string | string[]>, Record<string, string | string[]>]>([
    [
      "a version that is gone",
      { "fragments/core/0.1.1": null },
      {},
      { "fragment core ~0.1": "0.1.0", "axis core latest: 2": ["0.1.0", "0.2.0"] },
    ],
    [
      "a version that the range does not allow",
      {},
      { "fragment core ~0.1": "0.2.0" },
      { "fragment core ~0.1": "0.1.1" },
    ],
    [
      "more versions than the axis means",
      {},
      { "axis core latest: 2": ["0.1.0", "0.1.1", "0.2.0"] },
      { "axis core latest: 2": ["0.1.1", "0.2.0"] },
    ],
    ["a list for a range", {}, { "fragment core ~0.1": ["0.1.0"] }, { "fragment core ~0.1": "0.1.1" }],
  ])("does not keep %s", (_what, files, changes, values) => {
    const root = makeWorkspace(planFile("latest", "axes: {core: {latest: 2}}\n"));
    const { entries: before } = lockedAs(root);
    const changed = new Map(before);
    for (const [key, value] of Object.entries(changes)) {
      const entry = changed.get(key);
      expect(entry).toBeDefined();
      if (entry) changed.set(key, { ...entry, value });
    }
    writeFiles(root, files);
    const after = completeLock(keepLock(openCatalog(root), changed), makeBuilder().answerOf);
    expect(valuesOf(after)).toEqual({ ...valuesOf(before), ...values });
  });

  it("keeps an older version that the range still allows", () => {
    const root = makeWorkspace();
    writeLock(root);
    changeLock(root, { "fragment core ~0.1": "0.1.0" });
    expect(valuesOf(lockedAs(root).entries)).toMatchObject({ "fragment core ~0.1": "0.1.0" });
    expect(valuesOf(lockedAs(root, { update: true }).entries)).toMatchObject({
      "fragment core ~0.1": "0.1.1",
    });
  });

  it("comes to the same a second time, whatever the workspace grew by", () => {
    const versions = fc.uniqueArray(fc.stringMatching(/^0\.[0-3]\.[0-4](-rc\.[12])?$/), { maxLength: 6 });
    const range = fc.constantFrom("~0.1", ">=0.1", "<9", "*", ">=0.1.0-rc.1", "0.x || 1.x");
    fc.assert(
      fc.property(
        versions,
        versions,
        range,
        range,
        fc.integer({ min: 1, max: 3 }),
        (some, more, own, axis, latest) => {
          const python = "args: {python: {type: string, default: x}}\n";
          const root = makeWorkspace({
            ...fragmentFiles("core", 10, some, python),
            ...planFile("axis", `axes: {core: {latest: ${latest}, range: "${axis}"}}\n`),
            ...planFile("fixed", `axes: {app: [0.1.0]}\nfixed: {core: "${own}"}\n`),
          });
          const text = writeLock(root);
          expect(writeLock(root, { day: 2 })).toBe(text);
          writeFiles(root, fragmentFiles("core", 10, more, python));
          expect(writeLock(root, { day: 3 })).toBe(text);
          // And --update is the lock that a workspace without one gets.
          const updated = writeLock(root, { update: true, day: 4 });
          writeFiles(root, { "factory.lock": null });
          expect(writeLock(root, { day: 4 })).toBe(updated);
        },
      ),
      { numRuns: 8 },
    );
  });

  it("says where the newest versions would do", () => {
    const root = makeWorkspace(planFile("axis", "axes: {core: {latest: 2}}\n"));
    writeLock(root);
    writeFiles(root, {
      ...newer,
      ...planFile("axis", "axes: {core: {latest: 2}}\nexclude: [{core: 0.4.0}]\n"),
    });
    const [finding] = findingsFrom(() => lockedAs(root));
    expect(finding).toMatchObject({ code: "RULE_UNUSED", where: { file: "control_plane/plans/axis.yaml" } });
    expect(finding?.fix).toContain("factory lock --update");
    expect(valuesOf(lockedAs(root, { update: true }).entries)).toMatchObject({
      "axis core latest: 2": ["0.2.0", "0.4.0"],
    });
  });
});

describe("a workspace with findings", () => {
  it.each<[string, Files, string[]]>([
    ["a manifest that is broken", { "manifests/demo.yaml": "schema_version: 1\n" }, ["SCHEMA_MISSING_FIELD"]],
    [
      "ranges that nothing satisfies",
      {
        ...planFile("none", 'axes: {core: {latest: 1, range: ">5"}}\nfixed: {app: "9"}\n'),
        "manifests/other.yaml":
          'schema_version: 1\nmanifest_id: other\ntemplate: plain@9\nbase: a:1\nfragments: {core: ~7, nope: "1"}\n',
      },
      ["RANGE_UNSATISFIED", "UNKNOWN_FRAGMENT"],
    ],
    [
      "no release for an axis of the latest",
      {
        ...planFile("extra", "axes: {extra: {latest: 1}}\n"),
        "manifests/demo.yaml":
          'schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: a:1\nfragments: {core: ~0.1, extra: ">=0.1.0-a", app: 0.1.0}\n',
        "fragments/extra/0.1.0": null,
        ...fragmentFiles("extra", 20, ["0.1.0-a"]),
      },
      ["RANGE_UNSATISFIED"],
    ],
    [
      "rules that rule nothing",
      planFile("rule", "axes: {core: [0.1.0]}\nexclude: [{core: 0.2.0}]\n"),
      ["RULE_UNUSED"],
    ],
    ["a plan of no manifest", planFile("lost", "axes: {core: [0.1.0]}\n", "nope"), ["UNKNOWN_MANIFEST"]],
  ])("has no lock: %s", (_what, files, codes) => {
    const root = makeWorkspace(files);
    for (const update of [false, true]) {
      const found = findingsFrom(() => lockedAs(root, { update }));
      expect([...new Set(found.map(({ code }) => code))].sort()).toEqual(codes);
      for (const { where } of found) expect(where).toBeDefined();
      expect(new Set(found.map((one) => JSON.stringify(one))).size).toBe(found.length);
    }
  });

  it("is locked all the same where a toleration has ended", () => {
    const expectation = "{when: {core: 0.1.0}, result: fail, owner: me, reason: old, until: 2001-01-01}";
    const root = makeWorkspace(
      planFile(
        "old",
        `axes: {core: [0.1.0]}\nexpect: [${expectation.replace("2001-01-01", '"2001-01-01"')}]\n`,
      ),
    );
    expect(lockedAs(root).entries.size).toBeGreaterThan(0);
  });
});

describe("completeLock", () => {
  const platformless = {
    digest: null,
    pinnable: false,
    error: { message: `${DEBIAN}: no match for platform in manifest: not found` },
  };
  const away = { digest: null, pinnable: false, error: { message: "dial tcp: connection refused" } };

  function errorWith(odd: Record<string, BaseAnswer>) {
    const root = makeWorkspace(planFile("more", "axes: {base: [other:1]}\n"));
    return errorFrom(() => completeLock(updateLock(openCatalog(root)), makeBuilder(1, odd).answerOf));
  }

  it("names a base that lacks a platform", () => {
    expect(errorWith({ [`${DEBIAN} linux/arm64`]: platformless })).toMatchObject({
      code: "BASE_PLATFORM",
      exitCode: 2,
      message: `the image ${DEBIAN} does not exist for linux/arm64`,
      where: { file: "manifests/demo.yaml", line: 5 },
    });
  });

  it("names every base that it has no digest of, each with its place", () => {
    const error = errorWith({
      [`${DEBIAN} linux/amd64`]: platformless,
      "other:1 linux/amd64": away,
      "other:1 linux/arm64": { digest: digestOn(1, "x"), pinnable: false },
    });
    expect(error).toMatchObject({ code: "BASE_UNRESOLVED", exitCode: 3 });
    const found = error.findings?.map(({ code, what, where }) => `${code} ${where?.file} ${what}`);
    expect(found).toEqual([
      `BASE_PLATFORM manifests/demo.yaml the image ${DEBIAN} does not exist for linux/amd64`,
      "BASE_UNRESOLVED control_plane/plans/more.yaml the image other:1 cannot be resolved for linux/amd64: dial tcp: connection refused",
      "BASE_UNRESOLVED control_plane/plans/more.yaml the image other:1 cannot be resolved for linux/arm64: it is only in this engine's image store, where no digest names it",
    ]);
  });

  it("is about the input where every base lacks its platform, and about the world for one that is away", () => {
    const both = { [`${DEBIAN} linux/amd64`]: platformless, [`${DEBIAN} linux/arm64`]: platformless };
    expect(errorWith(both)).toMatchObject({ code: "FINDINGS", exitCode: 2 });
    expect(errorWith({ "other:1 linux/arm64": away })).toMatchObject({
      code: "BASE_UNRESOLVED",
      exitCode: 3,
    });
  });
});

describe("lockChanges", () => {
  it("names what is another, with the manifests that it touches", () => {
    const second =
      "schema_version: 1\nmanifest_id: second\ntemplate: plain@~0.1\nbase: debian:bookworm-slim\nfragments: {core: ~0.1, app: 0.1.0}\n";
    const root = makeWorkspace({
      "manifests/second.yaml": second,
      ...planFile("axis", "axes: {core: {latest: 1}}\n"),
    });
    writeLock(root);
    const before = entriesOf(openCatalog(root).lock()!.document);
    writeFiles(root, {
      ...fragmentFiles("core", 10, ["0.1.2", "0.4.0"], "args: {python: {type: string, default: x}}\n"),
      "manifests/second.yaml": second.replace("app: 0.1.0", 'app: "*"'),
    });
    const draft = updateLock(openCatalog(root));
    const after = completeLock(draft, makeBuilder(2).answerOf);
    const both = ["demo", "second"];
    expect(lockChanges(before, after, draft.needs)).toEqual([
      { kind: "fragment", name: "app", at: "*", before: null, after: "0.1.0", manifests: ["second"] },
      { kind: "fragment", name: "core", at: "~0.1", before: "0.1.1", after: "0.1.2", manifests: both },
      {
        kind: "axis",
        name: "core",
        at: "latest: 1",
        before: ["0.2.0"],
        after: ["0.4.0"],
        manifests: ["demo"],
      },
      {
        kind: "base",
        name: DEBIAN,
        at: "linux/amd64",
        before: digestOn(1, DEBIAN),
        after: digestOn(2, DEBIAN),
        manifests: both,
      },
      {
        kind: "base",
        name: DEBIAN,
        at: "linux/arm64",
        before: digestOn(1, DEBIAN),
        after: digestOn(2, DEBIAN),
        manifests: ["demo"],
      },
    ]);
    expect(lockChanges(after, after, draft.needs)).toEqual([]);
    expect(lockChanges(after, before, draft.needs)).toHaveLength(5);
  });
});
