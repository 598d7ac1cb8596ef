import { describe, expect, it } from "vitest";
import { requestsOf } from "../../src/plan/requests.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { errorFrom, makeCatalog, SMALL } from "../unit/workspace.ts";

const TINY = "schema_version: 1\nmanifest_id: tiny\n";
const factory = SMALL["factory.yaml"] ?? "";

const codesOf = (files: Record<string, string>) => {
  const error = errorFrom(() => stitch(makeCatalog(files), "tiny"));
  return (error.findings ?? [error]).map(({ code }) => code);
};

describe("8.7 what manifests inherit", () => {
  it.each(["constructor", "tostring", "bookworm"])(
    "8.7 a base named %s that nobody declared is a finding, and never an image",
    (name) => {
      const manifest = `${TINY}template: plain@~0.1\nbase: {name: ${name}}\nfragments: {core: ~0.1, app: 0.1.0}\n`;
      expect(codesOf({ "manifests/tiny.yaml": manifest })).toEqual(["UNKNOWN_BASE"]);
    },
  );

  it.each(["../../etc/passwd", "a/b", "__proto__"])("8.7 %s cannot be extended", (id) => {
    expect(codesOf({ "manifests/tiny.yaml": `${TINY}extends: "${id}"\n` })).toEqual(["SCHEMA"]);
  });

  it("8.7 a fault of what is extended is a fault of each that extends it", () => {
    const files = {
      "manifests/tiny.yaml": `${TINY}extends: demo\n`,
      "manifests/demo.yaml": (SMALL["manifests/demo.yaml"] ?? "").replace("app: 0.1.0", "app: [x]"),
    };
    expect(codesOf(files)).toEqual(["SCHEMA"]);
  });

  it("8.7 defaults cannot make an abstract manifest run, nor a whole one vanish", () => {
    const catalog = makeCatalog({
      "factory.yaml": `${factory}defaults: {template: plain@~0.1, base: "debian:bookworm-slim", fragments: {core: ~0.1, app: 0.1.0}, args: {port: 1}}\n`,
      "manifests/tiny.yaml": `${TINY}abstract: true\n`,
      "manifests/whole.yaml": TINY.replace("tiny", "whole"),
    });
    expect(errorFrom(() => stitch(catalog, "tiny"))).toMatchObject({ code: "MANIFEST_ABSTRACT" });
    expect(requestsOf(catalog, { all: true })).toContainEqual({ manifestId: "whole" });
  });
});
