import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { pack, type Pack } from "tar-stream";
import { openCatalog } from "../../src/catalog/open.ts";
import type { FactoryError } from "../../src/errors.ts";
import { fetchLibraries, type Registries } from "../../src/library/fetch-library.ts";
import { pushLibrary } from "../../src/library/push-library.ts";
import { unpackLibrary } from "../../src/library/unpack.ts";
import { addLibrary } from "../../src/library/update-library.ts";
import { createMask } from "../../src/model/mask.ts";
import { createRegistry } from "../../src/tools/oci/repository-client.ts";
import { sha256 } from "../../src/model/digest.ts";
import { serveRegistry, type ServedOptions, type ServedRegistry } from "../unit/oci-server.ts";
import { libraryIn, SHARED_MANIFEST, workspaceWithLibrary } from "../unit/library-made.ts";
import { cleanEnv, cli, factoryAtOnce, makeWorkspace, treeOf, writeFiles } from "../unit/workspace.ts";

const PLAIN = "schema_version: 1\n";
const source = ({ host }: ServedRegistry, tag = "1.0") => `oci://${host}/team/app:${tag}`;

const REGISTRIES: Registries = {
  repository: createRegistry({
    credentialsOf: () => Promise.resolve(null),
    now: Date.now,
    mask: createMask(),
  }),
  again: (work) => work(),
  signal: new AbortController().signal,
};
const registries = () => Promise.resolve(REGISTRIES);

/** A registry in which a workspace's fragments have been pushed as 1.0, and a workspace that may use them. */
async function shared(options: ServedOptions = {}) {
  const registry = await serveRegistry({ uploadAt: "/v2/team/app/blobs/uploads/one", ...options });
  const own = makeWorkspace();
  await pushLibrary(openCatalog(own), source(registry), { replace: false, registries });
  const root = makeWorkspace({ "factory.yaml": PLAIN, "manifests/shared.yaml": SHARED_MANIFEST });
  return { registry, own, root };
}

/** As `shared`, with the library added. */
async function using(options: ServedOptions = {}) {
  const made = await shared(options);
  const { root, registry } = made;
  const asked = { name: "company", source: source(registry), cwd: root };
  await addLibrary(openCatalog(root), asked, registries);
  return made;
}

const stitch = (root: string) => factoryAtOnce(root, ["stitch", "--manifest-id", "shared", "-o", "-"]);

const settings = (root: string) => readFileSync(join(root, "factory.yaml"), "utf8");

/** Puts an artifact into a registry, with a layer of these bytes. */
function store({ manifests, blobs }: ServedRegistry, tag: string, layer: Buffer, more: object = {}): void {
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: "application/vnd.factory.library.v1",
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256("{}"), size: 2 },
    layers: [
      { mediaType: "application/vnd.factory.library.v1.tar", digest: sha256(layer), size: layer.length },
    ],
    ...more,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const stored = { bytes, mediaType: manifest.mediaType };
  blobs.set(sha256(layer), layer);
  manifests.set(tag, stored).set(sha256(bytes), stored);
}

async function tarOf(fill: (tar: Pack) => void): Promise<Buffer> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  return buffer(tar);
}

const CONTRACT = "schema_version: 1\nname: core\nversion: 0.1.0\norder: 10\n";
const sound = (tar: Pack) => {
  tar.entry({ name: "fragments/core/0.1.0/fragment.yaml" }, CONTRACT);
  tar.entry({ name: "fragments/core/0.1.0/Dockerfile.hbs" }, "RUN true\n");
};

describe("a library from a registry", () => {
  it("8.8 a digest behind which something else lies is refused, and nothing of it is kept", async () => {
    const { registry, root } = await using();
    rmSync(join(root, ".factory"), { recursive: true });
    const [, layer = Buffer.alloc(0)] = [...registry.blobs.values()];
    for (const [digest, bytes] of registry.blobs)
      if (bytes === layer)
        registry.blobs.set(digest, Buffer.concat([layer.subarray(0, -1), Buffer.from("x")]));
    const { status, stderr, stdout } = await stitch(root);
    expect([status, stdout]).toEqual([expect.any(Number) as number, ""]);
    expect(stderr).toMatch(/error REGISTRY_CONTENT: the library company cannot be fetched/);
    expect(stderr).toMatch(/at factory\.yaml:3/);
    expect(existsSync(join(root, ".factory/libraries/company"))).toBe(false);
  });

  it("8.8 a manifest that is another one than its digest says is refused", async () => {
    const { registry, root } = await using();
    rmSync(join(root, ".factory"), { recursive: true });
    store(registry, "evil", await tarOf(sound));
    const evil = registry.manifests.get("evil");
    for (const ref of registry.manifests.keys()) if (evil) registry.manifests.set(ref, evil);
    expect(await stitch(root)).toMatchObject({
      stdout: "",
      stderr: expect.stringContaining("REGISTRY_CONTENT") as string,
    });
  });

  it("8.8 a tag that moves changes nothing until update, and outdated says so", async () => {
    const { registry, own, root } = await using();
    const before = await stitch(root);
    writeFiles(own, { "fragments/core/0.1.1/Dockerfile.hbs": "RUN other\n" });
    const taken = await factoryAtOnce(own, ["library", "push", source(registry)]);
    expect([taken.status, taken.stderr]).toEqual([2, expect.stringContaining("LIBRARY_TAG_TAKEN") as string]);
    expect((await factoryAtOnce(own, ["library", "push", source(registry), "--replace"])).status).toBe(0);
    rmSync(join(root, ".factory"), { recursive: true });
    expect((await stitch(root)).stdout).toBe(before.stdout);
    const outdated = await factoryAtOnce(root, ["library", "outdated", "--json"]);
    expect(outdated.status).toBe(1);
    expect(JSON.parse(outdated.stdout)).toMatchObject({ libraries: [{ name: "company", status: "moved" }] });
    const updated = await factoryAtOnce(root, ["library", "update", "--json"]);
    expect(JSON.parse(updated.stdout)).toMatchObject({
      libraries: [{ changes: [{ folder: "fragments", name: "core", version: "0.1.1", change: "changed" }] }],
    });
    expect((await stitch(root)).stdout).toBe(
      before.stdout
        .replace("install --fast python3", "other")
        .replace(/recipe-key="[^"]*"/, /recipe-key="[^"]*"/.exec((await stitch(root)).stdout)?.[0] ?? ""),
    );
    expect((await factoryAtOnce(root, ["library", "outdated"])).status).toBe(0);
  });

  it("8.8 a registry that cannot be reached is said at the line that names it; what is there needs none", async () => {
    const { registry, root } = await using();
    const before = settings(root);
    writeFiles(root, { "factory.yaml": before.replace(registry.host, "127.0.0.1:1") });
    // The lock names it as it was.
    const lock = readFileSync(join(root, "factory.lock"), "utf8");
    expect((await stitch(root)).stderr).toContain("LIBRARY_UNLOCKED");
    writeFiles(root, { "factory.yaml": before });
    expect((await stitch(root)).status).toBe(0);
    rmSync(join(root, ".factory"), { recursive: true });
    writeFiles(root, { "factory.yaml": before.replace(registry.host, "127.0.0.1:1") });
    const away = fetchLibraries(root, openCatalog(root).libraries(), REGISTRIES, () => undefined);
    await expect(away).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      where: { file: "factory.yaml", line: 3 },
      exitCode: 3,
    });
    expect(readFileSync(join(root, "factory.lock"), "utf8")).toBe(lock);
  });

  it.each<[string, (tar: Pack) => void]>([
    [
      "a link",
      (tar) => tar.entry({ name: "fragments/core/0.1.0/x", type: "symlink", linkname: "/etc/passwd" }),
    ],
    [
      "a hard link",
      (tar) => tar.entry({ name: "fragments/core/0.1.0/x", type: "link", linkname: "/etc/passwd" }),
    ],
    ["a device", (tar) => tar.entry({ name: "fragments/core/0.1.0/x", type: "character-device" })],
    ["a pipe", (tar) => tar.entry({ name: "fragments/core/0.1.0/x", type: "fifo" })],
    ["a way up", (tar) => tar.entry({ name: "fragments/../../../escaped" }, "x")],
    ["an absolute path", (tar) => tar.entry({ name: "/tmp/escaped" }, "x")],
    ["a file beside its folders", (tar) => tar.entry({ name: "factory.yaml" }, "x")],
    ["a name twice", (tar) => tar.entry({ name: "fragments/core/0.1.0/Dockerfile.hbs" }, "RUN evil\n")],
    ["a file below a file", (tar) => tar.entry({ name: "fragments/core/0.1.0/Dockerfile.hbs/x" }, "x")],
    ["a name with a control character", (tar) => tar.entry({ name: "fragments/core/0.1.0/\u001b[2J" }, "x")],
    ["an empty part of a path", (tar) => tar.entry({ name: "fragments//core/x" }, "x")],
  ])("8.8 a tar with %s is refused", async (_, evil) => {
    const layer = await tarOf((tar) => {
      sound(tar);
      evil(tar);
    });
    const refused = await unpackLibrary(layer).then(
      () => expect.unreachable(),
      (error: unknown) => error as FactoryError,
    );
    expect(refused.code).toBe("LIBRARY_INVALID");
    expect(refused.message).not.toContain("\u001b");
    expect([...(await unpackLibrary(await tarOf(sound))).keys()]).toHaveLength(2);
  });

  it("8.8 what is no library is refused: an image, a damaged tar, documents that are not right", async () => {
    const { registry, root } = await shared();
    const before = treeOf(root);
    const layer = await tarOf(sound);
    const leading = await tarOf((tar) => tar.entry({ name: "fragments/../../../escaped" }, "x"));
    store(registry, "leading", leading);
    store(registry, "image", layer, { artifactType: undefined });
    store(registry, "two", layer, { layers: [] });
    store(registry, "damaged", layer.subarray(0, 700));
    store(registry, "empty", await tarOf(() => undefined));
    store(
      registry,
      "wrong",
      await tarOf((tar) => tar.entry({ name: "fragments/core/0.1.0/fragment.yaml" }, "schema_version: 1\n")),
    );
    const said: string[] = [];
    for (const tag of ["leading", "image", "two", "damaged", "empty"]) {
      const { status, stderr } = await factoryAtOnce(root, [
        "library",
        "add",
        "company",
        source(registry, tag),
      ]);
      said.push(`${tag} ${status} ${/error (\w+)/.exec(stderr)?.[1]}`);
    }
    expect(said).toEqual([
      "leading 2 LIBRARY_INVALID",
      "image 2 LIBRARY_INVALID",
      "two 2 LIBRARY_INVALID",
      "damaged 2 LIBRARY_INVALID",
      "empty 2 LIBRARY_INVALID",
    ]);
    expect(treeOf(root)).toBe(before);
    const wrong = await factoryAtOnce(root, ["library", "add", "company", source(registry, "wrong")]);
    expect([wrong.status, wrong.stderr]).toEqual([
      2,
      expect.stringContaining(".factory/libraries/company/fragments/core/0.1.0/") as string,
    ]);
    expect(settings(root)).toBe(PLAIN);
    expect(existsSync(join(root, "factory.lock"))).toBe(false);
  });

  it("8.8 an edited copy is refused, and a deleted one is fetched again", async () => {
    const { root } = await using();
    const before = (await stitch(root)).stdout;
    const body = join(root, ".factory/libraries/company/fragments/core/0.1.1/Dockerfile.hbs");
    rmSync(body);
    writeFiles(root, { ".factory/libraries/company/fragments/core/0.1.1/Dockerfile.hbs": "RUN evil\n" });
    expect(await stitch(root)).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("LIBRARY_CHANGED") as string,
    });
    rmSync(join(root, ".factory/libraries/company"), { recursive: true });
    expect((await stitch(root)).stdout).toBe(before);
  });

  it("8.8 a link in place of the copy's folder leads nowhere", async () => {
    const { root } = await using();
    const outside = makeWorkspace();
    const before = treeOf(outside);
    rmSync(join(root, ".factory/libraries"), { recursive: true });
    symlinkSync(outside, join(root, ".factory/libraries"));
    const { status, stderr } = await stitch(root);
    expect([status, stderr]).toEqual([2, expect.stringContaining("FILE_OUTSIDE") as string]);
    expect(treeOf(outside)).toBe(before);
  });

  it("8.8 many runs at once on a fresh clone all get the library", async () => {
    const { root } = await using();
    const before = (await stitch(root)).stdout;
    rmSync(join(root, ".factory"), { recursive: true });
    const ended = await Promise.all(Array.from({ length: 6 }, () => stitch(root)));
    expect(ended.map(({ status, stdout }) => [status, stdout === before])).toEqual(
      ended.map(() => [0, true]),
    );
  });

  it("8.8 a run that is killed while it fetches leaves nothing half", async () => {
    let stall = false;
    let stalled: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => (stalled = resolve));
    const { root } = await using({
      before: ({ method, url }, response) => {
        if (!stall || method !== "GET" || !url.includes("/blobs/")) return false;
        response.writeHead(200);
        response.write("half", () => stalled());
        return true;
      },
    });
    const before = (await stitch(root)).stdout;
    rmSync(join(root, ".factory"), { recursive: true });
    stall = true;
    const child = spawn(process.execPath, [cli, "stitch", "--manifest-id", "shared"], {
      cwd: root,
      env: cleanEnv(),
      stdio: "ignore",
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await waits;
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(join(root, ".factory/libraries/company"))).toBe(false);
    stall = false;
    expect((await stitch(root)).stdout).toBe(before);
  });
});

describe("a library in a folder", () => {
  it("8.8 a factory.yaml that cannot be added to stays as it is", async () => {
    const flow = "schema_version: 1\nlibraries: {}\n";
    const root = makeWorkspace({ "factory.yaml": flow, ...libraryIn("vendor/company") });
    const { status, stderr } = await factoryAtOnce(root, ["library", "add", "company", "vendor/company"]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("LIBRARY_INVALID") as string]);
    expect(stderr).toContain('company: { path: "vendor/company" }');
    expect(settings(root)).toBe(flow);
  });

  it("8.8 a lock that was edited by hand is not written over", async () => {
    const root = workspaceWithLibrary({ ...libraryIn("vendor/other") });
    const lock = readFileSync(join(root, "factory.lock"), "utf8");
    const edited = lock.replace(/vendor\/company: sha256:./, "vendor/company: sha256:f");
    writeFiles(root, { "factory.lock": edited });
    const { status, stderr } = await factoryAtOnce(root, ["library", "add", "other", "vendor/other"]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("LOCK_EDITED") as string]);
    expect(readFileSync(join(root, "factory.lock"), "utf8")).toBe(edited);
  });

  it.each([
    ["../company", "vendor/company", "USAGE"],
    ["a.b", "vendor/company", "USAGE"],
    ["company", "/etc", "FILE_OUTSIDE"],
    ["company", "..", "FILE_OUTSIDE"],
    ["company", "vendor/nothing", "LIBRARY_MISSING"],
    ["company", "oci://company:1.0", "REFERENCE_INVALID"],
    ["company", "oci://127.0.0.1:1/team/app", "REFERENCE_INVALID"],
  ])("8.8 add %s %s is refused, and writes nothing", async (name, from, code) => {
    const root = makeWorkspace({ "factory.yaml": PLAIN, ...libraryIn("vendor/company") });
    const before = treeOf(root);
    const { status, stderr } = await factoryAtOnce(root, ["library", "add", name, from]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(`error ${code}`) as string]);
    expect(treeOf(root)).toBe(before);
  });
});
