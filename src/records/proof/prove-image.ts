import type { Inputs } from "../../model/inputs.ts";
import type { FactoryRecord } from "../../schemas/types.ts";
import type { Problem } from "../problem.ts";
import { differs, fieldsOf, listOf } from "./fields.ts";

const DIGESTS = /sha256(?::|%3A)[a-f0-9]{64}/gi;
const LABELS = [
  ["io.factory.build-key", "build_key"],
  ["io.factory.recipe-key", "recipe_key"],
] as const;

/** Every digest in a document's text, as `sha256:…`. */
function digestsIn(value: unknown): string[] {
  const found = JSON.stringify(value ?? null).match(DIGESTS) ?? [];
  return [...new Set(found.map((digest) => digest.toLowerCase().replace("%3a", ":")))];
}

/**
 * Where a record's image differs from the SBOM's subject. Only documents that Factory wrote are checked: other tools name an
 * image in other ways.
 */
export function sbomProblems({ image, platform }: FactoryRecord, sbom: unknown): Problem[] {
  const { component, tools } = fieldsOf(fieldsOf(sbom).metadata);
  if (fieldsOf(sbom).bomFormat !== "CycloneDX")
    return [{ code: "EVIDENCE_MALFORMED", what: "sbom is not a document of its kind" }];
  const ours = listOf(fieldsOf(tools).components).some((tool) => fieldsOf(tool).name === "factory");
  if (!ours || !image) return [];
  const known = [image.digest, image.manifest_digest];
  const named = digestsIn(component);
  const problems: Problem[] = named.flatMap((digest) =>
    known.includes(digest) ? [] : [differs("IMAGE_MISMATCH", "the SBOM's image", known.join(", "), digest)],
  );
  if (named.length === 0)
    problems.push({ code: "IMAGE_MISMATCH", what: "the SBOM names no image by digest" });
  for (const property of listOf(fieldsOf(component).properties).map(fieldsOf))
    if (property.name === "factory:image:platform" && property.value !== platform)
      problems.push(differs("INPUT_MISMATCH", "platform", platform, property.value));
  return problems;
}

/** Where a record differs from a provenance, the builder's or Factory's: base, keys, and the image if it is named. */
export function provenanceProblems(record: FactoryRecord, provenance: unknown): Problem[] {
  const whole = fieldsOf(provenance);
  const statement = fieldsOf(whole.predicate ?? whole);
  const definition = fieldsOf(statement.buildDefinition);
  const materials = listOf(statement.materials ?? definition.resolvedDependencies).map(fieldsOf);
  const problems: Problem[] = [];
  const { base, image } = record;
  const digests = materials.map(({ digest }) => `sha256:${String(fieldsOf(digest).sha256)}`);
  if (base.digest !== null && !digests.includes(base.digest))
    problems.push(differs("INPUT_MISMATCH", "base.digest", base.digest, digests.join(", ")));
  const parameters = fieldsOf(fieldsOf(statement.invocation).parameters);
  const args = fieldsOf(parameters.args ?? fieldsOf(fieldsOf(definition.externalParameters).request).args);
  const asked = fieldsOf(definition.externalParameters);
  for (const [label, name] of LABELS) {
    const value = asked[name] ?? args[`label:${label}`];
    if (value !== undefined && value !== record[name])
      problems.push(differs("KEY_MISMATCH", name, record[name], value));
  }
  const subjects = listOf(whole.subject).map(
    (one) => `sha256:${String(fieldsOf(fieldsOf(one).digest).sha256)}`,
  );
  for (const subject of subjects)
    if (image && subject !== image.digest && subject !== image.manifest_digest)
      problems.push(differs("IMAGE_MISMATCH", "the provenance's image", image.digest, subject));
  return problems;
}

/** Where a record or its inputs differ from Factory's own provenance, which names all inputs and the image. */
export function statementProblems(
  record: FactoryRecord,
  statement: unknown,
  inputs: Pick<Inputs, "images" | "files" | "sources"> | null,
): Problem[] {
  const { _type, predicateType, subject, predicate } = fieldsOf(statement);
  if (_type !== "https://in-toto.io/Statement/v1" || predicateType !== "https://slsa.dev/provenance/v1")
    return [{ code: "EVIDENCE_MALFORMED", what: "provenance is not a document of its kind" }];
  const problems = provenanceProblems(record, statement);
  if (listOf(subject).length === 0)
    problems.push({ code: "IMAGE_MISMATCH", what: "the provenance names no image" });
  const named = new Set(
    listOf(fieldsOf(fieldsOf(predicate).buildDefinition).resolvedDependencies).map((one) => {
      const { name, digest } = fieldsOf(one);
      return `${String(name)} sha256:${String(fieldsOf(digest).sha256)}`;
    }),
  );
  const wanted = [
    ...(inputs?.images ?? []).map(({ ref, digest }) => ({ name: ref, digest })),
    ...(inputs?.files ?? [])
      .filter(({ path }) => !path.endsWith("/"))
      .map(({ path, sha256 }) => ({ name: path, digest: sha256 })),
    ...(inputs?.sources ?? []).map(({ path, sha256 }) => ({ name: path, digest: sha256 })),
  ];
  for (const { name, digest } of wanted)
    if (digest !== null && !named.has(`${name} ${digest}`))
      problems.push({
        code: "INPUT_MISMATCH",
        what: `the inputs have ${name} with ${digest}, but the provenance does not`,
      });
  return problems;
}
