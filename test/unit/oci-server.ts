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
import { createRegistry, type RepositoryClient } from "../../src/tools/oci/repository-client.ts";

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
  manifests: Map<string, { bytes: Buffer; mediaType: string }>;
  blobs: Map<string, Buffer>;
}

export interface ServedOptions {
  /** Answers instead of the registry; true if it did. */
  before?: Listener;
  /** Where a blob is to be sent. Default: a relative address. */
  uploadAt?: string;
  /** How many tags a page has. */
  page?: number;
}

/** A registry as the OCI distribution specification describes it, in memory, for any repository name. */
export async function serveRegistry(options: ServedOptions = {}): Promise<ServedRegistry> {
  const manifests: ServedRegistry["manifests"] = new Map();
  const blobs: ServedRegistry["blobs"] = new Map();
  const { before, uploadAt = "/v2/team/app/blobs/uploads/one?_state=a%20b", page = 1000 } = options;

  const manifest = (ref: string, { method, headers, body }: Got, response: ServerResponse) => {
    if (method === "PUT") {
      const stored = { bytes: body, mediaType: headers["content-type"] ?? "" };
      manifests.set(ref, stored).set(sha256(body), stored);
      return response.writeHead(201, { "docker-content-digest": sha256(body) }).end();
    }
    const found = manifests.get(ref);
    if (!found) return refuse(response, 404, "MANIFEST_UNKNOWN", "manifest unknown");
    if (method === "DELETE") {
      manifests.delete(ref);
      return response.writeHead(202).end();
    }
    response.writeHead(200, {
      "content-type": found.mediaType,
      "content-length": found.bytes.length,
      "docker-content-digest": sha256(found.bytes),
    });
    return response.end(method === "HEAD" ? undefined : found.bytes);
  };
  const blob = (digest: string, { method }: Got, response: ServerResponse) => {
    const found = blobs.get(digest);
    if (!found) return refuse(response, 404, "BLOB_UNKNOWN", "blob unknown");
    response.writeHead(200, { "content-length": found.length });
    return response.end(method === "HEAD" ? undefined : found);
  };
  const tags = (query: URLSearchParams, path: string, response: ServerResponse) => {
    const all = [...manifests.keys()].filter((ref) => !ref.startsWith("sha256:"));
    if (all.length === 0) return refuse(response, 404, "NAME_UNKNOWN", "repository name not known");
    const from = all.indexOf(query.get("last") ?? "") + 1;
    const shown = all.slice(from, from + page);
    if (from + page < all.length)
      response.setHeader("link", `<${path}?n=${page}&last=${shown.at(-1)}>; rel="next"`);
    return response.end(JSON.stringify({ tags: shown }));
  };

  const served = await serveHttp(async (got, response, request) => {
    if (before && (await before(got, response, request)) === true) return;
    const { pathname, searchParams } = new URL(got.url, "http://registry");
    const [, kind, ref = ""] = /\/(manifests|blobs|tags)\/(.+)$/.exec(pathname) ?? [];
    if (kind === "manifests") manifest(ref, got, response);
    else if (kind === "tags") tags(searchParams, pathname, response);
    else if (got.method === "POST") response.writeHead(202, { location: uploadAt }).end();
    else if (got.method === "PUT") {
      const digest = searchParams.get("digest") ?? "";
      if (sha256(got.body) !== digest)
        return refuse(response, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
      blobs.set(digest, got.body);
      response.writeHead(201, { "docker-content-digest": digest }).end();
    } else blob(ref, got, response);
  });
  return { ...served, manifests, blobs };
}

/** A client of `team/app`, with nothing known of it but what a test says. */
export function clientOf(
  host: string,
  deps: Partial<Omit<RegistryDeps, "credentialsOf">> & { credentials?: Credentials | null } = {},
): RepositoryClient {
  const { credentials = null, ...rest } = deps;
  const open = createRegistry({
    credentialsOf: () => Promise.resolve(credentials),
    now: Date.now,
    mask: createMask(),
    ...rest,
  });
  return open({ host, repository: "team/app" });
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
