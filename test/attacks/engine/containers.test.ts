import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { removeOrphans } from "../../../src/smoke/containers.ts";
import { smokeTest } from "../../../src/smoke/smoke.ts";
import { openLease } from "../../../src/tools/lease.ts";
import { describeEngine, docker, uniqueName } from "../../engine/engine.ts";
import { type Ended, factory, imagesOfTest, makeWorkspace, project } from "../../engine/run-workspace.ts";
import { tinyBase } from "../../engine/tiny-base.ts";
import {
  buildService,
  buildUpon,
  containersOf,
  deps,
  removeImages,
  requestFor,
} from "../../fixtures/smoke/service.ts";

const cli = join(project, "dist", "cli.js");
const TIME = { timeout: 300_000 };
const WAIT = { timeout: 120_000, interval: 100 };

/** Whether processes can be started here that see only their own process ids. */
const canUnshare =
  spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"], { stdio: "ignore" }).status === 0;

/** A test of an image that lasts until the file /tmp/go is made in its container. */
const waits = { argv: ["sh", "-c", "until [ -e /tmp/go ]; do sleep 0.1; done"] };

/** A workspace with two cells: the tests of `slow` wait to be told to go on, those of `quick` do not. */
function workspace() {
  const repository = imagesOfTest();
  const body = `RUN echo ${uniqueName("n")} > /a`;
  const smoke = (command: object) =>
    `smoke: [{id: it, timeout_s: 200, command: ${JSON.stringify(command)}}]\n`;
  const root = makeWorkspace(
    {
      base: tinyBase(),
      fragments: {
        core: {
          "0.1.0": { body, yaml: smoke(waits) },
          "0.2.0": { body, yaml: smoke({ argv: ["true"] }) },
        },
      },
      plans: { both: "axes: {core: [0.1.0, 0.2.0]}\n" },
    },
    repository,
  );
  const argv = (version: string) => [
    "run",
    "--plan",
    "both",
    "--cell",
    `app.core-${version}.linux-amd64`,
    "--json",
  ];
  return { root, repository, slow: argv("0.1.0"), quick: argv("0.2.0") };
}

const runFolders = (root: string) =>
  existsSync(join(root, ".factory/run")) ? readdirSync(join(root, ".factory/run")) : [];
const heldNotes = (root: string) =>
  existsSync(join(root, ".factory/held")) ? readdirSync(join(root, ".factory/held")) : [];

/** Waits until the one run in a workspace tests its image. Gives its owner, as containers name it, and its container. */
async function testing(root: string): Promise<{ owner: string; container: string }> {
  let owner = "";
  await vi.waitUntil(() => {
    const [folder] = runFolders(root);
    const file = join(root, ".factory/run", folder ?? "", "owner");
    owner = folder !== undefined && existsSync(file) ? readFileSync(file, "utf8") : "";
    return owner !== "" && running(owner).length === 1;
  }, WAIT);
  return { owner, container: running(owner)[0] ?? "" };
}

function running(owner: string): string[] {
  return docker(["ps", "--quiet", "--filter", `label=io.factory.owner=${owner}`])
    .split("\n")
    .filter(Boolean);
}

/** `factory ARGS` in a PID namespace of its own, under the same host name. */
function factoryElsewhere(cwd: string, args: string[]): Promise<Pick<Ended, "exitCode" | "stdout">> {
  const flags = ["--pid", "--fork", "--mount-proc", "--kill-child"];
  const env = { ...process.env, FACTORY_REPOSITORY: "", FACTORY_CACHE_REPOSITORY: "", FACTORY_WORKSPACE: "" };
  const child = spawn("unshare", [...flags, process.execPath, cli, ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  return new Promise((done) => child.on("close", (exitCode) => done({ exitCode, stdout })));
}

const resultOf = (stdout: string) =>
  (JSON.parse(stdout) as { results: { status: string; image: { ref: string; digest: string } | null }[] })
    .results[0];

describeEngine("A6 runs beside each other", () => {
  test.skipIf(!canUnshare)(
    "A6 a live run in another PID namespace of the same host name keeps its container, its folder and its image",
    TIME,
    async () => {
      const { root, slow, quick } = workspace();
      const elsewhere = factoryElsewhere(root, slow);
      const { owner, container } = await testing(root);
      const [folder = ""] = runFolders(root);
      const held = heldNotes(root);
      // Here its process id is that of another process, or of none.
      expect(openLease().stateOf(owner)).toBe("unknown");
      for (const at of [root, workspace().root]) {
        const ended = await factory(at, quick);
        expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
      }
      expect(running(owner)).toEqual([container]);
      expect(runFolders(root)).toEqual([folder]);
      expect(heldNotes(root)).toEqual(held);
      docker(["exec", container, "touch", "/tmp/go"]);
      const { exitCode, stdout } = await elsewhere;
      expect(exitCode, stdout).toBe(0);
      expect(resultOf(stdout)?.status).toBe("pass");
      expect([containersOf(owner), runFolders(root), heldNotes(root)]).toEqual([[], [], []]);
    },
  );

  test(
    "A6 what a killed run left is swept by the next: its container, its folder and its image",
    TIME,
    async () => {
      const { root, repository, slow, quick } = workspace();
      let pid = 0;
      const killed = factory(root, slow, { onStart: (started) => (pid = started) });
      const { owner } = await testing(root);
      process.kill(pid, "SIGKILL");
      expect((await killed).signal).toBe("SIGKILL");
      expect([runFolders(root).length, heldNotes(root).length]).toEqual([1, 1]);
      const next = await factory(root, quick);
      expect(next.exitCode, next.stdout + next.stderr).toBe(0);
      // Every run on this engine sweeps containers: that of another test may be removing this one right now.
      await vi.waitUntil(() => containersOf(owner).length === 0, WAIT);
      // Its image could not be let go before that; then the run after it does so.
      if (heldNotes(root).length > 0) await factory(root, quick);
      expect([runFolders(root), heldNotes(root)]).toEqual([[], []]);
      const tags = docker(["image", "ls", "--format", "{{.Tag}}", "--filter", `reference=${repository}/*`]);
      expect(tags.split("\n").filter(Boolean)).toEqual(["core-0.2.0.linux-amd64"]);
    },
  );

  test("A7 a tag that is moved and removed while tests run takes no image away", TIME, async () => {
    const { root, slow } = workspace();
    const run = factory(root, slow);
    const { container } = await testing(root);
    const [held = ""] = heldNotes(root);
    const [private_ = ""] = readFileSync(join(root, ".factory/held", held), "utf8").split("\n");
    const ref = private_.replace(/:.*/, ":core-0.1.0.linux-amd64");
    docker(["image", "tag", tinyBase(), ref]);
    docker(["image", "rm", ref]);
    docker(["exec", container, "touch", "/tmp/go"]);
    const { exitCode, stdout, stderr } = await run;
    expect(exitCode, stdout + stderr).toBe(0);
    const { image } = resultOf(stdout) ?? {};
    expect(image?.ref).toBe(ref);
    expect(docker(["image", "inspect", ref, "--format", "{{.Id}}"]).trim()).toBe(image?.digest);
  });
});

describeEngine("A6 containers of one suite", () => {
  const images: string[] = [];
  let service = "";
  let silent = "";
  beforeAll(() => {
    service = buildService();
    silent = buildUpon(service, 'ENTRYPOINT ["/bin/sleep", "300"]');
    images.push(service, silent);
  }, 200_000);
  afterAll(() => removeImages(images));

  const attacks: [string, string[]][] = [
    ["killed", ["kill"]],
    ["told to end", ["stop", "--time", "1"]],
    ["removed", ["rm", "--force", "--volumes"]],
    ["paused", ["pause"]],
  ];
  const kinds: [string, object][] = [
    ["a command", { command: { argv: ["sleep", "300"] } }],
    ["a service", { http: { port: 8080, path: "/" } }],
  ];
  test.for(
    kinds.flatMap(([kind, declared]) => attacks.map(([how, argv]) => ({ kind, declared, how, argv }))),
  )(
    "A6 the container of $kind that is $how from outside is an error, never a fail",
    TIME,
    async ({ declared, argv }) => {
      const request = requestFor(silent, [{ id: "it", timeout_s: 10, ...declared }]);
      const report = smokeTest(request, deps);
      await vi.waitUntil(() => running(request.owner).length === 1, { ...WAIT, interval: 20 });
      docker([...argv, running(request.owner)[0] ?? ""]);
      const { status, tests } = await report;
      expect(tests[0]?.actual).toMatch(/and not by this run/);
      expect({ status, test: tests[0]?.status }).toEqual({ status: "error", test: "error" });
      expect(containersOf(request.owner)).toEqual([]);
    },
  );

  test(
    "A6 what belongs to an owner of whom nothing is known goes when its time is over, and no sooner",
    TIME,
    async () => {
      const [, , , place = ""] = openLease().owner.split(".");
      const start = (life: string) => {
        const owner = `${uniqueName("x").slice(-10)}000000.1.1.${place}0`;
        const labels = ["--label", `io.factory.owner=${owner}`, "--label", `io.factory.life-s=${life}`];
        docker(["run", "--detach", ...labels, silent]);
        onTestFinished(
          () =>
            void spawnSync("docker", ["rm", "--force", "--volumes", ...containersOf(owner)], {
              stdio: "ignore",
            }),
        );
        return owner;
      };
      const [late, early] = [start("0"), start("900")];
      const { stateOf } = openLease();
      await vi.waitUntil(async () => {
        await removeOrphans(deps.docker, stateOf);
        return containersOf(late).length === 0;
      }, WAIT);
      expect(containersOf(early)).toHaveLength(1);
    },
  );

  test("A7 two suites of one image at once both pass, and leave nothing", TIME, async () => {
    const declared = [
      { id: "index", http: { port: 8080, path: "/" } },
      { id: "runs", command: { argv: ["true"] } },
      { id: "again", command: { argv: ["true"] } },
    ];
    const requests = [requestFor(service, declared), requestFor(service, declared)];
    const reports = await Promise.all(requests.map((request) => smokeTest(request, deps)));
    expect(reports.map(({ status }) => status)).toEqual(["pass", "pass"]);
    expect(requests.map(({ owner }) => containersOf(owner))).toEqual([[], []]);
  });
});
