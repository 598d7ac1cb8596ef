import { spawn, spawnSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { chmodSync, openSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { isScalar, parseDocument, visit } from "yaml";
import pLimit from "p-limit";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  cleanEnv,
  cli,
  factory,
  factoryAtOnce,
  makeWorkspace,
  SMALL,
  temporaryFolder,
} from "../unit/workspace.ts";

/** Turns the text around, sets a terminal's title, hides what follows, and ends a line early. */
const HOSTILE = "\u202e\u001b]0;title\u0007\u001b[8m\u009b31m\u2028\rend";
const UNSEEN = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** What a command printed, with its colours taken out where there should be some. */
function printed({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return `${stdout}${stderr}`.replace(/\u001b\[(?:1|2|22|31|32|33|36|39)m/g, "");
}

/** A folder for the PATH with a `docker` that runs a script of sh. */
function fakeDocker(script: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "docker"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "docker"), 0o755);
  return `${folder}:${process.env.PATH}`;
}

/** An engine's socket; what it sends to each that connects, once something was asked. It closes with the test. */
async function fakeEngine(answer: (socket: Socket) => void): Promise<string> {
  const path = join(temporaryFolder(), "engine.sock");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("data", () => answer(socket));
  });
  await once(server.listen(path), "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `unix://${path}`;
}

const COMMANDS: readonly (readonly string[])[] = [
  ["validate"],
  ["stitch", "--manifest-id", "demo", "-o", "-"],
  ["plan", "grid"],
  ["plan", "grid", "--format", "bake"],
  ["plan", "grid", "--format", "github"],
  ["records", "list"],
  ["completion", "bash"],
  ["--help"],
  ["--version"],
  ["--no-color", "--version"],
  ["docker-cli-plugin-metadata"],
];

describe("exits", { timeout: 60_000 }, () => {
  it.each(COMMANDS)("B3 a full stdout ends with 3: factory %s %s %s", (...argv) => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [cli, ...argv], {
      cwd: makeWorkspace(),
      env: cleanEnv(),
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^(?:4 shards .*\n|2 Dockerfiles .*\n)?error WRITE_FAILED: cannot write to stdout: ENOSPC/,
    );
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("B3 a full stdout ends with 3 for a --json error too", () => {
    const full = openSync("/dev/full", "w");
    const stdio: ("ignore" | number | "pipe")[] = ["ignore", full, "pipe"];
    const { status } = spawnSync(process.execPath, [cli, "nonsense", "--json"], { cwd: "/", stdio });
    expect(status).toBe(3);
  });

  it("B3 a full stderr changes no verdict", () => {
    const full = openSync("/dev/full", "w");
    const stdio: ("ignore" | number | "pipe")[] = ["ignore", "pipe", full];
    const options = { cwd: makeWorkspace(), stdio, env: cleanEnv() };
    expect(spawnSync(process.execPath, [cli, "nonsense"], options).status).toBe(2);
    expect(spawnSync(process.execPath, [cli, "plan", "grid", "--format", "github"], options).status).toBe(0);
  });

  it("B3 a deleted working folder is said with 3", () => {
    const folder = temporaryFolder();
    const run = (argv: string) =>
      spawnSync(
        "sh",
        ["-c", `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" ${argv}`, process.execPath, cli],
        {
          cwd: folder,
          env: cleanEnv(),
          encoding: "utf8",
        },
      );
    for (const argv of ["validate", "plan grid", "completion bash", "--workspace /tmp validate"]) {
      const { status, stderr } = run(argv);
      expect({ argv, status, stderr }).toEqual({
        argv,
        status: 3,
        stderr: "error FOLDER_GONE: the current folder was deleted\n  fix: change to a folder that exists\n",
      });
    }
    expect(run("--help")).toMatchObject({ status: 0, stderr: "" });
    expect(run("--version")).toMatchObject({ status: 0, stderr: "" });
  });

  it.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)("B3 %s interrupts: exit 130", async (signal) => {
    const asked = new EventEmitter();
    // It never answers.
    const DOCKER_HOST = await fakeEngine(() => asked.emit("asked"));
    const child = spawn(process.execPath, [cli, "sbom", "debian:bookworm-slim"], {
      cwd: makeWorkspace(),
      env: cleanEnv({ DOCKER_HOST }),
      stdio: ["ignore", "ignore", "pipe"],
    });
    asked.once("asked", () => child.kill(signal));
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    const started = performance.now();
    expect(await once(child, "close")).toEqual([130, null]);
    // An engine's silence is waited for much longer.
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(stderr).toContain("interrupted: ending containers and builds");
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe("operands", { timeout: 60_000 }, () => {
  const refused = (argv: readonly string[], env = {}) => {
    const ended = factory(makeWorkspace(), argv, env);
    expect({ argv, ...ended }).toMatchObject({ argv, status: 2 });
    expect(printed(ended)).not.toMatch(/INTERNAL|\n\s+at |--lp/);
    return ended;
  };

  it("B3 what stands after -- is an operand, for every verb", () => {
    const PATH = fakeDocker("echo called; exit 0");
    const verbs = [
      ["plan"],
      ["run"],
      ["validate"],
      ["lock"],
      ["stitch", "--manifest-id", "demo"],
      ["explain"],
      ["sbom"],
      ["smoke", "--manifest-id", "demo"],
      ["records", "show"],
      ["records", "verify"],
      ["records"],
      ["completion"],
      [],
    ];
    for (const [at, verb] of verbs.entries()) {
      const operand = at % 2 === 0 ? "--help" : "--json";
      refused([...verb, "--", operand], { PATH });
    }
  });

  it("B3 what stands after -- asks for no JSON", () => {
    const { stdout, stderr } = refused(["plan", "--", "--json"]);
    expect({ stdout, stderr }).toEqual({
      stdout: "",
      stderr: expect.stringMatching(/^error UNKNOWN_PLAN/) as string,
    });
  });

  it("B3 an image is no option of docker, and not empty", () => {
    for (const image of ["-f={{.Os}}", "", "a b", "a\nb", "\u202edebian"])
      expect(refused(["sbom", "--", image]).stderr).toContain("It has to be an image");
    expect(refused(["smoke", "--manifest-id", "demo", "--", "-"]).stderr).toContain("It has to be an image");
  });

  it("B3 names of a prototype, huge ones and many of them are only unknown", () => {
    const names = ["__proto__", "constructor", "toString", "x".repeat(120_000), "../../etc/passwd"];
    const verbs = [
      ["plan"],
      ["explain"],
      ["completion"],
      ["records", "show"],
      ["stitch", "--manifest-id"],
      ["run", "--plan"],
      ["run", "--manifest-id", "demo", "--cell"],
      ["plan", "--filter"],
      ["plan", "grid", "--format"],
      ["stitch", "--manifest-id", "demo", "--set"],
    ];
    for (const [at, verb] of verbs.entries()) refused([...verb, names[at % names.length] ?? ""]);
    refused(["run", "--manifest-id", "demo", ...Array<string[]>(5000).fill(["--cell", "none"]).flat()]);
    refused(["plan", "grid", "-o", ""]);
    refused(["stitch", "--manifest-id", "demo", "-o", ""]);
  });

  it("B3 bytes that are no UTF-8 are a name like any other", () => {
    const { status, stderr } = spawnSync(
      "sh",
      ["-c", `exec "$0" "$1" plan "$(printf '\\377\\376')"`, process.execPath, cli],
      {
        cwd: makeWorkspace(),
        env: cleanEnv(),
        encoding: "utf8",
      },
    );
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^error UNKNOWN_PLAN/) as string,
    });
  });
});

describe("what reaches a terminal", { timeout: 60_000 }, () => {
  it.each([
    [],
    ["nonsense"],
    ["plan"],
    ["plan", "grid", "--format"],
    ["plan", "grid", "--since"],
    ["plan", "--filter"],
    ["plan", "grid", "--changed-files-from"],
    ["plan", "grid", "-o"],
    ["plan", "grid", "--shards"],
    ["explain"],
    ["lock", "--manifest-id"],
    ["stitch", "--manifest-id"],
    ["stitch", "--manifest-id", "demo", "--set"],
    ["stitch", "--manifest-id", "demo", "--arg"],
    ["stitch", "--manifest-id", "demo", "-o"],
    ["run", "--plan"],
    ["run", "--manifest-id", "demo", "--cell"],
    ["run", "--manifest-id", "demo", "--shard"],
    ["run", "--manifest-id", "demo", "--jobs"],
    ["sbom"],
    ["records", "show"],
    ["records", "verify"],
    ["records", "list", "--since"],
    ["records", "list", "--manifest-id"],
    ["completion"],
    ["--workspace"],
  ])("B4 hostile text on the command line is made visible: factory %s %s %s", (...argv) => {
    const root = makeWorkspace();
    const env = { FACTORY_REPOSITORY: HOSTILE };
    expect(printed(factory(root, [...argv, HOSTILE], { FORCE_COLOR: "1" }))).not.toMatch(UNSEEN);
    expect(printed(factory(root, ["--json", ...argv, HOSTILE], env))).not.toMatch(UNSEEN);
  });

  it("B4 hostile text in any field of any document is made visible", async () => {
    const documents: Record<string, string> = {
      ...SMALL,
      "control_plane/plans/grid.yaml": `schema_version: 1
plan_id: grid
manifest_id: demo
axes: {core: [0.2.0, 0.1.0]}
exclude:
  - {when: {core: 0.2.0, platform: linux/arm64}, reason: too slow}
expect:
  - {when: {core: 0.1.0}, result: fail, reason: known, owner: us, until: never}
`,
    };
    const cases: [path: string, text: string][] = [];
    for (const [path, text] of Object.entries(documents)) {
      if (!path.endsWith(".yaml")) continue;
      let count = 0;
      visit(parseDocument(text), { Scalar: () => void (count += 1) });
      for (let chosen = 0; chosen < count; chosen += 1) {
        const document = parseDocument(text);
        let at = -1;
        visit(document, {
          Scalar: (_, node) => {
            at += 1;
            if (at === chosen && isScalar(node)) node.value = `${String(node.value)}${HOSTILE}`;
          },
        });
        cases.push([path, document.toString()]);
      }
    }
    expect(cases.length).toBeGreaterThan(60);
    const roots = cases.map(([path, text]) => makeWorkspace({ ...documents, [path]: text }));
    const limit = pLimit(3);
    const commands = [["validate"], ["plan", "grid", "--json"], ["plan", "grid"]];
    let seen = 0;
    await Promise.all(
      roots.map((root, at) =>
        limit(async () => {
          const argv = commands[at % commands.length] ?? [];
          const text = printed(await factoryAtOnce(root, argv, at % 2 === 0 ? { FORCE_COLOR: "1" } : {}));
          expect({ at: cases[at], text: UNSEEN.exec(text)?.[0] }).toEqual({ at: cases[at], text: undefined });
          if (text.includes("\\u202e")) seen += 1;
        }),
      ),
    );
    expect(seen).toBeGreaterThan(20);
  }, 120_000);

  it("B4 what the engine says is made visible", async () => {
    const body = JSON.stringify({ message: `no such image ${HOSTILE}` });
    const DOCKER_HOST = await fakeEngine((socket) =>
      socket.end(
        `HTTP/1.1 500 Error\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ),
    );
    for (const more of [[], ["--json"], ["--verbose"]]) {
      const argv = ["sbom", "debian:bookworm-slim", ...more];
      const ended = await factoryAtOnce(makeWorkspace(), argv, { DOCKER_HOST });
      expect(ended.status).toBe(3);
      expect(printed(ended)).toContain("no such image");
      expect(printed(ended)).not.toMatch(UNSEEN);
    }
  });

  it("B4 what docker's program says is made visible", () => {
    const PATH = fakeDocker(`printf 'no \\342\\200\\256such\\033[8m image\\n' >&2; exit 1`);
    for (const more of [[], ["--json"], ["--verbose"]]) {
      const ended = factory(makeWorkspace(), ["lock", "--manifest-id", "demo", ...more], { PATH });
      expect(ended.status).toBe(3);
      expect(printed(ended)).toContain("such");
      expect(printed(ended)).not.toMatch(UNSEEN);
    }
  });
});

describe("secrets", { timeout: 60_000 }, () => {
  const SECRET = "s3cr3t";
  const printedBy = (argv: readonly string[], env: NodeJS.ProcessEnv) => {
    // Its home may be read-only: buildx would say that before it says anything of the engine.
    const BUILDX_CONFIG = temporaryFolder();
    const { stdout, stderr } = factory(makeWorkspace(), argv, { BUILDX_CONFIG, ...env });
    expect(stdout + stderr).not.toContain(SECRET);
    return stdout + stderr;
  };

  it("B4 a user and a password in an address are never shown", () => {
    const url = `https://me:${SECRET}@host.example/x`;
    // Its port is closed: nothing is looked up.
    const DOCKER_HOST = `tcp://me:${SECRET}@127.0.0.1:9`;
    for (const json of [[], ["--json"]]) {
      expect(printedBy(["plan", "grid", ...json], { FACTORY_REPOSITORY: url })).toContain("***");
      const cache = { FACTORY_CACHE_REPOSITORY: `me:${SECRET}@host.example/x` };
      expect(printedBy(["plan", "grid", ...json], cache)).toContain("***");
      for (const argv of [
        ["sbom", "debian:bookworm-slim"],
        ["run", "--manifest-id", "demo"],
      ])
        expect(printedBy([...argv, ...json], { DOCKER_HOST })).toContain("127.0.0.1:9");
    }
    expect(printedBy(["--verbose", "sbom", url], { DOCKER_HOST })).toContain("ENGINE_UNREACHABLE");
  });
});
