import pLimit from "p-limit";
import { parseReference } from "../../model/subject.ts";
import type { Change, Seen } from "../action.ts";
import type { Attempt } from "./attempts.ts";

/** Where images are. If something cannot be asked, that is no answer, but never an error. */
export interface Places {
  /** Digests by tag of all images that the engine holds in some repositories; null if no engine answers. */
  engineTags: (repositories: readonly string[]) => Promise<ReadonlyMap<string, string> | null>;
  /** Whether the engine holds an image, under any name. */
  engineHolds: (digest: string) => Promise<boolean>;
  /** The digest that the registry has under a tag or digest; null if it has none; undefined if it cannot be asked. */
  served: (ref: string) => Promise<string | null | undefined>;
}

/** Where it does not matter where images are: nobody is asked. */
export const UNASKED: Places = {
  engineTags: () => Promise.resolve(null),
  engineHolds: () => Promise.resolve(false),
  served: () => Promise.resolve(undefined),
};

/** What to do about a cell whose proof is valid, given where its image is. */
export type Placement =
  /** The image has its tag, or nobody could be asked. */
  | { action: "reuse"; seen: Seen }
  /** The image exists, but the tag names another image or none. */
  | { action: "retag"; changes: Change[] }
  /** The image is gone. */
  | { action: "build"; changes: Change[] };

const AT_ONCE = 16;

const SHORT = "sha256:".length + 12;

function moved(input: string, digest: string, now: string | null): Change[] {
  return [{ input, before: digest.slice(0, SHORT), after: now && now.slice(0, SHORT) }];
}

/** An image by its digest, in the repository of a tag. */
const byDigest = (ref: string, digest: string): string => `${parseReference(ref).repository}@${digest}`;

/**
 * Whether the image that a record proves is still where the record says. Without `needPushed` the engine is enough; a
 * pushed image is also looked for in its registry, so that a machine with an empty engine can reuse it, or give it its tag.
 * @param engine digests by tag; null if no engine answers
 */
async function placeOf(
  { ref, digest, pushed }: { ref: string; digest: string; pushed: boolean },
  places: Places,
  engine: ReadonlyMap<string, string> | null,
  needPushed: boolean,
): Promise<Placement> {
  const named = engine?.get(ref) ?? null;
  if (named === digest && !needPushed) return { action: "reuse", seen: "engine" };
  const served = pushed ? await places.served(ref) : undefined;
  if (served === digest) return { action: "reuse", seen: "registry" };
  if (engine === null && served === undefined) return { action: "reuse", seen: "unasked" };
  // Of a registry that cannot be asked only what the engine has under the tag is known.
  const changes =
    !needPushed || (served === undefined && named !== digest)
      ? moved("tag", digest, named)
      : moved("registry", digest, served === undefined ? "unknown" : served);
  const held = named === digest || (engine !== null && (await places.engineHolds(digest)));
  // A registry that cannot be asked about the tag is not asked again.
  const mayHave = pushed && served !== undefined;
  const isThere = held || (mayHave && (await places.served(byDigest(ref, digest))) === digest);
  return { action: isThere ? "retag" : "build", changes };
}

/**
 * Looks for the images of proofs, all at once: one request to the engine, and one to a registry for each pushed image for
 * which the engine is not enough.
 * @returns in the order of the attempts
 */
export async function placementsOf(
  proofs: readonly Attempt[],
  places: Places,
  needPushed: boolean,
): Promise<Placement[]> {
  const images = proofs.map(({ ref, digest, pushed }) => ({ ref: ref ?? "", digest: digest ?? "", pushed }));
  const repositories = [...new Set(images.map(({ ref }) => parseReference(ref).repository))].sort();
  const engine = repositories.length === 0 ? null : await places.engineTags(repositories);
  const limit = pLimit(AT_ONCE);
  return Promise.all(images.map((image) => limit(() => placeOf(image, places, engine, needPushed))));
}
