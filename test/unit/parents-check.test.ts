import { describe, expect, it } from "vitest";
import { checkCircles } from "../../src/catalog/circles.ts";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { findingsIn } from "../../src/catalog/document.ts";
import type { Finding } from "../../src/errors.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { fragmentFindings, templateFindings } from "../../src/stitch/every-version.ts";
import { cellInputs, stitch } from "../../src/stitch/stitch.ts";
import { resolve } from "../../src/stitch/resolve.ts";
import { familyOf, manifestOn } from "./parents-made.ts";
import { errorFrom, type Files, findingsFrom, makeCatalog, makeWorkspace } from "./workspace.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;
const FAMILY = familyOf({ root: null, mid: "root", leaf: "mid" });

function findingsOf(changes: Files) {
  const catalog = makeCatalog(changes);
  const { findings } = checkWorkspace(catalog, {
    manifest: (id) => findingsIn(() => stitch(catalog, id)),
    fragment: (entry) => fragmentFindings(catalog, entry),
    template: templateFindings,
  });
  return findings;
}

describe("a manifest that starts from another", () => {
  it("is valid, and its Dockerfile names the other by a reference that can be in no registry", () => {
    expect(findingsOf(FAMILY)).toEqual([]);
    const { dockerfile, images, parent, base } = stitch(makeCatalog(FAMILY), "leaf");
    expect(dockerfile).toMatch(/^FROM parent\.invalid\/mid AS base\n/);
    expect(base).toEqual({ ref: "parent.invalid/mid", digest: null });
    expect(images).toEqual([{ role: "base", ref: "parent.invalid/mid", digest: null }]);
    expect(parent?.manifest_id).toBe("mid");
  });

  it("is labelled with its parent, and with no base that could not be found", () => {
    const { labels } = stitch(
      makeCatalog(FAMILY),
      "leaf",
      {},
      { digestOf: () => `sha256:${"1".repeat(64)}` },
    );
    expect(labels).toMatchObject({
      "io.factory.parent": "mid",
      "org.opencontainers.image.base.digest": `sha256:${"1".repeat(64)}`,
    });
    expect(labels).toMatchObject({
      "org.opencontainers.image.base.name": "",
      "org.opencontainers.image.description": "",
    });
  });

  it("inherits no label that is true of its parent only", () => {
    const catalog = makeCatalog({
      ...FAMILY,
      "manifests/root.yaml": manifestOn("root", null, "summary: The root\n"),
    });
    const known = {
      platform: "linux/amd64",
      digestOf: (ref: string) => (ref.startsWith("debian") ? DIGEST : null),
    };
    const root = stitch(catalog, "root", {}, known).labels;
    const mid = stitch(catalog, "mid", {}, known).labels;
    expect(Object.keys(root).filter((name) => !Object.hasOwn(mid, name))).toEqual([]);
    for (const name of ["org.opencontainers.image.base.digest", "io.factory.build-key"]) {
      expect(root[name]).toMatch(/^sha256:/);
      expect(mid[name]).toBe("");
    }
  });

  it("has its parent's build key in its own, however far above something changed", () => {
    const before = stitch(makeCatalog(FAMILY), "leaf");
    const changed = {
      ...FAMILY,
      "manifests/root.yaml": manifestOn("root", null).replace("word: root", "word: new"),
    };
    const after = stitch(makeCatalog(changed), "leaf");
    expect(after.recipe_key).toBe(before.recipe_key);
    expect(after.parent?.build_key).not.toBe(before.parent?.build_key);
    expect(after.build_key).not.toBe(before.build_key);
    expect(after.verdict_key).not.toBe(before.verdict_key);
  });

  it("has the same recipe key in every repository", () => {
    const of = (repository: string) =>
      stitch(
        makeCatalog({ ...FAMILY, "factory.yaml": `schema_version: 1\nrepository: ${repository}\n` }),
        "leaf",
      );
    expect(of("one.example/a").recipe_key).toBe(of("two.example/b").recipe_key);
  });

  it("has inputs from which its keys follow", () => {
    const catalog = makeCatalog(FAMILY);
    const about = {
      platform: "linux/amd64",
      cell_id: "leaf.linux-amd64",
      digestOf: () => `sha256:${"2".repeat(64)}`,
    };
    const inputs = cellInputs(catalog, resolve(catalog, "leaf"), about);
    const { parent, build_key, verdict_key } = stitch(catalog, "leaf", {}, about);
    expect(inputs.parent).toEqual(parent);
    expect(keysOf(inputs)).toMatchObject({ build_key, verdict_key });
    const other = { ...inputs, parent: { manifest_id: "mid", build_key: `sha256:${"3".repeat(64)}` } };
    expect(keysOf(other).build_key).not.toBe(build_key);
  });
});

describe("what is wrong with a parent is said where it is named", () => {
  const where = { file: "manifests/leaf.yaml", line: 4 };

  it("if there is no such manifest", () => {
    const files = { ...FAMILY, "manifests/leaf.yaml": manifestOn("leaf", "midd") };
    const finding = { code: "UNKNOWN_MANIFEST", where, fix: "did you mean `mid`?" };
    expect(findingsOf(files)).toMatchObject([finding]);
    expect(findingsFrom(() => stitch(makeCatalog(files), "leaf"))).toMatchObject([finding]);
  });

  it("if the parent is not built for a platform", () => {
    const files = {
      ...FAMILY,
      "manifests/leaf.yaml": manifestOn("leaf", "mid", "platforms: [linux/arm64]\n"),
    };
    const [finding, ...more] = findingsOf(files);
    expect(finding).toMatchObject({ code: "BASE_PLATFORM", where });
    expect(finding?.what).toContain("mid, which leaf starts from, is not built for linux/arm64");
    expect(more).toEqual([]);
  });

  it("if it has another field, or none", () => {
    const with_ = (base: string) => ({
      ...FAMILY,
      "manifests/leaf.yaml": manifestOn("leaf", "mid").replace("{manifest: mid}", base),
    });
    expect(findingsOf(with_("{manifst: mid}"))).toMatchObject([
      { code: "SCHEMA_UNKNOWN_FIELD", where, fix: "did you mean `manifest`?" },
    ]);
    expect(findingsOf(with_("{}"))).toMatchObject([{ code: "SCHEMA_MISSING_FIELD", where }]);
    expect(findingsOf(with_("[mid]"))).toMatchObject([{ code: "SCHEMA", where }]);
  });

  it("once, if the parent itself has findings", () => {
    const files = {
      ...FAMILY,
      "manifests/mid.yaml": manifestOn("mid", "root").replace("word: 0.1.0", "word: 9.9.9"),
    };
    const findings = findingsOf(files);
    expect(findings).toMatchObject([{ code: "RANGE_UNSATISFIED", where: { file: "manifests/mid.yaml" } }]);
    const [{ code, where }] = findings as [Finding];
    expect(findingsFrom(() => stitch(makeCatalog(files), "leaf"))).toMatchObject([{ code, where }]);
  });
});

describe("a circle of parents is one finding", () => {
  const circle = (count: number) =>
    familyOf(
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, `m${(at + 1) % count}`])),
    );

  it("if a manifest starts from itself", () => {
    const findings = findingsOf(circle(1));
    expect(findings).toMatchObject([
      {
        code: "PARENT_CYCLE",
        what: "the manifest m0 starts from its own image",
        where: { file: "manifests/m0.yaml", line: 4 },
      },
    ]);
  });

  it("of 50, also for what starts from one of them", () => {
    const files = { ...circle(50), "manifests/below.yaml": manifestOn("below", "m7") };
    const findings = findingsOf(files);
    expect(findings).toMatchObject([{ code: "PARENT_CYCLE", where: { file: "manifests/m0.yaml", line: 4 } }]);
    expect(findings[0]?.what).toBe(
      "manifests start from each other's images in a circle: m0 → m1 → m2 → m3 → m4 → m5 → m6 → m7 → m8 → … (50 manifests) → m0",
    );
    const catalog = makeCatalog(files);
    for (const id of ["m0", "m30", "below"])
      expect(errorFrom(() => stitch(catalog, id)).findings).toEqual(findings);
  });

  it("and a chain of any length is none", () => {
    const where = { file: "manifests/x.yaml" };
    const chain = new Map(
      Array.from({ length: 100_000 }, (_, at) => [
        `m${at}`,
        at === 0 ? null : { parent: `m${at - 1}`, where },
      ]),
    );
    expect(checkCircles(chain)).toEqual([]);
    expect(checkCircles(chain.set("m0", { parent: "m99999", where }))).toHaveLength(1);
    const links = Array.from({ length: 300 }, (_, at) => [`m${at}`, at === 0 ? null : `m${at - 1}`] as const);
    const catalog = openCatalog(makeWorkspace(familyOf(Object.fromEntries(links))));
    expect(stitch(catalog, "m299").parent?.manifest_id).toBe("m298");
  });
});
