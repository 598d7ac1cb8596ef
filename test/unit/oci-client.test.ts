import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { exchange, PATIENCE } from "../../src/tools/oci/exchange.ts";
import { networkFailure } from "../../src/tools/oci/network-failure.ts";
import { clientOf, pretending, refusalOf, refuse, serveHttp, serveRegistry, textOf } from "./oci-server.ts";

const MEDIA = "application/vnd.oci.image.manifest.v1+json";
const MANIFEST = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA }));

describe("manifests", () => {
  it("come back as they were stored, by tag and by digest", async () => {
    const { host, got } = await serveRegistry();
    const client = clientOf(host);
    const digest = await client.putManifest("1.0.0", MANIFEST, MEDIA);
    expect(digest).toBe(sha256(MANIFEST));
    for (const ref of ["1.0.0", digest])
      expect(await client.manifest(ref)).toEqual({ bytes: MANIFEST, mediaType: MEDIA, digest });
    expect(await client.headManifest("1.0.0")).toBe(digest);
    expect(await client.headManifest("2.0.0")).toBe(null);
    expect(got[0]?.headers["content-type"]).toBe(MEDIA);
    expect(got[1]?.headers.accept).toContain("application/vnd.oci.image.index.v1+json");
  });

  it("are asked for once more where a HEAD does not tell the digest", async () => {
    const { host } = await serveHttp(({ method }, response) => {
      response.setHeader("content-type", `${MEDIA}; charset=utf-8`);
      response.end(method === "HEAD" ? undefined : MANIFEST);
    });
    expect(await clientOf(host).headManifest("1")).toBe(sha256(MANIFEST));
    expect((await clientOf(host).manifest("1")).mediaType).toBe(MEDIA);
  });

  it("are deleted with their tags, and say whether they were there", async () => {
    const { host, manifests } = await serveRegistry();
    const client = clientOf(host);
    const digest = await client.putManifest("1", MANIFEST, MEDIA);
    expect(await client.deleteManifest(digest)).toBe(true);
    expect(await client.deleteManifest(digest)).toBe(false);
    expect([...manifests.keys()]).toEqual([]);
  });

  it.each([400, 401, 403, 405, 429, 500, 503, 204, 302])(
    "with %i are not said to be absent",
    async (status) => {
      const { host } = await serveHttp((_, response) => response.writeHead(status).end());
      const error = await refusalOf(clientOf(host).headManifest("1"));
      expect(error.status ?? error.code).toBe(status === 302 ? "REGISTRY_CONTENT" : status);
    },
  );
});

describe("blobs", () => {
  const bytes = Buffer.alloc(200_000, "factory ");
  const blob = { digest: sha256(bytes), size: bytes.length };

  it("are sent once, with their length, and come back", async () => {
    const { host, got } = await serveRegistry();
    const client = clientOf(host);
    expect(await client.hasBlob(blob.digest)).toBe(false);
    expect(await client.putBlob(blob, bytes)).toBe(true);
    expect(await client.putBlob(blob, bytes)).toBe(false);
    expect(await textOf(client.blob(blob, { most: 200_000 }))).toBe(bytes.toString());
    const put = got.find(({ method }) => method === "PUT");
    expect(put?.headers["content-length"]).toBe("200000");
    expect(put?.headers["transfer-encoding"]).toBe(undefined);
    // What the registry said of the address is kept as it was.
    expect(put?.url).toBe(
      `/v2/team/app/blobs/uploads/one?_state=a%20b&digest=sha256%3A${blob.digest.slice(7)}`,
    );
  });

  it("may be empty, and may come in pieces", async () => {
    const { host, blobs } = await serveRegistry();
    const client = clientOf(host);
    const nothing = { digest: sha256(""), size: 0 };
    await client.putBlob(nothing, new Uint8Array());
    expect(await textOf(client.blob(nothing, { most: 0 }))).toBe("");
    await client.putBlob(blob, async function* () {
      for (let at = 0; at < bytes.length; at += 999)
        yield await Promise.resolve(bytes.subarray(at, at + 999));
    });
    expect(blobs.get(blob.digest)?.equals(bytes)).toBe(true);
  });

  it.each([
    ["fewer", bytes.subarray(1)],
    ["more", Buffer.concat([bytes, bytes])],
  ])("that have %s bytes than was said are not stored", async (_, other) => {
    const { host, blobs } = await serveRegistry();
    const error = await refusalOf(clientOf(host).putBlob(blob, other));
    expect([error.code, error.again]).toEqual(["REGISTRY_CONTENT", "no"]);
    expect(blobs.size).toBe(0);
  });

  it("that changed are refused by the registry, in its own words", async () => {
    const { host } = await serveRegistry();
    const error = await refusalOf(clientOf(host).putBlob(blob, Buffer.alloc(200_000, "changed ")));
    expect(error.message).toContain("answers 400: DIGEST_INVALID provided digest did not match");
  });

  it("whose source fails give its error", async () => {
    const { host } = await serveRegistry();
    const put = clientOf(host).putBlob(blob, async function* () {
      yield await Promise.resolve(bytes.subarray(0, 10));
      throw new Error("the disk is gone");
    });
    await expect(put).rejects.toThrow("the disk is gone");
  });

  it("that are not read to their end leave no connection open", async () => {
    let closed = () => {};
    const closes = new Promise<void>((done) => (closed = done));
    const { host } = await serveHttp((_, response) => {
      response.on("close", closed).write(bytes);
    });
    for await (const piece of clientOf(host).blob(blob, { most: 200_000 })) if (piece.length > 0) break;
    await closes;
  });

  it("go to another host where the registry says so, without its log-in", async () => {
    const store = await serveHttp((_, response) => response.writeHead(201).end());
    const { host } = await serveRegistry({
      uploadAt: `http://${store.host}/put?signature=x`,
      before: ({ headers, method }, response) => {
        if (headers.authorization !== undefined || method === "HEAD") return false;
        response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
        return true;
      },
    });
    const credentials = { kind: "password", username: "u", password: "secret-of-registry" } as const;
    expect(await clientOf(host, { credentials }).putBlob(blob, bytes)).toBe(true);
    expect(store.got.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ["PUT", undefined],
    ]);
    expect(store.got[0]?.body.equals(bytes)).toBe(true);
  });
});

describe("tags", () => {
  it("are read page by page", async () => {
    const { host, manifests, got } = await serveRegistry({ page: 2 });
    for (const tag of ["a", "b", "c", "d", "e"]) manifests.set(tag, { bytes: MANIFEST, mediaType: MEDIA });
    expect(await clientOf(host).tags()).toEqual(["a", "b", "c", "d", "e"]);
    expect(got).toHaveLength(3);
  });

  it("of a repository that does not exist are an error, and an empty list may be null", async () => {
    const { host } = await serveRegistry();
    const error = await refusalOf(clientOf(host).tags());
    expect([error.code, error.again]).toEqual(["REGISTRY_NOT_FOUND", "no"]);
    const empty = await serveHttp((_, response) => response.end('{"name":"x","tags":null}'));
    expect(await clientOf(empty.host).tags()).toEqual([]);
  });
});

describe("refusals", () => {
  it.each([
    [401, "REGISTRY_DENIED", "no"],
    [403, "REGISTRY_DENIED", "no"],
    [404, "REGISTRY_NOT_FOUND", "no"],
    [405, "REGISTRY_REFUSED", "no"],
    [408, "REGISTRY_REFUSED", "yes"],
    [413, "REGISTRY_REFUSED", "no"],
    [429, "REGISTRY_LIMITED", "long"],
    [500, "REGISTRY_REFUSED", "yes"],
    [503, "REGISTRY_REFUSED", "yes"],
  ])("%i is %s, worth another try: %s", async (status, code, again) => {
    const { host } = await serveHttp((_, response) => refuse(response, status, "SOME_CODE", "some words"));
    const error = await refusalOf(clientOf(host).manifest("1"));
    expect([error.code, error.again, error.status]).toEqual([code, again, status]);
    expect(error.message).toContain(`${host}/team/app: the registry answers ${status}: SOME_CODE some words`);
  });

  it.each([
    ["7", 7000],
    ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["soon", undefined],
    ["-1", undefined],
    ["1e9", undefined],
  ])("keep Retry-After: %s is %s ms", async (header, ms) => {
    const { host } = await serveHttp((_, response) =>
      response.writeHead(429, { "retry-after": header }).end(),
    );
    const now = () => Date.parse("2026-01-01T00:00:00Z");
    expect((await refusalOf(clientOf(host, { now }).manifest("1"))).retryAfterMs).toBe(ms);
  });

  it("say how to log in, and what a job of GitHub Actions lacks", async () => {
    const { host } = await serveHttp((_, response) => refuse(response, 403, "DENIED", "denied"));
    const client = clientOf("ghcr.io", { fetch: pretending({ "https://ghcr.io": host }) });
    expect((await refusalOf(client.manifest("1"))).fix).toBe(
      "log in with `docker login ghcr.io`, with an account that may read there",
    );
    expect((await refusalOf(client.putManifest("1", MANIFEST, MEDIA))).fix).toMatch(/packages: write/);
  });

  it("of a connection say what is wrong with it", async () => {
    const error = await refusalOf(clientOf("127.0.0.1:1").manifest("1"));
    expect([error.code, error.again]).toEqual(["REGISTRY_UNREACHABLE", "no"]);
    expect(error.message).toBe("127.0.0.1:1 cannot be reached: bad port");
    const unknown = await refusalOf(clientOf("registry.invalid").manifest("1"));
    expect(unknown.code).toBe("REGISTRY_UNREACHABLE");
    expect(unknown.message).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  it("of https where only http is spoken say so", async () => {
    const { host } = await serveHttp((_, response) => response.end());
    const request = { method: "GET", url: new URL(`https://${host}/`) } as const;
    const error = await refusalOf(exchange(request, { fetch, patience: PATIENCE }));
    expect([error.again, error.fix]).toEqual([
      "no",
      "registries are asked over https; over http only on loopback",
    ]);
  });

  it.each([
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "no", "NODE_EXTRA_CA_CERTS"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "no", "NODE_EXTRA_CA_CERTS"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "no", "NODE_EXTRA_CA_CERTS"],
    ["CERT_HAS_EXPIRED", "no", "NODE_EXTRA_CA_CERTS"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "no", "NODE_EXTRA_CA_CERTS"],
    ["ENOTFOUND", "once", "correct the host"],
    ["EAI_AGAIN", "yes", "see that it runs"],
    ["ECONNREFUSED", "yes", "see that it runs"],
    ["ECONNRESET", "yes", "see that it runs"],
    ["UND_ERR_CONNECT_TIMEOUT", "yes", "see that it runs"],
    ["constructor", "yes", "see that it runs"],
  ])("of a connection with %s are worth another try: %s", (code, again, fix) => {
    const cause = new AggregateError([], "several", { cause: Object.assign(new Error("x"), { code }) });
    const error = networkFailure("r.example", new TypeError("fetch failed", { cause }));
    expect([error.code, error.again]).toEqual(["REGISTRY_UNREACHABLE", again]);
    expect(error.message).toMatch(new RegExp(`^r.example cannot be reached: .*${code}\\)?$`));
    expect(error.fix).toContain(fix);
  });
});

describe("a signal", () => {
  it("ends what waits for an answer, for a body, and what has not begun", async () => {
    const { host } = await serveHttp(({ url }, response) => {
      controller.abort();
      if (url.includes("/blobs/")) response.writeHead(200).write("begun");
    });
    let controller = new AbortController();
    const { signal } = controller;
    await expect(clientOf(host).manifest("1", { signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
    await expect(clientOf(host).tags({ signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    controller = new AbortController();
    const blob = { digest: sha256("x"), size: 100 };
    await expect(
      textOf(clientOf(host).blob(blob, { most: 100, signal: controller.signal })),
    ).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  it("has no listener left when all is done", async () => {
    const { host } = await serveRegistry();
    const { signal } = new AbortController();
    const client = clientOf(host);
    const blob = { digest: sha256("x"), size: 1 };
    await client.putBlob(blob, Buffer.from("x"), { signal });
    await textOf(client.blob(blob, { most: 1, signal }));
    await client.putManifest("1", MANIFEST, MEDIA, { signal });
    await client.manifest("1", { signal });
    await client.headManifest("2", { signal });
    await client.tags({ signal });
    await refusalOf(client.manifest("2", { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});
