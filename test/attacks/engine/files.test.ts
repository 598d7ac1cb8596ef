import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import {
  describeEngine,
  docker,
  removeImageAfterwards,
  temporaryFolder,
  uniqueName,
} from "../../engine/engine.ts";
import { factory, imagesOfTest, makeWorkspace, project } from "../../engine/run-workspace.ts";
import { canMakeDevices, canMount, mountDisk } from "../machine.ts";

interface Document {
  results: { status: string; record: string; image: { ref: string; digest: string }; notes: string[] }[];
}

const resultOf = (stdout: string) => (JSON.parse(stdout) as Document).results[0];
const fileIn = (digest: string | undefined, path: string) =>
  docker(["run", "--rm", digest ?? "", "cat", path]);

describeEngine("what a build reads", () => {
  it(
    "A2 a file that is swapped while it is built, and put back, changes nothing",
    { timeout: 300_000 },
    async () => {
      const root = makeWorkspace({
        fragments: { app: { "0.1.0": { body: 'RUN echo it runs\nCOPY {{file "data.txt"}} /data.txt' } } },
      });
      const file = join(root, "fragments/app/0.1.0/data.txt");
      writeFileSync(file, "as it was hashed\n");
      chmodSync(file, 0o644);
      const pipe = join(root, "events");
      execFileSync("mkfifo", [pipe]);
      const reader = spawn("cat", [pipe], { stdio: ["ignore", "pipe", "inherit"] });
      onTestFinished(() => void reader.kill());
      // From the moment that the build starts until its first step is done the workspace holds something else.
      let state: "hashed" | "swapped" | "restored" = "hashed";
      let events = "";
      reader.stdout.setEncoding("utf8").on("data", (text: string) => {
        events += text;
        if (state === "hashed" && /"stage-started".*"stage":"build"/.test(events)) {
          renameSync(file, `${file}.kept`);
          writeFileSync(file, "something else\n");
          state = "swapped";
        }
        if (state === "swapped" && /"type":"log".*it runs/.test(events)) {
          renameSync(`${file}.kept`, file);
          state = "restored";
        }
      });
      const run = ["--json", "run", "--manifest-id", "app", "--events", pipe];
      const { stdout, stderr } = await factory(root, run);
      expect(state).toBe("restored");
      expect(resultOf(stdout)?.status, stderr).toBe("pass");
      expect(fileIn(resultOf(stdout)?.image.digest, "/data.txt")).toBe("as it was hashed\n");
    },
  );

  it(
    "A2 a file of the same size and time as one before reaches the builder",
    { timeout: 300_000 },
    async () => {
      const root = makeWorkspace({
        fragments: { app: { "0.1.0": { body: 'COPY {{file "data.txt"}} /data.txt' } } },
      });
      const file = join(root, "fragments/app/0.1.0/data.txt");
      for (const text of ["first\n", "other\n"]) {
        writeFileSync(file, text);
        chmodSync(file, 0o644);
        utimesSync(file, 1e9, 1e9);
        const { stdout } = await factory(root, ["--json", "run", "--manifest-id", "app"]);
        expect(fileIn(resultOf(stdout)?.image.digest, "/data.txt")).toBe(text);
      }
    },
  );

  it(
    "A3 modes in the image are git's two by ONBUILD COPY, a mount, and from there, whatever checkout and run have for an umask",
    { timeout: 400_000 },
    () => {
      const nonce = uniqueName("n");
      const built = [0o022, 0o077, 0o000].map((umask) => {
        const root = makeWorkspace({
          fragments: {
            first: { "0.1.0": { body: 'ONBUILD COPY {{file "tree"}} /onbuild/' } },
            second: {
              "0.1.0": {
                body: `RUN --mount=type=bind,target=/c cp -a /c /mounted && echo ${nonce}-${umask} > /n`,
              },
            },
            third: { "0.1.0": { body: "COPY --from=second /onbuild /mounted /copied/" } },
          },
        });
        const folder = join(root, "fragments/first/0.1.0");
        mkdirSync(join(folder, "tree/sub"), { recursive: true });
        for (const [path, mode] of [
          ["tree", 0o777],
          ["tree/sub", 0o777],
          ["tree/plain", 0o666],
          ["tree/sub/runs", 0o777],
        ] as const) {
          if (mode === 0o666 || path.endsWith("runs")) writeFileSync(join(folder, path), "x\n");
          chmodSync(join(folder, path), mode & ~umask);
        }
        const argv = ["-c", 'umask "$1"; shift; exec "$@"', "sh", umask.toString(8), process.execPath];
        const run = [join(project, "dist/cli.js"), "run", "--manifest-id", "app", "--json", "--quiet"];
        const ended = spawnSync("sh", [...argv, ...run], { cwd: root, encoding: "utf8" });
        expect(ended.status, ended.stdout + ended.stderr).toBe(0);
        const image = resultOf(ended.stdout)?.image.digest ?? "";
        const find = ["find", "/onbuild", "/mounted", "/copied", "-printf", "%m %p\n"];
        return docker(["run", "--rm", image, ...find])
          .split("\n")
          .sort();
      });
      const [first = [], ...others] = built;
      expect(first).toContain("644 /onbuild/plain");
      expect(first).toContain("755 /onbuild/sub/runs");
      expect(first).toContain("755 /mounted");
      expect(first).toContain("644 /mounted/fragments/first/0.1.0/tree/plain");
      expect(first).toContain("755 /copied/fragments/first/0.1.0/tree/sub/runs");
      for (const other of others) expect(other).toEqual(first);
    },
  );

  it.skipIf(!canMount)(
    "B3 a full disk of the workspace ends the run with 3, wherever it fills up, and leaves nothing half-written",
    { timeout: 600_000 },
    async () => {
      const repository = imagesOfTest();
      const made = makeWorkspace(
        {
          fragments: { app: { "0.1.0": { body: `RUN echo ${uniqueName("n")} > /n` } } },
          manifest: "smoke: [{id: there, file: {path: /n}}]\n",
        },
        repository,
      );
      const root = temporaryFolder();
      mountDisk(root, "96m");
      execFileSync("cp", ["-a", `${made}/.`, root]);
      const run = ["--json", "run", "--manifest-id", "app"];
      const fill = join(root, "fill");
      const codes = new Set<number | null>();
      for (const left of [0, 1, 4, 16, 64, 1024, 20_000]) {
        spawnSync("dd", ["if=/dev/zero", `of=${fill}`, "bs=4096"], { stdio: "ignore" });
        truncateSync(fill, Math.max(statSync(fill).size - left * 4096, 0));
        const { exitCode, stdout, stderr } = await factory(root, run);
        codes.add(exitCode);
        if (exitCode !== 0) {
          expect([exitCode, stdout], stderr).toEqual([3, expect.stringContaining("WRITE_FAILED")]);
          expect(stdout).toMatch(/make room/);
        }
        rmSync(fill);
        const verified = await factory(root, ["records", "verify"]);
        expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
        for (const folder of [".factory/run", ".factory/held"].map((name) => join(root, name)))
          expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
      }
      expect(codes).toEqual(new Set([3, 0]));
      const tags = docker(["image", "ls", "--format", "{{.Tag}}", "--filter", `reference=${repository}/*`]);
      expect(tags.split("\n").filter(Boolean)).toEqual(["linux-amd64"]);
    },
  );

  it(
    "B5 a fragment that is a link within the workspace builds, by run and by plain docker build",
    { timeout: 300_000 },
    async () => {
      const root = makeWorkspace({
        fragments: { app: { "0.1.0": { body: 'COPY {{file "data.txt"}} {{file "tree"}} /data/' } } },
      });
      const folder = join(root, "fragments/app");
      writeFileSync(join(folder, "0.1.0/data.txt"), "data\n");
      mkdirSync(join(folder, "0.1.0/tree"));
      writeFileSync(join(folder, "0.1.0/tree/leaf"), "leaf\n");
      mkdirSync(join(root, "vendor"));
      renameSync(folder, join(root, "vendor/app"));
      symlinkSync("../vendor/app", folder);
      expect((await factory(root, ["validate"])).stdout).toContain("valid:");
      const { stdout, stderr } = await factory(root, ["--json", "run", "--manifest-id", "app"]);
      expect(resultOf(stdout)?.status, stderr).toBe("pass");
      expect(fileIn(resultOf(stdout)?.image.digest, "/data/leaf")).toBe("leaf\n");
      expect((await factory(root, ["stitch", "--manifest-id", "app"])).exitCode).toBe(0);
      docker([
        "build",
        "-q",
        "-f",
        join(root, ".factory/stitch/app/Dockerfile"),
        "--output",
        "type=cacheonly",
        root,
      ]);
    },
  );
});

describeEngine("what the engine's answers are written to", () => {
  it.skipIf(!canMakeDevices)(
    "B1 sbom and --events write through devices, pipes and links, and replace none",
    { timeout: 300_000 },
    async () => {
      const out = temporaryFolder();
      const at = (name: string) => join(out, name);
      execFileSync("mknod", ["-m", "0666", at("null"), "c", "1", "3"]);
      execFileSync("mkfifo", [at("pipe")]);
      writeFileSync(at("file"), "old\n");
      symlinkSync("file", at("link"));
      const image = uniqueName("factory-attack-sbom");
      removeImageAfterwards(image);
      docker(["build", "--quiet", "--tag", image, "-"], "FROM debian:bookworm-slim\n");
      const sbom = ["sbom", image, "-o"];
      for (const name of ["null", "link"]) {
        const ended = await factory(out, [...sbom, at(name)]);
        expect(ended.exitCode, ended.stderr).toBe(0);
      }
      expect(lstatSync(at("null")).isCharacterDevice()).toBe(true);
      expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
      expect(JSON.parse(readFileSync(at("file"), "utf8"))).toMatchObject({ bomFormat: "CycloneDX" });
      const reader = spawn("cat", [at("pipe")], { stdio: ["ignore", "pipe", "inherit"] });
      onTestFinished(() => void reader.kill());
      const read = text(reader.stdout);
      expect((await factory(out, [...sbom, at("pipe")])).exitCode).toBe(0);
      expect(JSON.parse(await read)).toMatchObject({ bomFormat: "CycloneDX" });
      expect(lstatSync(at("pipe")).isFIFO()).toBe(true);

      const root = makeWorkspace({
        fragments: { app: { "0.1.0": { body: `RUN echo ${uniqueName("n")} > /n` } } },
      });
      const run = ["run", "--manifest-id", "app", "--quiet", "--events"];
      for (const name of ["null", "link"]) {
        const ended = await factory(root, [...run, at(name)]);
        expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
      }
      expect(lstatSync(at("null")).isCharacterDevice()).toBe(true);
      expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
      expect(readFileSync(at("file"), "utf8")).toMatch(/"type":"run-ended".*\n$/);
      expect(readdirSync(out).sort()).toEqual(["file", "link", "null", "pipe"]);
    },
  );

  it.skipIf(!canMount)(
    "B3 a `.factory` or `records` that is read-only ends a run with 3, before anything is built or when it is recorded",
    { timeout: 300_000 },
    async () => {
      for (const name of [".factory", "records"]) {
        const root = makeWorkspace({
          fragments: { app: { "0.1.0": { body: `RUN echo ${uniqueName("n")} > /n` } } },
        });
        mkdirSync(join(root, name));
        mountDisk(join(root, name), "64k");
        execFileSync("mount", ["-o", "remount,ro", join(root, name)]);
        const { exitCode, stdout, stderr } = await factory(root, ["--json", "run", "--manifest-id", "app"]);
        expect([exitCode, stdout], stderr).toEqual([3, expect.stringContaining("WRITE_FAILED")]);
        expect(stdout).toContain("the file system is read-only");
      }
    },
  );
});

describeEngine("secrets of a run", () => {
  it("B4 of addresses are in no evidence, no record and no event", { timeout: 300_000 }, async () => {
    const secret = uniqueName("s3cr3t");
    const root = makeWorkspace({
      fragments: { app: { "0.1.0": { body: `RUN echo ${uniqueName("n")} > /n` } } },
    });
    const git = (...argv: string[]) => execFileSync("git", ["-C", root, ...argv], { stdio: "ignore" });
    git("init");
    git("remote", "add", "origin", `https://me:${secret}@host.example/x.git`);
    const config = temporaryFolder();
    const proxy = `http://me:${secret}@127.0.0.1:9`;
    // What docker hands to builds and containers of itself.
    writeFileSync(join(config, "config.json"), JSON.stringify({ proxies: { default: { noProxy: proxy } } }));
    const env = {
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: `https://me:${secret}@host.example`,
      GITHUB_REPOSITORY: "a/b",
      GITHUB_RUN_ID: "1",
      DOCKER_CONFIG: config,
    };
    const ended = await factory(
      root,
      ["--json", "--verbose", "run", "--manifest-id", "app", "--events", "events"],
      { env },
    );
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(ended.stdout + ended.stderr).not.toContain(secret);
    const { status, stdout } = spawnSync("grep", ["-rl", secret, "records", ".factory", "events"], {
      cwd: root,
      encoding: "utf8",
    });
    expect([stdout, status]).toEqual(["", 1]);
    expect(readFileSync(join(root, resultOf(ended.stdout)?.record ?? ""), "utf8")).toContain(
      "https://***@host.example/a/b/actions/runs/1",
    );
  });
});
