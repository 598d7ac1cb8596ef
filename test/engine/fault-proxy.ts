import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { registry } from "./engine.ts";

/** How many requests a proxy let through, and how many it failed, by how. */
export interface Faults {
  host: string;
  passed: number;
  failed: Record<string, number>;
}

const KINDS = ["429", "500", "503", "reset"];

/**
 * A proxy before the real registry that fails a part of all requests: with a status, or by breaking the connection. The same
 * requests in the same order fail. It is gone when the test is over.
 * @param share from 0 to 1
 */
export async function faultProxy(share: number): Promise<Faults> {
  // A congruential generator: which requests fail does not depend on the machine.
  let state = 20261126;
  const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const faults: Faults = { host: "", passed: 0, failed: {} };
  const server = createServer((from, to) => {
    const isAsked = from.url !== "/v2/";
    if (isAsked && next() < share) {
      const kind = KINDS[Math.floor(next() * KINDS.length)] ?? "reset";
      faults.failed[kind] = (faults.failed[kind] ?? 0) + 1;
      if (kind === "reset") return void from.socket.destroy();
      from.resume();
      to.writeHead(Number(kind), { "content-type": "application/json", connection: "close" });
      return void to.end(JSON.stringify({ errors: [{ code: "UNAVAILABLE", message: "a fault" }] }));
    }
    faults.passed += 1;
    const [host, port] = registry.split(":");
    const { method, url, headers } = from;
    // The registry names itself in what it answers: as it is asked.
    const onward = request({ host, port, method, path: url, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on("error", () => to.destroy());
    from.pipe(onward);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  faults.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return faults;
}
