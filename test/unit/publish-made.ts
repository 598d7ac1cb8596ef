import { sha256 } from "../../src/model/digest.ts";
import { createMask } from "../../src/model/mask.ts";
import type { ServedImage } from "../../src/publish/joined.ts";
import type { RegistryDeps } from "../../src/publish/registry-deps.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { attachReferrers } from "../../src/tools/oci/attach-referrers.ts";
import { copyImage } from "../../src/tools/oci/copy-image.ts";
import { createRegistry } from "../../src/tools/oci/repository-client.ts";
import type { ServedRegistry } from "./oci-server.ts";
import { record } from "./records-made.ts";
import { createWaits } from "./oci-waits.ts";

export const INDEX = "application/vnd.oci.image.index.v1+json";
export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const FROM = { host: "registry.example", repository: "team/app" };

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
/** A manifest as a registry gives it. */
export const servedAs = (mediaType: string, value: unknown) => {
  const bytes = bytesOf(value);
  return { bytes, mediaType, digest: sha256(bytes) };
};

/** The image of a platform as BuildKit pushes it: an index of its manifest and an attestation. */
export function pushedImage(platform: string, change: Partial<Record<string, unknown>> = {}): ServedImage {
  const [os, architecture, variant] = platform.split("/");
  const own = sha256(`manifest of ${platform}`);
  const manifest = {
    mediaType: MANIFEST,
    digest: own,
    size: 500,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
  };
  const attestation = {
    mediaType: MANIFEST,
    digest: sha256(`attestation of ${platform}`),
    size: 700,
    platform: { os: "unknown", architecture: "unknown" },
    annotations: {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": own,
      ...(change.annotations as object | undefined),
    },
  };
  const more = (change.more as unknown[] | undefined) ?? [];
  const served = servedAs(INDEX, {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{ ...manifest, ...(change.manifest as object | undefined) }, attestation, ...more],
  });
  return {
    record_id: `of-${platform}`,
    platform,
    repository: FROM,
    digest: served.digest,
    manifest_digest: own,
    served,
    labels: {
      "org.opencontainers.image.title": "app",
      "org.opencontainers.image.base.digest": sha256(platform),
      other: "1",
    },
  };
}

/** What registries on loopback are asked with, each request once. */
export function registryDeps(signal = new AbortController().signal): RegistryDeps {
  const open = createRegistry({
    credentialsOf: () => Promise.resolve(null),
    now: Date.now,
    mask: createMask(),
  });
  const again = <T>(work: () => Promise<T>) => work();
  const deps = { ...createWaits(), open, again, signal };
  return {
    repository: open,
    again,
    signal,
    copy: async (digest, places) => void (await copyImage({ ...places, digest }, {}, deps)),
    attach: (to, subject, manifests) => attachReferrers(open(to), subject, manifests, deps),
  };
}

/** Stores an image of one platform, as a registry has it, with its layers. Gives its record, which is not written anywhere. */
export function storeImage(
  { host, manifests, blobs }: ServedRegistry,
  platform: string,
  text: string,
): FactoryRecord {
  const blob = (content: string) => {
    const bytes = Buffer.from(content);
    blobs.set(sha256(bytes), bytes);
    return { digest: sha256(bytes), size: bytes.length };
  };
  const [os, architecture] = platform.split("/");
  const labels = { "org.opencontainers.image.title": "demo" };
  const config = { mediaType: "application/vnd.oci.image.config.v1+json" };
  const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
  const manifest = servedAs(MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { ...config, ...blob(JSON.stringify({ os, architecture, config: { Labels: labels } })) },
    layers: [{ ...layer, ...blob(`${text} on ${platform}`) }],
  });
  manifests.set(manifest.digest, manifest);
  const { digest, bytes } = manifest;
  const index = servedAs(INDEX, {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{ mediaType: MANIFEST, digest, size: bytes.length, platform: { os, architecture } }],
  });
  manifests.set(index.digest, index);
  const made = record();
  return {
    ...made,
    record_id: `${made.record_id}-${platform}-${text}`,
    platform,
    image: {
      ref: `${host}/team/app:${text}`,
      digest: index.digest,
      manifest_digest: digest,
      size: 1,
      layers: 1,
      pushed: true,
    },
  };
}
