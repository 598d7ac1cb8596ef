import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseReference } from "../../../src/model/image-reference.ts";
import { describeEngine, docker, registry, uniqueName } from "../../engine/engine.ts";
import { canStartEngine, startEmptyEngine } from "../../engine/second-engine.ts";
import { factory, imagesOfTest, makeWorkspace } from "../../engine/run-workspace.ts";
import { tinyBase } from "../../engine/tiny-base.ts";
import type { FactoryRecord, RunEvent } from "../../../src/schemas/types.ts";

interface RunDocument {
  results: { cell_id: string; status: string; record: string; image: { ref: string; digest: string } }[];
  summary: { pass: number };
}

const smoke = "smoke: [{id: there, command: {argv: [cat, /a]}}]\n";

/** A workspace with one cell that is one small file more than its base. */
function workspace(more: { base?: string; cacheRepository?: string } = {}, repository = imagesOfTest()) {
  const root = makeWorkspace(
    {
      base: tinyBase(),
      fragments: { a: { "0.1.0": { body: `RUN echo ${uniqueName("n")} > /a` } } },
      manifest: smoke,
      ...more,
    },
    repository,
  );
  return { root, repository };
}

const run = ["run", "--manifest-id", "app", "--json"];

/** A server on a port of its own, that is gone when the test is over. Gives its address. */
async function serve(server: ReturnType<typeof createTcpServer>): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => undefined));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describeEngine("runs beside each other, and registries that say nothing", () => {
  test("A7 two runs of one cell at once both prove it, round after round", { timeout: 400_000 }, async () => {
    const { root, repository } = workspace({}, imagesOfTest(`${registry}/`));
    for (let round = 0; round < 3; round += 1) {
      const both = await Promise.all([1, 2].map(() => factory(root, [...run, "--push"])));
      for (const { exitCode, stdout, stderr } of both) {
        expect(exitCode, stdout + stderr).toBe(0);
        expect(stdout + stderr).not.toContain("No such image");
        const { results } = JSON.parse(stdout) as RunDocument;
        const record = JSON.parse(
          readFileSync(join(root, results[0]?.record ?? ""), "utf8"),
        ) as FactoryRecord;
        expect(record.result).toMatchObject({ status: "pass", stage: "done" });
        expect(record.image).toMatchObject({ pushed: true });
      }
    }
    const tags = docker(["image", "ls", "--format", "{{.Tag}}", "--filter", `reference=${repository}/*`]);
    expect(tags.split("\n").filter(Boolean)).toEqual(["linux-amd64"]);
  });

  test("A8 a cache port that accepts and never answers holds no build up", { timeout: 200_000 }, async () => {
    const host = await serve(createTcpServer(() => undefined));
    const { root } = workspace({ cacheRepository: `${host}/cache` });
    const { exitCode, stdout, stderr } = await factory(root, run);
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stderr).toContain("building without it");
    const { results } = JSON.parse(stdout) as RunDocument;
    const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
    const bake = readFileSync(join(root, "records/app", record.evidence.bake_file?.path ?? ""), "utf8");
    expect(bake).not.toContain(host);
  });

  test(
    "A5 an image that is gone, whose tag was moved or overwritten, is not taken for there",
    { timeout: 300_000 },
    async () => {
      const { root } = workspace({}, imagesOfTest(`${registry}/`));
      const actionOf = async (...args: string[]) => {
        const { stdout } = await factory(root, [
          "plan",
          "--manifest-id",
          "app",
          "--reuse",
          "--json",
          ...args,
        ]);
        const [cell] = (
          JSON.parse(stdout) as { cells: { action: string; reason: string | null; seen?: string }[] }
        ).cells;
        return [cell?.action, cell?.reason, cell?.seen];
      };
      const rerun = async () => {
        const { exitCode, stdout, stderr } = await factory(root, [...run, "--reuse", "--push"]);
        expect(exitCode, stdout + stderr).toBe(0);
        return (JSON.parse(stdout) as RunDocument).results[0];
      };
      const first = await rerun();
      const { ref = "", digest = "" } = first?.image ?? {};
      expect(await actionOf()).toEqual(["reuse", null, "engine"]);

      // The tag is another image's in the engine, and in the registry.
      docker(["image", "tag", tinyBase(), ref]);
      docker(["image", "push", ref]);
      expect(await actionOf()).toEqual(["retag", "IMAGE", undefined]);
      expect((await rerun())?.status).toBe("reused");
      expect(docker(["image", "inspect", ref, "--format", "{{.Id}}"]).trim()).toBe(digest);
      expect(docker(["buildx", "imagetools", "inspect", ref, "--format", "{{.Manifest.Digest}}"])).toContain(
        digest,
      );

      // Gone here, it is still in the registry; that is enough.
      docker(["image", "rm", "-f", digest]);
      expect(await actionOf()).toEqual(["reuse", null, "registry"]);
      // Overwritten there and gone here, the registry still has it without a tag.
      const overwrite = () => {
        docker(["image", "tag", tinyBase(), ref]);
        docker(["image", "push", ref]);
        docker(["image", "rm", ref]);
      };
      overwrite();
      expect(await actionOf()).toEqual(["retag", "IMAGE", undefined]);
      expect((await rerun())?.status).toBe("reused");
      expect(docker(["buildx", "imagetools", "inspect", ref, "--format", "{{.Manifest.Digest}}"])).toContain(
        digest,
      );
      // Deleted there as well, nobody has it.
      overwrite();
      const { repository } = parseReference(ref);
      const url = `http://${registry}/v2/${repository}/manifests/${digest}`;
      expect((await fetch(url, { method: "DELETE" })).status).toBe(202);
      expect(await actionOf()).toEqual(["build", "IMAGE", undefined]);
      expect((await rerun())?.status).toBe("pass");
    },
  );

  // On an engine of its own: a builder that waits for a registry holds up every build that shares a step with that one.
  test.skipIf(!canStartEngine)(
    "A8 a cache registry that goes silent during the build ends the wait, whatever the builder does then",
    { timeout: 400_000 },
    async () => {
      // The engine ends only when the registry has let its request go: it is started first, and so stopped last.
      const engine = await startEmptyEngine();
      const server = createServer((request, response) => {
        // It says that it is there, and nothing after that.
        if (request.url === "/v2/") response.end("{}");
      });
      const host = await serve(server);
      const { root } = workspace({ base: "debian:bookworm-slim", cacheRepository: `${host}/cache` });
      const file = join(root, "events.ndjson");
      const ended = await factory(root, [...run, "--events", file], { env: { DOCKER_HOST: engine } });
      expect([0, 1], ended.stdout + ended.stderr).toContain(ended.exitCode);
      const events = readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as RunEvent);
      expect(events).toContainEqual(
        expect.objectContaining({ type: "log", line: expect.stringContaining("has not answered") as string }),
      );
      const cell = events.find((event) => event.type === "cell-ended");
      if (ended.exitCode === 1)
        expect(cell).toMatchObject({ status: "error", class: "registry-unavailable" });
      else expect(cell?.notes).toContainEqual(expect.stringContaining("built without it"));
      expect(events.at(-1)).toMatchObject({ type: "run-ended", error: null });
    },
  );
});
