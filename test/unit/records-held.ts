import { provable } from "../../bench/provable.ts";
import { type Inputs, keysOf } from "../../src/model/inputs.ts";
import type { SmokeEvidence } from "../../src/model/smoke.ts";
import { proofProblems } from "../../src/records/proof/proof.ts";
import type { StageRules } from "../../src/records/proof/prove-result.ts";
import { recordId } from "../../src/records/record-id.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { INPUTS, START } from "./records-made.ts";

export const IMAGE = `sha256:${"1".repeat(64)}`;
export const OTHER = `sha256:${"c".repeat(64)}`;
export const BASE = `sha256:${"b".repeat(64)}`;
export const FILE = `sha256:${"0".repeat(64)}`;
export const KEYS = keysOf(INPUTS);
export const SCRIPT = "fragments/core/0.1.0/run.sh";

export const RULES: StageRules = {
  id: "rules",
  required: ({ stage }) => (stage === "done" ? ["inputs", "sbom"] : ["inputs"]),
  odd: ({ stage }) => (stage === "scan" ? "there is no stage scan" : undefined),
};

interface Statement {
  _type: string;
  subject: { digest: { sha256: string } }[];
  predicate: {
    buildDefinition: {
      externalParameters: Record<string, unknown>;
      resolvedDependencies: { name: string; digest: { sha256: string } }[];
    };
  };
}

/** The evidence of a pass, as far as tests change it. */
export interface HeldEvidence {
  inputs: Inputs;
  dockerfile: string;
  smoke_report: SmokeEvidence;
  sbom: {
    metadata: {
      tools: { components: { name: string }[] };
      component: { version: string; purl?: string; properties: { name: string; value: string }[] };
    };
  };
  provenance: Statement;
  buildkit_provenance: { materials: { digest: { sha256: string } }[]; [more: string]: unknown };
}

/** A change of a record, of its evidence, or of both. */
type HeldChange = (record: FactoryRecord, evidence: HeldEvidence) => unknown;

/** Puts other documents in the place of evidence; null for none. */
export function replace(
  evidence: HeldEvidence,
  documents: Partial<Record<keyof HeldEvidence, unknown>>,
): void {
  Object.assign(evidence, documents);
}

/** A pass and its evidence, changed before it is held to that: what is wrong. */
export function held(change: HeldChange = () => undefined): string[] {
  const made = provable(INPUTS, { start: START, duration_ms: 60_000, digest: IMAGE, ref: "demo:1" });
  const record: FactoryRecord = structuredClone({ ...made.draft, record_id: recordId(START, made.draft) });
  const evidence = Object.fromEntries(
    Object.entries(made.evidence).map(([kind, { text, mediaType }]): [string, unknown] => [
      kind,
      mediaType === "application/json" ? JSON.parse(text) : text,
    ]),
  );
  change(record, evidence as unknown as HeldEvidence);
  const bytes = Object.entries(evidence).flatMap(([kind, document]) =>
    document === null
      ? []
      : [[kind, Buffer.from(typeof document === "string" ? document : JSON.stringify(document))] as const],
  );
  return proofProblems(record, new Map(bytes), RULES).map(({ code, what }) => `${code} ${what}`);
}

export const malformed = (kind: string) => `EVIDENCE_MALFORMED ${kind} is not a document of its kind`;
export const shown = (what: string, record: string, evidence: string) =>
  `${what}: the record has ${record}, its evidence has ${evidence}`;

export type Row = [string, HeldChange, unknown];
