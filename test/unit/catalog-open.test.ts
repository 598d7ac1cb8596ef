import { execFileSync } from "node:child_process";
import { mkdirSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findWorkspace, openCatalog } from "../../src/catalog/open.ts";
import { FactoryError } from "../../src/errors.ts";
import { SOUND, temporaryFolder, workspace, writeFiles } from "../fixtures/catalog/workspace.ts";

function errorFrom(call: () => unknown): FactoryError {
  try {
    call();
  } catch (error) {
    if (error instanceof FactoryError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("findWorkspace", () => {
  it("finds the nearest factory.yaml upward", () => {
    const root = workspace();
    writeFiles(root, { "inner/factory.yaml": "schema_version: 1\n", "inner/a/b/x": "" });
    expect(findWorkspace(join(root, "fragments/core/0.1.0"))).toBe(root);
    expect(findWorkspace(join(root, "inner/a/b"))).toBe(join(root, "inner"));
  });

  it("says how to name one where there is none", () => {
    const error = errorFrom(() => findWorkspace(temporaryFolder()));
    expect(error.code).toBe("WORKSPACE_NOT_FOUND");
    expect(error.fix).toContain("--workspace");
    expect(errorFrom(() => openCatalog("/nowhere")).code).toBe("WORKSPACE_NOT_FOUND");
  });
});

describe("openCatalog", () => {
  it("gives documents with the places of their values", () => {
    const root = workspace();
    const catalog = openCatalog(root);
    const manifest = catalog.manifest("demo");
    expect(catalog.root).toBe(realpathSync(root));
    expect(manifest.document.fragments).toEqual({ core: "~0.1", light: "0.1.0" });
    expect(manifest.file).toBe("manifests/demo.yaml");
    expect(manifest.place(["fragments", "light"])).toEqual({ file: "manifests/demo.yaml", line: 6, col: 32 });
    expect(manifest.place(["args", "port"])).toEqual({ file: "manifests/demo.yaml", line: 2, col: 1 });
    expect(catalog.fragment("core", "0.1.0")).toMatchObject({
      folder: "fragments/core/0.1.0",
      dockerfile: { file: "fragments/core/0.1.0/Dockerfile.hbs", text: "RUN true\n" },
    });
    expect(catalog.plan("all").document.axes).toEqual({ core: ["0.1.0"] });
    expect(catalog.product("demo").document.repository).toBe("127.0.0.1:5000/demo");
    expect(catalog.template("plain", "0.1.0").document.slots).toHaveLength(2);
  });

  it("fills in the settings' defaults", () => {
    const set =
      "schema_version: 1\nrepository: a/b\ncache: {repository: c/d}\nbases: {old: debian:11}\nreuse: {max_age: 30d}\nsigning: {key: cosign.key, transparency_log: false}\nretries: {tries: 5}\nsmoke: {pids: 9}\n";
    expect(openCatalog(workspace()).settings()).toEqual({
      repository: "factory",
      cache: null,
      bases: {},
      max_age: null,
      records_remote: null,
      retries: { tries: 3, wait_s: 10, most_s: 300 },
      signing: null,
      smoke: { memory_mb: 512, pids: 256, timeout_s: 60 },
    });
    expect(openCatalog(workspace({ "factory.yaml": set })).settings()).toEqual({
      repository: "a/b",
      cache: { place: { type: "registry", repository: "c/d" }, write: "always" },
      bases: { old: "debian:11" },
      max_age: "30d",
      records_remote: null,
      retries: { tries: 5, wait_s: 10, most_s: 300 },
      signing: { key: "cosign.key", transparencyLog: false },
      smoke: { memory_mb: 512, pids: 9, timeout_s: 60 },
    });
  });

  it("reads nothing before it is asked for, and nothing twice", () => {
    const root = workspace({ "fragments/core/0.2.0/fragment.yaml": "}{" });
    const catalog = openCatalog(root);
    const first = catalog.manifest("demo");
    rmSync(join(root, "manifests"), { recursive: true });
    expect(catalog.manifest("demo")).toBe(first);
  });

  it("sorts versions by semver and leaves out what is no version", () => {
    const versions = ["0.10.0", "0.9.0", "0.9.0-rc.1", "latest", "1.0", "0.9.0-01"];
    const root = workspace(
      Object.fromEntries(versions.map((one) => [`fragments/many/${one}/Dockerfile.hbs`, ""])),
    );
    expect(openCatalog(root).fragmentVersions("many")).toEqual(["0.9.0-rc.1", "0.9.0", "0.10.0"]);
    expect(openCatalog(root).fragmentVersions("none")).toEqual([]);
  });

  it("hands out objects that reach no prototype", () => {
    const { document } = openCatalog(workspace()).manifest("demo");
    expect(Object.getPrototypeOf(document.fragments)).toBeNull();
  });

  it.each([
    ["manifest", "demmo", "UNKNOWN_MANIFEST", "did you mean `demo`?"],
    ["manifest", "quite-another", "UNKNOWN_MANIFEST", "there are: `demo`"],
    ["plan", "al", "UNKNOWN_PLAN", "did you mean `all`?"],
    ["product", "demos", "UNKNOWN_PRODUCT", "did you mean `demo`?"],
  ] as const)("names what is there for an unknown %s %s", (kind, id, code, fix) => {
    const catalog = openCatalog(workspace());
    expect(errorFrom(() => catalog.loadFile(kind, id))).toMatchObject({ code, fix });
  });

  it("names what is there for unknown fragments, templates and versions", () => {
    const catalog = openCatalog(workspace());
    expect(errorFrom(() => catalog.fragment("cor", "0.1.0"))).toMatchObject({
      code: "UNKNOWN_FRAGMENT",
      fix: "did you mean `core`?",
    });
    expect(errorFrom(() => catalog.fragment("core", "0.9.0"))).toMatchObject({
      code: "UNKNOWN_FRAGMENT",
      fix: "there are: `0.1.0`",
    });
    expect(errorFrom(() => catalog.template("plan", "0.1.0"))).toMatchObject({
      code: "UNKNOWN_TEMPLATE",
      fix: "did you mean `plain`?",
    });
  });

  it.each([
    "../../etc/passwd",
    "demo/../demo",
    "demo\n",
    "demo\0",
    "",
    ".",
    "$(id)",
    "${x}",
    "Demo",
    "__proto__",
    "x".repeat(5000),
  ])("never makes a path of the id %j", (id) => {
    const root = workspace();
    writeFileSync(join(root, "passwd.yaml"), SOUND["manifests/demo.yaml"] ?? "");
    const catalog = openCatalog(root);
    for (const call of [
      () => catalog.manifest(id),
      () => catalog.fragment(id, "0.1.0"),
      () => catalog.fragment("core", id),
    ]) {
      const error = errorFrom(call);
      expect(error.code).toMatch(/^UNKNOWN_/);
      expect(error.message).not.toMatch(/[\n\0]/);
      expect(error.message.length).toBeLessThan(200);
    }
  });
});

describe("files", () => {
  const file = "manifests/demo.yaml";
  const codes = (root: string) => errorFrom(() => openCatalog(root).manifest("demo"));

  it("refuses a file of 50 MB without reading it", () => {
    const root = workspace();
    truncateSync(join(root, file), 50_000_000);
    const start = process.memoryUsage().rss;
    expect(codes(root)).toMatchObject({ code: "FILE_TOO_LARGE", where: { file } });
    expect(process.memoryUsage().rss - start).toBeLessThan(30_000_000);
  });

  it.each([
    ["NUL bytes", Buffer.from("schema_version: 1\0\n")],
    ["what is not UTF-8", Buffer.from([0x61, 0x3a, 0xff, 0xfe])],
    ["UTF-16", Buffer.from("\ufeffa: 1", "utf16le")],
  ])("refuses %s", (_, bytes) => {
    expect(codes(workspace({ [file]: bytes }))).toMatchObject({ code: "FILE_UNREADABLE", where: { file } });
  });

  it("takes a byte order mark and Windows line ends", () => {
    const text = `\ufeff${SOUND[file]?.replaceAll("\n", "\r\n")}`;
    const entry = openCatalog(workspace({ [file]: text })).manifest("demo");
    expect(entry.document.base).toBe("debian:bookworm-slim");
    expect(entry.place(["base"])).toMatchObject({ line: 5, col: 7 });
  });

  it("refuses a symbolic link out of the workspace, and takes one inside", () => {
    const outside = workspace();
    const root = workspace({ "shared/demo.yaml": SOUND[file] ?? "" });
    rmSync(join(root, file));
    symlinkSync("../shared/demo.yaml", join(root, file));
    expect(openCatalog(root).manifest("demo").document.manifest_id).toBe("demo");
    rmSync(join(root, file));
    symlinkSync(join(outside, file), join(root, file));
    expect(codes(root)).toMatchObject({ code: "FILE_OUTSIDE", where: { file } });
  });

  it("refuses a folder that leads out of the workspace", () => {
    const outside = workspace();
    const root = workspace();
    rmSync(join(root, "fragments/core"), { recursive: true });
    symlinkSync(join(outside, "fragments/core"), join(root, "fragments/core"));
    expect(errorFrom(() => openCatalog(root).fragmentVersions("core")).code).toBe("FILE_OUTSIDE");
  });

  it("does not wait for a pipe, and refuses links in circles and to nothing", () => {
    const root = workspace();
    rmSync(join(root, file));
    execFileSync("mkfifo", [join(root, file)]);
    expect(codes(root).code).toBe("FILE_UNREADABLE");
    rmSync(join(root, file));
    symlinkSync("demo.yaml", join(root, file));
    expect(codes(root).code).toBe("FILE_UNREADABLE");
    rmSync(join(root, file));
    symlinkSync("gone.yaml", join(root, file));
    expect(codes(root).code).toBe("FILE_MISSING");
    rmSync(join(root, file));
    mkdirSync(join(root, file));
    expect(codes(root).code).toBe("UNKNOWN_MANIFEST");
  });

  it("says when Dockerfile.hbs is missing, besides what else is wrong", () => {
    const root = workspace({
      "fragments/core/0.1.0/fragment.yaml": "schema_version: 1\nname: core\nversion: 0.1.0\n",
    });
    rmSync(join(root, "fragments/core/0.1.0/Dockerfile.hbs"));
    const { findings } = errorFrom(() => openCatalog(root).fragment("core", "0.1.0"));
    expect(findings?.map(({ code }) => code)).toEqual(["SCHEMA_MISSING_FIELD", "FILE_MISSING"]);
  });
});
