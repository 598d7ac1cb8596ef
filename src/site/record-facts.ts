import { canonicalJson } from "../model/digest.ts";
import { baseText } from "../model/parent.ts";
import type { StoredRecord } from "../records/stored-record.ts";
import type { RecordFacts } from "./fact-changes.ts";

/** What a record is compared by. */
export function factsOf(record: StoredRecord): RecordFacts {
  const { result, template, base, platform, args, image, source, evidence } = record;
  const parent = record.schema_version === 2 ? record.parent : undefined;
  return {
    id: record.record_id,
    cell: record.cell_id,
    status: result.status,
    expected: result.expected,
    testedAt: result.tested_at,
    inputs: [
      ["manifest", record.manifest_id],
      ["platform", platform],
      ["template", `${template.id}@${template.version}`],
      ["base", `${baseText(base.ref)}${base.digest === null ? "" : `@${base.digest}`}`],
      ...(parent
        ? [["parent", `${parent.manifest_id}, build key ${parent.build_key}`] as [string, string]]
        : []),
      ...Object.entries(args).map(([name, value]): [string, string] => [
        `argument ${name}`,
        canonicalJson(value),
      ]),
      ["commit", source.commit ?? "not known"],
    ],
    fragments: record.fragments.map(({ name, version, digest }) => [name, version, digest]),
    tests: record.tests.map(({ id, status }) => [id, status]),
    times: [...Object.entries(result.stages_ms), ["total", result.duration_ms]],
    image: image
      ? [
          ["image", image.manifest_digest ?? "not known"],
          ["size", String(image.size)],
          ["layers", String(image.layers)],
        ]
      : [],
    sbom: evidence.sbom?.sha256 ?? null,
  };
}
