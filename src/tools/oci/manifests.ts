import { FactoryError } from "../../errors.ts";
import { isDigest, isTag } from "../../model/image-reference.ts";
import { sha256 } from "../../model/digest.ts";
import { quoted } from "../../model/visible.ts";
import type { HttpAnswer } from "./exchange.ts";
import { wrongAnswer } from "./registry-error.ts";
import type { Connection, Stoppable } from "./connection.ts";

export interface ServedManifest {
  bytes: Uint8Array;
  /** As the registry says it, without parameters. */
  mediaType: string;
  /** Over the bytes. */
  digest: string;
}

export interface ManifestClient {
  /** A manifest by tag or digest. @throws RegistryError REGISTRY_NOT_FOUND, REGISTRY_CONTENT */
  manifest: (ref: string, options?: Stoppable) => Promise<ServedManifest>;
  /** The digest of a manifest by tag or digest; null only if the registry says that there is none. */
  headManifest: (ref: string, options?: Stoppable) => Promise<string | null>;
  /** Stores a manifest by tag or by its digest. @returns its digest */
  putManifest: (ref: string, bytes: Uint8Array, mediaType: string, options?: Stoppable) => Promise<string>;
  /**
   * Stores a manifest that has a `subject`, by its digest.
   * @returns its digest, and whether the registry took note of the subject; if not, it has to be said in another way
   */
  putReferrer: (
    subject: string,
    bytes: Uint8Array,
    mediaType: string,
    options?: Stoppable,
  ) => Promise<{ digest: string; noted: boolean }>;
  /** Deletes a manifest by digest, or a tag. @returns whether it was there */
  deleteManifest: (ref: string, options?: Stoppable) => Promise<boolean>;
}

/** Everything that a tag can mean. */
const ACCEPTED = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** The largest manifest that registries have to take, in bytes. */
const MOST = 4 << 20;

function checked(ref: string): string {
  if (isTag(ref) || isDigest(ref)) return ref;
  throw new FactoryError("REFERENCE_INVALID", `${quoted(ref)} is neither a tag nor a digest`, {
    fix: "write a tag, or `sha256:` and 64 hex digits",
  });
}

/** The digest that a registry says, if it is one that can be compared. */
function saidDigest({ headers }: HttpAnswer): string | undefined {
  const said = headers.get("docker-content-digest") ?? "";
  return isDigest(said) ? said : undefined;
}

export function manifestClient(connection: Connection): ManifestClient {
  const { host, repository, at, ask, refused } = connection;
  const nameOf = (ref: string) => `the manifest ${quoted(ref)}`;
  const other = (ref: string, digest: string) =>
    wrongAnswer(`${nameOf(ref)} of ${host}/${repository} is said to be ${digest}, and is not`);

  const manifest: ManifestClient["manifest"] = async (ref, { signal } = {}) => {
    const url = at(`manifests/${checked(ref)}`);
    const answer = await ask({ method: "GET", url, headers: { accept: ACCEPTED }, signal });
    if (answer.status !== 200) throw await refused(answer, nameOf(ref));
    const mediaType = (answer.headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "";
    if (mediaType === "") {
      await answer.drop();
      throw wrongAnswer(`${nameOf(ref)} of ${host}/${repository} has no media type`);
    }
    const bytes = await answer.bytes(MOST);
    const digest = sha256(bytes);
    for (const said of [isDigest(ref) ? ref : digest, saidDigest(answer) ?? digest])
      if (said !== digest) throw other(ref, said);
    return { bytes, mediaType, digest };
  };

  const put = async (
    ref: string,
    bytes: Uint8Array,
    mediaType: string,
    { signal }: Stoppable = {},
  ): Promise<{ digest: string; subject: string | null }> => {
    const digest = sha256(bytes);
    if (isDigest(checked(ref)) && ref !== digest) throw other(ref, ref);
    const url = at(`manifests/${ref}`);
    const headers = { "content-type": mediaType };
    const answer = await ask({ method: "PUT", url, headers, body: bytes, signal }, "pull,push");
    if (answer.status !== 201) throw await refused(answer, nameOf(ref), "pull,push");
    await answer.drop();
    const stored = saidDigest(answer) ?? digest;
    if (stored !== digest) throw other(ref, stored);
    return { digest, subject: answer.headers.get("oci-subject") };
  };

  return {
    manifest,
    headManifest: async (ref, options = {}) => {
      const url = at(`manifests/${checked(ref)}`);
      const { signal } = options;
      const answer = await ask({ method: "HEAD", url, headers: { accept: ACCEPTED }, signal });
      if (answer.status !== 200 && answer.status !== 404) throw await refused(answer, nameOf(ref));
      await answer.drop();
      if (answer.status === 404) return null;
      const digest = saidDigest(answer);
      // The header is not required.
      if (digest === undefined) return (await manifest(ref, options)).digest;
      if (isDigest(ref) && digest !== ref) throw other(ref, ref);
      return digest;
    },
    putManifest: async (ref, bytes, mediaType, options) => (await put(ref, bytes, mediaType, options)).digest,
    putReferrer: async (subject, bytes, mediaType, options) => {
      const { digest, subject: said } = await put(sha256(bytes), bytes, mediaType, options);
      return { digest, noted: said === subject };
    },
    deleteManifest: async (ref, { signal } = {}) => {
      const answer = await ask({ method: "DELETE", url: at(`manifests/${checked(ref)}`), signal }, "delete");
      const { status } = answer;
      if (![200, 202, 204, 404].includes(status)) throw await refused(answer, nameOf(ref), "delete");
      await answer.drop();
      return status !== 404;
    },
  };
}
