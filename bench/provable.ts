import type { Inputs } from "../src/model/inputs.ts";
import { keysOf } from "../src/model/inputs.ts";
import type { SmokeEvidence } from "../src/model/smoke.ts";
import type { RecordDraft } from "../src/records/record-id.ts";
import { subjectOf } from "../src/model/subject.ts";
import { statementOf } from "../src/pipeline/statement.ts";
import { dockerfileOf } from "../src/stitch/finish.ts";

/** A pass that is proven, without the evidence in its place. */
export interface Provable {
  draft: RecordDraft;
  /** Evidence by kind, which the draft does not name yet. */
  evidence: Record<string, { text: string; mediaType: string }>;
}

export interface ProvableAbout {
  start: Date;
  duration_ms: number;
  digest: string;
  ref: string;
}

const json = (value: unknown) => ({
  text: `${JSON.stringify(value, null, 2)}\n`,
  mediaType: "application/json",
});

/** A record of a pass with these inputs, and all the evidence that proves it. */
export function provable(inputs: Inputs, { start, duration_ms, digest, ref }: ProvableAbout): Provable {
  const keys = keysOf(inputs);
  const { manifest_id, cell_id, platform, template, fragments, args, images } = inputs;
  const base = images.find(({ role }) => role === "base") ?? { ref: "scratch", digest: null };
  const tested_at = new Date(start.getTime() + duration_ms).toISOString();
  const image = { digest, manifest_digest: digest, size: 100_000_000, layers: 8 };
  const tests = inputs.tests.map(({ from, id }) => ({
    id: `${from}/${id}`,
    status: "pass" as const,
    duration_ms: 100,
  }));
  const report: SmokeEvidence = {
    schema_version: 1,
    verdict_key: keys.verdict_key,
    test_suite_hash: keys.test_suite_hash,
    platform,
    image,
    tested_at,
    status: "pass",
    tests: tests.map((test) => ({ ...test, expected: "exits with 0", actual: "exited with 0" })),
  };
  const materials = images.flatMap(({ ref: uri, digest: of }) =>
    of === null ? [] : [{ uri: `pkg:docker/${uri}`, digest: { sha256: of.slice("sha256:".length) } }],
  );
  const sbom = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    metadata: {
      tools: { components: [{ type: "application", name: "factory" }] },
      component: {
        type: "container",
        name: ref,
        version: digest,
        properties: [{ name: "factory:image:platform", value: platform }],
      },
    },
    components: [],
  };
  return {
    evidence: {
      inputs: json(inputs),
      dockerfile: { text: dockerfileOf(inputs), mediaType: "text/x-dockerfile" },
      bake_file: { text: 'target "x" {}\n', mediaType: "text/x-hcl" },
      build_log: { text: "#1 built\n", mediaType: "text/plain" },
      buildkit_provenance: json({ buildType: "https://mobyproject.org/buildkit@v1", materials }),
      provenance: json(
        statementOf(
          { subject: subjectOf(ref, digest, platform), inputs, keys },
          {
            started: start,
            finished: new Date(tested_at),
            tools: {},
            source: { commit: null, dirty: null, ci_url: null },
            secrets: [],
            kept: {},
          },
        ),
      ),
      smoke_report: json(report),
      sbom: json(sbom),
    },
    draft: {
      schema_version: 2,
      manifest_id,
      cell_id,
      plan_id: null,
      proven_by: null,
      ...keys,
      template,
      fragments,
      args,
      base: { ref: base.ref, digest: base.digest },
      images,
      platform,
      image: { ref, ...image, pushed: true },
      tests,
      result: {
        status: "pass",
        stage: "done",
        class: null,
        expected: true,
        tested_at,
        duration_ms,
        stages_ms: { stitch: 10, build: 20_000, provenance: 1, smoke: 5000, sbom: 1000 },
        notes: [],
        log_excerpt: [],
      },
      evidence: {},
      cache: { hits: 4, total: 8 },
      retries: 0,
      tools: { factory: "0.1.0", docker: "28.0.0", buildx: "0.20.0" },
      source: { commit: "0".repeat(40), dirty: false, ci_url: null },
    },
  };
}
