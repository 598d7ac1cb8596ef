import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { describeEngine, docker } from "../../engine/engine.ts";
import { factory, makeWorkspace } from "../../engine/run-workspace.ts";

interface Document {
  results: { status: string; image: { ref: string; digest: string }; notes: string[] }[];
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
