import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { createMask } from "../../src/model/mask.ts";
import type { Credentials } from "../../src/tools/oci/credentials.ts";
import { clientOf, pretending, refusalOf, refuse, serveHttp, serveRegistry, textOf } from "./oci-server.ts";

const MEDIA = "application/vnd.oci.image.manifest.v1+json";
const SECRET = "correct-horse-battery-staple";
const PASSWORD: Credentials = { kind: "password", username: "ada", password: SECRET };
const BASIC = Buffer.from(`ada:${SECRET}`).toString("base64");

const bytes = Buffer.alloc(100_000, "library ");
const blob = { digest: sha256(bytes), size: bytes.length };
const read = (host: string, deps = {}) => textOf(clientOf(host, deps).blob(blob, { most: 1 << 20 }));

/** A server that is told how each connection begins. Gives its host. */
async function listenRaw(listener: (head: string, socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.once("data", (head: Buffer) => listener(head.toString("latin1"), socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const refusalsOf = (...asked: Promise<unknown>[]) => Promise.all(asked.map(refusalOf));

describe("content that is not what was asked for", () => {
  it("a manifest of another digest is refused, by tag, by digest and by HEAD", async () => {
    const forged = Buffer.from('{"schemaVersion":2}');
    const lie = sha256("something else");
    const { host } = await serveHttp((_, response) => {
      response.writeHead(200, { "content-type": MEDIA, "docker-content-digest": lie }).end(forged);
    });
    const client = clientOf(host);
    const errors = await refusalsOf(
      client.manifest("1"),
      client.manifest(lie),
      client.manifest(sha256(forged)),
      client.headManifest(sha256(forged)),
    );
    for (const error of errors) expect([error.code, error.again]).toEqual(["REGISTRY_CONTENT", "no"]);
  });

  it("a huge manifest is refused before it is held in memory", async () => {
    let sent = 0;
    const { host } = await serveHttp((_, response) => {
      response.writeHead(200, { "content-type": MEDIA });
      const more = (): void => {
        while (!response.destroyed && sent < 1 << 30) {
          sent += 1 << 20;
          if (!response.write(Buffer.alloc(1 << 20))) return void response.once("drain", more);
        }
      };
      more();
    });
    const error = await refusalOf(clientOf(host).manifest("1"));
    expect(error.message).toContain("sent more than 4194304 bytes");
    expect(sent).toBeLessThan(1 << 28);
  });

  it("a stored manifest of another digest is noticed", async () => {
    const { host } = await serveHttp((_, response) =>
      response.writeHead(201, { "docker-content-digest": sha256("other") }).end(),
    );
    expect((await refusalOf(clientOf(host).putManifest("1", bytes, MEDIA))).code).toBe("REGISTRY_CONTENT");
  });

  it.each<[string, Buffer, string]>([
    ["swapped", Buffer.alloc(100_000, "forged! "), "is not what its digest says"],
    ["shorter", bytes.subarray(1), "has 1 bytes less than the 100000"],
    ["longer", Buffer.concat([bytes, Buffer.from("x")]), "has more than the 100000 bytes"],
  ])("a blob that is %s ends in an error, before its end is believed", async (_, served, why) => {
    const { host, blobs } = await serveRegistry();
    blobs.set(blob.digest, served);
    const error = await refusalOf(read(host));
    expect(error.message).toContain(why);
    expect(error.again).toBe("no");
  });

  it("a blob without an end is left after as many bytes as it may have", async () => {
    const { host } = await serveHttp((_, response) => {
      const more = (): void => {
        while (!response.destroyed) if (!response.write(bytes)) return void response.once("drain", more);
      };
      more();
    });
    expect((await refusalOf(read(host))).message).toContain("has more than the 100000 bytes");
  });

  it.each([NaN, -1, 1.5, Infinity])("a blob of %s bytes is not asked for", async (size) => {
    const { host, got } = await serveRegistry();
    const error = await refusalOf(textOf(clientOf(host).blob({ ...blob, size }, { most: 1 << 20 })));
    expect([error.code, got.length]).toEqual(["REGISTRY_CONTENT", 0]);
  });

  it("a blob that is too large is not asked for", async () => {
    const { host, got } = await serveRegistry();
    const error = await refusalOf(textOf(clientOf(host).blob(blob, { most: 99_999 })));
    expect(error.message).toContain("has 100.0 kB; at most 100.0 kB are taken");
    expect(got).toEqual([]);
  });

  it("a body that breaks off, and a connection that is reset, may be tried again", async () => {
    const { host } = await serveHttp(({ url }, response) => {
      if (!url.includes("/blobs/")) return response.destroy();
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 70_000), () => response.destroy());
    });
    for (const error of await refusalsOf(read(host), clientOf(host).manifest("1"))) {
      expect([error.code, error.again]).toEqual(["REGISTRY_UNREACHABLE", "yes"]);
      expect(error.message).toBe(`${host} cannot be reached: the connection broke off (UND_ERR_SOCKET)`);
    }
  });

  it.each(["../../other/blobs", "sha256:abc", "a/b", "a?b", ""])(
    "%j is no tag and no digest, and is not asked for",
    async (ref) => {
      const { host, got } = await serveRegistry();
      const client = clientOf(host);
      for (const ask of [client.manifest, client.headManifest, client.deleteManifest, client.hasBlob])
        await expect(ask(ref)).rejects.toMatchObject({ code: "REFERENCE_INVALID" });
      await expect(client.putManifest(ref, bytes, MEDIA)).rejects.toMatchObject({
        code: "REFERENCE_INVALID",
      });
      expect(got).toEqual([]);
    },
  );
});

describe("silence", () => {
  it("of a registry that accepts and says nothing ends, and may be tried again", async () => {
    const { host } = await serveHttp(() => undefined);
    const error = await refusalOf(clientOf(host, { patience: { answerMs: 150 } }).manifest("1"));
    expect([error.code, error.again]).toEqual(["REGISTRY_UNREACHABLE", "yes"]);
    expect(error.message).toBe(`${host} gave no answer for 0.15 s`);
  });

  it("in the middle of a blob, and of an error, ends", async () => {
    const { host } = await serveHttp(({ url }, response) => {
      response
        .writeHead(url.includes("/blobs/") ? 200 : 500, { "content-length": bytes.length })
        .write("some");
    });
    const deps = { patience: { stallMs: 150 } };
    expect((await refusalOf(read(host, deps))).message).toContain(
      "stopped in the middle of a body for 0.15 s",
    );
    expect((await refusalOf(clientOf(host, deps).manifest("1"))).status).toBe(500);
  });

  it("after a blob was sent ends", async () => {
    const { host } = await serveRegistry({ before: ({ method }) => method === "PUT" });
    const error = await refusalOf(clientOf(host, { patience: { storeMs: 150 } }).putBlob(blob, bytes));
    expect(error.message).toContain("gave no answer for 0.15 s");
  });

  it("of one who takes nothing of a blob ends", async () => {
    const host = await listenRaw((head, socket) => {
      if (head.startsWith("HEAD")) socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      else if (head.startsWith("POST"))
        socket.end(
          "HTTP/1.1 202 Accepted\r\nLocation: /put\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
      else socket.pause();
    });
    const size = 64 << 20;
    const put = clientOf(host, { patience: { stallMs: 300 } }).putBlob(
      { digest: blob.digest, size },
      Buffer.alloc(size),
    );
    expect((await refusalOf(put)).message).toContain("took nothing of what was sent for 0.3 s");
  });

  // What takes its time here is not the registry: a reader, and what a blob is made of.
  it("of others is no silence of the registry", async () => {
    const patience = { answerMs: 1000, stallMs: 1000 };
    const slow = () => new Promise((done) => setTimeout(done, 1500));
    const { host, blobs } = await serveRegistry();
    const client = clientOf(host, { patience });
    const large = Buffer.alloc(8 << 20, "slow ");
    const name = { digest: sha256(large), size: large.length };
    blobs.set(name.digest, large);
    const reading = async () => {
      let size = 0;
      for await (const piece of client.blob(name, { most: large.length })) {
        if (size === 0) await slow();
        size += piece.length;
      }
      return size;
    };
    const sending = client.putBlob(blob, async function* () {
      yield bytes.subarray(0, 10);
      await slow();
      yield bytes.subarray(10);
    });
    expect(await Promise.all([reading(), sending])).toEqual([large.length, true]);
  });
});

describe("redirects", () => {
  /** A registry that wants a log-in, and leads to the address for every blob. */
  const leading = (location: string) =>
    serveRegistry({
      before: ({ headers, url }, response) => {
        if (headers.authorization === undefined)
          response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
        else if (url.includes("/blobs/")) response.writeHead(307, { location }).end();
        else return false;
        return true;
      },
    });

  it("to another host give it no log-in, also where it asks for one", async () => {
    let asks = false;
    const store = await serveHttp((_, response) => {
      if (asks) response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
      else response.end(bytes);
    });
    const { host } = await leading(`http://${store.host}/signed?key=value`);
    expect(await read(host, { credentials: PASSWORD })).toBe(bytes.toString());
    asks = true;
    expect((await refusalOf(read(host, { credentials: PASSWORD }))).code).toBe("REGISTRY_DENIED");
    expect(store.got.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it("to another host that asks for a token get nothing of a log-in to its service", async () => {
    const service = await serveHttp((_, response) => response.end('{"token":"t"}'));
    const store = await serveHttp((_, response) =>
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${service.host}/"` }).end(),
    );
    const { host } = await leading(`http://${store.host}/`);
    expect((await refusalOf(read(host, { credentials: PASSWORD }))).code).toBe("REGISTRY_DENIED");
    expect([store.got.length, service.got.length]).toEqual([1, 0]);
  });

  it("to another host and back give no log-in any more", async () => {
    const back = { location: "" };
    const other = await serveHttp((_, response) => response.writeHead(302, back).end());
    const { host, got } = await leading(`http://${other.host}/`);
    back.location = `http://${host}/v2/team/other/blobs/x`;
    await refusalOf(read(host, { credentials: PASSWORD }));
    expect(
      got.map(({ headers, url }) => [url.includes("/other/"), headers.authorization !== undefined]),
    ).toEqual([
      [false, false],
      [false, true],
      [true, false],
    ]);
  });

  it("within a registry keep the log-in", async () => {
    const { host } = await serveHttp(({ url, headers }, response) => {
      if (headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
      else if (url.startsWith("/v2/")) response.writeHead(307, { location: "/store/x" }).end();
      else response.end(bytes);
    });
    expect(await read(host, { credentials: PASSWORD })).toBe(bytes.toString());
  });

  it("without an end stop after five", async () => {
    const { host, got } = await leading("/v2/team/app/blobs/again");
    const error = await refusalOf(read(host, { credentials: PASSWORD }));
    expect(error.message).toContain("leads on more than 5 times");
    expect(got).toHaveLength(7);
  });

  it.each([
    ["http://registry.example/x", "which is not https"],
    ["file:///etc/passwd", "which is not https"],
    ["data:text/plain,x", "which is not https"],
    ["http://127.0.0.1.example.com/x", "which is not https"],
    ["https://ada:pw-of-ada@store.example/x", "an address with a user or a password"],
    ["http://", "does not say where"],
    ["", "does not say where"],
  ])("to %j are not followed", async (location, why) => {
    const { host } = await leading(location);
    const error = await refusalOf(read(host, { credentials: PASSWORD }));
    expect([error.code, error.again]).toEqual(["REGISTRY_CONTENT", "no"]);
    expect(error.message).toContain(why);
    expect(error.shown).not.toContain("pw-of-ada");
  });

  it("from https to http on loopback are not followed, so that no registry reaches into this machine", async () => {
    const inside = await serveHttp((_, response) => response.end(bytes));
    const outside = await serveHttp((_, response) =>
      response.writeHead(307, { location: `http://${inside.host}/x` }).end(),
    );
    const deps = {
      fetch: pretending({ "https://registry.example": outside.host, [`http://${inside.host}`]: inside.host }),
    };
    expect((await refusalOf(read("registry.example", deps))).message).toContain("which is not https");
    expect(inside.got).toEqual([]);
  });

  it("of what is written are not followed", async () => {
    const other = await serveHttp((_, response) => response.writeHead(201).end());
    const { host } = await serveRegistry({
      before: ({ method }, response) => {
        if (method === "HEAD") return false;
        response.writeHead(307, { location: `http://${other.host}/` }).end();
        return true;
      },
    });
    const client = clientOf(host);
    const errors = await refusalsOf(
      client.putManifest("1", bytes, MEDIA),
      client.putBlob(blob, bytes),
      client.deleteManifest("1"),
    );
    expect(errors.map(({ status }) => status)).toEqual([307, 307, 307]);
    expect(other.got).toEqual([]);
  });

  it("for an upload that leave https send nothing", async () => {
    const { host } = await serveRegistry({ uploadAt: "http://store.example/put" });
    const error = await refusalOf(clientOf(host).putBlob(blob, bytes));
    expect(error.message).toContain("leads to `http://store.example`, which is not https");
  });
});

describe("a token service", () => {
  const registryAsking = (realm: string) =>
    serveHttp((_, response) =>
      response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }).end(),
    );

  it.each([
    "http://tokens.example/t",
    "ftp://tokens.example/t",
    "not an address",
    "https://u:p@tokens.example/",
    "",
  ])("at %j gets no log-in", async (realm) => {
    const { host } = await registryAsking(realm);
    const error = await refusalOf(clientOf(host, { credentials: PASSWORD }).headManifest("1"));
    expect([error.code, error.again]).toEqual(["REGISTRY_CONTENT", "no"]);
  });

  it("on loopback gets no log-in of a registry elsewhere", async () => {
    const service = await serveHttp((_, response) => response.end('{"token":"t"}'));
    const registry = await registryAsking(`http://${service.host}/`);
    const client = clientOf("registry.example", {
      credentials: PASSWORD,
      fetch: pretending({
        "https://registry.example": registry.host,
        [`http://${service.host}`]: service.host,
      }),
    });
    expect((await refusalOf(client.headManifest("1"))).message).toContain("none was sent");
    expect(service.got).toEqual([]);
  });

  it("on another host is asked over https, with the log-in of this registry alone", async () => {
    const service = await serveHttp((_, response) => response.end('{"token":"t"}'));
    const registry = await serveRegistry({
      before: ({ headers }, response) => {
        if (headers.authorization === "Bearer t") return false;
        response.writeHead(401, { "www-authenticate": 'Bearer realm="https://tokens.example/"' }).end();
        return true;
      },
    });
    const hosts = { "https://registry.example": registry.host, "https://tokens.example": service.host };
    const client = clientOf("registry.example", { credentials: PASSWORD, fetch: pretending(hosts) });
    expect(await client.headManifest("1")).toBe(null);
    expect(service.got.map(({ headers }) => headers.authorization)).toEqual([`Basic ${BASIC}`]);
    expect(registry.got.some(({ headers }) => headers.authorization?.includes(BASIC))).toBe(false);
  });

  it("that leads elsewhere is not followed", async () => {
    const other = await serveHttp((_, response) => response.end('{"token":"t"}'));
    const service = await serveHttp((_, response) =>
      response.writeHead(302, { location: `http://${other.host}/` }).end(),
    );
    const { host } = await registryAsking(`http://${service.host}/`);
    expect((await refusalOf(clientOf(host, { credentials: PASSWORD }).headManifest("1"))).status).toBe(302);
    expect(other.got).toEqual([]);
  });

  it.each(["{}", '{"token":""}', '{"token":7}', '{"token":"a\\nb: c"}', '{"token":"ä"}', "null", "<html>"])(
    "that answers %s gave no token",
    async (said) => {
      const service = await serveHttp((_, response) => response.end(said));
      const { host } = await registryAsking(`http://${service.host}/`);
      expect((await refusalOf(clientOf(host).headManifest("1"))).message).toContain(
        "does not answer with a token",
      );
    },
  );

  it.each([0, -5, "60", 1e400, null])("that says a token is good for %j does no harm", async (seconds) => {
    const service = await serveHttp((_, response) =>
      response.end(`{"token":"t","expires_in":${JSON.stringify(seconds)?.replace("null", "1e400")}}`),
    );
    const registry = await serveRegistry({
      before: ({ headers }, response) => {
        if (headers.authorization === "Bearer t") return false;
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${service.host}/"` }).end();
        return true;
      },
    });
    expect(await clientOf(registry.host).headManifest("1")).toBe(null);
  });
});

describe("secrets", () => {
  it.each([
    `your password is ${SECRET}`,
    `got Basic ${BASIC}`,
    `token-of-${"0123456789abcdef".repeat(3)} is wrong`,
  ])("that a registry says back are masked: %s", async (words) => {
    const token = `token-of-${"0123456789abcdef".repeat(3)}`;
    const service = await serveHttp((_, response) => response.end(JSON.stringify({ token })));
    const { host } = await serveHttp(({ headers }, response) => {
      if (headers.authorization === undefined)
        response.setHeader("www-authenticate", `Bearer realm="http://${service.host}/"`);
      refuse(response, headers.authorization === undefined ? 401 : 403, "DENIED", words);
    });
    const mask = createMask();
    const error = await refusalOf(clientOf(host, { credentials: PASSWORD, mask }).manifest("1"));
    expect(error.shown).toContain("***");
    for (const secret of [SECRET, BASIC, token]) {
      expect(error.shown).not.toContain(secret);
      expect(mask(`x ${secret} x`)).not.toContain(secret);
    }
  });

  it("of few characters are masked as they are sent", async () => {
    const credentials = { kind: "password", username: "ada", password: "short" } as const;
    const { host } = await serveHttp(({ headers }, response) => {
      response.setHeader("www-authenticate", "Basic realm=x");
      refuse(response, 401, "DENIED", `got ${headers.authorization}`);
    });
    const error = await refusalOf(clientOf(host, { credentials }).manifest("1"));
    expect(error.message).toContain("DENIED got Basic ***");
  });

  it("of an identity are not in what is said of its refusal", async () => {
    const service = await serveHttp(({ body }, response) => refuse(response, 401, "WRONG", body.toString()));
    const { host } = await serveHttp((_, response) =>
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${service.host}/"` }).end(),
    );
    const credentials = { kind: "identity", token: "identity-token-of-ada" } as const;
    const error = await refusalOf(clientOf(host, { credentials }).manifest("1"));
    expect(error.message).toContain("WRONG");
    expect(error.shown).not.toContain(credentials.token);
  });
});

describe("hostile words of a registry", () => {
  const said = async (body: string | Buffer): Promise<string> => {
    const { host } = await serveHttp((_, response) => response.writeHead(500).end(body));
    return (await refusalOf(clientOf(host).manifest("1"))).message.replace(/^.*answers 500/s, "");
  };
  const errors = (...list: unknown[]) => JSON.stringify({ errors: list });

  it("are shown without control characters, on one line, and cut", async () => {
    expect(await said(errors({ code: "A\u001b[2J", message: "b\r\nerror FAKE: x\u202e" }))).toBe(
      ": A\\u001b[2J b\\r\\nerror FAKE: x\\u202e",
    );
    expect(await said(errors({ code: "A", message: "b".repeat(10_000) }))).toHaveLength(303);
    expect(await said(errors(...Array.from({ length: 1000 }, () => ({ code: "A" }))))).toBe(": A; A; A");
  });

  it.each([
    "<html>502 Bad Gateway</html>",
    "",
    "null",
    "[]",
    '{"errors":"x"}',
    errors(null, 7, [], { code: {}, message: ["x"] }),
    `{"errors":[{"code":"A","message":"${"x".repeat(100_000)}"}]}`,
    "[".repeat(60_000),
    Buffer.from([0xff, 0xfe, 0x00]),
  ])("that are none are left out: %#", async (body) => expect(await said(body)).toBe(""));
});

describe("lists of tags", () => {
  const listing = (pages: (count: number) => [string, string?]) =>
    serveHttp((_, response) => {
      count += 1;
      const [body, link] = pages(count);
      if (link !== undefined) response.setHeader("link", link);
      response.end(body);
    });
  let count = 0;

  it.each<[string, string, string | undefined, string]>([
    ["of another host", '{"tags":["a"]}', '<http://other.example/v2/x>; rel="next"', "lead to another host"],
    [
      "of a URL with a password",
      '{"tags":["a"]}',
      '<http://u:p@127.0.0.1/>; rel="next"',
      "lead to another host",
    ],
    [
      "that are empty, again and again",
      '{"tags":[]}',
      '</v2/team/app/tags/list?last=a>; rel="next"',
      "go on after an empty page",
    ],
    ["that are no tags", '{"tags":["../../x"]}', undefined, "are not a list of tags"],
    ["that are no texts", '{"tags":[7]}', undefined, "are not a list of tags"],
    ["that are no JSON", "<html>", undefined, "are not a list of tags"],
    ["without any", "null", undefined, "are not a list of tags"],
  ])("%s are refused", async (_, body, link, why) => {
    const { host } = await listing(() => [body, link]);
    expect((await refusalOf(clientOf(host).tags())).message).toContain(why);
  });

  it("without an end are given up", async () => {
    const page = JSON.stringify({ tags: Array.from({ length: 50_000 }, (_, at) => `t${at}`) });
    const { host, got } = await listing(() => [page, '<?last=x>; rel="next"']);
    expect((await refusalOf(clientOf(host).tags())).message).toContain("are more than 100000");
    expect(got).toHaveLength(3);
  });

  it("that are too large are given up", async () => {
    const { host } = await listing(() => [`{"tags":[${'"a",'.repeat(300_000)}"a"]}`]);
    expect((await refusalOf(clientOf(host).tags())).message).toContain("sent more than 1048576 bytes");
  });
});
