import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import {
  type Files,
  cleanEnv,
  cli,
  factory,
  makeWorkspace,
  temporaryFolder,
  treeOf,
} from "../unit/workspace.ts";
import { canMakeDevices, canMount, mountDisk } from "./machine.ts";

const itWithDevices = it.skipIf(!canMakeDevices);
const itWithMounts = it.skipIf(!canMount);

const NOWHERE = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
/** One that hangs is killed, and its status is null. */
const BOUND = { timeout: 120_000, killSignal: "SIGKILL" } as const;

/** Runs the program, within bounds. */
function bounded(cwd: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...argv], {
    cwd,
    env: cleanEnv({ ...NOWHERE, ...env }),
    encoding: "utf8",
    input: "",
    ...BOUND,
  });
  return { status, stdout, stderr };
}

/** The same beside others. */
async function boundedAtOnce(cwd: string, argv: readonly string[]) {
  const child = spawn(process.execPath, [cli, ...argv], { cwd, env: cleanEnv(NOWHERE), ...BOUND });
  child.stdin.end();
  child.stdout.resume();
  const said = text(child.stderr);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stderr: await said };
}

function fifo(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  execFileSync("mkfifo", [path]);
}

/** A workspace on a disk of this size. Call it inside a test. */
function mounted(size: string, changes: Files = {}): string {
  const root = temporaryFolder();
  mountDisk(root, size);
  execFileSync("cp", ["-a", `${makeWorkspace(changes)}/.`, root]);
  return root;
}

const STITCH = ["stitch", "--manifest-id", "demo"];
const rendered = (root: string) => `${factory(root, [...STITCH, "-o", "-"]).stdout.trimEnd()}\n`;

/** The ways to write a result without an engine, and what each writes. */
const WRITERS: [string, string[]][] = [
  ["stitch", STITCH],
  ["plan", ["plan", "grid"]],
  ["plan --format json", ["plan", "grid", "--format", "json"]],
  ["plan --format bake", ["plan", "grid", "--format", "bake"]],
];

describe("-o PATH", () => {
  itWithDevices.each(WRITERS)("B1 %s writes through a device, and never replaces it", (_, argv) => {
    const root = makeWorkspace();
    const out = temporaryFolder();
    const device = join(out, "null");
    execFileSync("mknod", ["-m", "0666", device, "c", "1", "3"]);
    symlinkSync("null", join(out, "link"));
    for (const name of ["null", "link"]) {
      expect(bounded(root, [...argv, "-o", join(out, name)])).toMatchObject({ status: 0 });
      expect(lstatSync(device).isCharacterDevice()).toBe(true);
      // Nothing lies beside it either: no temporary file, no Dockerfile.dockerignore.
      expect(readdirSync(out)).toEqual(["link", "null"]);
      expect(lstatSync(join(out, "link")).isSymbolicLink()).toBe(true);
    }
  });

  it.each(WRITERS)("B1 %s writes into a pipe", async (_, argv) => {
    const root = makeWorkspace();
    const pipe = join(temporaryFolder(), "pipe");
    fifo(pipe);
    const reader = spawn("cat", [pipe], { stdio: ["ignore", "pipe", "inherit"] });
    const read = text(reader.stdout);
    const child = spawn(process.execPath, [cli, ...argv, "-o", pipe], {
      cwd: root,
      env: cleanEnv(),
      stdio: "ignore",
    });
    const [status] = (await once(child, "exit")) as [number | null];
    expect(status).toBe(0);
    const file = join(temporaryFolder(), "file");
    factory(root, [...argv, "-o", file]);
    expect(await read).toBe(readFileSync(file, "utf8"));
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(readdirSync(dirname(pipe))).toEqual(["pipe"]);
  });

  it("B1 a process substitution and what is open get the text", () => {
    const root = makeWorkspace();
    const shell = (script: string) =>
      spawnSync("bash", ["-c", script, "-", process.execPath, cli], {
        cwd: root,
        env: cleanEnv(),
        encoding: "utf8",
      });
    const wanted = rendered(root);
    const substituted = shell(
      '"$1" "$2" stitch --manifest-id demo -o >(cat >got; touch done); until [ -e done ]; do :; done',
    );
    expect(substituted.status).toBe(0);
    expect(readFileSync(join(root, "got"), "utf8")).toBe(wanted);
    expect(existsSync(join(root, "got.dockerignore"))).toBe(false);
    // What the shell has open is added to: neither cut nor replaced.
    const opened = shell(
      'exec 7>kept; echo first >&7; "$1" "$2" stitch --manifest-id demo -o /dev/fd/7; echo last >&7',
    );
    expect(opened.status).toBe(0);
    expect(readFileSync(join(root, "kept"), "utf8")).toBe(`first\n${wanted}last\n`);
    const out = shell('"$1" "$2" stitch --manifest-id demo -o /dev/stdout >all');
    expect(out.status).toBe(0);
    expect(readFileSync(join(root, "all"), "utf8")).toContain(`${wanted}`);
    expect(shell('"$1" "$2" stitch --manifest-id demo -o /dev/fd/9').status).toBe(3);
  });

  it("B1 a link to a file stays, and the file behind it gets the text whole", () => {
    const root = makeWorkspace();
    const out = temporaryFolder();
    mkdirSync(join(out, "deep"));
    writeFileSync(join(out, "deep/file"), "old\n");
    symlinkSync("deep/file", join(out, "one"));
    symlinkSync("one", join(out, "two"));
    expect(factory(root, [...STITCH, "-o", join(out, "two")]).status).toBe(0);
    expect(lstatSync(join(out, "two")).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(out, "one")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(out, "deep/file"), "utf8")).toBe(rendered(root));
    expect(readdirSync(join(out, "deep"))).toEqual(["file"]);
    expect(factory(root, [...STITCH, "-o", join(out, "two"), "--check"]).status).toBe(0);
    // As a shell does it: a link to nothing makes what it points at.
    symlinkSync("deep/new", join(out, "three"));
    expect(factory(root, [...STITCH, "-o", join(out, "three")]).status).toBe(0);
    expect(readFileSync(join(out, "deep/new"), "utf8")).toBe(rendered(root));
  });

  it("B3 what cannot be written ends with a clear error, and loses nothing", () => {
    const root = makeWorkspace();
    const out = temporaryFolder();
    mkdirSync(join(out, "folder"));
    writeFileSync(join(out, "file"), "mine\n");
    symlinkSync("loop", join(out, "loop"));
    const before = treeOf(out);
    for (const [path, words] of [
      ["folder", "it is a folder"],
      ["file/below", "a part of the path is a file"],
      ["loop", "form a loop"],
      ["x".repeat(300), "name too long"],
    ] as const) {
      const { status, stderr } = bounded(root, [...STITCH, "-o", join(out, path)]);
      expect([status, stderr]).toEqual([3, expect.stringContaining("error WRITE_FAILED: cannot write")]);
      expect(stderr).toContain(words);
      expect(treeOf(out)).toBe(before);
    }
  });

  it.skipIf(!existsSync("/dev/full")).each(WRITERS)("B3 %s to a full device ends with 3", (_, argv) => {
    const { status, stderr } = bounded(makeWorkspace(), [...argv, "-o", "/dev/full"]);
    expect(stderr).toContain("error WRITE_FAILED: cannot write /dev/full: ENOSPC");
    expect(status).toBe(3);
    expect(lstatSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  itWithMounts("B3 a full disk keeps the old file whole", () => {
    const root = makeWorkspace();
    const out = temporaryFolder();
    mountDisk(out, "64k");
    writeFileSync(join(out, "Dockerfile"), "old\n");
    spawnSync("dd", ["if=/dev/zero", `of=${join(out, "fill")}`, "bs=4096"], { stdio: "ignore" });
    const { status, stderr } = bounded(root, [...STITCH, "-o", join(out, "Dockerfile")]);
    expect([status, stderr]).toEqual([3, expect.stringContaining("make room on the disk")]);
    expect(readFileSync(join(out, "Dockerfile"), "utf8")).toBe("old\n");
    expect(readdirSync(out).sort()).toEqual(["Dockerfile", "fill"]);
  });

  it("B1 a pipe that nobody reads is waited for, and a signal ends that at once", async () => {
    const root = makeWorkspace();
    const pipe = join(temporaryFolder(), "pipe");
    fifo(pipe);
    const child = spawn(process.execPath, [cli, "--verbose", "plan", "grid", "-o", pipe], {
      cwd: root,
      env: cleanEnv(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said = text(child.stderr);
    const ended = once(child, "exit");
    // Until it listens a signal would end it in any case: it is sent again and again.
    const timer = setInterval(() => child.kill("SIGTERM"), 300);
    const [status, signal] = (await ended) as [number | null, string | null];
    clearInterval(timer);
    expect(status === 130 || signal === "SIGTERM").toBe(true);
    expect(await said).not.toContain("INTERNAL");
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });
});

describe("what is no regular file", () => {
  const REUSE = ["plan", "grid", "--reuse"];
  const BAKE = ["plan", "grid", "--format", "bake"];
  const RUN = ["run", "--manifest-id", "demo"];
  const VERIFY = ["records", "verify"];
  /** Where it lies, and commands that come by there. */
  const PLACES: [string, string[][]][] = [
    ["factory.yaml", [["validate"], STITCH]],
    [
      "factory.lock",
      [
        ["lock", "--check"],
        ["plan", "grid", "--locked"],
      ],
    ],
    ["manifests/demo.yaml", [["validate"], STITCH]],
    ["manifests/other.yaml", [["validate"]]],
    ["control_plane/plans/grid.yaml", [["plan", "grid"]]],
    ["control_plane/products", [["validate"]]],
    ["fragments/app/0.1.0/fragment.yaml", [["validate"]]],
    ["fragments/app/0.1.0/Dockerfile.hbs", [STITCH]],
    ["fragments/app/0.1.0/data/a.txt", [STITCH, RUN]],
    ["fragments/app/0.1.0/data", [["validate"]]],
    ["fragments/odd", [["validate"]]],
    ["templates/demo/0.1.0/Dockerfile.hbs", [["validate"]]],
    ["records", [["records", "list"], REUSE]],
    ["records/demo", [["records", "list"], VERIFY, REUSE]],
    ["records/demo/20260101t000000000z-00000001.json", [["records", "list"], VERIFY, REUSE]],
    [".factory", [STITCH, REUSE]],
    [".factory/records", [REUSE]],
    [".factory/records/demo.ndjson", [REUSE]],
    [".factory/stitch/demo/Dockerfile", [STITCH, [...STITCH, "--check"]]],
    [".factory/plan/grid/demo_core-0-2-0_linux-amd64.Dockerfile", [BAKE]],
    [".factory/run", [RUN]],
    [".factory/run/20260101t000000000z-0123abcd-12/owner", [RUN]],
    [".factory/held", [RUN]],
    [".factory/held/factory-run-mjvi0000-0123abcd", [RUN]],
    [".factory/layers", [RUN]],
    ["manifests", [["validate"], STITCH]],
    ["fragments", [["validate"], STITCH]],
    ["fragments/app", [["validate"], STITCH]],
    ["fragments/app/0.1.0", [["validate"], STITCH]],
    ["templates/plain", [["validate"], STITCH]],
    ["templates/plain/0.1.0/template.yaml", [["validate"], STITCH]],
    ["control_plane", [["validate"], ["plan", "grid"], ["explain", "grid"]]],
    ["control_plane/pools", [["validate"], ["plan", "grid", "--format", "github"]]],
    ["control_plane/pools/default.yaml", [["validate"], ["plan", "grid", "--format", "github"]]],
    ["records/demo/evidence", [VERIFY, REUSE]],
    ["records/demo/ledger", [VERIFY, REUSE]],
    ["records/demo/ledger/20260101t000000000z-0123abcd.ndjson", [VERIFY, REUSE]],
    [".git", [["plan", "grid", "--since", "main"], RUN]],
    [".git/HEAD", [["plan", "grid", "--since", "main"], RUN]],
  ];

  const make: Record<string, (path: string) => void> = {
    pipe: fifo,
    "link to /dev/zero": (path) => symlinkSync("/dev/zero", path),
    "link to itself": (path) => symlinkSync(path, path),
  };

  describe.each(Object.keys(make))("a %s", (kind) => {
    it.each(PLACES)(
      "B1 at %s ends every command, with a clear error or without one",
      { timeout: 600_000 },
      async (place, commands) => {
        // Each meets it in a workspace of its own; what waits for it to answer does so beside the others.
        const ends = commands.map(async (argv) => {
          const root = makeWorkspace();
          const path = join(root, place);
          mkdirSync(dirname(path), { recursive: true });
          rmSync(path, { recursive: true, force: true });
          make[kind]?.(path);
          const { status, stderr } = await boundedAtOnce(root, argv);
          expect([0, 1, 2, 3], `${argv.join(" ")}: ${stderr}`).toContain(status);
          expect(stderr).not.toContain("INTERNAL");
        });
        await Promise.all(ends);
      },
    );
  });

  it("B1 a list of changed files is read from a file, a substitution and stdin, and from nothing else", () => {
    const root = makeWorkspace();
    const list = join(temporaryFolder(), "list");
    const asked = (file: string) => bounded(root, ["plan", "grid", "--changed-files-from", file]);
    writeFileSync(list, "fragments/app/0.1.0/data/a.txt\n");
    expect(asked(list).stdout).toContain("FILES app fragments/app/0.1.0/data/a.txt");
    const shell = (script: string) =>
      spawnSync("bash", ["-c", script, "-", process.execPath, cli], {
        cwd: root,
        env: cleanEnv(),
        encoding: "utf8",
      });
    for (const script of [
      '"$1" "$2" plan grid --changed-files-from <(echo fragments/app/0.1.0/data/a.txt)',
      'echo fragments/app/0.1.0/data/a.txt | "$1" "$2" plan grid --changed-files-from -',
    ])
      expect(shell(script).stdout).toContain("FILES app fragments/app/0.1.0/data/a.txt");
    const pipe = join(temporaryFolder(), "pipe");
    fifo(pipe);
    for (const odd of [pipe, "/dev/zero", root, "/nowhere/list"]) {
      const { status, stderr } = asked(odd);
      expect([status, stderr]).toEqual([
        2,
        expect.stringContaining(`error FILE_UNREADABLE: cannot read ${odd}`),
      ]);
    }
    const endless = shell('"$1" "$2" plan grid --changed-files-from - </dev/zero');
    expect([endless.status, endless.stderr]).toEqual([2, expect.stringContaining("error FILE_TOO_LARGE")]);
  });
});

describe("what lies outside", () => {
  /** Each verb, in the ways that lead it by different places. */
  const COMMANDS = [
    ["records", "list"],
    ["records", "show", "20260101t000000000z-00000001"],
    ["records", "verify"],
    ["plan", "grid", "--reuse"],
    ["plan", "grid"],
    ["plan", "grid", "--format", "bake", "-o", "-"],
    ["explain", "grid"],
    ["lock"],
    ["lock", "--check"],
    STITCH,
    [...STITCH, "-o", "-"],
    [...STITCH, "--check"],
    ["validate"],
    ["run", "--manifest-id", "demo"],
    ["run", "--plan", "grid", "--reuse"],
    ["smoke", "debian:bookworm-slim", "--manifest-id", "demo"],
  ];

  it.each(["records", ".factory"])("B1 `%s` linked outward is refused by all commands alike", (name) => {
    const root = makeWorkspace();
    const outside = temporaryFolder();
    for (const target of [outside, join(outside, "nothing")]) {
      rmSync(join(root, name), { force: true });
      symlinkSync(target, join(root, name));
      for (const argv of COMMANDS) {
        const { status, stderr } = bounded(root, argv);
        expect(stderr, argv.join(" ")).toContain(`error FILE_OUTSIDE: ${name} leads out of the workspace`);
        expect(status).toBe(2);
      }
    }
    expect(readdirSync(outside)).toEqual([]);
  });

  it("B1 `records` and `.factory` may be links within the workspace", () => {
    const root = makeWorkspace();
    mkdirSync(join(root, "kept"));
    for (const name of ["records", ".factory"]) symlinkSync("kept", join(root, name));
    expect(factory(root, STITCH).status).toBe(0);
    expect(readFileSync(join(root, "kept/stitch/demo/Dockerfile"), "utf8")).toBe(rendered(root));
    expect(factory(root, ["records", "list"]).status).toBe(0);
  });

  it.each([
    [".factory/stitch", STITCH],
    [".factory/stitch/demo", STITCH],
    [".factory/stitch/demo/Dockerfile", STITCH],
    [".factory/plan", ["plan", "grid", "--format", "bake"]],
    [".factory/plan/grid", ["plan", "grid", "--format", "bake"]],
    [".factory/run", ["run", "--manifest-id", "demo"]],
    [".factory/layers", ["run", "--manifest-id", "demo"]],
  ])("B1 nothing is written behind a link at %s", (place, argv) => {
    const root = makeWorkspace();
    const outside = temporaryFolder();
    writeFileSync(join(outside, "Dockerfile"), "mine\n");
    const before = treeOf(outside);
    mkdirSync(dirname(join(root, place)), { recursive: true });
    symlinkSync(place.endsWith("Dockerfile") ? join(outside, "Dockerfile") : outside, join(root, place));
    const { status, stderr } = bounded(root, argv);
    expect([status, stderr]).toEqual([2, expect.stringContaining(`error FILE_OUTSIDE: ${place} leads out`)]);
    expect(treeOf(outside)).toBe(before);
  });
});

describe("what may not be written", () => {
  it.each(["records", ".factory"])("B3 `%s` as a file ends with 2", (name) => {
    const root = makeWorkspace({ [name]: "mine\n" });
    for (const argv of [
      ["records", "list"],
      ["plan", "grid", "--reuse"],
      STITCH,
      ["run", "--manifest-id", "demo"],
    ]) {
      const { status, stderr } = bounded(root, argv);
      expect([status, stderr]).toEqual([
        2,
        expect.stringContaining(`error FILE_UNREADABLE: ${name} is not a folder`),
      ]);
    }
    expect(readFileSync(join(root, name), "utf8")).toBe("mine\n");
  });

  itWithMounts("B3 a read-only workspace ends with 3 where something is to be written, else it works", () => {
    const root = mounted("2m");
    const lock = `schema_version: 1\n`;
    writeFileSync(join(root, "changed"), lock);
    execFileSync("mount", ["-o", "remount,ro", root]);
    for (const argv of [
      ["validate"],
      ["plan", "grid"],
      ["records", "list"],
      ["records", "verify"],
      [...STITCH, "-o", "-"],
    ])
      expect([argv, bounded(root, argv)]).toMatchObject([argv, { status: 0 }]);
    for (const argv of [STITCH, ["plan", "grid", "--format", "bake"]]) {
      const { status, stderr } = bounded(root, argv);
      expect([status, stderr]).toEqual([3, expect.stringContaining("the file system is read-only")]);
    }
  });
});
