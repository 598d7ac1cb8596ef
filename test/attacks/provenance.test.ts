import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { type Inputs, keysOf } from "../../src/model/inputs.ts";
import { subjectOf, subjectPurl } from "../../src/model/subject.ts";
import { statementOf } from "../../src/pipeline/statement.ts";
import { manyCells, runIn } from "../unit/run-world.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/*
 * The published shapes, as JSON: in-toto/attestation's protos statement.proto and resource_descriptor.proto (v1) and
 * predicates/provenance/v1/provenance.proto, with what their specifications require.
 */
const text = { type: "string", minLength: 1 };
const resource = {
  type: "object",
  properties: {
    name: text,
    uri: { ...text, format: "uri" },
    digest: {
      type: "object",
      minProperties: 1,
      additionalProperties: { type: "string", pattern: "^[0-9a-f]+$" },
    },
    content: text,
    downloadLocation: text,
    mediaType: text,
    annotations: { type: "object" },
  },
  additionalProperties: false,
  anyOf: [{ required: ["uri"] }, { required: ["digest"] }, { required: ["content"] }],
};
const resources = { type: "array", items: resource };
const STATEMENT = {
  type: "object",
  required: ["_type", "subject", "predicateType", "predicate"],
  additionalProperties: false,
  properties: {
    _type: { const: "https://in-toto.io/Statement/v1" },
    // A subject is found by its digest.
    subject: { type: "array", minItems: 1, items: { ...resource, required: ["digest"] } },
    predicateType: { const: "https://slsa.dev/provenance/v1" },
    predicate: {
      type: "object",
      required: ["buildDefinition", "runDetails"],
      additionalProperties: false,
      properties: {
        buildDefinition: {
          type: "object",
          required: ["buildType", "externalParameters"],
          additionalProperties: false,
          properties: {
            buildType: { ...text, format: "uri" },
            externalParameters: { type: "object", minProperties: 1 },
            internalParameters: { type: "object" },
            resolvedDependencies: resources,
          },
        },
        runDetails: {
          type: "object",
          required: ["builder"],
          additionalProperties: false,
          properties: {
            builder: {
              type: "object",
              required: ["id"],
              additionalProperties: false,
              properties: {
                id: { ...text, format: "uri" },
                version: { type: "object", additionalProperties: text },
                builderDependencies: resources,
              },
            },
            metadata: {
              type: "object",
              additionalProperties: false,
              properties: {
                invocationId: text,
                startedOn: { type: "string", format: "date-time", pattern: "Z$" },
                finishedOn: { type: "string", format: "date-time", pattern: "Z$" },
              },
            },
            byproducts: resources,
          },
        },
      },
    },
  },
};

function shapeProblems(statement: unknown): unknown {
  const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false });
  addFormats.default(ajv, ["date-time", "uri"]);
  const validate = ajv.compile(STATEMENT);
  return validate(statement) ? [] : validate.errors;
}

const hex = (digit: string) => digit.repeat(64);
const sha = (digit: string) => `sha256:${hex(digit)}`;

const INPUTS: Inputs = {
  schema_version: 1,
  manifest_id: "demo",
  cell_id: "demo.linux-arm64",
  platform: "linux/arm64",
  template: { id: "plain", version: "0.1.0", digest: sha("1") },
  fragments: [{ name: "core", version: "0.1.0", digest: sha("2") }],
  args: { port: 8080 },
  dockerfile: "FROM debian\n",
  files: [
    { path: "app/", mode: "0755", sha256: sha("0") },
    { path: "app/x", mode: "0644", sha256: sha("3") },
  ],
  images: [
    { role: "base", ref: "r.example/team/debian:12", digest: sha("4") },
    { role: "copy", ref: "tools", digest: null },
    { role: "stage", ref: "scratch", digest: null },
  ],
  environment: { SOURCE_DATE_EPOCH: "0" },
  tests: [],
  gpus: null,
  limits: { memory_mb: 1, pids: 2, timeout_s: 3 },
};

const make = (source: Parameters<typeof statementOf>[1]["source"]) =>
  statementOf(
    {
      subject: subjectOf("r.example/team/demo:core-0.1.0", sha("5"), INPUTS.platform),
      inputs: INPUTS,
      keys: keysOf(INPUTS),
    },
    {
      started: new Date("2026-01-01T00:00:00Z"),
      finished: new Date("2026-01-01T00:01:00Z"),
      tools: { factory: "0.1.0", buildkit: "0.25.0" },
      source,
      secrets: [],
      kept: { dockerfile: { sha256: hex("6"), media_type: "text/x-dockerfile" } },
    },
  );

describe("statementOf", () => {
  const whole = make({ commit: "a".repeat(40), dirty: false, ci_url: "https://ci.example/jobs/1" });

  it("B2.6 has the published shape, with a commit and a job and without", () => {
    expect(shapeProblems(whole)).toEqual([]);
    expect(shapeProblems(make({ commit: null, dirty: null, ci_url: null }))).toEqual([]);
    expect(shapeProblems({ ...whole, subject: [] })).not.toEqual([]);
  });

  it("B2.6 names the image as the SBOM does, and all that went into it by digest", () => {
    expect(whole.subject).toEqual([
      {
        name: "r.example/team/demo",
        uri: subjectPurl(subjectOf("r.example/team/demo", sha("5"), "linux/arm64")),
        digest: { sha256: hex("5") },
        annotations: { platform: "linux/arm64" },
      },
    ]);
    const { buildDefinition, runDetails } = whole.predicate;
    expect(
      buildDefinition.resolvedDependencies.map(({ name, digest, annotations }) => [
        name,
        digest,
        annotations,
      ]),
    ).toEqual([
      ["r.example/team/debian:12", { sha256: hex("4") }, { role: "base", platform: "linux/arm64" }],
      ["tools", undefined, { role: "copy", platform: "linux/arm64" }],
      ["workspace", { gitCommit: "a".repeat(40) }, { dirty: false }],
      ["app/x", { sha256: hex("3") }, { mode: "0644" }],
    ]);
    const { recipe_key, build_key } = keysOf(INPUTS);
    expect(buildDefinition.externalParameters).toMatchObject({ manifest_id: "demo", recipe_key, build_key });
    expect(runDetails).toMatchObject({
      builder: { version: { factory: "0.1.0", buildkit: "0.25.0" } },
      metadata: { invocationId: "https://ci.example/jobs/1", startedOn: "2026-01-01T00:00:00.000Z" },
      byproducts: [{ name: "dockerfile", digest: { sha256: hex("6") } }],
    });
  });

  it("B2.6 is what a run keeps of each image, beside BuildKit's own", async () => {
    const world = manyCells();
    const one = { ...world.planned, cells: world.planned.cells.slice(0, 1) };
    const { value, store } = await runIn({ ...world, planned: one });
    const record = await store.get(value?.results[0]?.record_id ?? "");
    const read = (kind: string) =>
      JSON.parse(
        readFileSync(join(world.root, "records/demo", record.evidence[kind]?.path ?? ""), "utf8"),
      ) as ReturnType<typeof make>;
    const statement = read("provenance");
    expect(record.evidence.provenance?.media_type).toBe("application/vnd.in-toto+json");
    expect(shapeProblems(statement)).toEqual([]);
    expect(statement.subject[0]?.digest?.sha256).toBe(
      (record.schema_version === 2 ? record.image?.manifest_digest : "")?.slice(7),
    );
    const kept = Object.fromEntries(
      statement.predicate.runDetails.byproducts.map(({ name, digest }) => [name, digest?.sha256]),
    );
    expect(Object.keys(kept)).toEqual([
      "inputs",
      "dockerfile",
      "bake_file",
      "build_log",
      "buildkit_provenance",
    ]);
    for (const [kind, sha256] of Object.entries(kept)) expect(record.evidence[kind]?.sha256).toBe(sha256);
    expect(read("buildkit_provenance")).not.toHaveProperty("predicateType");
    expect((await store.verify()).problems).toEqual([]);
  });
});
