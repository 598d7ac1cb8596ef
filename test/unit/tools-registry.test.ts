import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { isLoopback } from "../../src/model/image-reference.ts";
import { createMask } from "../../src/model/mask.ts";
import type { Exec, ExecResult } from "../../src/tools/exec.ts";
import { registryAnswers } from "../../src/tools/oci/registry-answers.ts";
import { createRegistry } from "../../src/tools/oci/repository-client.ts";
import { servedDigest as digestWith } from "../../src/tools/oci/served-digest.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

/** An HTTP server that is gone when the test is over. Gives `127.0.0.1:PORT`. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const unasked = () => Promise.reject(new Error("docker was not to be asked"));
const docker =
  (answer: Partial<ExecResult>) =>
  (_file: string, argv: readonly string[]): Promise<ExecResult> => {
    expect(argv.slice(0, 3)).toEqual(["buildx", "imagetools", "inspect"]);
    return Promise.resolve({
      exitCode: 1,
      stdout: "",
      stderr: "",
      timedOut: false,
      aborted: false,
      ...answer,
    });
  };

const servedDigest = (ref: string, exec: Exec) =>
  digestWith(ref, {
    open: createRegistry({ credentialsOf: () => Promise.resolve(null), now: Date.now, mask: createMask() }),
    exec,
  });

describe("servedDigest", () => {
  it("is what the registry says of the tag", async () => {
    const asked: string[] = [];
    const host = await serve((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.accept?.split(",").length}`);
      if (request.url?.endsWith("/1")) response.setHeader("docker-content-digest", DIGEST);
      else response.statusCode = 404;
      response.end();
    });
    expect(await servedDigest(`${host}/team/app:1`, unasked)).toBe(DIGEST);
    expect(await servedDigest(`${host}/team/app:2`, unasked)).toBe(null);
    expect(asked).toEqual(["HEAD /v2/team/app/manifests/1 4", "HEAD /v2/team/app/manifests/2 4"]);
  });

  it.each<[number, Partial<ExecResult>, string | null | undefined]>([
    [401, { exitCode: 0, stdout: `${DIGEST}\n` }, DIGEST],
    [401, { stderr: "ERROR: r.example/x:1: not found" }, null],
    [401, { stderr: "denied" }, undefined],
    [500, { timedOut: true, exitCode: null }, undefined],
    [200, { stderr: "denied" }, undefined],
  ])("with %i asks docker: %j", async (status, answer, digest) => {
    const host = await serve((_, response) => response.writeHead(status).end());
    expect(await servedDigest(`${host}/app:1`, docker(answer))).toBe(digest);
  });

  it("is not known where nothing listens, and asked of docker where the name has no host", async () => {
    expect(await servedDigest("127.0.0.1:1/app:1", unasked)).toBe(undefined);
    expect(await servedDigest("team/app:1", docker({ exitCode: 0, stdout: DIGEST }))).toBe(DIGEST);
  });
});

describe("registryAnswers", () => {
  it("is true for any answer, and false for a port where nothing listens", async () => {
    const host = await serve((_, response) => response.writeHead(401).end());
    expect(await registryAnswers(`${host}/cache`)).toBe(true);
    expect(await registryAnswers("127.0.0.1:1/cache")).toBe(false);
  });

  it("waits some seconds, and no more, for one that accepts and says nothing", async () => {
    const host = await serve(() => undefined);
    expect(await registryAnswers(`${host}/cache`)).toBe(false);
  });

  it("takes one that this machine cannot reach for one that the engine may reach", async () => {
    expect(isLoopback("registry.invalid/cache")).toBe(false);
    expect(await registryAnswers("registry.invalid/cache")).toBe(true);
  });
});
