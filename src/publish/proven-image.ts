import { parseReference, type RepositoryName } from "../model/image-reference.ts";
import { FactoryError } from "../errors.ts";
import type { FactoryRecord } from "../schemas/types.ts";

/** The image of one platform that a record proves, where it was pushed to. */
export interface ProvenImage {
  record_id: string;
  platform: string;
  repository: RepositoryName;
  /** Of what was pushed: an index where there are attestations. */
  digest: string;
  /** Of the platform's image manifest. */
  manifest_digest: string;
}

/** Where the image of a record is, or why it is nowhere that others could have it from. */
export function provenImage(record: FactoryRecord): ProvenImage | { why: string } {
  const { record_id, platform, image, cell_id } = record;
  if (record.result.status !== "pass" || !image) return { why: `${record_id} of ${cell_id} is no pass` };
  if (!image.pushed) return { why: `the image of ${cell_id} was not pushed: \`factory run --push\` does` };
  try {
    const { host, repository } = parseReference(image.ref);
    const { digest, manifest_digest } = image;
    return { record_id, platform, repository: { host, repository }, digest, manifest_digest };
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    return { why: `the image of ${cell_id} is in no registry that can be asked: ${error.message}` };
  }
}
