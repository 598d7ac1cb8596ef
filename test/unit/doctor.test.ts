import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import type { DoctorDeps, Workspace } from "../../src/doctor/deps.ts";
import { type Diagnosis, shellWord } from "../../src/doctor/diagnosis.ts";
import { examine } from "../../src/doctor/examine.ts";
import { FactoryError } from "../../src/errors.ts";
import { openLease } from "../../src/tools/lease.ts";
import type { ExecResult } from "../../src/tools/exec.ts";
import { openWith, refuse, serveHttp, serveRegistry } from "./oci-server.ts";
import { factoryAtOnce, makeWorkspace, temporaryFolder } from "./workspace.ts";

const NOW = Date.UTC(2026, 10, 27);
const GB = 1e9;

const ran = (stdout: string, more: Partial<ExecResult> = {}): ExecResult => ({
  exitCode: 0,
  stdout,
  stderr: "",
  timedOut: false,
  aborted: false,
  ...more,
});

const INFO = {
  ServerVersion: "28.5.2",
  ApiVersion: "1.51",
  Driver: "overlayfs",
  DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] as [string, string][],
  DockerRootDir: "/var/lib/docker",
  SystemTime: new Date(NOW).toISOString(),
  Warnings: null,
};

/** A machine on which everything is as it should be. */
const HEALTHY: DoctorDeps = {
  env: {},
  now: () => NOW,
  node: "20.19.0",
  engine: () => Promise.resolve(INFO),
  isLocal: () => true,
  buildx: {
    version: () => Promise.resolve({ docker: "28.5.2", buildx: "0.29.1", buildkit: "0.26.3" }),
    platforms: () => Promise.resolve(["linux/amd64", "linux/arm64"]),
    driver: () => Promise.resolve("docker"),
  },
  exec: () => Promise.resolve(ran("")),
  git: () => Promise.resolve(ran("false\nmain\n")),
  repository: openWith(),
  cacheTrouble: () => Promise.resolve(null),
  room: () => Promise.resolve({ bytes: 50 * GB, files: { free: 50, all: 100 } }),
  temporary: "/tmp",
  ci: null,
  abandoned: () => 0,
  sweep: () => Promise.resolve(),
  records: () => Promise.resolve({ total: 3, unreadable: 0, first: null }),
};

const LOCAL = { "factory.yaml": "schema_version: 1\nrepository: team\n" };

const workspaceOf = (changes: Record<string, string> = LOCAL): Workspace => ({
  catalog: openCatalog(makeWorkspace(changes)),
});

function look(change: Partial<DoctorDeps>, workspace: Workspace = workspaceOf()): Promise<Diagnosis[]> {
  return examine({ ...HEALTHY, ...change }, workspace, new AbortController().signal);
}

const ill = (found: readonly Diagnosis[]) =>
  found
    .filter(({ health }) => health !== "ok")
    .map(({ check, health, what, fix }) => ({ check, health, what, fix }));

/** What is not in order with one change. */
const found = async (change: Partial<DoctorDeps>, workspace?: Workspace) =>
  ill(await look(change, workspace));

describe("a healthy machine", () => {
  it("has nothing to be mended, and each part is told", async () => {
    const all = await look({});
    expect(ill(all)).toEqual([]);
    expect(all.map(({ check }) => check)).toEqual([
      ...[
        "node",
        "engine",
        "image store",
        "builder",
        "platforms",
        "clock",
        "disk",
        "disk",
        "disk",
        "workspace",
      ],
      ...["folders", "records", "git", "registry", "cache", "ci"],
    ]);
  });
});

const buildxWith = (change: Partial<DoctorDeps["buildx"]>) => ({ buildx: { ...HEALTHY.buildx, ...change } });

describe("what is not in order is told with what mends it", () => {
  const cases: [string, Partial<DoctorDeps>, Partial<Diagnosis>][] = [
    ["an old Node.js", { node: "20.18.9" }, { check: "node", health: "broken" }],
    [
      "an engine that refuses the user",
      {
        engine: () =>
          Promise.reject(new FactoryError("ENGINE_UNREACHABLE", "connect EACCES /var/run/docker.sock")),
      },
      { check: "engine", health: "broken", fix: "sudo usermod -aG docker $USER, and log in again" },
    ],
    [
      "the old image store",
      { engine: () => Promise.resolve({ ...INFO, DriverStatus: [["Backing Filesystem", "extfs"]] }) },
      { check: "image store", health: "broken" },
    ],
    [
      "an engine that knows no platforms",
      { engine: () => Promise.resolve({ ...INFO, ApiVersion: "1.47" }) },
      { check: "engine", health: "warning" },
    ],
    ["an engine elsewhere", { isLocal: () => false }, { check: "engine", health: "warning" }],
    [
      "an engine that limits no memory",
      { engine: () => Promise.resolve({ ...INFO, Warnings: ["WARNING: No swap limit support"] }) },
      { check: "engine", health: "warning", what: "WARNING: No swap limit support" },
    ],
    [
      "a platform that is not emulated",
      buildxWith({ platforms: () => Promise.resolve(["linux/amd64"]) }),
      {
        check: "platforms",
        health: "warning",
        fix: "docker run --privileged --rm tonistiigi/binfmt --install arm64, or run these cells on such a machine",
      },
    ],
    [
      "a builder beside the engine",
      buildxWith({ driver: () => Promise.resolve("docker-container") }),
      { check: "builder", health: "warning" },
    ],
    [
      "no buildx",
      buildxWith({
        version: () =>
          Promise.reject(
            new FactoryError("BUILDX_MISSING", "docker has no buildx plugin", { fix: "install it" }),
          ),
      }),
      { check: "builder", health: "broken", what: "docker has no buildx plugin", fix: "install it" },
    ],
    ["a clock that is a bit wrong", { now: () => NOW + 40_000 }, { check: "clock", health: "warning" }],
    [
      "a clock that is wrong",
      { now: () => NOW - 3_600_000 },
      { check: "clock", health: "broken", what: "3600 s behind that of the engine" },
    ],
    ["runs that were killed", { abandoned: () => 2 }, { check: "folders", fix: "factory doctor --fix" }],
    [
      "a record that cannot be read",
      { records: () => Promise.resolve({ total: 2, unreadable: 1, first: "records/x is no JSON" }) },
      { check: "records", health: "warning", what: "1 of 3 cannot be read: records/x is no JSON" },
    ],
    [
      "a shallow clone",
      { git: () => Promise.resolve(ran("true\nHEAD\n")), env: { CI: "true" } },
      { check: "git", health: "warning", fix: "let the checkout fetch all (`fetch-depth: 0`)" },
    ],
    [
      "no repository",
      { git: () => Promise.resolve(ran("", { exitCode: 128, stderr: "fatal: not a git repository\n" })) },
      { check: "git", health: "warning", fix: "git init" },
    ],
    [
      "no git",
      { git: () => Promise.reject(new FactoryError("TOOL_MISSING", "git is not installed")) },
      { check: "git", health: "warning", fix: "install git" },
    ],
    [
      "a cache that does not answer",
      {},
      { check: "cache", health: "warning", what: "it does not answer: builds go without it" },
    ],
  ];
  it.each(cases)("%s", async (name, change, wanted) => {
    const cached = name.includes("cache");
    const told = cached
      ? await found(
          { ...change, cacheTrouble: () => Promise.resolve("it does not answer") },
          workspaceOf({ "factory.yaml": `${LOCAL["factory.yaml"]}cache: {repository: team/cache}\n` }),
        )
      : await found(change);
    expect(told).toMatchObject([wanted]);
    expect(told[0]?.fix).not.toBe("");
  });

  it("little room is a warning, none is broken, and few files are as bad", async () => {
    const room = (bytes: number, free: number) => () => Promise.resolve({ bytes, files: { free, all: 100 } });
    expect(await found({ room: room(5 * GB, 50) })).toMatchObject(
      Array.from({ length: 3 }, () => ({ check: "disk", health: "warning" })),
    );
    expect((await found({ room: room(GB / 2, 50) }))[2]).toMatchObject({
      health: "broken",
      fix: "docker system prune",
    });
    expect((await found({ room: room(50 * GB, 1) }))[0]).toMatchObject({ health: "warning" });
    expect((await found({ room: room(50 * GB, 0) }))[0]).toMatchObject({ health: "broken" });
    expect(await found({ room: () => Promise.resolve({ bytes: 50 * GB, files: null }) })).toEqual([]);
  });

  it("a program that a product asks for", async () => {
    const changes = {
      ...LOCAL,
      "control_plane/products/demo.yaml":
        "schema_version: 1\nproduct_id: demo\nmanifest_id: demo\nrepository: registry.invalid/demo\nrepack: {with: docker-repack}\n",
    };
    const told = await found(
      {
        exec: (program, argv) =>
          program === "docker-repack"
            ? Promise.reject(new FactoryError("TOOL_MISSING", "docker-repack is not installed"))
            : HEALTHY.exec(program, argv),
      },
      workspaceOf(changes),
    );
    expect(told.find(({ check }) => check === "programs")).toMatchObject({
      health: "broken",
      fix: "cargo install docker-repack",
    });
  });

  it("documents that are wrong, and no workspace at all", async () => {
    const told = await found({}, workspaceOf({ ...LOCAL, "manifests/demo.yaml": "manifest_id: [\n" }));
    expect(told).toMatchObject([{ check: "workspace", health: "broken", fix: "factory validate" }]);
    const error = new FactoryError("WORKSPACE_NOT_FOUND", "there is no factory.yaml", {
      fix: "factory init",
    });
    expect(await found({}, { error })).toMatchObject([
      { check: "workspace", health: "warning", fix: "factory init" },
    ]);
  });

  it("what fails in an unforeseen way is told, and hides nothing else", async () => {
    const told = await look({
      records: () =>
        Promise.reject(new FactoryError("FILE_OUTSIDE", "records leads out", { fix: "remove it" })),
    });
    expect(ill(told)).toEqual([
      { check: "records", health: "broken", what: "records leads out", fix: "remove it" },
    ]);
    expect(told.length).toBeGreaterThan(10);
  });
});

const repositoryAt = (host: string) =>
  workspaceOf({
    "factory.yaml": `schema_version: 1\nrepository: ${host}/team\nrecords: {remote: "oci://${host}/team"}\n`,
  });

describe("the rights in a registry", () => {
  it("are both tried, once for a repository that has several uses", async () => {
    const { host, blobs } = await serveRegistry();
    const told = (await look({}, repositoryAt(host))).filter(({ check }) => check === "registry");
    expect(told).toMatchObject([{ health: "ok" }]);
    expect(told[0]?.what).toContain(`${host}/team (images, records) may be read and written`);
    expect([...blobs.values()].map(String)).toEqual([expect.stringContaining("factory doctor")]);
  });

  it("a registry that may only be read is a warning, with the registry's words", async () => {
    const { host } = await serveHttp(({ method, url }, response) => {
      if (method === "POST") return refuse(response, 403, "DENIED", "read only");
      response.writeHead(url.includes("blobs") ? 404 : 200, { "content-type": "application/json" });
      response.end('{"name":"team","tags":[]}');
    });
    const told = await found({}, repositoryAt(host));
    expect(told).toMatchObject([{ check: "registry", health: "warning" }]);
    expect(told[0]?.what).toContain("may not be written");
  });

  it("a repository that does not exist yet may be read, and one that cannot be made by a push is told", async () => {
    const { host } = await serveHttp(({ method }, response) => {
      if (method === "POST") return refuse(response, 404, "NAME_UNKNOWN", "make the project first");
      refuse(response, 404, "NAME_UNKNOWN", "repository name not known to registry");
    });
    const told = (await look({}, repositoryAt(host))).filter(({ check }) => check === "registry");
    expect(told).toMatchObject([{ health: "ok" }, { health: "warning" }]);
    expect(told[1]?.what).toContain("may not be written");
  });

  it("one that knows nobody is broken", async () => {
    const { host } = await serveHttp((_, response) => {
      response.writeHead(401, { "www-authenticate": 'Basic realm="team"' });
      response.end();
    });
    const told = await found({}, repositoryAt(host));
    expect(told).toMatchObject([{ check: "registry", health: "broken" }]);
    expect(told[0]?.fix).toContain("docker login");
  });
});

describe("a path in a command that people copy", () => {
  it("stays one word", () => {
    expect(shellWord("/srv/images")).toBe("/srv/images");
    expect(shellWord("/srv/$(rm -rf ~)'x")).toBe(`'/srv/$(rm -rf ~)'\\''x'`);
  });
});

describe("factory doctor", () => {
  it("ends with 1 where something is broken, without an engine and without a workspace", async () => {
    const { status, stdout, stderr } = await factoryAtOnce(temporaryFolder(), ["doctor"], {
      DOCKER_HOST: "unix:///nowhere/docker.sock",
    });
    expect(status, stderr).toBe(1);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^broken {3}engine +the Docker engine at .*nowhere/m);
    expect(stdout).toMatch(/^warning {2}workspace /m);
    expect(stdout.trimEnd()).toMatch(/\d+ ok, 1 warning, 1 broken$/);
  });

  it(
    "says of what does not answer that it does not, and does not wait for it",
    { timeout: 25_000 },
    async () => {
      const sockets: { destroy: () => void }[] = [];
      const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
      await once(silent, "listening");
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy();
        silent.close();
      });
      const { port } = silent.address() as AddressInfo;
      const root = makeWorkspace({
        "factory.yaml": `schema_version: 1\nrepository: 127.0.0.1:${port}/team\n`,
      });
      const { status, stdout } = await factoryAtOnce(root, ["doctor", "--json"], {
        DOCKER_HOST: `tcp://127.0.0.1:${port}`,
      });
      const { checks } = JSON.parse(stdout) as { checks: { check: string; status: string; what: string }[] };
      const ill = checks.filter(({ status }) => status !== "ok").map(({ check, status }) => [check, status]);
      expect(ill).toEqual([
        ["engine", "warning"],
        ["git", "warning"],
        ["registry", "broken"],
      ]);
      expect(checks[1]?.what).toBe("no answer within 3.5 s");
      expect(status).toBe(1);
    },
  );

  it("--fix clears away what killed runs left, and nothing else", async () => {
    const root = makeWorkspace(LOCAL);
    const lease = openLease();
    const [id = "", , start = "", place = ""] = lease.owner.split(".");
    const { pid = 0 } = spawnSync(process.execPath, ["-e", "0"]);
    const owners = { dead: `${id}.${pid}.${start}.${place}`, alive: lease.owner };
    for (const [name, owner] of Object.entries(owners)) {
      mkdirSync(join(root, ".factory/run", name), { recursive: true });
      writeFileSync(join(root, ".factory/run", name, "owner"), owner);
    }
    const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
    const ask = async (...argv: string[]) =>
      JSON.parse((await factoryAtOnce(root, ["doctor", "--json", ...argv], env)).stdout) as {
        mended: string[];
        checks: { check: string; what: string; fix: string | null }[];
      };
    const isLeft = ({ fix }: { fix: string | null }) => fix === "factory doctor --fix";
    expect((await ask()).checks.filter(isLeft)).toMatchObject([
      { check: "folders", what: expect.stringMatching(/^1 run was killed/) as string },
    ]);
    const { mended, checks } = await ask("--fix");
    expect(mended).toEqual([expect.stringMatching(/^1 run was killed/)]);
    expect(checks.filter(isLeft)).toEqual([]);
    expect(readdirSync(join(root, ".factory/run"))).toEqual(["alive"]);
  });
});
