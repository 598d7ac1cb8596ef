import { PackageURL } from "packageurl-js";

/** What a proof is about: one image of one platform. The same in the record, the SBOM and the provenance. */
export interface Subject {
  /** Repository without tag and digest: `127.0.0.1:5000/factory/demo`; null for an image that has no name. */
  repository: string | null;
  /** `sha256:…` of the platform's image manifest: neither of an index nor of a configuration. */
  manifest_digest: string;
  /** Such as `linux/arm64`. */
  platform: string;
}

/** The parts of an image reference. It names a registry only if its first part is a host. */
export function parseReference(ref: string): {
  repository: string;
  base: string;
  tag: string;
  hosted: boolean;
} {
  const [named = ""] = ref.split("@");
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? "" : named.slice(colon + 1);
  const [first = ""] = repository.split("/");
  const hosted = repository.includes("/") && /[.:]|^localhost$/.test(first);
  return { repository, base: repository.slice(repository.lastIndexOf("/") + 1), tag, hosted };
}

/**
 * The subject that a reference means. A tag can move, so it is not part of it; a digest instead of a name gives no name.
 * @param ref as the engine accepts it: `name`, `name:tag`, `name@sha256:…`, `sha256:…`
 */
export function subjectOf(ref: string, manifest_digest: string, platform: string): Subject {
  const nameless = /^(sha256:)?[a-f0-9]{64}$/.test(ref);
  const repository = nameless ? "" : parseReference(ref).repository;
  return { repository: repository === "" ? null : repository, manifest_digest, platform };
}

/**
 * The subject as a package URL of the type `oci`: the last part of its repository, the manifest's digest, the architecture, and
 * the repository if it names its registry. null for a subject without a name.
 */
export function subjectPurl({ repository, manifest_digest, platform }: Subject): string | null {
  const { base, hosted } = parseReference(repository ?? "");
  if (repository === null || base.trim() === "") return null;
  const arch = platform.split("/").slice(1).join("/");
  const qualifiers = {
    ...(arch !== "" && { arch }),
    ...(hosted && { repository_url: repository.toLowerCase() }),
  };
  const purl = new PackageURL(
    "oci",
    undefined,
    base.toLowerCase(),
    manifest_digest,
    qualifiers,
    undefined,
  ).toString();
  // Both forms are allowed and mean the same; this is the one in the OCI type's own examples.
  return purl.replace("@sha256:", "@sha256%3A");
}
