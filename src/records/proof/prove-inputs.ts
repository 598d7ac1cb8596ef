import { canonicalJson } from "../../model/digest.ts";
import { type Inputs, keysOf } from "../../model/inputs.ts";
import type { FactoryRecord } from "../../schemas/types.ts";
import type { Problem } from "../problem.ts";
import { differs, fieldsOf } from "./fields.ts";

/** Fields that the record repeats from its inputs. */
const REPEATED = [
  "manifest_id",
  "cell_id",
  "platform",
  "template",
  "fragments",
  "args",
  "images",
  "parent",
  "repacked",
  "sources",
] as const;

/** Whether a document has the parts that keys are computed from. Wrong values in them give other keys. */
export function isInputs(document: unknown): document is Inputs {
  const {
    schema_version,
    dockerfile,
    files,
    sources = [],
    images,
    environment,
    tests,
    limits,
  } = fieldsOf(document);
  return (
    schema_version === 1 &&
    typeof dockerfile === "string" &&
    [files, sources, images, tests].every(Array.isArray) &&
    [environment, limits].every((one) => typeof one === "object" && one !== null)
  );
}

/** Where a record differs from the inputs in its evidence: keys, inputs and base. */
export function inputsProblems(record: FactoryRecord, inputs: Inputs): Problem[] {
  const keys = keysOf(inputs);
  const problems = (Object.keys(keys) as (keyof typeof keys)[]).flatMap((name) =>
    record[name] === keys[name] ? [] : [differs("KEY_MISMATCH", name, record[name], keys[name])],
  );
  for (const name of REPEATED)
    if (canonicalJson(record[name] ?? null) !== canonicalJson(inputs[name] ?? null))
      problems.push(differs("INPUT_MISMATCH", name, record[name], inputs[name]));
  const base = inputs.images.find(({ role }) => role === "base");
  for (const name of ["ref", "digest"] as const)
    if (base && record.base[name] !== base[name])
      problems.push(differs("INPUT_MISMATCH", `base.${name}`, record.base[name], base[name]));
  if (!base) problems.push({ code: "INPUT_MISMATCH", what: "the inputs name no base" });
  return problems;
}
