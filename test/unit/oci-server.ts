import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { createMask } from "../../src/model/mask.ts";
import type { Credentials } from "../../src/tools/oci/credentials.ts";
import type { Fetch } from "../../src/tools/oci/exchange.ts";
import { RegistryError } from "../../src/tools/oci/registry-error.ts";
import type { RegistryDeps } from "../../src/tools/oci/connection.ts";
import {
  createRegistry,
  type OpenRepository,
  type RepositoryClient,
} from "../../src/tools/oci/repository-client.ts";

/** A request as a server got it. */
export interface Got {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

type Listener = (got: Got, response: ServerResponse, request: IncomingMessage) => unknown;

/** An HTTP server on loopback that is gone when the test is over; it gets whole requests, and remembers them. */
export async function serveHttp(listener: Listener): Promise<{ host: string; got: Got[] }> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    const answer = async () => {
      const one = { method, url, headers, body: await buffer(request) };
      got.push(one);
      await listener(one, response, request);
    };
    answer().catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, got };
}

/** What a registry answers where something is wrong. */
export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

export interface ServedRegistry {
  host: string;
  got: Got[];
  manifests: Stored["manifests"];
  blobs: Stored["blobs"];
  /** What a repository has, by its name; with `apart` each has its own. */
  of: (repository: string) => Stored;
}

/** What is in a repository. */
interface Stored {
  manifests: Map<string, { bytes: Buffer; mediaType: string }>;
  blobs: Map<string, Buffer>;
}

export interface ServedOptions {
  /** Answers instead of the registry; true if it did. */
  before?: Listener;
  /** Where a blob is to be sent. Default: a relative address. */
  uploadAt?: string;
  /** How many tags, or referrers, a page has. */
  page?: number;
  /** Whether each repository has its own contents, and blobs can be taken over from others. Default: all have the same. */
  apart?: boolean;
  /** Whether it knows the API for referrers. Default: no. */
  referrers?: boolean;
}

interface Described {
  artifactType?: string;
  config?: { mediaType?: string };
  subject?: { digest?: string };
  annotations?: unknown;
}

function described(bytes: Buffer): Described {
  try {
    return JSON.parse(bytes.toString()) as Described;
  } catch {
    return {};
  }
}

/** A page of a list: its items, and the `Link` to the next one. */
function paged<T>(all: readonly T[], url: URL, page: number, response: ServerResponse): readonly T[] {
  const from = Number(url.searchParams.get("from") ?? 0);
  if (from + page < all.length) {
    url.searchParams.set("from", String(from + page));
    response.setHeader("link", `<${url.pathname}${url.search}>; rel="next"`);
  }
  return all.slice(from, from + page);
}

/** A registry as the OCI distribution specification describes it, in memory, for any repository name. */
export async function serveRegistry(options: ServedOptions = {}): Promise<ServedRegistry> {
  const shared: Stored = { manifests: new Map(), blobs: new Map() };
  const each = new Map<string, Stored>();
  const { before, page = 1000, apart = false, referrers = false } = options;
  const of = (repository: string): Stored => {
    const own = apart ? (each.get(repository) ?? { manifests: new Map(), blobs: new Map() }) : shared;
    each.set(repository, own);
    return own;
  };

  const manifest = (
    { manifests }: Stored,
    ref: string,
    { method, headers, body }: Got,
    response: ServerResponse,
  ) => {
    if (method === "PUT") {
      const stored = { bytes: body, mediaType: headers["content-type"] ?? "" };
      manifests.set(ref, stored).set(sha256(body), stored);
      const subject = described(body).subject?.digest;
      if (referrers && subject !== undefined) response.setHeader("oci-subject", subject);
      return response.writeHead(201, { "docker-content-digest": sha256(body) }).end();
    }
    const found = manifests.get(ref);
    if (!found) return refuse(response, 404, "MANIFEST_UNKNOWN", "manifest unknown");
    if (method === "DELETE") {
      // A manifest goes with all of its tags, as registries do it.
      for (const [name, { bytes }] of [...manifests])
        if (name === ref || sha256(bytes) === ref) manifests.delete(name);
      return response.writeHead(202).end();
    }
    response.writeHead(200, {
      "content-type": found.mediaType,
      "content-length": found.bytes.length,
      "docker-content-digest": sha256(found.bytes),
    });
    return response.end(method === "HEAD" ? undefined : found.bytes);
  };
  const blob = ({ blobs }: Stored, digest: string, { method }: Got, response: ServerResponse) => {
    const found = blobs.get(digest);
    if (!found) return refuse(response, 404, "BLOB_UNKNOWN", "blob unknown");
    response.writeHead(200, { "content-length": found.length });
    return response.end(method === "HEAD" ? undefined : found);
  };
  const tags = ({ manifests }: Stored, url: URL, response: ServerResponse) => {
    const all = [...manifests.keys()].filter((ref) => !ref.startsWith("sha256:"));
    if (all.length === 0) return refuse(response, 404, "NAME_UNKNOWN", "repository name not known");
    return response.end(JSON.stringify({ tags: paged(all, url, page, response) }));
  };
  const referring = ({ manifests }: Stored, subject: string, url: URL, response: ServerResponse) => {
    const type = url.searchParams.get("artifactType");
    const all = [...manifests].flatMap(([ref, { bytes, mediaType }]) => {
      const { artifactType: own, config, subject: of, annotations } = described(bytes);
      const artifactType = own ?? config?.mediaType;
      if (!ref.startsWith("sha256:") || of?.digest !== subject || (type ?? artifactType) !== artifactType)
        return [];
      return [{ mediaType, digest: ref, size: bytes.length, artifactType, annotations }];
    });
    response.setHeader("content-type", "application/vnd.oci.image.index.v1+json");
    if (type !== null) response.setHeader("oci-filters-applied", "artifactType");
    return response.end(JSON.stringify({ schemaVersion: 2, manifests: paged(all, url, page, response) }));
  };

  const served = await serveHttp(async (got, response, request) => {
    if (before && (await before(got, response, request)) === true) return;
    const url = new URL(got.url, "http://registry");
    const { pathname, searchParams } = url;
    const [, repository = "", kind, ref = ""] =
      /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.+)$/.exec(pathname) ?? [];
    const stored = of(repository);
    if (kind === "manifests") manifest(stored, ref, got, response);
    else if (kind === "tags") tags(stored, url, response);
    else if (kind === "referrers") {
      if (referrers) referring(stored, ref, url, response);
      else response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found");
    } else if (got.method === "POST") {
      const mounted = apart
        ? of(searchParams.get("from") ?? "").blobs.get(searchParams.get("mount") ?? "")
        : undefined;
      if (mounted) {
        stored.blobs.set(searchParams.get("mount") ?? "", mounted);
        response.writeHead(201).end();
      } else {
        const uploadAt = options.uploadAt ?? `/v2/${repository}/blobs/uploads/one?_state=a%20b`;
        response.writeHead(202, { location: uploadAt }).end();
      }
    } else if (got.method === "PUT") {
      const digest = searchParams.get("digest") ?? "";
      if (sha256(got.body) !== digest)
        return refuse(response, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
      stored.blobs.set(digest, got.body);
      response.writeHead(201, { "docker-content-digest": digest }).end();
    } else blob(stored, ref, got, response);
  });
  return { ...served, ...shared, of };
}

type ClientDeps = Partial<Omit<RegistryDeps, "credentialsOf">> & { credentials?: Credentials | null };

/** Clients of any repository, with nothing known of it but what a test says. */
export function openWith({ credentials = null, ...rest }: ClientDeps = {}): OpenRepository {
  return createRegistry({
    credentialsOf: () => Promise.resolve(credentials),
    now: Date.now,
    mask: createMask(),
    ...rest,
  });
}

/** A client of `team/app`, with nothing known of it but what a test says. */
export function clientOf(host: string, deps: ClientDeps = {}): RepositoryClient {
  return openWith(deps)({ host, repository: "team/app" });
}

/** A fetch for which some hosts, such as `https://registry.example`, are servers on loopback. */
export const pretending =
  (hosts: Record<string, string>): Fetch =>
  (url, init) => {
    const { origin, pathname, search } = new URL(url);
    return fetch(`http://${hosts[origin] ?? "127.0.0.1:1"}${pathname}${search}`, init);
  };

/** The error that a registry led to, with all that a person may see of it. */
export async function refusalOf(promise: Promise<unknown>): Promise<RegistryError & { shown: string }> {
  const error: unknown = await promise.then(
    () => new Error("nothing was refused"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof RegistryError)) throw error;
  return Object.assign(error, { shown: `${error.message}\n${error.fix}` });
}

/** The text of a blob, by its pieces. */
export async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  return (await buffer(pieces)).toString("utf8");
}
