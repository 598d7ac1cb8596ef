import { FactoryError } from "../../errors.ts";
import { networkFailure, tooSlow } from "./network-failure.ts";
import { RegistryError, wrongAnswer } from "./registry-error.ts";

/** How long a registry may be silent, in milliseconds. */
export interface Patience {
  /** Until it is connected and the answer begins. Default: 30 s. */
  answerMs: number;
  /** Between two pieces of a body, sent or received. Default: 60 s. */
  stallMs: number;
  /** Until the answer to a body begins, which it may have to store first. Default: 5 min. */
  storeMs: number;
}

export const PATIENCE: Patience = { answerMs: 30_000, stallMs: 60_000, storeMs: 300_000 };

/** A body to send, which can be made again. */
export interface Upload {
  size: number;
  pieces: () => AsyncIterable<Uint8Array>;
}

export interface HttpRequest {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  url: URL;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array | Upload;
  signal?: AbortSignal;
}

/** An answer; either its body is read to the end, or it is dropped. */
export interface HttpAnswer {
  url: URL;
  status: number;
  headers: Headers;
  /** @throws RegistryError REGISTRY_UNREACHABLE if the body breaks off or stalls; FactoryError INTERRUPTED */
  pieces: () => AsyncGenerator<Uint8Array, void>;
  /** The whole body. @throws as `pieces`; RegistryError REGISTRY_CONTENT if it has more bytes than that */
  bytes: (most: number) => Promise<Buffer>;
  /** Ends the connection, or gives it back if nothing is left to read. */
  drop: () => Promise<void>;
}

export type Fetch = typeof globalThis.fetch;

export function interruptedAsking(host: string): FactoryError {
  return new FactoryError("INTERRUPTED", `interrupted while ${host} was asked`);
}

/**
 * One request and its answer, whatever its status. Redirects are not followed.
 * @throws RegistryError REGISTRY_UNREACHABLE; FactoryError INTERRUPTED; what the pieces of the body throw
 */
export async function exchange(
  { method, url, headers = {}, body, signal }: HttpRequest,
  { fetch, patience }: { fetch: Fetch; patience: Patience },
): Promise<HttpAnswer> {
  const { host } = url;
  if (signal?.aborted) throw interruptedAsking(host);
  const controller = new AbortController();
  // The timer and the controller are held here: a signal that AbortSignal.any holds alone may be collected in Node.js 20.
  let timer: NodeJS.Timeout | undefined;
  let reason: Error | undefined;
  const stop = (error: Error) => {
    reason ??= error;
    controller.abort();
  };
  let sending = true;
  const rest = () => clearTimeout(timer);
  const wait = (what: string, ms: number) => {
    rest();
    timer = setTimeout(() => stop(tooSlow(host, what, ms)), ms);
  };
  const interrupt = () => stop(interruptedAsking(host));
  signal?.addEventListener("abort", interrupt, { once: true });
  const end = () => {
    rest();
    signal?.removeEventListener("abort", interrupt);
  };

  async function* sent({ size, pieces }: Upload): AsyncGenerator<Uint8Array> {
    let left = size;
    rest();
    try {
      for await (const piece of pieces()) {
        left -= piece.length;
        if (left < 0) break;
        if (sending) wait("took nothing of what was sent", patience.stallMs);
        yield piece;
        if (sending) rest();
      }
      if (left !== 0) throw wrongSize(size);
    } catch (error) {
      reason ??= error as Error;
      throw error;
    }
    if (sending) wait("gave no answer", patience.storeMs);
  }

  const isUpload = typeof body === "object" && "pieces" in body;
  let response: Response;
  wait("gave no answer", patience.answerMs);
  try {
    response = await fetch(url, {
      method,
      headers: {
        "accept-encoding": "identity",
        ...(isUpload ? { "content-length": String(body.size) } : {}),
        ...headers,
      },
      ...(isUpload ? { body: ReadableStream.from(sent(body)), duplex: "half" as const } : { body }),
      signal: controller.signal,
      redirect: "manual",
      credentials: "omit",
    });
  } catch (cause) {
    end();
    throw reason ?? networkFailure(host, cause);
  } finally {
    sending = false;
  }
  rest();

  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    const reader = response.body?.getReader();
    try {
      for (;;) {
        wait("stopped in the middle of a body", patience.stallMs);
        const read = await reader?.read();
        rest();
        if (read?.value === undefined) return;
        yield read.value as Uint8Array;
      }
    } catch (cause) {
      throw reason ?? networkFailure(host, cause);
    } finally {
      end();
      await reader?.cancel().catch(() => undefined);
    }
  }

  const drop = async (): Promise<void> => {
    end();
    await response.body?.cancel().catch(() => undefined);
  };
  const bytes = async (most: number): Promise<Buffer> => {
    const read: Uint8Array[] = [];
    let size = 0;
    for await (const piece of pieces()) {
      size += piece.length;
      if (size > most) throw wrongAnswer(`${host} sent more than ${most} bytes where no more are taken`);
      read.push(piece);
    }
    return Buffer.concat(read);
  };
  return { url, status: response.status, headers: response.headers, pieces, bytes, drop };
}

function wrongSize(size: number): RegistryError {
  return new RegistryError("REGISTRY_CONTENT", `what was to be sent does not have ${size} bytes any more`, {
    fix: "run the command again, when nothing writes to what is sent",
    again: "no",
  });
}
