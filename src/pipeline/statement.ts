import type { Inputs, Keys, ReadFile, ReadImage, ReadSource } from "../model/inputs.ts";
import { manifestOfRef } from "../model/parent.ts";
import type { SecretNeed } from "../model/secret.ts";
import { type Subject, subjectOf, subjectPurl } from "../model/subject.ts";
import type { FactoryRecord } from "../schemas/types.ts";

/** https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md: it has a URI, a digest, or both. */
interface Resource {
  name: string;
  uri?: string;
  digest?: Record<string, string>;
  mediaType?: string;
  annotations?: Record<string, string | boolean>;
}

/** An in-toto statement, version 1, with a predicate of SLSA provenance, version 1 (https://slsa.dev/spec/v1.0/provenance). */
export interface Statement {
  _type: "https://in-toto.io/Statement/v1";
  subject: Resource[];
  predicateType: "https://slsa.dev/provenance/v1";
  predicate: {
    buildDefinition: {
      buildType: string;
      externalParameters: Record<string, unknown>;
      internalParameters: Record<string, unknown>;
      resolvedDependencies: Resource[];
    };
    runDetails: {
      builder: { id: string; version: Record<string, string> };
      metadata: { invocationId?: string; startedOn: string; finishedOn: string };
      byproducts: Resource[];
    };
  };
}

/** How parameters and dependencies are to be read: as this file writes them, with the keys of `src/model/inputs.ts`. */
const BUILD_TYPE = "urn:io.factory:build:1";

/** Factory drives the build. Where that happened, and with which versions, stands beside it. */
const BUILDER_ID = "urn:io.factory:builder";

const LISTING_TYPE = "text/plain";

const hexOf = (digest: string) => digest.slice("sha256:".length);

function imageResource({ role, ref, digest }: ReadImage, platform: string): Resource[] {
  if (ref === "scratch") return [];
  const annotations = { role, platform };
  // The reference of a parent's image stands for no place that could be asked for it.
  if (digest !== null && manifestOfRef(ref) !== null)
    return [{ name: ref, digest: { sha256: hexOf(digest) }, annotations }];
  if (digest === null) return [{ name: ref, uri: `docker-image://${ref}`, annotations }];
  const uri = subjectPurl(subjectOf(ref, digest, platform)) ?? `docker-image://${ref}`;
  return [{ name: ref, uri, digest: { sha256: hexOf(digest) }, annotations }];
}

function fileResource({ path, mode, sha256 }: ReadFile): Resource[] {
  // A folder has no contents of its own: its files stand beside it.
  if (path.endsWith("/")) return [];
  return [{ name: path, digest: { sha256: hexOf(sha256) }, annotations: { mode } }];
}

/** A source: the digest is that of its listing (src/files/listing.ts), which names each of its files with its own. */
function listingResource({ path, entries, bytes, sha256 }: ReadSource): Resource {
  const annotations = { listing: true, entries: String(entries), bytes: String(bytes) };
  return { name: path, digest: { sha256: hexOf(sha256) }, mediaType: LISTING_TYPE, annotations };
}

/** The commit of the workspace; nothing outside a repository. */
function sourceResource({ commit, dirty }: FactoryRecord["source"]): Resource[] {
  if (commit === null) return [];
  return [{ name: "workspace", digest: { gitCommit: commit }, annotations: { dirty: dirty ?? true } }];
}

/**
 * The provenance of an image, as a statement about it: what was asked for, all that went in by digest, what built it and when.
 * @param about `kept` is evidence of the build by kind, as hex digits of its sha256
 */
export function statementOf(
  {
    subject,
    inputs,
    keys,
  }: { subject: Subject; inputs: Inputs; keys: Pick<Keys, "recipe_key" | "build_key"> },
  about: {
    started: Date;
    finished: Date;
    tools: Readonly<Record<string, string>>;
    source: FactoryRecord["source"];
    /** Ids of the secrets that steps had, by kind. */
    secrets: readonly Pick<SecretNeed, "kind" | "id">[];
    kept: Readonly<Record<string, { sha256: string; media_type: string }>>;
  },
): Statement {
  const { repository, manifest_digest, platform } = subject;
  const uri = subjectPurl(subject);
  const { manifest_id, cell_id, parent, repacked, template, fragments, args, environment } = inputs;
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      {
        name: repository ?? manifest_digest,
        ...(uri !== null && { uri }),
        digest: { sha256: hexOf(manifest_digest) },
        annotations: { platform },
      },
    ],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          manifest_id,
          cell_id,
          platform,
          template,
          fragments,
          args,
          ...(parent && { parent }),
          ...(repacked && { repacked }),
          recipe_key: keys.recipe_key,
          build_key: keys.build_key,
        },
        internalParameters: {
          environment,
          ...(about.secrets.length > 0 && { secrets: about.secrets.map(({ kind, id }) => ({ kind, id })) }),
        },
        resolvedDependencies: [
          ...inputs.images.flatMap((image) => imageResource(image, platform)),
          ...sourceResource(about.source),
          ...inputs.files.flatMap(fileResource),
          ...(inputs.sources ?? []).map(listingResource),
        ],
      },
      runDetails: {
        builder: { id: BUILDER_ID, version: { ...about.tools } },
        metadata: {
          ...(about.source.ci_url !== null && { invocationId: about.source.ci_url }),
          startedOn: about.started.toISOString(),
          finishedOn: about.finished.toISOString(),
        },
        byproducts: Object.entries(about.kept).map(([name, { sha256, media_type }]) => ({
          name,
          digest: { sha256 },
          mediaType: media_type,
        })),
      },
    },
  };
}
