import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { requestsOf } from "../../src/plan/requests.ts";
import { fragmentFindings, templateFindings } from "../../src/stitch/every-version.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { affectedByFiles } from "../../src/plan/decide/impact.ts";
import { expand } from "../../src/plan/expand.ts";
import { errorFrom, type Files, makeCatalog, SMALL } from "./workspace.ts";

const SERVICE = `schema_version: 1
manifest_id: service
template: plain@~0.1
base: {name: bookworm}
platforms: [linux/amd64]
fragments: {core: ~0.1, app: 0.1.0}
args: {port: 8080}
smoke:
  - {id: answers, http: {port: 8080, path: /}}
  - {id: small, budget: {layers: 9}}
`;
const BILLING = `schema_version: 1
manifest_id: billing
extends: service
`;
const FACTORY = `${SMALL["factory.yaml"] ?? ""}bases: {bookworm: "debian:bookworm-slim", trixie: "debian:trixie-slim"}\n`;
const FAMILY: Files = {
  "factory.yaml": FACTORY,
  "manifests/service.yaml": SERVICE,
  "manifests/billing.yaml": BILLING,
};

const checked = (files: Files) => {
  const catalog = makeCatalog(files);
  return checkWorkspace(catalog, {
    manifest: (id) => {
      stitch(catalog, id);
      return [];
    },
    fragment: (entry) => fragmentFindings(catalog, entry),
    template: templateFindings,
  }).findings.map(
    ({ code, where }) => `${code} ${where?.file ?? ""}:${where?.line ?? ""}:${where?.col ?? ""}`,
  );
};

describe("a manifest that extends another", () => {
  it("is a three-line file, and renders as that one but for its name", () => {
    const catalog = makeCatalog(FAMILY);
    const [one, other] = [stitch(catalog, "billing"), stitch(catalog, "service")];
    expect(one.base.ref).toBe("debian:bookworm-slim");
    expect(one.dockerfile.replaceAll("billing", "service").replace(/recipe-key="[^"]*"/, "")).toBe(
      other.dockerfile.replace(/recipe-key="[^"]*"/, ""),
    );
    expect(one.tests).toEqual(other.tests);
    expect(one.recipe_key).not.toBe(other.recipe_key);
    expect(checked(FAMILY)).toEqual([]);
  });

  it("adds fragments, arguments and tests, and replaces the rest", () => {
    const catalog = makeCatalog({
      ...FAMILY,
      "manifests/billing.yaml": `${BILLING}base: {name: trixie}
platforms: [linux/arm64]
fragments: {app: ">=0.1"}
args: {port: 9090}
smoke:
  - {id: more, budget: {layers: 8}}
  - {id: small, budget: {layers: 5}}
`,
    });
    const { document } = catalog.manifest("billing");
    expect(document).toEqual({
      schema_version: 1,
      manifest_id: "billing",
      template: "plain@~0.1",
      base: "debian:trixie-slim",
      platforms: ["linux/arm64"],
      fragments: { core: "~0.1", app: ">=0.1" },
      args: { port: 9090 },
      smoke: [
        { id: "answers", http: { port: 8080, path: "/" } },
        { id: "small", budget: { layers: 5 } },
        { id: "more", budget: { layers: 8 } },
      ],
    });
  });

  it("merges the arguments of one fragment, and replaces a value that is a mapping otherwise", () => {
    const args = (own: string) =>
      makeCatalog({
        ...FAMILY,
        "manifests/service.yaml": SERVICE.replace("{port: 8080}", "{app: {port: 8080}, other: {a: 1}}"),
        "manifests/billing.yaml": `${BILLING}args: ${own}\n`,
      }).loadManifest("billing").sound.args;
    expect(args("{app: {host: x}, other: {b: 2}}")).toEqual({
      app: { port: 8080, host: "x" },
      other: { b: 2 },
    });
  });

  it("has sources of its own by its id", () => {
    const { document } = makeCatalog({
      ...FAMILY,
      "manifests/service.yaml": `${SERVICE}sources: {app: {path: "services/{manifest_id}", ignore: [x]}, common: {path: shared}}\n`,
      "manifests/billing.yaml": `${BILLING}sources: {app: {ignore: [y]}}\n`,
    }).manifest("billing");
    expect(document.sources).toEqual({
      app: { path: "services/billing", ignore: ["y"] },
      common: { path: "shared" },
    });
  });

  it("does not take over the summary, nor whether that one is planned", () => {
    const catalog = makeCatalog({
      ...FAMILY,
      "manifests/service.yaml": `${SERVICE}summary: All services\nplanned: false\n`,
    });
    expect(catalog.manifest("billing").document).not.toHaveProperty("summary");
    expect(catalog.manifest("billing").document).not.toHaveProperty("planned");
  });

  it("has its findings where they stand", () => {
    const wrong = { "manifests/service.yaml": SERVICE.replace("app: 0.1.0", "app: 9.9.9") };
    expect(checked({ ...FAMILY, ...wrong })).toEqual(["RANGE_UNSATISFIED manifests/service.yaml:6:30"]);
    const own = {
      "manifests/billing.yaml": `${BILLING}smoke: [{id: more, budget: {layers: 8}}]\nargs: {prt: 1}\n`,
    };
    const error = errorFrom(() => stitch(makeCatalog({ ...FAMILY, ...own }), "billing"));
    expect(error.where ?? error.findings?.[0]?.where).toMatchObject({
      file: "manifests/billing.yaml",
      line: 5,
    });
    const catalog = makeCatalog({ ...FAMILY, ...own });
    const { place } = catalog.manifest("billing");
    expect([0, 2].map((at) => place(["smoke", at, "budget"]))).toMatchObject([
      { file: "manifests/service.yaml", line: 9 },
      { file: "manifests/billing.yaml", line: 4 },
    ]);
  });

  const refused: [string, Files, string][] = [
    [
      "that does not exist",
      { "manifests/billing.yaml": BILLING.replace("service", "servce") },
      "UNKNOWN_MANIFEST manifests/billing.yaml:3:10",
    ],
    [
      "itself",
      { "manifests/billing.yaml": BILLING.replace("service", "billing") },
      "EXTENDS_NESTED manifests/billing.yaml:3:10",
    ],
    [
      "that extends another",
      { "manifests/more.yaml": BILLING.replace("id: billing", "id: more").replace("service", "billing") },
      "EXTENDS_NESTED manifests/more.yaml:3:10",
    ],
    [
      "that is wrong itself",
      { "manifests/service.yaml": SERVICE.replace("[linux/amd64]", "[nope]") },
      "SCHEMA manifests/service.yaml:5:13",
    ],
  ];
  it.each(refused)("is refused where it extends one %s", (_, files, finding) => {
    expect(checked({ ...FAMILY, ...files })).toEqual([finding]);
  });

  it("is touched where that one is", () => {
    const catalog = makeCatalog(FAMILY);
    const { cells } = expand(catalog, { manifestId: "billing" }, { today: "2026-01-01" });
    const affected = (path: string) =>
      affectedByFiles(cells, {
        catalog,
        changed: [path],
        exists: () => true,
        inputsOfFiles: () => [],
        sourcesOf: () => [],
      }).length;
    expect(affected("manifests/service.yaml")).toBe(1);
    expect(affected("manifests/demo.yaml")).toBe(0);
  });
});

describe("an abstract manifest", () => {
  const abstract = {
    ...FAMILY,
    "manifests/service.yaml": `${SERVICE.replace("template: plain@~0.1\n", "")}abstract: true\n`,
    "manifests/billing.yaml": `${BILLING}template: plain@~0.1\n`,
  };

  it("need not be whole, and is no manifest of its own", () => {
    expect(checked(abstract)).toEqual([]);
    const catalog = makeCatalog(abstract);
    expect(stitch(catalog, "billing").manifest_id).toBe("billing");
    expect(errorFrom(() => stitch(catalog, "service"))).toMatchObject({
      code: "MANIFEST_ABSTRACT",
      where: { file: "manifests/service.yaml", line: 10 },
    });
    expect(requestsOf(catalog, { all: true })).not.toContainEqual({ manifestId: "service" });
  });

  it("is still checked for what it says", () => {
    const wrong = (abstract["manifests/service.yaml"] ?? "").replace("app: 0.1.0", "aps: 0.1.0");
    expect(checked({ ...abstract, "manifests/service.yaml": wrong })[0]).toBe(
      "UNKNOWN_FRAGMENT manifests/service.yaml:5:25",
    );
  });
});

describe("the defaults of factory.yaml", () => {
  const defaults = `${FACTORY}defaults:
  template: plain@~0.1
  base: {name: bookworm}
  platforms: [linux/arm64]
  fragments: {core: ~0.1, app: 0.1.0}
  args: {port: 1}
  smoke: [{id: few, budget: {layers: 9}}]
`;

  it("are what a manifest does not say", () => {
    const files = {
      "factory.yaml": defaults,
      "manifests/tiny.yaml": "schema_version: 1\nmanifest_id: tiny\n",
      "manifests/own.yaml":
        "schema_version: 1\nmanifest_id: own\nargs: {port: 2}\nplatforms: [linux/amd64]\n",
    };
    const catalog = makeCatalog(files);
    expect(stitch(catalog, "tiny")).toMatchObject({
      args: { port: 1 },
      base: { ref: "debian:bookworm-slim" },
    });
    expect(catalog.manifest("own").document).toMatchObject({
      args: { port: 2 },
      platforms: ["linux/amd64"],
      smoke: [{ id: "few" }],
    });
    expect(checked(files)).toEqual([]);
  });

  it("have their findings where they stand", () => {
    const tiny = { "manifests/tiny.yaml": "schema_version: 1\nmanifest_id: tiny\n" };
    expect(checked({ ...tiny, "factory.yaml": defaults.replace("app: 0.1.0", "app: 7.0.0") })).toEqual([
      "RANGE_UNSATISFIED factory.yaml:9:32",
    ]);
    expect(
      checked({ ...tiny, "factory.yaml": defaults.replace("{name: bookworm}", "{name: bookwrm}") }),
    ).toEqual(["UNKNOWN_BASE factory.yaml:7:16"]);
  });

  it("may leave something out, and then it is missing", () => {
    const files = {
      "factory.yaml": FACTORY,
      "manifests/tiny.yaml":
        "schema_version: 1\nmanifest_id: tiny\nbase: {name: bookworm}\ntemplate: plain@~0.1\n",
    };
    expect(checked(files)).toEqual(["SCHEMA_MISSING_FIELD manifests/tiny.yaml:1:1"]);
  });
});

describe("what is planned without being named", () => {
  it("is every plan, and every manifest without one", () => {
    const catalog = makeCatalog({
      ...FAMILY,
      "manifests/manual.yaml": `${BILLING.replace("billing", "manual")}planned: false\n`,
      "control_plane/plans/two.yaml":
        "schema_version: 1\nplan_id: two\nmanifest_id: service\naxes: {core: [0.1.0]}\n",
    });
    const requests = requestsOf(catalog, { all: true });
    expect(requests).toContainEqual({ planId: "two" });
    expect(requests).toContainEqual({ manifestId: "billing" });
    expect(requests).not.toContainEqual({ manifestId: "service" });
    expect(requests).not.toContainEqual({ manifestId: "manual" });
    expect(requestsOf(catalog, { all: true, filter: ["manifest=billing"] })).toEqual([
      { manifestId: "billing" },
    ]);
  });
});

describe("a body that versions share", () => {
  const shared = (reference: string) => ({
    "fragments/core/0.1.0/fragment.yaml": `schema_version: 1\nname: core\nversion: 0.1.0\norder: 10\ndockerfile: ${reference}\n`,
    "fragments/core/0.1.0/Dockerfile.hbs": null,
    "fragments/core/common.hbs": "RUN echo {{fragment.version}}\n",
  });

  it("is a file beside their folders", () => {
    const catalog = makeCatalog(shared("../common.hbs"));
    expect(stitch(catalog, "demo", { set: { core: "0.1.0" } }).dockerfile).toContain("RUN echo 0.1.0");
    expect(checked(shared("../common.hbs"))).toEqual([]);
  });

  it.each(["../../x.hbs", "/etc/passwd", "common.hbs", "../a/b.hbs", "../.hbs"])(
    "is no other file: %s",
    (path) => {
      expect(checked(shared(path))).toContain("SCHEMA fragments/core/0.1.0/fragment.yaml:5:13");
    },
  );

  it("is asked for where it is missing, and touches all that share it", () => {
    expect(checked({ ...shared("../common.hbs"), "fragments/core/common.hbs": null })).toContain(
      "FILE_MISSING fragments/core/common.hbs::",
    );
    const catalog = makeCatalog(shared("../common.hbs"));
    const { cells } = expand(catalog, { manifestId: "demo" }, { today: "2026-01-01" });
    const found = affectedByFiles(cells, {
      catalog,
      changed: ["fragments/core/common.hbs"],
      exists: () => true,
      inputsOfFiles: () => [],
      sourcesOf: () => [],
    });
    expect(found.length).toBe(cells.filter(({ cell }) => cell.fragments.core === "0.1.0").length);
  });
});
