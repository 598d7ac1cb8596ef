import { FactoryError } from "../../errors.ts";
import { isDigest } from "../../model/image-reference.ts";
import { quoted } from "../../model/visible.ts";
import type { Connection, Stoppable } from "./connection.ts";
import type { HttpAnswer } from "./exchange.ts";
import type { ManifestClient } from "./manifests.ts";
import { nextPage } from "./next-page.ts";
import { readReferrers, type Referrer } from "./referrer-index.ts";
import { wrongAnswer } from "./registry-error.ts";

/** What refers to a manifest. */
export interface Referrers {
  found: Referrer[];
  /** Whether these are all: a list without an end is read no further than `MOST_REFERRERS`. */
  whole: boolean;
  /** Whether the registry keeps this list; else it stands behind a tag, which anyone who adds to it writes again. */
  kept: boolean;
}

export interface ReferrerClient {
  /**
   * The manifests that name another one as their subject, in the registry's order. Anyone who may write to the repository
   * can add to them.
   * @param subject a digest; the manifest need not be there
   * @param options `artifactType`: only those of this type, and those of which the registry does not say the type
   * @throws RegistryError REGISTRY_CONTENT
   */
  referrers: (subject: string, options?: Stoppable & { artifactType?: string }) => Promise<Referrers>;
}

/** The most that are read of one subject, and the largest page, in bytes. */
export const MOST_REFERRERS = 5000;
const MOST_PAGE = 4 << 20;

/** The answers of registries that have no such API. */
const MISSING: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

/** The type of an empty config: what registries say that read the type of an artifact from its config alone. */
const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** The tag that stands in for the API where that is missing (OCI distribution specification 1.1, "Referrers Tag Schema"). */
export function fallbackTag(subject: string): string {
  return subject.replace(":", "-");
}

export function referrerClient(connection: Connection, { manifest }: ManifestClient): ReferrerClient {
  const { host, repository, at, ask, refused } = connection;

  /** What stands behind the tag. */
  const behindTag = async (subject: string, options: Stoppable): Promise<Referrer[]> => {
    try {
      const { bytes, mediaType } = await manifest(fallbackTag(subject), options);
      return mediaType === INDEX_TYPE ? (readReferrers(bytes) ?? []) : [];
    } catch (error) {
      if (error instanceof FactoryError && error.code === "REGISTRY_NOT_FOUND") return [];
      throw error;
    }
  };

  /** What the API says; null where there is none. */
  const asked = async (
    subject: string,
    { artifactType, signal }: Stoppable & { artifactType?: string },
  ): Promise<Omit<Referrers, "kept"> | null> => {
    const what = `the referrers of ${subject}`;
    const wrong = (why: string) => wrongAnswer(`${what} in ${host}/${repository} ${why}`);
    const found: Referrer[] = [];
    let url: URL | undefined = at(`referrers/${subject}`);
    if (artifactType !== undefined) url.searchParams.set("artifactType", artifactType);
    for (let page = 0; url; page += 1) {
      const answer: HttpAnswer = await ask({
        method: "GET",
        url,
        headers: { accept: INDEX_TYPE },
        signal,
      });
      const type = (answer.headers.get("content-type") ?? "").split(";")[0]?.trim();
      // A page of a proxy, or of a registry that answers everything with 200, is no list.
      if (page === 0 && (MISSING.has(answer.status) || (answer.status === 200 && type !== INDEX_TYPE))) {
        await answer.drop();
        return null;
      }
      if (answer.status !== 200) throw await refused(answer, what);
      const some = readReferrers(await answer.bytes(MOST_PAGE));
      if (!some) throw wrong("are not an index");
      found.push(...some);
      const next = nextPage(answer, wrong);
      if (next && some.length === 0) throw wrong(`go on after an empty page, at ${quoted(next.pathname)}`);
      if (next && found.length >= MOST_REFERRERS) return { found, whole: false };
      url = next;
    }
    return { found, whole: true };
  };

  return {
    referrers: async (subject, options = {}) => {
      if (!isDigest(subject)) {
        throw new FactoryError("REFERENCE_INVALID", `${quoted(subject)} is not a digest`, {
          fix: "write `sha256:` and 64 hex digits",
        });
      }
      const said = await asked(subject, options);
      const { found, whole } = said ?? { found: await behindTag(subject, options), whole: true };
      // A registry need not know how to filter, nor what `artifactType` in a manifest is.
      const types = new Set([options.artifactType, "", EMPTY_TYPE]);
      const wanted =
        options.artifactType === undefined
          ? found
          : found.filter(({ artifactType }) => types.has(artifactType));
      return {
        found: wanted.slice(0, MOST_REFERRERS),
        whole: whole && wanted.length <= MOST_REFERRERS,
        kept: said !== null,
      };
    },
  };
}
