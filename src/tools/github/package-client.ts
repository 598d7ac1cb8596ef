import { request } from "@octokit/request";
import type { Mask } from "../../model/mask.ts";
import { exchange, type Fetch, PATIENCE, type Patience } from "../oci/exchange.ts";
import { RegistryError, wrongAnswer } from "../oci/registry-error.ts";
import type { GithubAccess } from "./github-access.ts";
import { githubRefusal, RIGHTS } from "./github-refusal.ts";

/** A manifest of a package of containers, as GitHub keeps it. */
export interface PackageVersion {
  id: number;
  /** Its digest. */
  name: string;
  /** null if GitHub does not say. */
  tags: readonly string[] | null;
}

/** What is used of an answer. Nothing is taken for granted of what it holds. */
interface Answer {
  data: unknown;
  headers: { link?: string };
}

/** A package of containers. All functions throw FactoryError REGISTRY_*, INTERRUPTED. */
export interface PackageClient {
  /** For people: `ghcr.io/OWNER/NAME`. */
  name: string;
  /** A page of its versions, from 1. */
  versions: (page: number, signal: AbortSignal) => Promise<{ versions: PackageVersion[]; isLast: boolean }>;
  /** A version as it is now; null if there is none. */
  version: (id: number, signal: AbortSignal) => Promise<PackageVersion | null>;
  /**
   * Deletes a version. @returns whether it was there
   * @throws FactoryError PACKAGE_UNDELETABLE; REGISTRY_DENIED also where GitHub says that it is not there, and it is
   */
  remove: (id: number, signal: AbortSignal) => Promise<boolean>;
}

interface PackageDeps {
  access: GithubAccess;
  /** Milliseconds since 1970. */
  now: () => number;
  mask: Mask;
  fetch?: Fetch;
  patience?: Partial<Patience>;
}

const VERSIONS = "/{kind}/{owner}/packages/{package_type}/{package_name}/versions";
const VERSION = `${VERSIONS}/{package_version_id}`;
const PER_PAGE = 100;
const MOST_ANSWER = 16 << 20;
const HEADERS = {
  accept: "application/vnd.github+json",
  "user-agent": "factory",
  "x-github-api-version": "2022-11-28",
};
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What of a version is used. @throws RegistryError REGISTRY_CONTENT for something else */
function readVersion(value: unknown, what: string): PackageVersion {
  const { id, name, metadata } = (value ?? {}) as Partial<Record<"id" | "name" | "metadata", unknown>>;
  const { container } = (metadata ?? {}) as { container?: unknown };
  const { tags } = (container ?? {}) as { tags?: unknown };
  if (typeof id !== "number" || !Number.isSafeInteger(id) || typeof name !== "string")
    throw wrongAnswer(`${what}: GitHub answers with something else`);
  const isList = Array.isArray(tags) && tags.every((tag) => typeof tag === "string");
  return { id, name, tags: isList ? tags : null };
}

const isMissing = (error: unknown) => error instanceof RegistryError && error.status === 404;

/**
 * The package behind a repository of ghcr.io, by GitHub's API. The token goes to the API's own host alone: redirects are refused.
 * @param repository `OWNER/NAME`; a name may have more parts
 */
export function openPackage(
  repository: string,
  { access, now, mask, fetch = globalThis.fetch, ...deps }: PackageDeps,
): PackageClient {
  const patience = { ...PATIENCE, ...deps.patience };
  const [owner = "", ...parts] = repository.split("/");
  const about = { package_type: "container" as const, package_name: parts.join("/") };
  const name = `ghcr.io/${repository}`;

  /** GitHub's API for one request. What is no success is an error here, before Octokit sees it, which does not know the token. */
  const apiFor = (what: string, signal: AbortSignal) => {
    const send = async (
      address: string,
      init: { method: "GET" | "DELETE"; headers: Record<string, string> },
    ) => {
      const url = new URL(address);
      const headers = { ...init.headers, authorization: `Bearer ${access.token}` };
      const answer = await exchange({ method: init.method, url, headers, signal }, { fetch, patience });
      const { status } = answer;
      if (status >= 400 && status < 600) throw await githubRefusal(answer, what, { mask, now });
      if (status < 200 || status >= 300) {
        await answer.drop();
        throw wrongAnswer(`${what}: ${url.host} answers ${status}, which leads elsewhere`);
      }
      if (status !== 204)
        return new Response(await answer.bytes(MOST_ANSWER), { status, headers: answer.headers });
      await answer.drop();
      return new Response(null, { status });
    };
    const own = request.defaults({
      baseUrl: access.base,
      headers: HEADERS,
      request: { fetch: send, log: quiet },
    });
    return async <T>(ask: (api: typeof request) => Promise<T>): Promise<T> => {
      try {
        return await ask(own);
      } catch (error) {
        // Octokit wraps what its fetch throws.
        throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
      }
    };
  };

  let kind: "orgs" | "users" | undefined;
  /** What a request is about. GitHub keeps the packages of organizations and of users under other addresses. */
  const owned = async (signal: AbortSignal) => {
    if (kind === undefined) {
      const what = `the owner of ${name}`;
      const { data } = await apiFor(what, signal)((api) => api("GET /users/{username}", { username: owner }));
      const { type } = (data ?? {}) as { type?: unknown };
      if (type !== "Organization" && type !== "User")
        throw wrongAnswer(`${what}: GitHub says neither that it is a user nor an organization`);
      kind = type === "Organization" ? "orgs" : "users";
    }
    return { ...about, kind, owner };
  };

  const version: PackageClient["version"] = async (id, signal) => {
    const what = `the version ${id} of ${name}`;
    const one = { ...(await owned(signal)), package_version_id: id };
    try {
      const { data } = await apiFor(what, signal)<Answer>((api) => api(`GET ${VERSION}`, one));
      return readVersion(data, what);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  };

  return {
    name,
    version,
    versions: async (page, signal) => {
      const what = `the versions of ${name}`;
      const paged = { ...(await owned(signal)), per_page: PER_PAGE, page };
      const { data, headers } = await apiFor(what, signal)<Answer>((api) => api(`GET ${VERSIONS}`, paged));
      if (!Array.isArray(data)) throw wrongAnswer(`${what}: GitHub answers with something else`);
      const versions = data.map((one) => readVersion(one, what));
      return { versions, isLast: versions.length === 0 || !/\brel="?next\b/.test(headers.link ?? "") };
    },
    remove: async (id, signal) => {
      const what = `deleting the version ${id} of ${name}`;
      const one = { ...(await owned(signal)), package_version_id: id };
      try {
        await apiFor(what, signal)<Answer>((api) => api(`DELETE ${VERSION}`, one));
        return true;
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      if ((await version(id, signal)) === null) return false;
      throw new RegistryError("REGISTRY_DENIED", `${what}: GitHub answers 404, and it is still there`, {
        status: 404,
        again: "no",
        fix: RIGHTS,
      });
    },
  };
}
