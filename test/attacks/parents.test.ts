import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { openImages } from "../../src/plan/bases.ts";
import { expand } from "../../src/plan/expand.ts";
import { updateLock } from "../../src/plan/lock/draft.ts";
import { inputsProblems } from "../../src/records/proof/prove-inputs.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { resolve } from "../../src/stitch/resolve.ts";
import { cellInputs, stitch } from "../../src/stitch/stitch.ts";
import { familyOf, LINE, manifestOn } from "../unit/parents-made.ts";
import { findingsFrom, makeCatalog } from "../unit/workspace.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;
const FAMILY = familyOf({ ubuntu: null, debian: "ubuntu" });
const TEMPLATE = "templates/line/0.1.0/Dockerfile.hbs";
const BODY = "fragments/word/0.1.0/Dockerfile.hbs";

describe("the image of a parent", () => {
  it("8.3 is never one from elsewhere, whatever the parent is called", () => {
    const catalog = makeCatalog(FAMILY);
    expect(stitch(catalog, "debian").dockerfile).toContain("FROM parent.invalid/ubuntu AS base\n");
    const { cells } = expand(catalog, { manifestId: "debian" }, { today: "2026-01-01" });
    expect(openImages(cells)).toEqual([]);
  });

  it("8.3 is never looked up for the lock; the image at the top of the chain is", () => {
    const { open } = updateLock(makeCatalog(FAMILY));
    expect(open.map(({ name }) => name)).toEqual(["debian:bookworm-slim"]);
  });

  it.each([
    [
      "a manifest",
      "manifests/debian.yaml",
      manifestOn("debian", null).replace("debian:bookworm-slim", "parent.invalid/ubuntu"),
    ],
    [
      "a plan",
      "control_plane/plans/p.yaml",
      'schema_version: 1\nplan_id: p\nmanifest_id: debian\naxes: {base: ["parent.invalid/ubuntu@sha256:' +
        "1".repeat(64) +
        '"]}\n',
    ],
  ])("8.3 cannot be named by its reference in %s", (_, path, text) => {
    const { findings } = checkWorkspace(makeCatalog({ ...FAMILY, [path]: text }));
    expect(findings).toMatchObject([{ code: "SCHEMA", where: { file: path } }]);
    expect(findings[0]?.fix).toContain("{manifest: ID}");
  });

  it.each([
    ["a stage of a template", TEMPLATE, `FROM parent.invalid/ubuntu AS other\n`],
    ["COPY of a fragment", BODY, "COPY --from=parent.invalid/ubuntu /a /a\n"],
    ["a mount of a fragment", BODY, "RUN --mount=from=Parent.Invalid/ubuntu,target=/x true\n"],
    ["another platform", TEMPLATE, "FROM --platform=linux/arm64 {{base}} AS other\n"],
  ])("8.3 cannot come in without a key: %s", (_, path, line) => {
    const text = LINE[path] ?? "";
    const at = path === TEMPLATE ? text.indexOf("FROM {{last}}") : text.length;
    const catalog = makeCatalog({ ...FAMILY, [path]: text.slice(0, at) + line + text.slice(at) });
    expect(findingsFrom(() => stitch(catalog, "debian"))).toMatchObject([
      { code: "IMAGE_UNCLEAR", where: { file: path } },
    ]);
  });

  it("8.3 may also be copied from, and is then in the keys by its digest", () => {
    const text = (LINE[TEMPLATE] ?? "").replace(
      "{{labels}}",
      "COPY --from={{base}} /words /words.parent\n{{labels}}",
    );
    const digestOf = (ref: string) => (ref === "parent.invalid/ubuntu" ? `sha256:${"1".repeat(64)}` : null);
    const { images, dockerfile } = stitch(
      makeCatalog({ ...FAMILY, [TEMPLATE]: text }),
      "debian",
      {},
      { digestOf },
    );
    expect(images.map(({ role, digest }) => [role, digest])).toEqual([
      ["base", `sha256:${"1".repeat(64)}`],
      ["copy", `sha256:${"1".repeat(64)}`],
    ]);
    expect(dockerfile).toContain(`COPY --from=parent.invalid/ubuntu@sha256:${"1".repeat(64)} /words`);
  });

  it("8.3 is the one that a record names: another parent, or another key of it, is a false record", () => {
    const catalog = makeCatalog(FAMILY);
    const about = { platform: "linux/amd64", cell_id: "debian.linux-amd64", digestOf: () => DIGEST };
    const inputs = cellInputs(catalog, resolve(catalog, "debian"), about);
    const { parent } = inputs;
    const record = { ...inputs, ...keysOf(inputs), base: { ref: "parent.invalid/ubuntu", digest: DIGEST } };
    const problemsOf = (changes: object) =>
      inputsProblems({ ...record, ...changes } as unknown as FactoryRecord, inputs).map(({ code }) => code);
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ parent: { ...parent, manifest_id: "other" } })).toEqual(["INPUT_MISMATCH"]);
    expect(problemsOf({ parent: { ...parent, build_key: DIGEST } })).toEqual(["INPUT_MISMATCH"]);
    expect(problemsOf({ parent: undefined })).toEqual(["INPUT_MISMATCH"]);
    const forged = { ...inputs, parent: { manifest_id: "ubuntu", build_key: DIGEST } };
    expect(
      inputsProblems({ ...record, parent: forged.parent } as unknown as FactoryRecord, forged),
    ).not.toEqual([]);
  });
});
