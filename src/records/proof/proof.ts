import type { Inputs } from "../../model/inputs.ts";
import type { SmokeEvidence } from "../../model/smoke.ts";
import type { FactoryRecord } from "../../schemas/types.ts";
import type { Problem } from "../problem.ts";
import { contentHash } from "../record-id.ts";
import { dockerfileProblems } from "./prove-dockerfile.ts";
import { provenanceProblems, sbomProblems, statementProblems } from "./prove-image.ts";
import { inputsProblems, isInputs } from "./prove-inputs.ts";
import { resultProblems, type StageRules, timeProblems } from "./prove-result.ts";
import { sourceProblems } from "./prove-sources.ts";
import { isSmokeEvidence, smokeProblems } from "./prove-smoke.ts";

/** Kinds of evidence that are not only hashed but also read. */
export const READ_KINDS: ReadonlySet<string> = new Set([
  "inputs",
  "source_files",
  "dockerfile",
  "smoke_report",
  "sbom",
  "provenance",
  "buildkit_provenance",
]);

function hashOf(record: FactoryRecord): string {
  try {
    return contentHash(record);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return "nothing, since it has text that is not Unicode";
  }
}

/** What is wrong with a record by itself: its id, and the evidence that such a record has to have. */
export function ownProblems(record: FactoryRecord, { required }: StageRules): Problem[] {
  const problems: Problem[] = [];
  const [, hash = ""] = record.record_id.split("-");
  const own = hashOf(record);
  if (hash !== own)
    problems.push({
      code: "RECORD_EDITED",
      what: `the record was changed after it was written: it hashes to ${own}, but its id says ${hash}`,
    });
  for (const kind of required(record.result))
    if (!Object.hasOwn(record.evidence, kind))
      problems.push({ code: "EVIDENCE_REQUIRED", what: `a record with this result has to have ${kind}` });
  return problems;
}

/**
 * Where a record differs from what its evidence proves. Everything that can be computed again is computed: keys from the
 * inputs, tests and status from the smoke report, image, base and platform from SBOM and provenance.
 * @param evidence the bytes of each existing kind of `READ_KINDS`, which hash to what the record says
 * @param absent kinds that were pruned: what they proved is not asked for
 */
export function proofProblems(
  record: FactoryRecord,
  evidence: ReadonlyMap<string, Buffer>,
  rules: StageRules,
  absent: ReadonlySet<string> = new Set(),
): Problem[] {
  const problems: Problem[] = [];
  const documentOf = <T>(kind: string, is: (document: unknown) => document is T): T | null => {
    const bytes = evidence.get(kind);
    if (!bytes) return null;
    try {
      const document: unknown = JSON.parse(bytes.toString("utf8"));
      if (is(document)) return document;
    } catch {
      // It is reported below.
    }
    problems.push({ code: "EVIDENCE_MALFORMED", what: `${kind} is not a document of its kind` });
    return null;
  };
  const isObject = (document: unknown): document is object =>
    typeof document === "object" && document !== null;
  /** A document with a wrong shape is a problem of the document, not of ours. */
  const prove = (kind: string, work: () => Problem[]) => {
    try {
      problems.push(...work());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      problems.push({ code: "EVIDENCE_MALFORMED", what: `${kind} is not a document of its kind` });
    }
  };

  const inputs = documentOf<Inputs>("inputs", isInputs);
  const report = documentOf<SmokeEvidence>("smoke_report", isSmokeEvidence);
  const sbom = documentOf("sbom", isObject);
  const provenance = documentOf("provenance", isObject);
  const builders = documentOf("buildkit_provenance", isObject);
  const dockerfile = evidence.get("dockerfile");
  if (inputs) prove("inputs", () => inputsProblems(record, inputs));
  if (inputs && dockerfile) prove("inputs", () => dockerfileProblems(inputs, dockerfile.toString("utf8")));
  if (inputs) prove("source_files", () => sourceProblems(inputs, evidence.get("source_files")));
  if (report) prove("smoke_report", () => smokeProblems(record, report, inputs));
  if (sbom) prove("sbom", () => sbomProblems(record, sbom));
  if (provenance) prove("provenance", () => statementProblems(record, provenance, inputs));
  if (builders) prove("buildkit_provenance", () => provenanceProblems(record, builders));
  problems.push(...resultProblems(record, report, rules), ...timeProblems(record, report));
  if (!report && record.tests.length > 0 && !absent.has("smoke_report"))
    problems.push({ code: "TESTS_MISMATCH", what: "the record has tests but no smoke report" });
  return problems;
}
