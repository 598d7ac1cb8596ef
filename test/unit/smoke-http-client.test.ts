import { createServer } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { HttpTest } from "../../src/schemas/types.ts";
import { ask } from "../../src/smoke/http-client.ts";
import { http as httpKind } from "../../src/smoke/kinds/http.ts";
import { NO_SCRIPTS } from "./no-scripts.ts";

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener) => listen(createServer(listener));
const never = new AbortController().signal;
const check = (http: Partial<HttpTest>) => httpKind.form({ port: 80, path: "/", ...http }, NO_SCRIPTS.text);

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

describe("ask", () => {
  it("sends the request as it was written", async () => {
    const port = await serve((request, response) => {
      void bodyOf(request).then((body) => {
        const { method, url, headers } = request;
        response.end(JSON.stringify({ method, url, body, host: headers.host, x: headers.x }));
      });
    });
    const sent = check({ path: "/a/../b?q=ö#c", body: "hi", headers: { Host: "svc", X: "1" } });
    const asked = await ask(port, sent, never);
    expect(asked).toMatchObject({ answer: { status: 200 } });
    expect(JSON.parse("answer" in asked ? asked.answer.body : "")).toEqual({
      method: "GET",
      url: "/a/../b?q=%C3%B6#c",
      body: "hi",
      host: "svc",
      x: "1",
    });
  });

  it("follows no redirect", async () => {
    const port = await serve((_, response) => response.writeHead(302, { location: "/other" }).end("moved"));
    expect(await ask(port, check({}), never)).toEqual({ answer: { status: 302, body: "moved" } });
  });

  it("reads 1 MiB of an endless answer", async () => {
    const port = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    });
    const asked = await ask(port, check({}), never);
    expect("answer" in asked && asked.answer.body.length).toBe(1024 * 1024);
  });

  it("tells a refusal from an answer that breaks off", async () => {
    const free = await listen(createTcpServer((socket) => socket.resetAndDestroy()));
    expect(await ask(free, check({}), never)).toHaveProperty("refused");
    const broken = await serve((_, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("half", () => response.destroy());
    });
    expect(await ask(broken, check({}), never)).toHaveProperty("broken");
    const noHttp = await listen(createTcpServer((socket) => socket.end("hello\n")));
    expect(await ask(noHttp, check({}), never)).toHaveProperty("broken");
  });

  it("ends with the signal", async () => {
    const arrived = new AbortController();
    const port = await serve(() => arrived.abort());
    await expect(ask(port, check({}), arrived.signal)).rejects.toThrow("aborted");
  });
});
