import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { expand } from "../../src/plan/expand.ts";
import { checkLock, pinsOf } from "../../src/plan/lock/pins.ts";
import type { Given, PlanRequest } from "../../src/plan/space.ts";
import { changeLock, digestOn, fragmentFiles, planFile, writeLock } from "./plan-lock-builder.ts";
import { errorFrom, findingsFrom, makeWorkspace, writeFiles } from "./workspace.ts";

const DEBIAN = "debian:bookworm-slim";
const PYTHON = "args: {python: {type: string, default: x}}\n";

/** A second manifest, with a plan of its own. */
const OTHER = {
  "manifests/other.yaml":
    'schema_version: 1\nmanifest_id: other\ntemplate: plain@~0.1\nbase: other:1\nfragments: {core: "*", app: 0.1.0}\n',
  ...planFile("others", "axes: {core: {latest: 2}}\n", "other"),
};

/** The findings of a lock, as `code file: what`. */
function problems(root: string, manifestIds?: string[]): string[] {
  return checkLock(openCatalog(root), manifestIds).map(
    ({ code, where, what }) => `${code} ${where?.file}: ${what.replace("factory.lock ", "")}`,
  );
}

/** What every plan and manifest of a workspace comes to, by cell: versions, and the base's digest. */
function plannedWith(root: string, given: (manifestId: string) => Partial<Given>) {
  const catalog = openCatalog(root);
  const requests: [string, PlanRequest][] = [
    ...catalog.manifestIds().map((manifestId): [string, PlanRequest] => [manifestId, { manifestId }]),
    ...catalog
      .planIds()
      .map((planId): [string, PlanRequest] => [catalog.plan(planId).document.manifest_id, { planId }]),
  ];
  return requests.map(([manifestId, request]) => {
    const { cells } = expand(catalog, request, { today: "2026-01-01", ...given(manifestId) });
    return cells.map(({ cell }) => ({
      id: cell.cell_id,
      fragments: cell.fragments,
      base: cell.base.ref,
      digest: cell.base.digest,
    }));
  });
}

function locked(root: string) {
  return plannedWith(root, (manifestId) => pinsOf(openCatalog(root), [manifestId]));
}

/** The same without digests. */
function versionsOf(planned: ReturnType<typeof plannedWith>) {
  return planned.map((cells) => cells.map((cell) => ({ ...cell, digest: null })));
}

describe("checkLock", () => {
  it("finds nothing in a lock that was just written, nor in one that says more than is needed", () => {
    const root = makeWorkspace(OTHER);
    writeLock(root);
    expect(problems(root)).toEqual([]);
    changeLock(root, { "fragment gone ~1": "1.0.0" });
    expect(problems(root)).toEqual([]);
  });

  it("says that there is none", () => {
    expect(problems(makeWorkspace())).toEqual(["LOCK_MISSING undefined: the workspace has no factory.lock"]);
  });

  it("names all that is stale, each with the place that needs it", () => {
    const root = makeWorkspace(OTHER);
    writeLock(root);
    writeFiles(root, planFile("more", 'axes: {core: ">=0.1", base: [third:1]}\nplatforms: [linux/s390x]\n'));
    changeLock(root, {
      "template plain ~0.1": null,
      "fragment core ~0.1": "0.1.9",
      "axis core latest: 2": ["0.1.0", "0.1.1", "0.2.0"],
      [`base ${DEBIAN} linux/arm64`]: null,
    });
    expect(problems(root)).toEqual([
      "LOCK_STALE manifests/demo.yaml: does not have `~0.1` of the template plain",
      "LOCK_STALE manifests/demo.yaml: takes 0.1.9 for `~0.1` of the fragment core, which no longer exists or is not allowed",
      "LOCK_STALE control_plane/plans/more.yaml: does not have the axis `core` (>=0.1)",
      "LOCK_STALE control_plane/plans/others.yaml: takes 0.1.0, 0.1.1, 0.2.0 for the axis `core` (latest: 2), which no longer exists or is not allowed",
      `LOCK_STALE manifests/demo.yaml: does not have the image ${DEBIAN} on linux/arm64`,
      "LOCK_STALE control_plane/plans/more.yaml: does not have the image third:1 on linux/s390x",
    ]);
    for (const { fix } of checkLock(openCatalog(root))) expect(fix).toBe("run `factory lock`");
    writeLock(root);
    expect(problems(root)).toEqual([]);
  });

  it("asks for what a manifest and its plans need alone", () => {
    const root = makeWorkspace(OTHER);
    writeLock(root);
    changeLock(root, { "axis core latest: 2": null, "base other:1 linux/amd64": null });
    expect(problems(root, ["demo"])).toEqual([]);
    expect(problems(root, ["other"])).toHaveLength(2);
    // What is broken elsewhere is in nobody's way.
    writeFiles(root, { "manifests/other.yaml": "{}", "control_plane/plans/others.yaml": "{}" });
    expect(problems(root, ["demo"])).toEqual([]);
    expect(findingsFrom(() => checkLock(openCatalog(root))).length).toBeGreaterThan(1);
  });

  it("notices an edited lock, and what is stale in it", () => {
    const root = makeWorkspace();
    const text = writeLock(root);
    writeFiles(root, { "factory.lock": text.replace("~0.1: 0.1.1", "~0.1: 0.1.5") });
    expect(problems(root)).toEqual([
      "LOCK_EDITED factory.lock: was edited by hand or merged: its `lock_digest` is not that of its entries",
      "LOCK_STALE manifests/demo.yaml: takes 0.1.5 for `~0.1` of the fragment core, which no longer exists or is not allowed",
    ]);
    const [edited] = checkLock(openCatalog(root));
    expect(edited?.where).toMatchObject({ line: text.split("\n").length - 1 });
  });
});

describe("pinsOf", () => {
  it("throws what checkLock finds", () => {
    const root = makeWorkspace();
    expect(errorFrom(() => pinsOf(openCatalog(root)))).toMatchObject({ code: "LOCK_MISSING", exitCode: 2 });
    writeLock(root);
    changeLock(root, { "fragment core ~0.1": null });
    expect(errorFrom(() => pinsOf(openCatalog(root)))).toMatchObject({ code: "LOCK_STALE", exitCode: 2 });
    changeLock(root, { "fragment app 0.1.0": null });
    expect(findingsFrom(() => pinsOf(openCatalog(root)))).toHaveLength(2);
  });

  it("gives versions and digests, by ranges however they are spaced", () => {
    const root = makeWorkspace(planFile("axis", 'axes: {core: {latest: 2, range: ">=0.1 <1"}}\n'));
    writeLock(root);
    changeLock(root, { "fragment core ~0.1": "0.1.0" });
    const { pins, digestOf } = pinsOf(openCatalog(root));
    const versions = ["0.1.0", "0.1.1", "0.2.0"];
    expect(pins.version("fragment", "core", "~0.1", versions)).toBe("0.1.0");
    expect(pins.version("fragment", "core", "  ~0.1 ", versions)).toBe("0.1.0");
    expect(pins.version("fragment", "core", "0.2.0", versions)).toBe("0.2.0");
    expect(pins.version("template", "plain", "~0.1", ["0.1.0"])).toBe("0.1.0");
    expect(pins.axis("core", "latest: 2 of >=0.1  <1")).toEqual(["0.1.1", "0.2.0"]);
    expect(digestOf(DEBIAN, "linux/arm64")).toBe(digestOn(1, DEBIAN));
    expect(digestOf("scratch", "linux/arm64")).toBeNull();
    expect(digestOf(`debian@sha256:${"a".repeat(64)}`, "linux/arm64")).toBeNull();
  });

  it("refuses what the lock does not say, and leaves to others what is wrong anyhow", () => {
    const root = makeWorkspace();
    writeLock(root);
    const { pins, digestOf } = pinsOf(openCatalog(root));
    const versions = ["0.1.0", "0.1.1", "0.2.0"];
    for (const ask of [
      () => pins.version("fragment", "core", ">=0.1", versions),
      () => pins.version("fragment", "constructor", "~0.1", versions),
      () => pins.axis("core", "latest: 2"),
      () => digestOf(DEBIAN, "linux/s390x"),
      () => digestOf("constructor", "linux/amd64"),
    ]) {
      expect(errorFrom(ask)).toMatchObject({ code: "LOCK_STALE", exitCode: 2 });
      expect(errorFrom(ask).fix).toContain("factory lock");
    }
    expect(pins.version("fragment", "core", "~9", versions)).toBeUndefined();
    expect(pins.version("fragment", "core", "no range", versions)).toBeUndefined();
  });

  it("plans with the digests of the lock, for included cells and bases of axes too", () => {
    const root = makeWorkspace(
      planFile(
        "grid",
        `axes: {base: [one:1, scratch], core: ">=0.1", platform: [linux/amd64, linux/s390x]}
zip: [[base, platform]]
exclude: [{base: one:1, core: 0.1.0}]
include: [{base: two:1, core: 0.1.0}]
`,
      ),
    );
    writeLock(root, { day: 3 });
    const cells = locked(root).flat();
    expect(cells.length).toBeGreaterThan(8);
    expect(new Set(cells.map(({ base }) => base))).toEqual(new Set([DEBIAN, "one:1", "scratch", "two:1"]));
    for (const { base, digest } of cells) expect(digest).toBe(base === "scratch" ? null : digestOn(3, base));
  });

  it("gives what is planned without it, and keeps that whatever is added or moved", () => {
    const version = fc.stringMatching(/^0\.[0-3]\.[0-4](-rc\.[12])?$/);
    const versions = fc.uniqueArray(version, { maxLength: 6 });
    const range = fc.constantFrom(
      "~0.1",
      ">=0.1",
      "*",
      ">=0.1.0-rc.1",
      "0.1.x || 0.3.x",
      " <=0.2  ",
      "0.1.1",
    );
    const axis = fc.oneof(
      range.map((text) => JSON.stringify(text)),
      fc.integer({ min: 1, max: 3 }).map((count) => `{latest: ${count}}`),
      fc
        .tuple(fc.integer({ min: 1, max: 3 }), range)
        .map(([count, text]) => `{latest-minor: ${count}, range: "${text}"}`),
      fc.constant("[0.2.0, 0.1.0]"),
    );
    const zipped = fc.boolean();
    const some = fc.record({ versions, more: versions, own: range, fixed: range, axis, zipped });
    fc.assert(
      fc.property(some, (one) => {
        const zip = one.zipped ? "zip: [[base, platform]]\n" : "";
        const root = makeWorkspace({
          ...fragmentFiles("core", 10, one.versions, PYTHON),
          "manifests/other.yaml": OTHER["manifests/other.yaml"].replace('"*"', `"${one.own}"`),
          ...planFile(
            "axis",
            `axes: {core: ${one.axis}, base: [a:1, b:1], platform: [linux/amd64, linux/arm64]}\n${zip}`,
          ),
          ...planFile("fixed", `axes: {base: [c:1]}\nfixed: {core: "${one.fixed}"}\n`, "other"),
        });
        writeLock(root);
        const before = locked(root);
        expect(versionsOf(before)).toEqual(versionsOf(plannedWith(root, () => ({}))));
        for (const { base, digest } of before.flat()) expect(digest).toBe(digestOn(1, base));
        writeFiles(root, fragmentFiles("core", 10, [...one.more, "0.2.9", "0.9.9"], PYTHON));
        expect(locked(root)).toEqual(before);
        writeLock(root, { update: true, day: 2 });
        expect(versionsOf(locked(root))).toEqual(versionsOf(plannedWith(root, () => ({}))));
      }),
      { numRuns: 8 },
    );
  });
});
