import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { FactoryError } from "../errors.ts";
import { ASSETS, readAsset } from "./site-assets.ts";
import type { SiteRequests } from "./site-requests.ts";
import { POLICY } from "./views/page-frame.tsx";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  json: "application/json; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};

/** How often the records are looked at, in milliseconds. */
const LOOK_MS = 1000;

interface ServeDeps {
  port: number;
  /** Fires when it is to end. */
  signal: AbortSignal;
  /** Makes the site as the records are now. */
  open: () => Promise<SiteRequests>;
  /** A text that changes whenever records are added. */
  stamp: () => string;
  say: (text: string) => void;
  /** Calls again and again; the returned function ends that. */
  every: (ms: number, call: () => void) => () => void;
}

/** Whether a request names this machine: a page of another name that leads here may not read what is served. */
function isOurs({ headers: { host = "" } }: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
}

/** The path from the root of the site; null for one that has none. */
function pathOf(url: string): string | null {
  try {
    const path = decodeURIComponent(new URL(url, "http://localhost").pathname).slice(1);
    return path === "" ? "index.html" : path;
  } catch {
    return null;
  }
}

function answer(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, {
    "content-type": type,
    "content-security-policy": `${POLICY}; connect-src 'self'; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
  response.end(body);
}

/**
 * Serves a site on loopback until it is told to end. Its pages are made when they are asked for, and reload when records are added.
 * @throws FactoryError PORT_TAKEN
 */
export async function serveSite({ port, signal, open, stamp, say, every }: ServeDeps): Promise<void> {
  let known = stamp();
  let site = open();
  const readers = new Set<ServerResponse>();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isOurs(request)) return answer(response, 421, TYPES.txt ?? "", "not the name of this site\n");
    if (request.method !== "GET" && request.method !== "HEAD")
      return answer(response, 405, TYPES.txt ?? "", "only GET and HEAD\n");
    const path = pathOf(request.url ?? "/");
    if (path === "events") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(": hello\n\n");
      readers.add(response);
      response.on("close", () => readers.delete(response));
      return;
    }
    const asset = ASSETS.find((name) => name === path);
    const content = asset ? readAsset(asset) : path === null ? null : await (await site).file(path);
    if (content === null) return answer(response, 404, TYPES.txt ?? "", "there is no such page\n");
    answer(response, 200, TYPES[path?.split(".").at(-1) ?? ""] ?? "application/octet-stream", content);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      say(`warning: ${request.url ?? ""}: ${error instanceof Error ? error.message : String(error)}`);
      if (!response.headersSent) answer(response, 500, TYPES.txt ?? "", "the page could not be made\n");
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      failed(
        error.code === "EADDRINUSE" || error.code === "EACCES"
          ? new FactoryError("PORT_TAKEN", `port ${port} cannot be listened on (${error.code})`, {
              fix: "name another one with --port; 0 takes any that is free",
              cause: error,
            })
          : error,
      ),
    );
    server.listen(port, "127.0.0.1", listening);
  });
  const address = server.address();
  await site;
  say(`serving http://127.0.0.1:${typeof address === "object" ? address?.port : port}/ (Ctrl+C ends it)`);

  let isLooking = false;
  const stop = every(LOOK_MS, () => {
    const now = stamp();
    if (isLooking || now === known) return;
    isLooking = true;
    known = now;
    const next = open();
    next
      .then(() => {
        site = next;
        for (const reader of readers) reader.write("event: changed\ndata: {}\n\n");
      })
      .catch((error: unknown) => {
        if (!signal.aborted)
          say(`warning: the records cannot be read: ${error instanceof Error ? error.message : ""}`);
      })
      .finally(() => {
        isLooking = false;
      });
  });
  await new Promise<void>((end) => {
    if (signal.aborted) return end();
    signal.addEventListener("abort", () => end(), { once: true });
  });
  stop();
  for (const reader of readers) reader.end();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}
