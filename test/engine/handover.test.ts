import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { familyOf } from "../unit/parents-made.ts";
import { temporaryFolder } from "../unit/workspace.ts";
import { describeEngine, docker, registry, removeImageAfterwards, uniqueName } from "./engine.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";
import { canStartEngine, startEmptyEngine } from "./second-engine.ts";
import { tinyBase } from "./tiny-base.ts";

interface Saved {
  ref: string;
  digest: string;
  record_id: string;
  file: string;
  bytes: number;
}

const CELL = "app.linux-amd64";

/** A workspace with one cell. */
function workspace(repository = imagesOfTest()): string {
  const nonce = uniqueName("nonce");
  return makeWorkspace(
    {
      fragments: { core: { "0.1.0": { body: `RUN --network=none echo ${nonce} > /core` } } },
      base: tinyBase(),
      manifest: "smoke: [{id: there, file: {path: /core, exists: true}}]\n",
    },
    repository,
  );
}

/** `factory ARGS --json`, which has to end well. */
async function ok<T>(root: string, args: string[], env: Record<string, string> = {}): Promise<T> {
  const { exitCode, stdout, stderr } = await factory(root, [...args, "--json"], { env });
  expect(exitCode, stderr + stdout).toBe(0);
  return JSON.parse(stdout) as T;
}

/** The same workspace on another machine: without records and without what Factory keeps. */
function elsewhere(root: string): string {
  const other = temporaryFolder();
  cpSync(root, other, {
    recursive: true,
    filter: (path) => !/\/(\.factory|records)$/.test(path.slice(root.length)),
  });
  return other;
}

describeEngine("handover by a file", () => {
  test.skipIf(!canStartEngine)(
    "an engine without any network gets image and proof from the file, and a run there builds and asks nothing",
    { timeout: 300_000 },
    async () => {
      const root = workspace();
      await ok(root, ["run", "--manifest-id", "app"]);
      await ok(root, ["lock"]);
      const file = join(temporaryFolder(), "image.tar");
      const saved = await ok<Saved>(root, ["save", "--cell", CELL, "--locked", "-o", file]);
      expect(saved).toMatchObject({ ref: `localhost/factory-handover:${CELL}`, file });

      const away = { DOCKER_HOST: await startEmptyEngine({ offline: true }) };
      const other = elsewhere(root);
      const loaded = await ok<{ digest: string; record_id: string; tags: string[] }>(
        other,
        ["load", file],
        away,
      );
      expect(loaded).toMatchObject({ digest: saved.digest, record_id: saved.record_id });
      for (const tag of loaded.tags) {
        const argv = ["image", "inspect", "--format", "{{.Id}}", tag];
        const env = { ...process.env, ...away };
        expect(spawnSync("docker", argv, { env, encoding: "utf8" }).stdout.trim()).toBe(saved.digest);
      }
      const { results } = await ok<{ results: object[] }>(
        other,
        ["run", "--manifest-id", "app", "--cell", CELL, "--reuse", "--locked"],
        away,
      );
      expect(results).toEqual([
        expect.objectContaining({ cell_id: CELL, status: "reused", record_id: saved.record_id }),
      ]);
      const verified = await ok<{ checked: number; problems: [] }>(other, ["records", "verify"]);
      expect(verified).toMatchObject({ checked: 1, problems: [] });
      // What was handed over can be handed on, as the same bytes.
      const again = join(temporaryFolder(), "again.tar");
      await ok(other, ["save", "--cell", CELL, "--locked", "-o", again], away);
      expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
    },
  );

  test("what nothing proves is not saved, and it is said what to run", { timeout: 120_000 }, async () => {
    const root = workspace();
    const folder = temporaryFolder();
    const { exitCode, stdout } = await factory(root, [
      "save",
      "--cell",
      CELL,
      "-o",
      join(folder, "x.tar"),
      "--json",
    ]);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "CELL_UNPROVEN", fix: `run \`factory run --manifest-id app --cell ${CELL}\`` },
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test(
    "the same bytes each time, through a pipe too; a full disk leaves nothing, and other tools read the file",
    { timeout: 180_000 },
    async () => {
      const root = workspace();
      await ok(root, ["run", "--manifest-id", "app"]);
      const folder = temporaryFolder();
      const [file, second, pipe] = ["a.tar", "b.tar", "pipe"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      const save = (to: string) => ok<Saved>(root, ["save", "--cell", CELL, "-o", to]);
      const { digest, bytes, ref } = await save(file);
      expect(statSync(file).size).toBe(bytes);
      await save(second);
      expect(readFileSync(second).equals(readFileSync(file))).toBe(true);
      execFileSync("mkfifo", [pipe]);
      const read = buffer(spawn("cat", [pipe]).stdout);
      await save(pipe);
      expect((await read).equals(readFileSync(file))).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(["a.tar", "b.tar", "pipe"]);
      expect(existsSync(join(root, ".factory/run")) ? readdirSync(join(root, ".factory/run")) : []).toEqual(
        [],
      );

      const full = await factory(root, ["save", "--cell", CELL, "-o", "/dev/full", "--json"]);
      expect(full.exitCode).toBe(3);
      expect(JSON.parse(full.stdout)).toMatchObject({ error: { code: "WRITE_FAILED" } });

      docker(["load", "--quiet", "--input", file]);
      removeImageAfterwards(ref);
      expect(docker(["image", "inspect", "--format", "{{.Id}}", ref]).trim()).toBe(digest);
      const listed = spawnSync("tar", ["--list", "--file", file], { encoding: "utf8" });
      expect(listed.stdout.split("\n").slice(0, 2)).toEqual(["oci-layout", "index.json"]);
      const [named] = JSON.parse(
        execFileSync("tar", ["--extract", "--to-stdout", "--file", file, "manifest.json"], {
          encoding: "utf8",
        }),
      ) as { RepoTags: string[] }[];
      expect(named?.RepoTags).toEqual([ref]);
    },
  );

  test("oras finds the record of the image in the file", { timeout: 120_000 }, async (context) => {
    context.skip(spawnSync("oras", ["version"]).status !== 0, "oras is not installed");
    const root = workspace();
    await ok(root, ["run", "--manifest-id", "app"]);
    const file = join(temporaryFolder(), "image.tar");
    await ok<Saved>(root, ["save", "--cell", CELL, "-o", file]);
    const argv = ["discover", "--oci-layout", `${file}:${CELL}`, "--format", "json"];
    const found = execFileSync("oras", argv, { encoding: "utf8" });
    expect(found).toContain("application/vnd.factory.record.v2");
  });

  test(
    "an image that only its registry has is saved from there, and the engine stays as it is",
    { timeout: 180_000 },
    async () => {
      const root = workspace(imagesOfTest(`${registry}/`));
      const { results } = await ok<{ results: { image: { ref: string; digest: string } }[] }>(root, [
        "run",
        "--manifest-id",
        "app",
        "--push",
      ]);
      const { ref, digest } = results[0]?.image ?? { ref: "", digest: "" };
      const folder = temporaryFolder();
      const save = (name: string) => ok<Saved>(root, ["save", "--cell", CELL, "-o", join(folder, name)]);
      await save("engine.tar");
      docker(["image", "rm", "--force", ref]);
      expect((await save("registry.tar")).digest).toBe(digest);
      expect(
        readFileSync(join(folder, "registry.tar")).equals(readFileSync(join(folder, "engine.tar"))),
      ).toBe(true);
      expect(spawnSync("docker", ["image", "inspect", digest]).status).not.toBe(0);
    },
  );

  test(
    "an image that is in no place any more is named, with what makes it",
    { timeout: 120_000 },
    async () => {
      const root = workspace();
      const { results } = await ok<{ results: { image: { ref: string } }[] }>(root, [
        "run",
        "--manifest-id",
        "app",
      ]);
      docker(["image", "rm", "--force", results[0]?.image.ref ?? ""]);
      const file = join(temporaryFolder(), "image.tar");
      const { exitCode, stdout } = await factory(root, ["save", "--cell", CELL, "-o", file, "--json"]);
      expect(exitCode).toBe(3);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "IMAGE_NOT_FOUND" } });
      expect(existsSync(file)).toBe(false);
    },
  );

  test.skipIf(!canStartEngine)(
    "a cell that starts from the image of another is handed over with that",
    { timeout: 300_000 },
    async () => {
      const repository = imagesOfTest();
      const root = temporaryFolder();
      const files = {
        ...familyOf({ top: null, leaf: "top" }),
        "factory.yaml": `schema_version: 1\nrepository: ${repository}\n`,
      };
      for (const [path, text] of Object.entries(files)) {
        if (text === null) continue;
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text.replaceAll("debian:bookworm-slim", tinyBase()));
      }
      await ok(root, ["run", "--all"]);
      await ok(root, ["lock"]);
      const file = join(temporaryFolder(), "leaf.tar");
      const saved = await ok<Saved>(root, ["save", "--cell", "leaf.linux-amd64", "--locked", "-o", file]);
      expect(saved.ref).toBe("localhost/factory-handover:leaf.linux-amd64");
      const away = { DOCKER_HOST: await startEmptyEngine({ offline: true }) };
      const other = elsewhere(root);
      const { parents } = await ok<{ parents: { cell_id: string }[] }>(other, ["load", file], away);
      expect(parents.map(({ cell_id }) => cell_id)).toEqual(["top.linux-amd64"]);
      const { results } = await ok<{ results: { cell_id: string; status: string }[] }>(
        other,
        ["run", "--all", "--reuse", "--locked"],
        away,
      );
      expect(results.map(({ cell_id, status }) => `${cell_id} ${status}`).sort()).toEqual([
        "leaf.linux-amd64 reused",
        "top.linux-amd64 reused",
      ]);
    },
  );
});
