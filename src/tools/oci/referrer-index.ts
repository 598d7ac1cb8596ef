import { sha256 } from "../../model/digest.ts";
import { isDigest } from "../../model/image-reference.ts";
import { compareText } from "../../model/compare.ts";

/** A manifest that refers to another one, as an index names it. */
export interface Referrer {
  mediaType: string;
  digest: string;
  /** In bytes. */
  size: number;
  /** What it is; "" if that is not said. */
  artifactType: string;
  annotations: Readonly<Record<string, string>>;
}

function objectOf(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const textsOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries((typeof value === "object" && value) || {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );

/** The entries of an index; undefined if it is none. What cannot be a manifest's name is passed over. */
export function readReferrers(bytes: Uint8Array): Referrer[] | undefined {
  const manifests = objectOf(bytes)?.manifests ?? undefined;
  if (!Array.isArray(manifests)) return undefined;
  return (manifests as unknown[]).flatMap((one): Referrer[] => {
    const { mediaType, digest, size, artifactType, annotations } = (one ?? {}) as Record<string, unknown>;
    if (typeof mediaType !== "string" || typeof digest !== "string" || !isDigest(digest)) return [];
    if (!Number.isSafeInteger(size) || (size as number) < 0) return [];
    return [
      {
        mediaType,
        digest,
        size: size as number,
        artifactType: typeof artifactType === "string" ? artifactType : "",
        annotations: textsOf(annotations),
      },
    ];
  });
}

/** How an index names a manifest. @param bytes of the manifest */
export function referrerOf(bytes: Uint8Array, mediaType: string): Referrer {
  const { artifactType, config, annotations } = objectOf(bytes) ?? {};
  const { mediaType: configType } = (config ?? {}) as { mediaType?: unknown };
  const said = [artifactType, configType].find((one) => typeof one === "string" && one !== "");
  return {
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
    artifactType: typeof said === "string" ? said : "",
    annotations: textsOf(annotations),
  };
}

/**
 * An index with some manifests added. What others put into it stays as it is.
 * @param before its bytes; null if there is none yet
 * @returns null if all of them are in it; undefined if it is no index
 */
export function withReferrers(
  before: Uint8Array | null,
  more: readonly Referrer[],
): Buffer | null | undefined {
  const index: Record<string, unknown> | null =
    before === null
      ? { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] }
      : objectOf(before);
  if (!index || !Array.isArray(index.manifests)) return undefined;
  const there = new Set(
    (index.manifests as unknown[]).map((one) => (one as { digest?: unknown } | null)?.digest),
  );
  const added = [...new Map(more.map((one) => [one.digest, one])).values()]
    .filter(({ digest }) => !there.has(digest))
    .sort((a, b) => compareText(a.digest, b.digest))
    .map(({ artifactType, annotations, ...rest }) => ({
      ...rest,
      ...(artifactType === "" ? {} : { artifactType }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    }));
  if (added.length === 0) return null;
  return Buffer.from(JSON.stringify({ ...index, manifests: [...(index.manifests as unknown[]), ...added] }));
}
