import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { expand } from "../../src/plan/expand.ts";
import { keepLock } from "../../src/plan/lock/draft.ts";
import { prefixTargets } from "../../src/plan/prefix.ts";
import { templateFindings } from "../../src/stitch/every-version.ts";
import { resolve } from "../../src/stitch/resolve.ts";
import { cellInputs, stitch } from "../../src/stitch/stitch.ts";
import { errorFrom, type Files, findingsFrom, makeCatalog } from "./workspace.ts";

const TODAY = { today: "2026-01-01" };
const DIGEST = (digit: string) => `sha256:${digit.repeat(64)}`;

/** A fragment with one version. */
const fragment = (name: string, body: string, yaml = "order: 10\n", version = "1.0.0"): Files => ({
  [`fragments/${name}/${version}/fragment.yaml`]: `schema_version: 1\nname: ${name}\nversion: ${version}\n${yaml}`,
  [`fragments/${name}/${version}/Dockerfile.hbs`]: `${body}\n`,
});
const TEMPLATE = `{{slot "tools"}}

FROM {{base}} AS base

{{slot "packages"}}

FROM {{last}} AS image
{{labels}}
`;
const SLOTS = "[{name: tools, builder: true, many: true, optional: true}, {name: packages, many: true}]";
const manifest = (fragments: string, more = ""): Files => ({
  "manifests/web.yaml": `schema_version: 1\nmanifest_id: web\ntemplate: web@1.0.0\nbase: debian:bookworm-slim\nfragments: ${fragments}\n${more}`,
});
const FILES: Files = {
  ...Object.fromEntries(
    [
      "fragments/core",
      "fragments/app",
      "fragments/extra",
      "manifests/demo.yaml",
      "templates/plain",
      "control_plane/plans/grid.yaml",
    ].map((path) => [path, null]),
  ),
  "templates/web/1.0.0/template.yaml": `schema_version: 1\ntemplate_id: web\nversion: 1.0.0\nslots: ${SLOTS}\n`,
  "templates/web/1.0.0/Dockerfile.hbs": TEMPLATE,
  ...fragment("go", "RUN go build", "order: 900\nslot: tools\nfrom: golang:1.22\n"),
  ...fragment("cc", "RUN cc -o /out/app", "order: 5\nslot: tools\n"),
  ...fragment("zlib", "RUN zlib", "order: 10\nslot: packages\n"),
  ...fragment("curl", "RUN curl", "order: 10\nslot: packages\n"),
  ...fragment("first", "RUN first", "order: 1\nslot: packages\n"),
  ...fragment(
    "app",
    'COPY --from={{stage "cc"}} /out/app /app\nRUN --mount=type=bind,from={{stage "go"}},target=/go true',
    "order: 30\nslot: packages\n",
  ),
  ...manifest("{zlib: 1.0.0, app: 1.0.0, go: 1.0.0, first: 1.0.0, curl: 1.0.0, cc: 1.0.0}"),
};
const of = (files: Files = {}) => makeCatalog({ ...FILES, ...files });
const stages = (dockerfile: string) => dockerfile.match(/^FROM .*$/gm);

describe("a slot that takes many fragments", () => {
  it("writes them by their order, then by name, each on top of the one before", () => {
    const catalog = of();
    const { dockerfile, fragments, labels } = stitch(catalog, "web");
    expect(stages(dockerfile)).toEqual([
      "FROM debian:bookworm-slim AS cc",
      "FROM golang:1.22 AS go",
      "FROM debian:bookworm-slim AS base",
      "FROM base AS first",
      "FROM first AS curl",
      "FROM curl AS zlib",
      "FROM zlib AS app",
      "FROM app AS image",
    ]);
    expect(fragments.map(({ name }) => name)).toEqual(["cc", "go", "first", "curl", "zlib", "app"]);
    expect(labels["io.factory.fragments"]).toBe(
      "cc@1.0.0,go@1.0.0,first@1.0.0,curl@1.0.0,zlib@1.0.0,app@1.0.0",
    );
    expect(labels["org.opencontainers.image.base.name"]).toBe("debian:bookworm-slim");
    expect(dockerfile).not.toMatch(/\n\n\n/);
    // The order in which a manifest names them is no difference.
    const other = of(manifest("{cc: 1.0.0, curl: 1.0.0, first: 1.0.0, go: 1.0.0, app: 1.0.0, zlib: 1.0.0}"));
    expect(stitch(other, "web").recipe_key).toBe(stitch(catalog, "web").recipe_key);
  });

  it("may be empty only if it is optional", () => {
    expect(stages(stitch(of(manifest("{zlib: 1.0.0}")), "web").dockerfile)).toEqual([
      "FROM debian:bookworm-slim AS base",
      "FROM base AS zlib",
      "FROM zlib AS image",
    ]);
    expect(findingsFrom(() => stitch(of(manifest("{cc: 1.0.0}")), "web")).map(({ code }) => code)).toEqual([
      "SLOT_EMPTY",
    ]);
  });

  it("takes no second fragment without `many`", () => {
    const files = {
      "templates/web/1.0.0/template.yaml": `schema_version: 1\ntemplate_id: web\nversion: 1.0.0\nslots: ${SLOTS.replace("packages, many: true", "packages")}\n`,
    };
    const findings = findingsFrom(() =>
      stitch(of({ ...files, ...manifest("{zlib: 1.0.0, curl: 1.0.0}") }), "web"),
    );
    expect(findings).toMatchObject([
      { code: "SLOT_CLAIMED_TWICE", fix: expect.stringContaining("many: true") as string },
    ]);
  });

  it("has prefixes in that order, one for each", () => {
    const catalog = of();
    const { prefixes } = stitch(catalog, "web");
    expect(prefixes.map(({ fragment: name }) => name)).toEqual(["first", "curl", "zlib", "app"]);
    const cells = expand(catalog, { manifestId: "web" }, TODAY).cells;
    expect(prefixTargets(cells, null).map(({ fragment: name }) => name)).toEqual(["first", "curl", "zlib"]);
  });

  it("may have no fragment twice", () => {
    // A mapping has a name once: the YAML says so, before anything else.
    expect(
      findingsFrom(() => of(manifest("{zlib: 1.0.0, zlib: 1.0.0}")).manifest("web")).map(({ code }) => code),
    ).toEqual(["YAML_DUPLICATE_KEY"]);
  });
});

describe("a builder", () => {
  it("reads its own image: resolved, pinned, in the keys, the lock and the record, with its role", () => {
    const at = (go: string) =>
      stitch(
        of(),
        "web",
        {},
        { platform: "linux/amd64", digestOf: (ref) => (ref === "golang:1.22" ? DIGEST(go) : DIGEST("b")) },
      );
    const [one, two] = [at("1"), at("2")];
    expect(one.images).toEqual([
      { role: "base", ref: "debian:bookworm-slim", digest: DIGEST("b") },
      { role: "stage", ref: "golang:1.22", digest: DIGEST("1") },
    ]);
    expect(one.base.ref).toBe("debian:bookworm-slim");
    expect([two.recipe_key === one.recipe_key, two.build_key === one.build_key]).toEqual([true, false]);
    expect(one.dockerfile).toContain(`FROM golang:1.22@${DIGEST("1")} AS go\n`);
    expect(one.dockerfile).toContain(`FROM debian:bookworm-slim@${DIGEST("b")} AS cc\n`);
    const { open } = keepLock(of(), new Map());
    expect(open.map(({ name }) => name)).toContain("golang:1.22");
    const catalog = of();
    const inputs = cellInputs(catalog, resolve(catalog, "web"), {
      platform: "linux/amd64",
      cell_id: "web.linux-amd64",
      digestOf: (ref) => (ref === "golang:1.22" ? DIGEST("1") : DIGEST("b")),
    });
    expect(keysOf(inputs).build_key).toBe(one.build_key);
  });

  it("changes the key of what copies from it: its version, its values, its image, its text", () => {
    const key = (files: Files, choice = {}) => stitch(of(files), "web", choice).recipe_key;
    const base = key({});
    const changes: Files[] = [
      fragment("go", "RUN go build ./x", "order: 900\nslot: tools\nfrom: golang:1.22\n"),
      fragment("go", "RUN go build", "order: 900\nslot: tools\nfrom: golang:1.23\n"),
      fragment("go", "RUN go build", "order: 900\nslot: tools\n"),
      fragment("go", "RUN go build", "order: 1\nslot: tools\nfrom: golang:1.22\n"),
    ];
    expect(new Set([base, ...changes.map((files) => key(files))]).size).toBe(5);
    // In one catalog, where cells share what they have in common.
    const catalog = of({
      ...fragment("go", "RUN go build --fast", "order: 900\nslot: tools\nfrom: golang:1.22\n", "1.1.0"),
      ...manifest('{zlib: 1.0.0, app: 1.0.0, go: "1", cc: 1.0.0}'),
    });
    const [old, now] = ["1.0.0", "1.1.0"].map((go) => stitch(catalog, "web", { set: { go } }));
    expect(old?.recipe_key).not.toBe(now?.recipe_key);
    expect(old?.prefixes.map(({ id }) => id)).not.toEqual(now?.prefixes.map(({ id }) => id));
    expect(stitch(catalog, "web", { set: { go: "1.0.0" } }).recipe_key).toBe(old?.recipe_key);
  });

  it("may not fill another slot if it starts from its own image", () => {
    const files = fragment("zlib", "RUN zlib", "order: 10\nslot: packages\nfrom: golang:1.22\n");
    expect(findingsFrom(() => stitch(of(files), "web"))).toMatchObject([
      { code: "SLOT_BUILDER", where: { file: "manifests/web.yaml" } },
    ]);
  });

  it.each(["$X", "golang", "a b", "golang:1 AS x", "../x", "golang@sha256:1"])(
    "starts from an image reference: %s",
    (from) => {
      const files = fragment("go", "RUN go", `order: 900\nslot: tools\nfrom: ${JSON.stringify(from)}\n`);
      if (from === "golang") expect(stitch(of(files), "web").dockerfile).toContain("FROM golang AS go\n");
      else
        expect(findingsFrom(() => of(files).fragment("go", "1.0.0")).map(({ code }) => code)).toEqual([
          "SCHEMA",
        ]);
    },
  );

  it.each([
    [
      "behind the base",
      TEMPLATE.replace(
        '{{slot "tools"}}\n\nFROM {{base}} AS base',
        'FROM {{base}} AS base\n\n{{slot "tools"}}',
      ),
      "a slot for builders is behind the base stage",
    ],
    [
      "with no base stage",
      TEMPLATE.replace("FROM {{base}} AS base", "FROM {{base}} AS other"),
      "does not start with its base stage",
    ],
    ["behind a RUN", `RUN x\n${TEMPLATE}`, "does not start with its base stage"],
    [
      "behind the last stage",
      TEMPLATE.replace('{{slot "tools"}}\n\n', "").replace(
        "FROM {{last}} AS image",
        '{{slot "tools"}}\n\nFROM {{last}} AS image',
      ),
      "the slots in another order",
    ],
  ])("is refused %s in the template", (_, text, what) => {
    const catalog = of({ "templates/web/1.0.0/Dockerfile.hbs": text });
    expect(errorFrom(() => stitch(catalog, "web")).message).toContain(what);
    expect(
      templateFindings(catalog.template("web", "1.0.0"))
        .map((one) => one.what)
        .join(),
    ).toContain(what);
  });

  it("is valid, used or not", () => {
    expect(
      checkWorkspace(of(), { manifest: () => [], fragment: () => [], template: templateFindings }).findings,
    ).toEqual([]);
  });
});

describe('{{stage "…"}}', () => {
  const app = (body: string) => fragment("app", body, "order: 30\nslot: packages\n");

  it.each([
    [
      'COPY --from={{stage "gcc"}} /a /b',
      "manifests",
      "app@1.0.0 uses the stage of gcc, which is not among the fragments",
    ],
    ['COPY --from={{stage "image"}} /a /b', "", "uses the stage of image, which does not come before it"],
    ['COPY --from={{stage "app"}} /a /b', "", "uses the stage of app, which does not come before it"],
    ['COPY --from={{stage "a b"}} /a /b', "", '"a b" is not the name of a fragment'],
    ['COPY --from={{stage "../x"}} /a /b', "", '"../x" is not the name of a fragment'],
    ['USER 1\nRUN --mount=from={{stage "gcc"}},target=/x true', "", "uses the stage of gcc"],
  ])("names a stage that is there, before its own: %s", (body, _, what) => {
    const error = errorFrom(() => stitch(of(app(body)), "web"));
    expect(error).toMatchObject({
      code: "STAGE_UNKNOWN",
      where: { file: "fragments/app/1.0.0/Dockerfile.hbs" },
    });
    expect(error.where?.line).toBe(body.split("\n").length);
    expect(error.message).toContain(what);
  });

  it("may be that of any stage before it, a builder's too", () => {
    const files = {
      ...fragment("go", 'COPY --from={{stage "cc"}} /a /b', "order: 900\nslot: tools\n"),
      ...app('COPY --from={{stage "zlib"}} /a /b'),
    };
    expect(stitch(of(files), "web").dockerfile).toContain("COPY --from=zlib /a /b");
    const late = fragment("cc", 'COPY --from={{stage "go"}} /a /b', "order: 5\nslot: tools\n");
    expect(errorFrom(() => stitch(of(late), "web")).code).toBe("STAGE_UNKNOWN");
  });

  it("is checked for what a text names by itself, too: a later stage would be an image to BuildKit", () => {
    const late = fragment("cc", "COPY --from=app /a /b", "order: 5\nslot: tools\n");
    expect(errorFrom(() => stitch(of(late), "web"))).toMatchObject({
      code: "STAGE_UNKNOWN",
      where: { file: "fragments/cc/1.0.0/Dockerfile.hbs" },
    });
  });

  it("takes one text in quotes", () => {
    for (const call of ["{{stage args.x}}", "{{stage}}", '{{stage "a" "b"}}', '{{#if (stage "a")}}x{{/if}}'])
      expect(["TEMPLATE_SYNTAX", "TEMPLATE_HELPER", "ARG_UNDECLARED"]).toContain(
        errorFrom(() => stitch(of(app(`COPY --from=${call} /a /b`)), "web")).code,
      );
  });
});
