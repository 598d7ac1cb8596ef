import { describe, expect, it } from "vitest";
import { provable } from "../../bench/provable.ts";
import { canonicalJson } from "../../src/model/digest.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { ownProblems } from "../../src/records/proof/proof.ts";
import { recordId } from "../../src/records/record-id.ts";
import type { Evidence } from "../../src/schemas/types.ts";
import {
  BASE,
  held,
  IMAGE,
  KEYS,
  malformed,
  OTHER,
  replace,
  type Row,
  RULES,
  shown,
} from "./records-held.ts";
import { INPUTS, provenDraft, START } from "./records-made.ts";
import { temporaryFolder } from "./workspace.ts";

describe("put", () => {
  it("takes texts that were cut inside of a letter", async () => {
    const store = openStore(temporaryFolder());
    const draft = await provenDraft(store);
    draft.result.notes = ["cut \ud83c"];
    const { record_id, result } = await store.put(draft, START);
    expect(result.notes).toEqual(["cut \ufffd"]);
    expect((await store.get(record_id)).result.notes).toEqual(["cut \ufffd"]);
    expect((await store.verify()).problems).toEqual([]);
  });
});

describe("a record and its evidence", () => {
  it("say the same where nothing was changed", () => {
    expect(held()).toEqual([]);
  });

  const inputs: Row[] = [
    ...(["recipe_key", "build_key"] as const).map((name): Row => [
      name,
      (record) => (record[name] = OTHER),
      [`KEY_MISMATCH ${shown(name, OTHER, KEYS[name])}`, `KEY_MISMATCH ${shown(name, OTHER, KEYS[name])}`],
    ]),
    [
      "verdict_key",
      (record) => (record.verdict_key = OTHER),
      [
        `KEY_MISMATCH ${shown("verdict_key", OTHER, KEYS.verdict_key)}`,
        `KEY_MISMATCH ${shown("verdict_key", OTHER, KEYS.verdict_key)}`,
      ],
    ],
    [
      "manifest_id",
      (record) => (record.manifest_id = "x"),
      [`INPUT_MISMATCH ${shown("manifest_id", "x", "demo")}`],
    ],
    [
      "cell_id",
      (record) => (record.cell_id = "x"),
      [`INPUT_MISMATCH ${shown("cell_id", "x", "demo.linux-amd64")}`],
    ],
    [
      "the template",
      (record) => (record.template.version = "9"),
      [
        `INPUT_MISMATCH ${shown("template", `{"id":"plain","version":"9","digest":"sha256:${"0".repeat(35)}…`, `{"id":"plain","version":"0.1.0","digest":"sha256:${"0".repeat(31)}…`)}`,
      ],
    ],
    [
      "fragments",
      (record) => (record.fragments = []),
      [expect.stringMatching(/^INPUT_MISMATCH fragments: the record has \[\], /)],
    ],
    ["arguments", (record) => (record.args = {}), [`INPUT_MISMATCH ${shown("args", "{}", '{"port":8080}')}`]],
    [
      "arguments that the inputs leave out",
      (_, { inputs: document }) => Object.assign(document, { args: undefined }),
      [`INPUT_MISMATCH ${shown("args", '{"port":8080}', "nothing")}`],
    ],
    [
      "a name that is long, and no longer than is shown",
      (record) => (record.cell_id = "x".repeat(80)),
      [`INPUT_MISMATCH ${shown("cell_id", "x".repeat(80), "demo.linux-amd64")}`],
    ],
    [
      "images",
      (record) => (record.images = []),
      [expect.stringMatching(/^INPUT_MISMATCH images: the record has \[\], /)],
    ],
    [
      "the base's name",
      (record) => (record.base.ref = "x"),
      [`INPUT_MISMATCH ${shown("base.ref", "x", "debian:bookworm-slim")}`],
    ],
    [
      "the base's digest",
      (record) => (record.base.digest = OTHER),
      [
        `INPUT_MISMATCH ${shown("base.digest", OTHER, BASE)}`,
        `INPUT_MISMATCH ${shown("base.digest", OTHER, `${BASE}, sha256:…`)}`,
        `INPUT_MISMATCH ${shown("base.digest", OTHER, BASE)}`,
      ],
    ],
    [
      "inputs without a base",
      (record, { inputs: document }) => {
        Object.assign(document.images[0] ?? {}, { role: "copy" });
        record.images = document.images;
        Object.assign(record, keysOf(document));
      },
      expect.arrayContaining(["INPUT_MISMATCH the inputs name no base"]),
    ],
    [
      "inputs whose Dockerfile is another",
      (_, evidence) => (evidence.dockerfile += "RUN true\n"),
      [
        expect.stringMatching(
          /^INPUT_MISMATCH the Dockerfile hashes to [a-f0-9]{64}, but the one from the inputs hashes to [a-f0-9]{64}$/,
        ),
      ],
    ],
    [
      "no inputs, and no Dockerfile",
      (_, evidence) => replace(evidence, { inputs: null, dockerfile: null }),
      [],
    ],
    ["no Dockerfile", (_, evidence) => replace(evidence, { dockerfile: null }), []],
  ];
  it.each(inputs)("hold the inputs to the record: %s", (_, change, problems) => {
    expect(held(change)).toEqual(problems);
  });

  it.each<["inputs" | "smoke_report" | "sbom" | "provenance", string, unknown]>([
    ["inputs", "schema_version", 2],
    ["inputs", "dockerfile", 1],
    ["inputs", "files", {}],
    ["inputs", "images", null],
    ["inputs", "tests", "x"],
    ["inputs", "environment", null],
    ["inputs", "environment", "x"],
    ["inputs", "limits", null],
    ["inputs", "limits", 1],
    ["smoke_report", "schema_version", 2],
    ["smoke_report", "image", null],
    ["smoke_report", "image", "x"],
    ["smoke_report", "tests", {}],
    ["smoke_report", "tests", [{ id: 1 }]],
    ["smoke_report", "tests", [null]],
    ["sbom", "bomFormat", "SPDX"],
    ["provenance", "_type", "https://in-toto.io/Statement/v0.1"],
    ["provenance", "predicateType", "https://slsa.dev/provenance/v0.2"],
  ])("name a document that is not of its kind: %s with %s %j", (kind, field, value) => {
    const problems = held((_, evidence) => Object.assign(evidence[kind], { [field]: value }));
    expect(problems.filter((one) => one.startsWith("EVIDENCE"))).toEqual([malformed(kind)]);
  });

  it.each(["inputs", "smoke_report", "sbom", "provenance", "buildkit_provenance"])(
    "name a document that is none at all: %s",
    (kind) => {
      for (const text of ["{", "null", "1", '"x"']) {
        const problems = held((_, evidence) => replace(evidence, { [kind]: text }));
        expect(problems.filter((one) => one.startsWith("EVIDENCE"))).toEqual([malformed(kind)]);
      }
    },
  );

  it("name a smoke report, or a provenance, that breaks where it is read", () => {
    const malformedIn = (change: Parameters<typeof held>[0]) =>
      held(change).filter((one) => one.startsWith("EVIDENCE"));
    expect(malformedIn((_, { smoke_report: report }) => (report.tests[0]!.id = "\ud800"))).toEqual([
      malformed("smoke_report"),
    ]);
    const digest = { sha256: { toString: 1, valueOf: 1 } };
    const hostile = malformedIn((_, { buildkit_provenance: own }) =>
      Object.assign(own, { materials: [{ digest }] }),
    );
    expect(hostile).toEqual([malformed("buildkit_provenance")]);
  });

  it("pass an error on that is ours, and not the document's", () => {
    const ours = (record: object) =>
      Object.defineProperty(record, "platform", {
        get: () => {
          throw new Error("ours");
        },
      });
    expect(() => held(ours)).toThrow("ours");
  });

  it("name inputs that have the form, and break where they are read", () => {
    const problems = held((_, { inputs: document }) => Object.assign(document, { images: [null] }));
    const broken = problems.filter((one) => one.startsWith("EVIDENCE"));
    // The provenance is held to the same images.
    expect(new Set(broken)).toEqual(new Set([malformed("inputs"), malformed("provenance")]));
  });
});

describe("a record by itself", () => {
  const evidence: Evidence = { path: "p", sha256: "0".repeat(64), bytes: 1, media_type: "text/plain" };
  const whole = () => {
    const { draft } = provable(INPUTS, { start: START, duration_ms: 1, digest: IMAGE, ref: "demo:1" });
    draft.evidence = { inputs: evidence, sbom: evidence };
    return { ...draft, record_id: recordId(START, draft) };
  };

  it("has the hash of what it says in its id", () => {
    const record = whole();
    expect(ownProblems(record, RULES)).toEqual([]);
    const [, hash = ""] = record.record_id.split("-");
    const edited = { ...record, plan_id: "x" };
    const [, own = ""] = recordId(START, edited).split("-");
    expect(ownProblems(edited, RULES)).toEqual([
      {
        code: "RECORD_EDITED",
        what: `the record was changed after it was written: it hashes to ${own}, but its id says ${hash}`,
      },
    ]);
    const broken = { ...record, plan_id: "\ud800" };
    expect(() => canonicalJson(broken)).toThrow(TypeError);
    expect(ownProblems(broken, RULES)[0]?.what).toContain(
      "it hashes to nothing, since it has text that is not Unicode, but",
    );
    expect(ownProblems({ ...record, record_id: "x" }, RULES)[0]?.what).toMatch(/its id says $/);
    const ours = Object.defineProperty({ ...record }, "plan_id", {
      enumerable: true,
      get: () => {
        throw new Error("ours");
      },
    });
    expect(() => ownProblems(ours, RULES)).toThrow("ours");
  });

  it("has all the evidence that an end like its own leaves", () => {
    const draft = { ...whole(), evidence: { sbom: evidence } };
    const record = { ...draft, record_id: recordId(START, draft) };
    expect(ownProblems(record, RULES)).toEqual([
      { code: "EVIDENCE_REQUIRED", what: "a record with this result has to have inputs" },
    ]);
  });
});
