import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { subjectOf, subjectPurl } from "../../src/model/subject.ts";
import { describeEngine, docker, registry, temporaryFolder, uniqueName } from "./engine.ts";
import { factory, imagesOfTest, makeWorkspace, project } from "./run-workspace.ts";

interface Result {
  cell_id: string;
  status: string;
  expected: boolean;
  stage: string;
  class: string | null;
  record: string;
  record_id: string;
  image: { ref: string; digest: string } | null;
  notes: string[];
}
interface RunDocument {
  results: Result[];
  summary: { pass: number; fail: number; error: number; reused: number; unexpected: number };
}

const documentOf = (stdout: string) => JSON.parse(stdout) as RunDocument;
const recordOf = (root: string, { record }: Pick<Result, "record">) =>
  JSON.parse(readFileSync(join(root, record), "utf8")) as FactoryRecord;
const evidenceOf = (root: string, record: FactoryRecord, kind: string): string =>
  readFileSync(
    join(root, "records", record.manifest_id, record.evidence[kind]?.path ?? `no ${kind}`),
    "utf8",
  );

/** The reference workspace with image names of its own, and no registry cache. */
function referenceWorkspace(): string {
  const root = temporaryFolder();
  for (const name of ["manifests", "fragments", "templates", "control_plane"])
    cpSync(join(project, name), join(root, name), { recursive: true });
  writeFileSync(join(root, "factory.yaml"), `schema_version: 1\nrepository: ${imagesOfTest()}\n`);
  return root;
}

describeEngine("factory run", () => {
  test("builds, tests, inventories and records the reference manifest", { timeout: 600_000 }, async () => {
    const root = referenceWorkspace();
    const run = await factory(root, [
      "run",
      "--manifest-id",
      "llm_factory",
      "--platform",
      "linux/amd64",
      "--json",
    ]);
    expect(run.exitCode, run.stderr).toBe(0);
    const { results, summary } = documentOf(run.stdout);
    expect(summary).toEqual({ pass: 1, fail: 0, error: 0, reused: 0, unexpected: 0 });
    const [result] = results;
    if (!result?.image) throw new Error("no image");
    expect(docker(["image", "inspect", "--format", "{{.Id}}", result.image.ref]).trim()).toBe(
      result.image.digest,
    );

    const record = recordOf(root, result);
    expect(record.result).toMatchObject({
      status: "pass",
      stage: "done",
      class: null,
      expected: true,
      log_excerpt: [],
    });
    expect(record.base.digest).toMatch(/^sha256:[a-f0-9]{64}$/);
    expect(Object.keys(record.evidence).sort()).toEqual([
      "bake_file",
      "build_log",
      "buildkit_provenance",
      "dockerfile",
      "inputs",
      "provenance",
      "sbom",
      "smoke_report",
    ]);
    expect(record.tests.length).toBeGreaterThan(5);
    expect(evidenceOf(root, record, "dockerfile")).toContain(
      `FROM debian:bookworm-slim@${record.base.digest} AS base`,
    );
    const label = docker([
      "image",
      "inspect",
      "--format",
      '{{index .Config.Labels "io.factory.build-key"}}',
      result.image.ref,
    ]).trim();
    expect(label).toBe(record.build_key);

    const sbom = JSON.parse(evidenceOf(root, record, "sbom")) as {
      metadata: { component: { purl?: string } };
      components: { purl?: string; name: string; version: string }[];
    };
    // One subject: in the record, in the SBOM and in the provenance.
    const statement = JSON.parse(evidenceOf(root, record, "provenance")) as {
      subject: { uri: string; digest: { sha256: string } }[];
    };
    const uri = subjectPurl(subjectOf(result.image.ref, record.image?.manifest_digest ?? "", "linux/amd64"));
    expect(statement.subject.map((one) => one.uri)).toEqual([uri]);
    expect(sbom.metadata.component.purl).toBe(uri);
    expect(`sha256:${statement.subject[0]?.digest.sha256}`).toBe(record.image?.manifest_digest);

    const listed = sbom.components
      .filter(({ purl }) => purl?.startsWith("pkg:deb/"))
      .map(({ name, version }) => `${name} ${version}`);
    const format = "${Package} ${Version}\\n";
    const installed = docker([
      "run",
      "--rm",
      "--network=none",
      "--entrypoint=dpkg-query",
      result.image.ref,
      "-W",
      `-f=${format}`,
    ]);
    expect(listed.sort()).toEqual(installed.trim().split("\n").sort());

    const verified = await factory(root, ["records", "verify", result.record_id, "--json"]);
    expect(verified.exitCode).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ checked: 1, problems: [] });
    expect(readdirSync(join(root, ".factory", "run"))).toEqual([]);
  });

  test(
    "exits 0 where exactly the declared cells fail, and says why they do",
    { timeout: 600_000 },
    async () => {
      const root = referenceWorkspace();
      const run = await factory(root, [
        "run",
        "--plan",
        "incompatible_core_light",
        "--platform",
        "linux/amd64",
        "--json",
      ]);
      expect(run.exitCode, run.stderr).toBe(0);
      const { results, summary } = documentOf(run.stdout);
      expect(summary).toEqual({ pass: 3, fail: 1, error: 0, reused: 0, unexpected: 0 });
      const failed = results.find(({ status }) => status === "fail");
      expect(failed).toMatchObject({
        cell_id: "llm_factory.core-0.3.0.light-0.1.0.linux-amd64",
        expected: true,
        stage: "smoke",
        class: "smoke-test",
      });
      if (!failed) throw new Error("nothing failed");
      const { result } = recordOf(root, failed);
      expect(result.notes.join("\n")).toContain(
        "expected to fail: light 0.1 needs a module that core 0.3 drops",
      );
      expect(result.log_excerpt.join("\n")).toContain("No module named 'distutils");
    },
  );

  test(
    "goes on with the other cells where one fails to build, and exits 1",
    { timeout: 600_000 },
    async () => {
      const words = uniqueName("reason");
      const root = makeWorkspace({
        fragments: {
          core: { "0.1.0": { body: "RUN true" }, "0.2.0": { body: `RUN echo ${words} >&2 && exit 7` } },
          top: { "0.1.0": { body: "RUN echo top > /top" } },
        },
        plans: { both: "axes: {core: [0.1.0, 0.2.0]}\n" },
      });
      const run = await factory(root, ["run", "--plan", "both", "--json"]);
      expect(run.exitCode).toBe(1);
      const { results, summary } = documentOf(run.stdout);
      expect(summary).toMatchObject({ pass: 1, fail: 1, unexpected: 1 });
      const failed = results.find(({ status }) => status === "fail");
      if (!failed) throw new Error("nothing failed");
      expect(failed).toMatchObject({ stage: "build", class: "step", image: null, expected: false });
      const record = recordOf(root, failed);
      expect(record.result.log_excerpt.join("\n")).toContain(words);
      expect(record.result.log_excerpt.length).toBeLessThanOrEqual(40);
      expect(evidenceOf(root, record, "build_log")).toContain(words);
    },
  );

  test("tells an expected failure that passes, and exits 1", { timeout: 600_000 }, async () => {
    const root = makeWorkspace({
      fragments: { core: { "0.1.0": { body: "RUN true" } } },
      plans: {
        doomed:
          'axes: {core: [0.1.0]}\nexpect: [{when: {core: 0.1.0}, result: fail, owner: us, reason: "it used to", until: never}]\n',
      },
    });
    const run = await factory(root, ["run", "--plan", "doomed", "--json"]);
    expect(run.exitCode).toBe(1);
    expect(documentOf(run.stdout).results[0]).toMatchObject({
      status: "pass",
      expected: false,
      notes: ["was expected to fail, and did not: it used to"],
    });
  });

  test("records a base that cannot be resolved as an error", { timeout: 600_000 }, async () => {
    const root = makeWorkspace({ fragments: { core: { "0.1.0": { body: "RUN true" } } } });
    const missing = `${registry}/${uniqueName("missing")}:1`;
    const file = join(root, "manifests", "app.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("debian:bookworm-slim", missing));
    const run = await factory(root, ["run", "--manifest-id", "app", "--json"]);
    expect(run.exitCode).toBe(1);
    const [result] = documentOf(run.stdout).results;
    expect(result).toMatchObject({ status: "error", stage: "resolve", class: "base", image: null });
    expect(result?.notes[0]).toContain(missing);
  });

  test("pushes what passed: the registry has the digest that was tested", { timeout: 600_000 }, async () => {
    const repository = imagesOfTest(`${registry}/`);
    const root = makeWorkspace({ fragments: { core: { "0.1.0": { body: "RUN true" } } } }, repository);
    const run = await factory(root, ["run", "--manifest-id", "app", "--push", "--json"]);
    expect(run.exitCode, run.stderr).toBe(0);
    const [result] = documentOf(run.stdout).results;
    const answer = await fetch(
      `http://${registry}/v2/${repository.split("/").slice(1).join("/")}/app/manifests/linux-amd64`,
      {
        headers: { accept: "application/vnd.oci.image.index.v1+json" },
      },
    );
    expect(answer.headers.get("docker-content-digest")).toBe(result?.image?.digest);
    expect(result && recordOf(root, result).image?.pushed).toBe(true);
  });

  test(
    "insists on a platform the engine cannot build, or names what it left out",
    { timeout: 600_000 },
    async () => {
      const root = makeWorkspace({ fragments: { core: { "0.1.0": { body: "RUN true" } } } });
      const file = join(root, "manifests", "app.yaml");
      writeFileSync(file, readFileSync(file, "utf8").replace("[linux/amd64]", "[linux/amd64, linux/s390x]"));
      const all = await factory(root, ["run", "--manifest-id", "app", "--platform", "all", "--json"]);
      expect(all.exitCode).toBe(3);
      expect(JSON.parse(all.stdout)).toMatchObject({ error: { code: "ENGINE_PLATFORM" } });
      expect(existsSync(join(root, "records"))).toBe(false);
      const some = await factory(root, ["run", "--manifest-id", "app", "--json"]);
      expect(some.exitCode, some.stderr).toBe(0);
      expect(JSON.parse(some.stdout)).toMatchObject({
        left_out: [{ cell_id: "app.linux-s390x", platform: "linux/s390x" }],
      });
      expect(some.stderr).toContain("left out app.linux-s390x");
    },
  );
});

describeEngine("factory stitch", () => {
  test(
    "gives a Dockerfile that plain docker build takes, from the workspace's root, and each prefix of it",
    { timeout: 600_000 },
    async () => {
      const root = makeWorkspace({
        fragments: {
          core: { "0.1.0": { body: 'COPY {{file "words.txt"}} /words.txt' } },
          top: { "0.1.0": { body: "RUN touch /top" } },
        },
      });
      writeFileSync(join(root, "fragments", "core", "0.1.0", "words.txt"), "declared\n");
      writeFileSync(join(root, "not-declared.txt"), "secret\n");
      const stitched = await factory(root, ["stitch", "--manifest-id", "app", "--json"]);
      expect(stitched.exitCode, stitched.stderr).toBe(0);
      const { path } = JSON.parse(stitched.stdout) as { path: string };
      // A stage behind its own shows all that the builder got.
      appendFileSync(join(root, path), "\nFROM image AS all\nCOPY . /everything\n");
      const files = (target: string) => {
        const tag = `${uniqueName("factory-test")}/${target}`;
        docker(["build", "-q", "-f", join(root, path), "--target", target, "-t", tag, root]);
        try {
          return docker([
            "run",
            "--rm",
            "--network=none",
            tag,
            "sh",
            "-c",
            "cat /words.txt; find /everything -type f 2>/dev/null || true",
          ])
            .trim()
            .split("\n");
        } finally {
          docker(["image", "rm", "-f", tag]);
        }
      };
      expect(files("core")).toEqual(["declared"]);
      expect(files("image")).toEqual(["declared"]);
      expect(files("all")).toEqual(["declared", "/everything/fragments/core/0.1.0/words.txt"]);
    },
  );
});
