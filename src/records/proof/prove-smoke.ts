import { canonicalJson } from "../../model/digest.ts";
import type { Inputs } from "../../model/inputs.ts";
import { keptOf, type SmokeEvidence, suiteStatus } from "../../model/smoke.ts";
import type { FactoryRecord } from "../../schemas/types.ts";
import { loosened } from "../../smoke/settings.ts";
import type { Problem } from "../problem.ts";
import { differs, fieldsOf } from "./fields.ts";

export function isSmokeEvidence(document: unknown): document is SmokeEvidence {
  const { schema_version, tests, image } = fieldsOf(document);
  return (
    schema_version === 1 &&
    typeof image === "object" &&
    image !== null &&
    Array.isArray(tests) &&
    tests.every((test) => typeof fieldsOf(test).id === "string")
  );
}

/** What the declared tests leave of the sandbox's defaults, by test. */
function looseness({ tests, limits }: Inputs): [string, string[]][] {
  return tests.map((test) => [`${test.from}/${test.id}`, loosened(test, limits)]);
}

/** What a record says otherwise than its smoke report: the image, the suite, each test and its status. */
export function smokeProblems(
  record: FactoryRecord,
  report: SmokeEvidence,
  inputs: Inputs | null,
): Problem[] {
  const problems: Problem[] = [];
  const { image } = record;
  for (const name of ["digest", "manifest_digest", "size", "layers"] as const)
    if (image?.[name] !== report.image[name])
      problems.push(differs("IMAGE_MISMATCH", `image.${name}`, image?.[name] ?? null, report.image[name]));
  if (record.platform !== report.platform)
    problems.push(differs("INPUT_MISMATCH", "platform", record.platform, report.platform));
  if (record.test_suite_hash !== report.test_suite_hash)
    problems.push(
      differs("TESTS_MISMATCH", "test_suite_hash", record.test_suite_hash, report.test_suite_hash),
    );
  if (record.verdict_key !== report.verdict_key)
    problems.push(differs("KEY_MISMATCH", "verdict_key", record.verdict_key, report.verdict_key));
  const tests = report.tests.map(keptOf);
  if (canonicalJson(record.tests) !== canonicalJson(tests))
    problems.push(differs("TESTS_MISMATCH", "tests", record.tests, tests));
  const ids = report.tests.map(({ id }) => id);
  const declared = inputs?.tests.map(({ from, id }) => `${from}/${id}`) ?? ids;
  if (canonicalJson(ids) !== canonicalJson(declared))
    problems.push({
      code: "TESTS_MISMATCH",
      what: `the smoke report is about the tests ${ids.join(", ") || "(none)"}; declared are ${declared.join(", ") || "(none)"}`,
    });
  const loose = inputs ? new Map(looseness(inputs)) : undefined;
  for (const { id, loosened: said = [] } of report.tests) {
    const declaredLoose = loose?.get(id) ?? said;
    if (canonicalJson(said) !== canonicalJson(declaredLoose))
      problems.push(differs("TESTS_MISMATCH", `tests.${id}.loosened`, said, declaredLoose));
  }
  const status = suiteStatus(report.tests);
  if (status !== report.status)
    problems.push({
      code: "STATUS_MISMATCH",
      what: `the smoke report says ${report.status}, and its tests come to ${status}`,
    });
  return problems;
}
