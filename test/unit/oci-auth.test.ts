import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { createMask } from "../../src/model/mask.ts";
import { readChallenges } from "../../src/tools/oci/challenge.ts";
import type { Credentials } from "../../src/tools/oci/credentials.ts";
import { createRegistry } from "../../src/tools/oci/repository-client.ts";
import { clientOf, type Got, refusalOf, refuse, serveHttp, serveRegistry } from "./oci-server.ts";

const MEDIA = "application/vnd.oci.image.manifest.v1+json";
const PASSWORD: Credentials = { kind: "password", username: "ada", password: "correct-horse-battery" };

/** A registry that wants a token of a service of its own; `accepts` are the tokens that it takes. */
async function withTokens(
  options: {
    accepts?: Set<string>;
    answer?: (got: Got, count: number) => object | number;
    scope?: string;
  } = {},
) {
  const { accepts = new Set(["token-1"]), answer = () => ({ token: "token-1" }) } = options;
  const service = await serveHttp((got, response) => {
    const said = answer(got, service.got.length);
    if (typeof said === "number") refuse(response, said, "UNAUTHORIZED", "wrong password");
    else response.end(JSON.stringify(said));
  });
  const registry = await serveRegistry({
    before: ({ headers, url, method }, response) => {
      if (accepts.has(headers.authorization?.replace("Bearer ", "") ?? "")) return false;
      const actions = method === "GET" || method === "HEAD" ? "pull" : "pull,push";
      const scope = options.scope ?? `repository:${/^\/v2\/(\w+\/\w+)/.exec(url)?.[1]}:${actions}`;
      const challenge = `Bearer realm="http://${service.host}/token?x=1",service="registry \\"one\\"",scope="${scope}"`;
      response.setHeader("www-authenticate", challenge);
      refuse(response, 401, "UNAUTHORIZED", "authentication required");
      return true;
    },
  });
  return { ...registry, service };
}

describe("a token", () => {
  it("is asked for without a log-in where none is known, and used again", async () => {
    const { host, service, got } = await withTokens();
    const client = clientOf(host);
    expect(await client.headManifest("1")).toBe(null);
    expect(await client.headManifest("2")).toBe(null);
    expect(service.got.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
      ["GET", "/token?x=1&service=registry+%22one%22&scope=repository%3Ateam%2Fapp%3Apull", undefined],
    ]);
    expect(got.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      "Bearer token-1",
      "Bearer token-1",
    ]);
  });

  it("is asked for with name and password, for reading and for writing", async () => {
    const { host, service } = await withTokens();
    const client = clientOf(host, { credentials: PASSWORD });
    await client.headManifest("1");
    await client.putManifest("1", Buffer.from("{}"), MEDIA);
    await client.putManifest("2", Buffer.from("{}"), MEDIA);
    const basic = `Basic ${Buffer.from("ada:correct-horse-battery").toString("base64")}`;
    expect(service.got.map(({ headers }) => headers.authorization)).toEqual([basic, basic]);
    expect(service.got.map(({ url }) => new URL(url, "http://x").searchParams.getAll("scope"))).toEqual([
      ["repository:team/app:pull"],
      ["repository:team/app:pull,push"],
    ]);
  });

  it.each([
    ["repository:team/app:pull", ["repository:team/app:pull"]],
    ["repository:team/app:metadata_read,pull", ["repository:team/app:pull,metadata_read"]],
    [
      "registry:catalog:* repository:team/app2:pull",
      ["registry:catalog:*", "repository:team/app2:pull", "repository:team/app:pull"],
    ],
    ["", ["repository:team/app:pull"]],
  ])("is asked for with what the registry says, and what is wanted: %s", async (scope, scopes) => {
    const { host, service } = await withTokens({ scope });
    await clientOf(host).headManifest("1");
    expect(service.got.map(({ url }) => new URL(url, "http://x").searchParams.getAll("scope"))).toEqual([
      scopes,
    ]);
  });

  it("for writing a blob is one, from the first look for it", async () => {
    const { host, service, blobs } = await withTokens();
    await clientOf(host).putBlob({ digest: sha256("x"), size: 1 }, Buffer.from("x"));
    expect(blobs.size).toBe(1);
    expect(service.got.map(({ url }) => new URL(url, "http://x").searchParams.getAll("scope"))).toEqual([
      ["repository:team/app:pull,push"],
    ]);
  });

  it("is asked for by POST with an identity token, which is not in the address", async () => {
    const { host, service } = await withTokens({ answer: () => ({ access_token: "token-1" }) });
    const client = clientOf(host, { credentials: { kind: "identity", token: "identity-token" } });
    expect(await client.headManifest("1")).toBe(null);
    const [got] = service.got;
    expect([got?.method, got?.url, got?.headers.authorization]).toEqual(["POST", "/token?x=1", undefined]);
    expect(Object.fromEntries(new URLSearchParams(got?.body.toString()))).toEqual({
      grant_type: "refresh_token",
      client_id: "factory",
      refresh_token: "identity-token",
      service: 'registry "one"',
      scope: "repository:team/app:pull",
    });
  });

  it("of a registry is used as it is", async () => {
    const { host, service } = await withTokens();
    const client = clientOf(host, { credentials: { kind: "registry", token: "token-1" } });
    expect(await client.headManifest("1")).toBe(null);
    expect(service.got).toEqual([]);
  });

  it("is asked for once by several at once", async () => {
    const { host, service } = await withTokens();
    const client = clientOf(host);
    await Promise.all(["1", "2", "3", "4", "5", "6"].map((tag) => client.headManifest(tag)));
    expect(service.got).toHaveLength(1);
  });

  it("is kept apart for each repository and host", async () => {
    const { host, service } = await withTokens();
    const open = createRegistry({
      credentialsOf: () => Promise.resolve(null),
      now: Date.now,
      mask: createMask(),
    });
    await open({ host, repository: "team/one" }).headManifest("1");
    await open({ host, repository: "team/two" }).headManifest("1");
    expect(service.got).toHaveLength(2);
  });

  it("that is over is asked for anew, and so is one that the registry does not take any more", async () => {
    let time = 1_000_000;
    const accepts = new Set(["token-1", "token-2"]);
    const { host, service, got } = await withTokens({
      accepts,
      answer: (_, count) => ({ token: `token-${count}`, expires_in: 300 }),
    });
    const client = clientOf(host, { now: () => time });
    await client.headManifest("1");
    time += 290_000;
    await client.headManifest("1");
    expect(service.got).toHaveLength(1);
    // A little before its end, since the next request takes some time too.
    time += 6000;
    await client.headManifest("1");
    expect(service.got).toHaveLength(2);
    accepts.delete("token-2");
    accepts.add("token-3");
    await client.headManifest("1");
    expect(got.at(-1)?.headers.authorization).toBe("Bearer token-3");
  });

  it.each([
    [401, "REGISTRY_DENIED", "no"],
    [403, "REGISTRY_DENIED", "no"],
    [429, "REGISTRY_LIMITED", "long"],
    [503, "REGISTRY_REFUSED", "yes"],
  ])("that is refused with %i is %s", async (status, code, again) => {
    const { host, service } = await withTokens({ answer: () => status });
    const error = await refusalOf(clientOf(host, { credentials: PASSWORD }).headManifest("1"));
    expect([error.code, error.again]).toEqual([code, again]);
    expect(error.message).toContain(
      `the token service ${service.host} of ${host}: the registry answers ${status}`,
    );
  });

  it("that does not help is not asked for again and again", async () => {
    const { host, service, got } = await withTokens({ accepts: new Set() });
    const error = await refusalOf(clientOf(host).headManifest("1"));
    expect(error.code).toBe("REGISTRY_DENIED");
    expect([service.got.length, got.length]).toEqual([1, 2]);
  });

  it("does not keep one who is interrupted waiting, nor those who wait beside", async () => {
    const controller = new AbortController();
    let answer = () => {};
    const answers = new Promise<void>((done) => (answer = done));
    const service = await serveHttp(async (_, response) => {
      controller.abort();
      await answers;
      response.end(JSON.stringify({ token: "token-1" }));
    });
    const { host } = await serveRegistry({
      before: ({ headers }, response) => {
        if (headers.authorization !== undefined) return false;
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${service.host}/"` }).end();
        return true;
      },
    });
    const client = clientOf(host);
    const [one, other] = [client.headManifest("1", { signal: controller.signal }), client.headManifest("2")];
    await expect(one).rejects.toMatchObject({ code: "INTERRUPTED" });
    answer();
    expect(await other).toBe(null);
  });
});

describe("a name and a password", () => {
  it("are sent where the registry asks for them so, and not before", async () => {
    const { host, got } = await serveRegistry({
      before: ({ headers }, response) => {
        if (headers.authorization?.startsWith("Basic ")) return false;
        response.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end();
        return true;
      },
    });
    const client = clientOf(host, { credentials: PASSWORD });
    expect(await client.headManifest("1")).toBe(null);
    expect(await client.headManifest("2")).toBe(null);
    expect(got.map(({ headers }) => headers.authorization !== undefined)).toEqual([false, true, true]);
    expect((await refusalOf(clientOf(host).headManifest("1"))).fix).toContain(`docker login ${host}`);
  });

  it("that are wrong are sent once", async () => {
    const { host, got } = await serveHttp((_, response) =>
      response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end(),
    );
    const client = clientOf(host, { credentials: PASSWORD });
    expect((await refusalOf(client.tags())).code).toBe("REGISTRY_DENIED");
    expect(got).toHaveLength(2);
    expect((await refusalOf(client.tags())).code).toBe("REGISTRY_DENIED");
    expect(got).toHaveLength(3);
  });
});

describe("challenges", () => {
  it.each<[string, [string, Record<string, string>][]]>([
    [
      'Bearer realm="https://a/t",service=s, scope="x y"',
      [["bearer", { realm: "https://a/t", service: "s", scope: "x y" }]],
    ],
    ['basic realm="a, b"', [["basic", { realm: "a, b" }]]],
    [
      'Basic realm=x, BEARER Realm="\\"q\\""',
      [
        ["basic", { realm: "x" }],
        ["bearer", { realm: '"q"' }],
      ],
    ],
    ["Negotiate", [["negotiate", {}]]],
    ['Bearer realm="a",realm="b"', [["bearer", { realm: "a" }]]],
    ['Bearer realm="never ends', []],
    ["realm=x", []],
    ["", []],
    [`Bearer realm="${"x".repeat(9000)}"`, []],
  ])("are read: %s", (header, challenges) => {
    expect(readChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)])).toEqual(
      challenges,
    );
  });

  it("are chosen among: a token, where there is a choice", async () => {
    const service = await serveHttp((_, response) => response.end('{"token":"t"}'));
    const { host, got } = await serveHttp(({ headers }, response) => {
      if (headers.authorization === "Bearer t") response.writeHead(404).end();
      else {
        response.setHeader("www-authenticate", ["Basic realm=x", `Bearer realm="http://${service.host}/"`]);
        response.writeHead(401).end();
      }
    });
    expect(await clientOf(host, { credentials: PASSWORD }).headManifest("1")).toBe(null);
    expect(got).toHaveLength(2);
  });
});
