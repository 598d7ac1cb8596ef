import { buffer } from "node:stream/consumers";
import pLimit from "p-limit";
import { imageLabels, type LabelledConfig } from "../model/image-labels.ts";
import { isDigest, parseReference } from "../model/image-reference.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { type Joined, join, type ServedImage } from "./joined.ts";
import { provenImage, type ProvenImage } from "./proven-image.ts";
import { AT_ONCE, type RegistryDeps, servedBy, type TagReference } from "./registry-deps.ts";

/** What cannot be done, and why. */
export interface Missing {
  what: string;
  why: string;
}

/** A tag that names something else than it should. */
export interface Change {
  ref: string;
  /** The digest that it names now; null if it names none. */
  from: string | null;
  to: string;
  /** The records that prove what it is to name, one per platform. */
  record_ids: readonly string[];
}

/** A tag, and the records of what it is to name. */
export interface Wanted {
  ref: string;
  record_ids: readonly string[];
  /** The tag that is moved on; missing for what is published. */
  source?: string;
  /** Whether the tag is of one commit, and not meant to stay. */
  isTransient?: boolean;
}

/** A change, and what it needs. */
export interface PlannedChange extends Change {
  tag: TagReference;
  joined: Joined;
  source?: string;
  isTransient?: boolean;
}

export interface ChangePlan {
  /** In the order in which they were wanted. */
  changes: PlannedChange[];
  /** Tags that name what they should. */
  unchanged: string[];
  missing: Missing[];
}

/** The largest configuration of an image that is read, in bytes. */
const MOST_CONFIG = 4 << 20;

/** The labels in an image's configuration; none where its manifest or configuration has another form. */
async function labelsOf(
  { repository: name, manifest_digest }: ProvenImage,
  { repository, again, signal }: RegistryDeps,
): Promise<Record<string, string>> {
  const client = repository(name);
  const { bytes } = await again(() => client.manifest(manifest_digest, { signal }));
  const { config } = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
    config?: { digest?: unknown; size?: unknown };
  };
  const { digest, size } = config ?? {};
  if (typeof digest !== "string" || !isDigest(digest) || typeof size !== "number") return {};
  const text = await again(() => buffer(client.blob({ digest, size }, { most: MOST_CONFIG, signal })));
  return imageLabels(JSON.parse(text.toString("utf8")) as LabelledConfig);
}

/** The images of records, joined, or why they cannot be. */
async function joinedOf(
  records: readonly FactoryRecord[],
  deps: RegistryDeps,
): Promise<Joined | { why: string }> {
  const images: ServedImage[] = [];
  for (const record of records) {
    const image = provenImage(record);
    if ("why" in image) return image;
    const client = deps.repository(image.repository);
    const { signal } = deps;
    // Only the registry's "not found" means that it is gone.
    if ((await deps.again(() => client.headManifest(image.digest, { signal }))) === null) {
      const { host, repository } = image.repository;
      return {
        why: `${host}/${repository} no longer has ${image.digest}, which ${record.record_id} proves: \`factory run --push\` builds it again`,
      };
    }
    const served = await deps.again(() => client.manifest(image.digest, { signal }));
    images.push({ ...image, served, labels: records.length > 1 ? await labelsOf(image, deps) : {} });
  }
  return join(images);
}

function tagOf(ref: string): TagReference {
  const reference = parseReference(ref);
  return { ...reference, tag: reference.tag ?? "latest" };
}

/** Which tags have to be moved so that each names what its records prove. Nothing is changed. */
export async function planChanges(
  wanted: readonly Wanted[],
  recordOf: (id: string) => Promise<FactoryRecord>,
  deps: RegistryDeps,
): Promise<ChangePlan> {
  const limit = pLimit(AT_ONCE);
  const joins = new Map<string, Promise<Joined | { why: string }>>();
  const joinOnce = (ids: readonly string[]) => {
    const key = ids.join(" ");
    let known = joins.get(key);
    if (!known)
      joins.set(key, (known = Promise.all(ids.map(recordOf)).then((records) => joinedOf(records, deps))));
    return known;
  };
  // Of a registry that does not answer, one question tells it, and not one for each tag.
  const hosts = new Map(wanted.map(({ ref }) => [parseReference(ref).host, ref]));
  for (const ref of hosts.values()) await servedBy(deps, tagOf(ref));
  const found = await Promise.all(
    wanted.map(({ ref, record_ids, source, isTransient }) =>
      limit(async (): Promise<Missing | Omit<PlannedChange, "to">> => {
        const tag = tagOf(ref);
        const [joined, from] = await Promise.all([joinOnce(record_ids), servedBy(deps, tag)]);
        return "why" in joined
          ? { what: ref, why: joined.why }
          : { ref, from, record_ids, tag, joined, source, isTransient };
      }),
    ),
  );
  const plan: ChangePlan = { changes: [], unchanged: [], missing: [] };
  for (const one of found)
    if (!("joined" in one)) plan.missing.push(one);
    else if (one.from === one.joined.digest) plan.unchanged.push(one.ref);
    else plan.changes.push({ ...one, to: one.joined.digest });
  return plan;
}
