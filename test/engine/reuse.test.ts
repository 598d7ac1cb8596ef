import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { describeEngine, docker, registry, uniqueName } from "./engine.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";
import { tinyBase } from "./tiny-base.ts";

interface RunDocument {
  results: {
    cell_id: string;
    status: string;
    record: string;
    image: { ref: string; digest: string } | null;
  }[];
  summary: { pass: number; fail: number; error: number; reused: number; unexpected: number };
}

interface PlanDocument {
  cells: { cell_id: string; action: string; reason: string | null; record_id: string | null }[];
}

const smoke = (text: string) =>
  `smoke: [{id: there, command: {argv: [cat, /b], stdout: {contains: "${text}"}}}]\n`;

/** Two cells, of which each is one small file more than its base. */
function workspace(repository = imagesOfTest(), base = tinyBase()): string {
  const nonce = uniqueName("n");
  const body = (letter: string, version: string) => ({
    body: `RUN echo ${letter} ${version} ${nonce} > /${letter}`,
  });
  return makeWorkspace(
    {
      base,
      fragments: {
        a: { "0.1.0": body("a", "0.1.0"), "0.2.0": body("a", "0.2.0") },
        b: { "0.1.0": body("b", "0.1.0") },
      },
      manifest: smoke("b"),
      plans: { two: "axes: {a: [0.1.0, 0.2.0]}\n" },
    },
    repository,
  );
}

async function run(root: string, ...args: string[]): Promise<RunDocument> {
  const ended = await factory(root, ["run", "--plan", "two", "--json", "--quiet", ...args]);
  expect([0, 1], ended.stdout + ended.stderr).toContain(ended.exitCode);
  return JSON.parse(ended.stdout) as RunDocument;
}

async function actions(root: string, ...args: string[]): Promise<string[]> {
  const ended = await factory(root, ["plan", "two", "--reuse", "--json", ...args]);
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
  const { cells } = JSON.parse(ended.stdout) as PlanDocument;
  return cells.map(({ action, reason }) => [action, reason ?? ""].join(" ").trim());
}

const recordsIn = (root: string) =>
  readdirSync(join(root, "records/app")).filter((name) => name.endsWith(".json"));
const readRecord = (root: string, path: string) =>
  JSON.parse(readFileSync(join(root, path), "utf8")) as FactoryRecord;
const manifest = (root: string, change: (text: string) => string) => {
  const file = join(root, "manifests/app.yaml");
  writeFileSync(file, change(readFileSync(file, "utf8")));
};

describeEngine("factory run --reuse", () => {
  test("runs what no record proves, and nothing twice", { timeout: 600_000 }, async () => {
    const root = workspace();
    expect(await actions(root)).toEqual(["build NEW", "build NEW"]);
    expect((await run(root, "--reuse", "--cell", "app.a-0.1.0.linux-amd64")).summary).toMatchObject({
      pass: 1,
    });
    expect(await actions(root)).toEqual(["reuse", "build NEW"]);
    expect((await run(root, "--reuse")).summary).toMatchObject({ pass: 1, reused: 1 });
    const before = recordsIn(root);
    const again = await run(root, "--reuse");
    expect(again.summary).toEqual({ pass: 0, fail: 0, error: 0, reused: 2, unexpected: 0 });
    expect(recordsIn(root)).toEqual(before);
    expect(again.results.map(({ record }) => readRecord(root, record).result.status)).toEqual([
      "pass",
      "pass",
    ]);

    // Told to, it builds all the same.
    expect((await run(root, "--reuse", "--force")).summary).toMatchObject({ pass: 2, reused: 0 });
    // A changed step is built: only where it is.
    appendFileSync(join(root, "fragments/a/0.2.0/Dockerfile.hbs"), "RUN echo more >> /a\n");
    expect(await actions(root)).toEqual(["reuse", "build FILES"]);
  });

  test("builds an image again that was tested, and is nowhere any more", { timeout: 600_000 }, async () => {
    const root = workspace(imagesOfTest());
    const first = await run(root, "--reuse");
    expect(first.summary).toMatchObject({ pass: 2 });
    manifest(root, (text) => text.replace('contains: "b"', 'contains: "0.1.0"'));
    for (const { image } of first.results) docker(["image", "rm", "-f", image?.digest ?? ""]);
    const rebuilt = await run(root, "--reuse");
    expect(rebuilt.summary).toMatchObject({ pass: 2 });
    expect(readRecord(root, rebuilt.results[0]?.record ?? "").cache.total).toBeGreaterThan(0);
  });

  test(
    "tests known bits again where the tests changed, and tags them where the name did",
    { timeout: 600_000 },
    async () => {
      const root = workspace(imagesOfTest(`${registry}/`));
      const first = await run(root, "--reuse", "--push");
      expect(first.summary).toMatchObject({ pass: 2 });
      manifest(root, (text) => text.replace('contains: "b"', 'contains: "0.1.0"'));
      expect(await actions(root)).toEqual(["retest TESTS", "retest TESTS"]);
      const tested = await run(root, "--reuse");
      expect(tested.summary).toMatchObject({ pass: 2, reused: 0 });
      expect(tested.results.map(({ image }) => image?.digest)).toEqual(
        first.results.map(({ image }) => image?.digest),
      );
      const [record] = tested.results.map((result) => readRecord(root, result.record));
      expect(record?.cache).toEqual({ hits: 0, total: 0 });
      expect(Object.keys(record?.evidence ?? {}).sort()).toEqual([
        "bake_file",
        "build_log",
        "buildkit_provenance",
        "dockerfile",
        "inputs",
        "provenance",
        "sbom",
        "smoke_report",
      ]);

      const other = imagesOfTest(`${registry}/`);
      writeFileSync(join(root, "factory.yaml"), `schema_version: 1\nrepository: ${other}\n`);
      expect(await actions(root)).toEqual(["retag POLICY", "retag POLICY"]);
      const tagged = await run(root, "--reuse", "--push");
      expect(tagged.summary).toMatchObject({ pass: 0, reused: 2 });
      for (const [at, { image, record: path }] of tagged.results.entries()) {
        expect(image?.ref.startsWith(`${other}/app:`)).toBe(true);
        expect(
          docker([
            "buildx",
            "imagetools",
            "inspect",
            image?.ref ?? "",
            "--format",
            "{{json .Manifest.Digest}}",
          ]),
        ).toContain(first.results[at]?.image?.digest);
        const { result } = readRecord(root, path);
        expect(result.tested_at).toBe(readRecord(root, tested.results[at]?.record ?? "").result.tested_at);
      }
      expect(await actions(root)).toEqual(["reuse", "reuse"]);
      const verified = await factory(root, ["records", "verify", "--json"]);
      expect(verified.exitCode, verified.stdout).toBe(0);

      // An image that the engine does not hold any more is fetched from the registry that it was pushed to.
      manifest(root, (text) => text.replace('contains: "0.1.0"', 'contains: "b 0.1.0"'));
      for (const { image } of tagged.results) docker(["image", "rm", "-f", image?.digest ?? ""]);
      const fetched = await run(root, "--reuse");
      expect(fetched.summary).toMatchObject({ pass: 2 });
      expect(readRecord(root, fetched.results[0]?.record ?? "").cache).toEqual({ hits: 0, total: 0 });
      expect(fetched.results.map(({ image }) => image?.digest)).toEqual(
        tagged.results.map(({ image }) => image?.digest),
      );
    },
  );

  test(
    "never reuses a failure, and relies on no record whose evidence is not what it says",
    { timeout: 600_000 },
    async () => {
      const root = workspace();
      manifest(root, (text) => text.replace('contains: "b"', 'contains: "nothing of the kind"'));
      expect((await run(root, "--reuse")).summary).toMatchObject({ fail: 2 });
      expect((await actions(root)).every((action) => !action.startsWith("reuse"))).toBe(true);
      manifest(root, (text) => text.replace('contains: "nothing of the kind"', 'contains: "b"'));
      const { results } = await run(root, "--reuse");
      const path = results[0]?.record ?? "";
      const sbom = readRecord(root, path).evidence.sbom?.path ?? "";
      appendFileSync(join(root, "records/app", sbom), " ");
      const refused = await factory(root, ["run", "--plan", "two", "--reuse", "--json"]);
      expect(refused.exitCode).toBe(2);
      expect(refused.stdout).toContain("EVIDENCE_MISMATCH");
      expect(refused.stdout).toContain(readRecord(root, path).record_id);
      rmSync(join(root, path));
      expect((await actions(root)).filter((action) => action === "reuse")).toHaveLength(1);
    },
  );

  test(
    "with a lock, what is proven needs no engine, and the record says so alone",
    { timeout: 600_000 },
    async () => {
      const root = workspace();
      expect((await factory(root, ["lock", "--json"])).exitCode).toBe(0);
      expect((await run(root, "--locked", "--reuse")).summary).toMatchObject({ pass: 2 });
      const nowhere = { DOCKER_HOST: "unix:///nonexistent/docker.sock" };
      const again = await factory(
        root,
        ["run", "--plan", "two", "--locked", "--reuse", "--json", "--verbose"],
        {
          env: nowhere,
        },
      );
      expect(again.exitCode, again.stderr).toBe(0);
      expect((JSON.parse(again.stdout) as RunDocument).summary).toMatchObject({ reused: 2 });
      // The engine was looked for, and no program was run.
      expect(again.stderr).not.toMatch(/^\+ (docker|git) /m);
      expect(again.stderr).toContain("2 cells are proven by the record alone");
    },
  );

  test("runs the cells of one shard, each cell in one of them", { timeout: 600_000 }, async () => {
    const root = workspace();
    const planned = await factory(root, ["plan", "two", "--format", "github"]);
    const { matrix } = JSON.parse(planned.stdout) as {
      matrix: { include: { shard: string; cell_id: string }[] };
    };
    const seen: string[] = [];
    for (const { shard, cell_id } of matrix.include) {
      const { results } = await run(root, "--shard", shard);
      expect(results.map((result) => result.cell_id)).toEqual([cell_id]);
      seen.push(cell_id);
    }
    expect(seen.sort()).toEqual(["app.a-0.1.0.linux-amd64", "app.a-0.2.0.linux-amd64"]);
    const moved = await factory(root, ["run", "--plan", "two", "--shard", "1/2@000000000000", "--json"]);
    expect(moved.exitCode).toBe(2);
    expect(moved.stdout).toContain("SHARD_MOVED");
  });
});
