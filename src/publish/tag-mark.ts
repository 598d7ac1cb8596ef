import { canonicalJson } from "../model/digest.ts";
import { EMPTY_DESCRIPTOR, MANIFEST_TYPE } from "../records/remote/record-artifact.ts";

/*
 * No registry says when a tag was written, and an image can be much older than its tag: its proof may have been reused. So a tag
 * that is not meant to stay is marked: by a manifest that is attached to its image.
 */

const MARK_ARTIFACT = "application/vnd.factory.tag.v1";
const TAG = "io.factory.tag";
const CREATED = "org.opencontainers.image.created";

/** The manifest that says when a tag was written. @param subject what it names */
export function tagMark(
  tag: string,
  subject: { mediaType: string; digest: string; size: number },
  now: Date,
): Buffer {
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: MARK_ARTIFACT,
      config: EMPTY_DESCRIPTOR,
      layers: [EMPTY_DESCRIPTOR],
      subject,
      annotations: { [TAG]: tag, [CREATED]: now.toISOString() },
    }),
  );
}

/** The tag that something attached to an image marks, and when that was written, in milliseconds since 1970; null for anything else. */
export function markedTag(annotations: Readonly<Record<string, string>>): { tag: string; at: number } | null {
  const { [TAG]: tag, [CREATED]: created } = annotations;
  const at = Date.parse(created ?? "");
  return tag === undefined || Number.isNaN(at) ? null : { tag, at };
}
