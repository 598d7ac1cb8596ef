import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { decide } from "../../src/plan/decide/decide.ts";
import { expand } from "../../src/plan/expand.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { attemptAt, NOW, recordsOf } from "../unit/plan-reason-cells.ts";
import { scriptedPlaces } from "../unit/scripted-places.ts";
import { errorFrom, type Files, makeCatalog, makeWorkspace } from "../unit/workspace.ts";

const TODAY = { today: "2026-01-01" };
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

/** The small workspace with a builder in front of its base. */
const builder = (
  body: string,
  from = "golang:1.22",
  app = 'COPY --from={{stage "go"}} /out /app\n',
): Files => ({
  "templates/plain/0.1.0/template.yaml":
    "schema_version: 1\ntemplate_id: plain\nversion: 0.1.0\nslots: [{name: tools, builder: true, many: true, optional: true}, {name: core}, {name: extra, optional: true}, {name: app}]\n",
  "templates/plain/0.1.0/Dockerfile.hbs":
    '{{slot "tools"}}\n\nFROM {{base}} AS base\n\n{{slot "core"}}\n\n{{slot "extra"}}\n\n{{slot "app"}}\n\nFROM {{last}} AS image\n{{labels}}\n',
  "fragments/go/1.0.0/fragment.yaml": `schema_version: 1\nname: go\nversion: 1.0.0\norder: 5\nslot: tools\nfrom: ${from}\nargs: {v: {type: string, default: x}}\n`,
  "fragments/go/1.0.0/Dockerfile.hbs": body,
  "fragments/app/0.1.0/Dockerfile.hbs": app,
  "manifests/demo.yaml":
    "schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: debian:bookworm-slim\nfragments: {go: 1.0.0, core: 0.1.0, app: 0.1.0}\n",
  "control_plane/plans/grid.yaml": null,
});

describe("builders", () => {
  it("8.6 a moved image of a builder is never reused, and the reason names it", async () => {
    const files = builder("RUN go build\n");
    const cellAt = (go: string) => {
      const digestOf = (ref: string) => (ref === "golang:1.22" ? digest(go) : digest("b"));
      const [cell] = expand(makeCatalog(files), { manifestId: "demo" }, { ...TODAY, digestOf }).cells;
      if (!cell) throw new Error("there is no cell");
      return cell;
    };
    const attempts = recordsOf([attemptAt(cellAt("1"), 0)]);
    const options = { attempts, now: NOW, maxAge: () => null, needPushed: false, places: scriptedPlaces() };
    const [same] = await decide([cellAt("1")], options);
    const [moved] = await decide([cellAt("2")], options);
    expect(same?.cell.action).toBe("reuse");
    expect(moved?.cell).toMatchObject({ action: "build", reason: "BASE" });
    expect(moved?.cell.changes.map(({ input }) => input)).toEqual(["images.golang:1.22"]);
  });

  it("8.6 a name that is no stage is no way to an image: a typo, a later stage, a manifest without the builder", () => {
    const code = (files: Files) => errorFrom(() => stitch(makeCatalog(files), "demo")).code;
    expect(code(builder("RUN x\n", "golang:1.22", 'COPY --from={{stage "g0"}} /out /app\n'))).toBe(
      "STAGE_UNKNOWN",
    );
    expect(code(builder('COPY --from={{stage "app"}} /a /b\n'))).toBe("STAGE_UNKNOWN");
    expect(code(builder("COPY --from=app /a /b\n"))).toBe("STAGE_UNKNOWN");
    expect(code(builder("COPY --from=App /a /b\n"))).toBe("STAGE_UNKNOWN");
    expect(code(builder("RUN --mount=from=core,target=/x true\n"))).toBe("STAGE_UNKNOWN");
    const without = {
      ...builder("RUN x\n"),
      "manifests/demo.yaml":
        "schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: scratch\nfragments: {core: 0.1.0, app: 0.1.0}\n",
    };
    expect(code(without)).toBe("STAGE_UNKNOWN");
  });

  it.each([
    ["FROM evil\n", "TEMPLATE_INSTRUCTION"],
    ["RUN x\n\nFROM evil AS base\n", "TEMPLATE_INSTRUCTION"],
    ['{{slot "core"}}\n', "TEMPLATE_HELPER"],
    ["{{args.v}} x\n", "ARG_UNSAFE"],
    ["RUN x \\\n", "TEMPLATE_INSTRUCTION"],
  ])("8.6 takes over neither the base stage nor the labels: %j", (body, code) => {
    expect(
      errorFrom(() => stitch(makeCatalog(builder(body)), "demo", { args: { "go.v": "FROM" } })).code,
    ).toBe(code);
  });

  it("8.6 names no image of another manifest by its hidden reference", () => {
    expect(
      errorFrom(() => stitch(makeCatalog(builder("RUN x\n", "parent.invalid/demo")), "demo")).exitCode,
    ).toBe(2);
  });
});

describe("versions as folders", () => {
  it("8.6 lead nowhere else, whatever the scheme", () => {
    const root = makeWorkspace();
    const names = [
      "a1",
      "..",
      "...",
      ".hidden",
      "a b",
      "a;b",
      "$(id)",
      "a\nb",
      "-x",
      "a..b",
      "v~1",
      "\u202e1",
      "x".repeat(201),
      "1_0",
    ];
    for (const name of names) {
      const folder = join(root, "fragments/odd", name);
      mkdirSync(folder, { recursive: true });
      if (!folder.endsWith("/odd") && name !== "..")
        writeFileSync(
          join(folder, "fragment.yaml"),
          `schema_version: 1\nname: odd\nversion: ${JSON.stringify(name)}\nscheme: opaque\norder: 1\n`,
        );
    }
    symlinkSync("/etc", join(root, "fragments/odd/etc"));
    const catalog = openCatalog(root);
    expect(catalog.fragmentVersions("odd")).toEqual(["a1", "etc"]);
    expect(errorFrom(() => catalog.fragment("odd", "etc")).code).toMatch(/^FILE_OUTSIDE|FINDINGS$/);
    for (const version of ["../core/0.1.0", "..", "/etc", "a/b", ""])
      expect(errorFrom(() => catalog.fragment("odd", version)).code).toBe("UNKNOWN_FRAGMENT");
    const { findings } = checkWorkspace(catalog);
    expect(findings.filter(({ code }) => code === "NAME_MISMATCH").length).toBeGreaterThanOrEqual(
      names.length - 4,
    );
    for (const { what } of findings) expect(what).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it("8.6 of hostile length and form are compared and matched in no time", () => {
    const versions = [
      `1${".1".repeat(99)}`,
      `1${"-1".repeat(99)}`,
      "9".repeat(200),
      `${"1.".repeat(90)}post1`,
    ];
    const start = performance.now();
    for (const scheme of ["pep440", "calver", "opaque", "semver"]) {
      const files: Files = {
        "fragments/core": null,
        "manifests/demo.yaml": null,
        "control_plane/plans/grid.yaml": null,
        "fragments/app": null,
      };
      const more = versions.map((version): [string, string] => [
        `fragments/long/${version}/fragment.yaml`,
        `schema_version: 1\nname: long\nversion: "${version}"\nscheme: ${scheme}\norder: 1\n`,
      ]);
      const catalog = makeCatalog({ ...files, ...Object.fromEntries(more) });
      checkWorkspace(catalog);
      for (const range of [
        ">=1".repeat(80),
        `>=${"1.".repeat(120)}1`,
        `${"1-".repeat(120)}`,
        "||".repeat(120),
      ])
        catalog
          .fragmentVersions("long")
          .filter((version) => catalog.fragmentScheme("long").satisfies(version, range));
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
