import type { Value } from "../schemas/types.ts";
import type { StoredRecord } from "./stored-record.ts";

/** What lists and matrices ask of a record, beyond what the planner asks. */
export interface Listed {
  /** Whether the status is the one that was declared. */
  expected: boolean;
  /** `id@version`. */
  template: string;
  /** The reference of the base. */
  base: string;
  /** In the order of the record. */
  fragments: readonly (readonly [name: string, version: string])[];
  args: Readonly<Record<string, Value>>;
  /** null if the build gave no image. */
  manifest_digest: string | null;
  /** Bytes of the image; null if there is none. */
  size: number | null;
  /** sha256 of its SBOM in hex; null if there is none. */
  sbom: string | null;
}

export function listedOf({ result, template, base, fragments, args, image, evidence }: StoredRecord): Listed {
  return {
    expected: result.expected,
    template: `${template.id}@${template.version}`,
    base: base.ref,
    fragments: fragments.map(({ name, version }) => [name, version] as const),
    args,
    manifest_digest: image?.manifest_digest ?? null,
    size: image?.size ?? null,
    sbom: evidence.sbom?.sha256 ?? null,
  };
}
