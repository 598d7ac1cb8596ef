import { describe, expect, it } from "vitest";
import { stitch } from "../../src/stitch/stitch.ts";
import { errorFrom, type Files, findingsFrom, makeCatalog, SMALL } from "./workspace.ts";

/** The small workspace's manifest with some lines replaced. */
function manifest(...changes: [RegExp | string, string][]): Files {
  const text = changes.reduce((now, [from, to]) => now.replace(from, to), SMALL["manifests/demo.yaml"] ?? "");
  return { "manifests/demo.yaml": text };
}

function fragment(name: string, version: string, more: string): Files {
  const folder = `fragments/${name}/${version}`;
  return {
    [`${folder}/fragment.yaml`]: `schema_version: 1\nname: ${name}\nversion: ${version}\n${more}`,
    [`${folder}/Dockerfile.hbs`]: `RUN ${name}\n`,
  };
}

const versionsOf = (files: Files, set: Record<string, string> = {}) =>
  stitch(makeCatalog(files), "demo", { set }).fragments.map(({ name, version }) => `${name}@${version}`);

describe("versions", () => {
  it("takes the highest that a range allows, in the order of the slots", () => {
    expect(versionsOf({})).toEqual(["core@0.1.1", "app@0.1.0"]);
    expect(versionsOf({}, { core: "<0.3" })).toEqual(["core@0.2.0", "app@0.1.0"]);
    expect(versionsOf({}, { core: "0.1.0" })).toEqual(["core@0.1.0", "app@0.1.0"]);
    expect(versionsOf(manifest(["app: 0.1.0", "app: 0.1.0, extra: '*'"]))).toEqual([
      "core@0.1.1",
      "extra@0.1.0",
      "app@0.1.0",
    ]);
  });

  it("takes a pre-release only where it is asked for", () => {
    const files = {
      ...fragment("extra", "0.2.0-rc.1", "order: 20\n"),
      ...manifest(["app: 0.1.0", "app: 0.1.0, extra: '*'"]),
    };
    expect(versionsOf(files)[1]).toBe("extra@0.1.0");
    expect(versionsOf(files, { extra: "~0.2.0-rc" })[1]).toBe("extra@0.2.0-rc.1");
  });

  it("tells versions apart that differ in build metadata alone", () => {
    const files = {
      ...fragment("core", "0.3.0+a", "order: 10\n"),
      ...fragment("core", "0.3.0+b", "order: 10\n"),
    };
    expect(versionsOf(files, { core: "0.3.0+a" })[0]).toBe("core@0.3.0+a");
    expect(versionsOf(files, { core: "0.3.0+b" })[0]).toBe("core@0.3.0+b");
  });

  it.each([
    [{ core: "9" }, "RANGE_UNSATISFIED", "there are: 0.1.0, 0.1.1, 0.2.0"],
    [{ core: "" }, "RANGE_INVALID", "such as"],
    [{ core: "latest" }, "RANGE_INVALID", "such as"],
    [{ cor: "1" }, "UNKNOWN_FRAGMENT", "did you mean `core`?"],
    [{ extra: "0.1.0" }, "UNKNOWN_FRAGMENT", "it has: core, app"],
  ])("refuses the choice %j", (set, code, fix) => {
    const error = errorFrom(() => versionsOf({}, set));
    expect(error).toMatchObject({ code, exitCode: 2 });
    expect(error.fix).toContain(fix);
  });
});

/** The manifest with an exact version of core, which leaves nothing to solve. */
const EXACT: Files = {
  "manifests/demo.yaml": SMALL["manifests/demo.yaml"]?.replace("core: ~0.1", "core: 0.1.1") ?? null,
};

describe("slots and contracts", () => {
  it.each([
    [
      "a fragment that is not there",
      manifest(["core: ~0.1", "cor: ~0.1"]),
      "UNKNOWN_FRAGMENT",
      "manifests/demo.yaml:7:18",
    ],
    [
      "a template that is not there",
      manifest(["plain@", "plan@"]),
      "UNKNOWN_TEMPLATE",
      "manifests/demo.yaml:4:11",
    ],
    [
      "a range that no template satisfies",
      manifest(["plain@~0.1", "plain@2"]),
      "RANGE_UNSATISFIED",
      "manifests/demo.yaml:4:11",
    ],
    ["an empty slot", manifest(["core: ~0.1, ", ""]), "SLOT_EMPTY", "manifests/demo.yaml:7:12"],
    [
      "two fragments in a slot",
      {
        ...manifest(["app: 0.1.0", "app: 0.1.0, other: 1.0.0"]),
        ...fragment("other", "1.0.0", "order: 1\nslot: core\n"),
      },
      "SLOT_CLAIMED_TWICE",
      "manifests/demo.yaml:7:44",
    ],
    [
      "a slot that the template has not",
      {
        ...manifest(["app: 0.1.0", "app: 0.1.0, other: 1.0.0"]),
        ...fragment("other", "1.0.0", "order: 1\n"),
      },
      "SLOT_UNKNOWN",
      "manifests/demo.yaml:7:44",
    ],
    [
      "an order against the template's",
      fragment("core", "0.1.1", "order: 31\nargs: {python: {type: string, default: a}}\n"),
      "SLOT_ORDER",
      "fragments/app/0.1.0/fragment.yaml:5:8",
    ],
    [
      "a requirement that is not there",
      fragment("core", "0.1.1", "order: 10\nrequires: {extra: '*'}\n"),
      "REQUIRES_MISSING",
      "manifests/demo.yaml:7:19",
    ],
    [
      "a requirement in another version",
      { ...fragment("core", "0.1.1", "order: 10\nrequires: {app: '>=2'}\n"), ...EXACT },
      "REQUIRES_VERSION",
      "manifests/demo.yaml:7:19",
    ],
    [
      "a conflict",
      { ...fragment("core", "0.1.1", "order: 10\nconflicts: {app: '<2'}\n"), ...EXACT },
      "CONFLICT",
      "manifests/demo.yaml:7:19",
    ],
    [
      "a circle",
      fragment("core", "0.1.1", "order: 10\nrequires: {app: '*'}\n"),
      "REQUIRES_CYCLE",
      "fragments/core/0.1.1/fragment.yaml:5:11",
    ],
    [
      "a platform that a fragment does not work on",
      fragment("core", "0.1.1", "order: 10\nplatforms: [linux/amd64]\n"),
      "PLATFORM_UNSUPPORTED",
      "manifests/demo.yaml:6:12",
    ],
  ])("finds %s", (_, files, code, at) => {
    const places = findingsFrom(() => versionsOf(files))
      .filter((finding) => finding.code === code)
      .map(({ where }) => `${where?.file}:${where?.line}:${where?.col}`);
    expect(places).toEqual([at]);
  });

  it("gives all findings at once, without the echoes of a fragment that is not known", () => {
    const files = {
      ...manifest(["core: ~0.1", "core: 7.0.0, cor: '*'"], ["port: 8080", "port: eighty, prot: 1"]),
      ...fragment("cor", "0.1.0", "order: 1\nrequires: {gone: '*'}\n"),
    };
    const codes = findingsFrom(() => versionsOf(files)).map(({ code }) => code);
    expect(codes.sort()).toEqual(["ARG_TYPE", "RANGE_UNSATISFIED", "REQUIRES_MISSING", "SLOT_UNKNOWN"]);
  });
});

describe("arguments", () => {
  const argsOf = (args: Record<string, string>, files: Files = {}) =>
    stitch(makeCatalog(files), "demo", { args }).args;

  it("come from the command line, else the manifest, else the default; sorted", () => {
    expect(argsOf({})).toEqual({ name: "app", port: 8080, python: "python3" });
    expect(Object.keys(argsOf({}))).toEqual(["name", "port", "python"]);
    expect(argsOf({ port: "90", name: "90" })).toMatchObject({ name: "90", port: 90 });
  });

  it.each([
    [{ port: "eighty" }, "ARG_TYPE"],
    [{ port: "080" }, "ARG_TYPE"],
    [{ port: "1.5" }, "ARG_TYPE"],
    [{ port: "1e3" }, "ARG_TYPE"],
    [{ port: "" }, "ARG_TYPE"],
    [{ port: "0" }, "ARG_TYPE"],
    [{ port: "9007199254740993" }, "ARG_TYPE"],
    [{ prot: "1" }, "ARG_UNDECLARED"],
    [{ __proto__x: "1" }, "ARG_UNDECLARED"],
    [{ constructor: "1" }, "ARG_UNDECLARED"],
    [JSON.parse('{"__proto__": "1"}') as Record<string, string>, "ARG_UNDECLARED"],
  ])("refuses %j", (args, code) => {
    expect(errorFrom(() => argsOf(args))).toMatchObject({ code });
  });

  it("needs a value where there is no default", () => {
    const files = fragment("core", "0.1.1", "order: 10\nargs: {key: {type: string}}\n");
    expect(errorFrom(() => argsOf({}, files))).toMatchObject({
      code: "ARG_MISSING",
      where: { file: "manifests/demo.yaml", line: 8 },
    });
    expect(argsOf({ key: "a" }, files)).toMatchObject({ key: "a" });
  });
});
