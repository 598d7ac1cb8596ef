import { describe, expect, it } from "vitest";
import {
  BASE,
  FILE,
  held,
  type HeldEvidence,
  IMAGE,
  KEYS,
  OTHER,
  replace,
  type Row,
  SCRIPT,
  shown,
} from "./records-held.ts";

describe("a record and its SBOM", () => {
  const PLATFORM = "factory:image:platform";
  const rows: Row[] = [
    [
      "another image",
      (_, { sbom }) => (sbom.metadata.component.version = OTHER),
      [
        `IMAGE_MISMATCH ${shown("the SBOM's image", `${IMAGE}, ${IMAGE}`.slice(0, 80), OTHER).replace(", its", "…, its")}`,
      ],
    ],
    [
      "another image in a package URL",
      (_, { sbom }) => (sbom.metadata.component.purl = `pkg:oci/demo@sha256%3A${"C".repeat(64)}`),
      [
        `IMAGE_MISMATCH ${shown("the SBOM's image", `${IMAGE}, ${IMAGE}`.slice(0, 80), OTHER).replace(", its", "…, its")}`,
      ],
    ],
    [
      "the image of the platform",
      (record, { sbom, smoke_report: report }) => {
        Object.assign(record.image ?? {}, { manifest_digest: OTHER });
        report.image.manifest_digest = OTHER;
        sbom.metadata.component.version = OTHER;
      },
      [],
    ],
    [
      "no image",
      (_, { sbom }) => (sbom.metadata.component.version = "1"),
      ["IMAGE_MISMATCH the SBOM names no image by digest"],
    ],
    [
      "no subject",
      (_, { sbom }) => Object.assign(sbom.metadata, { component: undefined }),
      ["IMAGE_MISMATCH the SBOM names no image by digest"],
    ],
    [
      "another platform",
      (_, { sbom }) => (sbom.metadata.component.properties = [{ name: PLATFORM, value: "linux/arm64" }]),
      [`INPUT_MISMATCH ${shown("platform", "linux/amd64", "linux/arm64")}`],
    ],
    [
      "another property",
      (_, { sbom }) => (sbom.metadata.component.properties = [{ name: "x", value: "linux/arm64" }]),
      [],
    ],
    ["no properties", (_, { sbom }) => Object.assign(sbom.metadata.component, { properties: "x" }), []],
    [
      "another tool's words",
      (_, { sbom }) =>
        Object.assign(sbom.metadata, { tools: { components: [{ name: "syft" }] }, component: null }),
      [],
    ],
    [
      "another tool's words among ours",
      (_, { sbom }) => {
        sbom.metadata.tools.components.unshift({ name: "syft" });
        Object.assign(sbom.metadata, { component: null });
      },
      ["IMAGE_MISMATCH the SBOM names no image by digest"],
    ],
  ];
  it.each(rows)("differ: %s", (_, change, problems) => {
    expect(held(change)).toEqual(problems);
  });
});

describe("a record and its provenance", () => {
  const HEX = "c".repeat(64);
  const definition = (own: HeldEvidence["provenance"]) => own.predicate.buildDefinition;
  const subject = (own: HeldEvidence["provenance"], sha256: string) =>
    (own.subject = [{ digest: { sha256 } }]);
  const rows: Row[] = [
    [
      "the builder's, of another base",
      (_, { buildkit_provenance: own }) => (own.materials = [{ digest: { sha256: HEX } }]),
      [`INPUT_MISMATCH ${shown("base.digest", BASE, OTHER)}`],
    ],
    [
      "the builder's, as a statement",
      (_, evidence) =>
        replace(evidence, {
          buildkit_provenance: {
            subject: [{ digest: { sha256: HEX } }],
            predicate: evidence.buildkit_provenance,
          },
        }),
      [`IMAGE_MISMATCH ${shown("the provenance's image", IMAGE, OTHER)}`],
    ],
    ...(["build", "recipe"] as const).flatMap((key): Row[] => [
      [
        `the builder's, with another ${key} key on the image`,
        (_, { buildkit_provenance: own }) =>
          (own.invocation = { parameters: { args: { [`label:io.factory.${key}-key`]: OTHER } } }),
        [`KEY_MISMATCH ${shown(`${key}_key`, KEYS[`${key}_key`], OTHER)}`],
      ],
      [
        `the builder's of version 1, with another ${key} key on the image`,
        (_, { buildkit_provenance: own }) =>
          (own.buildDefinition = {
            externalParameters: { request: { args: { [`label:io.factory.${key}-key`]: OTHER } } },
          }),
        [`KEY_MISMATCH ${shown(`${key}_key`, KEYS[`${key}_key`], OTHER)}`],
      ],
      [
        `ours, with another ${key} key`,
        (_, { provenance: own }) => (definition(own).externalParameters[`${key}_key`] = OTHER),
        [`KEY_MISMATCH ${shown(`${key}_key`, KEYS[`${key}_key`], OTHER)}`],
      ],
    ]),
    [
      "the builder's, with the keys on the image",
      (_, { buildkit_provenance: own }) =>
        (own.invocation = { parameters: { args: { "label:io.factory.build-key": KEYS.build_key } } }),
      [],
    ],
    [
      "ours, of another image",
      (_, { provenance: own }) => subject(own, HEX),
      [`IMAGE_MISMATCH ${shown("the provenance's image", IMAGE, OTHER)}`],
    ],
    [
      "ours, of a record without an image",
      (record, evidence) => {
        subject(evidence.provenance, HEX);
        record.image = null;
        record.tests = [];
        replace(evidence, { smoke_report: null });
      },
      [],
    ],
    [
      "ours, of the image of the platform",
      (record, { provenance: own, smoke_report: report }) => {
        Object.assign(record.image ?? {}, { manifest_digest: OTHER });
        report.image.manifest_digest = OTHER;
        subject(own, HEX);
      },
      [],
    ],
    [
      "ours, of no image",
      (_, { provenance: own }) => (own.subject = []),
      ["IMAGE_MISMATCH the provenance names no image"],
    ],
    [
      "ours, without the base",
      (_, { provenance: own }) => definition(own).resolvedDependencies.shift(),
      [
        `INPUT_MISMATCH ${shown("base.digest", BASE, FILE)}`,
        `INPUT_MISMATCH the inputs have debian:bookworm-slim with ${BASE}, but the provenance does not`,
      ],
    ],
    [
      "ours, without a file",
      (_, { provenance: own }) => definition(own).resolvedDependencies.pop(),
      [`INPUT_MISMATCH the inputs have ${SCRIPT} with ${FILE}, but the provenance does not`],
    ],
    [
      "ours, with another name of a file",
      (_, { provenance: own }) =>
        Object.assign(definition(own).resolvedDependencies.at(-1) ?? {}, { name: "x" }),
      [`INPUT_MISMATCH the inputs have ${SCRIPT} with ${FILE}, but the provenance does not`],
    ],
  ];
  it.each(rows)("differ: %s", (_, change, problems) => {
    expect(held(change)).toEqual(problems);
  });

  it("do not tell of folders, of images without a digest, and of a base that nobody asked for", () => {
    const problems = held((record, { inputs, provenance, buildkit_provenance }) => {
      inputs.files.push({ path: "fragments/core/0.1.0/etc/", mode: "0755", sha256: OTHER });
      inputs.images.push({ role: "copy", ref: "node:22", digest: null });
      Object.assign(inputs.images[0] ?? {}, { digest: null });
      buildkit_provenance.materials = [];
      definition(provenance).resolvedDependencies.shift();
      record.base.digest = null;
      record.images = inputs.images;
    });
    // The keys are others then; of the provenance nothing is said.
    expect(problems.filter((one) => !one.startsWith("KEY_MISMATCH"))).toEqual([
      expect.stringMatching(/^INPUT_MISMATCH the Dockerfile hashes to/),
    ]);
  });

  it("hold to the base and the image alone where there are no inputs", () => {
    const problems = held((_, evidence) => {
      replace(evidence, { inputs: null, dockerfile: null });
      definition(evidence.provenance).resolvedDependencies.pop();
    });
    expect(problems).toEqual([]);
  });
});
