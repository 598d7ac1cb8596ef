import type { ServiceRequest } from "./kinds/kind.ts";

/** The most that is read of an answer's body; the rest is not looked at. */
const BODY_BYTES = 1024 * 1024;

export interface Answer {
  status: number;
  body: string;
}

/** The result of a request. `refused` means that nothing listens on the port yet, or no longer. */
type Asked = { answer: Answer } | { refused: string } | { broken: string };

/** The port's forwarder accepts before anything listens behind it, and resets then: that is a refusal too. */
const REFUSALS = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/**
 * Sends one request to a port on 127.0.0.1. It goes out as it was written: no redirect is followed, no path
 * is rewritten, no proxy is used, a GET may carry a body (which is why this is node:http).
 * @param port the port on the host
 * @throws the signal's reason where it is aborted
 */
export async function ask(port: number, asked: ServiceRequest, signal: AbortSignal): Promise<Asked> {
  const { request } = await import("node:http");
  const path = asked.path.replace(/[^\x21-\x7e]+/gu, (part) =>
    encodeURIComponent(Buffer.from(part).toString()),
  );
  const body = Buffer.from(asked.body);
  const headers = {
    accept: "*/*",
    "user-agent": "factory-smoke",
    ...(body.length > 0 ? { "content-length": String(body.length) } : {}),
    ...asked.headers,
  };
  let answering = false;
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const options = { host: "127.0.0.1", port, method: asked.method, path, headers, agent: false, signal };
      const outgoing = request(options, (incoming) => {
        answering = true;
        const chunks: Buffer[] = [];
        let length = 0;
        const done = () => {
          const text = Buffer.concat(chunks).subarray(0, BODY_BYTES).toString("utf8");
          resolve({ status: incoming.statusCode ?? 0, body: text });
        };
        incoming.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length < BODY_BYTES) return;
          done();
          outgoing.destroy();
        });
        incoming.on("end", done);
        incoming.on("error", reject);
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
    return { answer };
  } catch (error) {
    signal.throwIfAborted();
    const { code = "", message } = error as NodeJS.ErrnoException;
    return REFUSALS.has(code) && !answering ? { refused: message } : { broken: message };
  }
}
