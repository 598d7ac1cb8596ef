import { appendFileSync, chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { Cell } from "../../src/plan/cell.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { changeRecord, edit, NOW, plan, proven } from "./reuse-world.ts";

describe("no reuse where an input changed", () => {
  it.each<[string, Cell["reason"], (root: string) => void]>([
    [
      "a step of a fragment",
      "FILES",
      (root) => appendFileSync(join(root, "fragments/core/0.1.1/Dockerfile.hbs"), "RUN x\n"),
    ],
    [
      "one byte of a copied file",
      "FILES",
      (root) => edit(root, "fragments/app/0.1.0/server.py", (text) => text.replace("h", "j")),
    ],
    [
      "one byte of a file in a copied folder",
      "FILES",
      (root) => edit(root, "fragments/app/0.1.0/data/b.txt", () => "c\n"),
    ],
    [
      "a file more in a copied folder",
      "FILES",
      (root) => writeFileSync(join(root, "fragments/app/0.1.0/data/c.txt"), ""),
    ],
    [
      "the mode of a copied file",
      "FILES",
      (root) => chmodSync(join(root, "fragments/app/0.1.0/server.py"), 0o755),
    ],
    [
      "a default of an argument",
      "FILES",
      (root) =>
        edit(root, "fragments/core/0.1.1/fragment.yaml", (text) =>
          text.replace("default: python3", "default: python4"),
        ),
    ],
    [
      "the value of an argument",
      "ARGS",
      (root) => edit(root, "manifests/demo.yaml", (text) => text.replace("port: 8080}", "port: 8081}")),
    ],
    [
      "the base",
      "BASE",
      (root) => edit(root, "manifests/demo.yaml", (text) => text.replace(/e{64}/, "f".repeat(64))),
    ],
    [
      "the template's text",
      "TEMPLATE",
      (root) =>
        edit(root, "templates/plain/0.1.0/Dockerfile.hbs", (text) =>
          text.replace("AS image", "AS image\nUSER 1"),
        ),
    ],
    [
      "the version of a fragment",
      "FRAGMENT",
      (root) => edit(root, "manifests/demo.yaml", (text) => text.replace("core: ~0.1", "core: 0.1.0")),
    ],
    [
      "a test of a fragment",
      "TESTS",
      (root) =>
        appendFileSync(
          join(root, "fragments/app/0.1.0/fragment.yaml"),
          "smoke: [{id: more, command: {argv: ['true']}}]\n",
        ),
    ],
    [
      "a test of the manifest",
      "TESTS",
      (root) => edit(root, "manifests/demo.yaml", (text) => text.replace("path: /}", "path: /x}")),
    ],
    [
      "a limit of the containers",
      "POLICY",
      (root) => appendFileSync(join(root, "factory.yaml"), "smoke: {memory_mb: 64}\n"),
    ],
    ["the GPUs", "POLICY", (root) => appendFileSync(join(root, "manifests/demo.yaml"), "gpus: all\n")],
    [
      "the repository",
      "POLICY",
      (root) =>
        edit(root, "factory.yaml", (text) => text.replace("repository: factory", "repository: other")),
    ],
  ])("%s: %s", async (_, reason, change) => {
    const { root } = await proven();
    change(root);
    const [cell] = await plan(root);
    expect(cell?.action).not.toBe("reuse");
    expect(cell?.reason).toBe(reason);
    for (const { before, after } of cell?.changes ?? []) expect(before).not.toBe(after);
    expect(cell?.changes.length).toBeGreaterThan(0);
  });

  it("but what is no input changes nothing", async () => {
    const { root } = await proven();
    writeFileSync(join(root, "fragments/app/0.1.0/README.md"), "Words.\n");
    edit(root, "manifests/demo.yaml", (text) => text.replace("summary: It answers, ", ""));
    edit(root, "fragments/core/0.1.1/fragment.yaml", (text) => `# a comment\n${text}`);
    expect(await plan(root)).toMatchObject([{ action: "reuse" }]);
  });
});

describe("no reuse of what a record does not prove", () => {
  const refused = async (root: string): Promise<FactoryError> => {
    const error = await plan(root).catch((thrown: unknown) => thrown);
    if (error instanceof FactoryError) return error;
    throw new Error("nothing was thrown");
  };

  it("any byte of any evidence", async () => {
    const { root, record } = await proven();
    const { evidence } = JSON.parse(readFileSync(join(root, record), "utf8")) as FactoryRecord;
    expect(Object.keys(evidence).length).toBeGreaterThanOrEqual(6);
    for (const [kind, { path }] of Object.entries(evidence)) {
      const file = join(root, "records/demo", path);
      const whole = readFileSync(file);
      const other = Buffer.from(whole);
      other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 1;
      writeFileSync(file, other);
      expect(await refused(root), kind).toMatchObject({ code: "EVIDENCE_MISMATCH", exitCode: 2 });
      writeFileSync(file, whole);
    }
    expect(await plan(root)).toMatchObject([{ action: "reuse" }]);
    expect(await plan(root, { force: true })).toMatchObject([{ action: "build", reason: "FORCED" }]);
  });

  it.each<[string, (record: FactoryRecord) => void]>([
    [
      "a failure",
      ({ result }) => Object.assign(result, { status: "fail", stage: "smoke", class: "smoke-test" }),
    ],
    ["another verdict key", (record) => Object.assign(record, { verdict_key: `sha256:${"0".repeat(64)}` })],
    ["another platform", (record) => Object.assign(record, { platform: "linux/arm64" })],
    ["a stage before the last", ({ result }) => Object.assign(result, { stage: "sbom" })],
  ])("%s", async (_, change) => {
    const { root, record } = await proven();
    changeRecord(root, record, change);
    const [cell] = await plan(root).catch(() => []);
    expect(cell?.action).not.toBe("reuse");
  });

  it("no evidence at all", async () => {
    const { root, record } = await proven();
    changeRecord(root, record, (one) => Object.assign(one, { evidence: {} }));
    expect(await refused(root)).toMatchObject({ code: "EVIDENCE_MISMATCH" });
  });

  it("a proof that is too old", async () => {
    const { root } = await proven();
    appendFileSync(join(root, "factory.yaml"), "reuse: {max_age: 30d}\n");
    const day = 86_400_000;
    expect(await plan(root, { now: NOW + 28 * day })).toMatchObject([{ action: "reuse" }]);
    expect(await plan(root, { now: NOW + 31 * day })).toMatchObject([
      { action: "retest", reason: "EXPIRED" },
    ]);
  });

  it("an index that says so alone", async () => {
    const { root, record } = await proven();
    const [index] = readdirSync(join(root, ".factory/records"));
    expect(index).toBe("demo.ndjson");
    const file = join(root, record);
    writeFileSync(file, readFileSync(file, "utf8").replace('"status": "pass"', '"status": "fail"'));
    const [cell] = await plan(root).catch(() => []);
    expect(cell?.action).not.toBe("reuse");
  });
});
