import { FactoryError } from "../errors.ts";
import { recordAt } from "./locate.ts";
import type { Problem } from "./problem.ts";
import { type RecordCheck, readRecord } from "./read-record.ts";
import type { StoredRecord } from "./stored-record.ts";

/**
 * What is wrong between the record of a repacked image and that of the image that it was made from: it has to be there, be of a
 * pass for the same inputs, and have the image that the other one names.
 * @param base real path of the folder `records`
 */
export function originalProblems(base: string, record: StoredRecord, check: RecordCheck): Problem[] {
  if (record.schema_version !== 2 || !record.repacked) return [];
  const { record_id, digest, manifest_digest } = record.repacked;
  const wrong = (why: string): Problem[] => [
    { code: "ORIGINAL_MISMATCH", what: `its image is a repacked one, and its original ${record_id} ${why}` },
  ];
  try {
    const { record: original } = readRecord(recordAt(base, record.manifest_id, record_id), check);
    if (original.schema_version !== 2) return wrong("has an old form");
    if (original.repacked) return wrong("is of a repacked image itself");
    if (original.result.status !== "pass") return wrong(`is of a ${original.result.status}`);
    if (original.image?.digest !== digest || original.image.manifest_digest !== manifest_digest)
      return wrong(`has the image ${original.image?.digest ?? "none"}, and not ${digest}`);
    const isSame = original.build_key === record.build_key && original.cell_id === record.cell_id;
    return isSame ? [] : wrong("is of other inputs");
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    return wrong("cannot be read");
  }
}
