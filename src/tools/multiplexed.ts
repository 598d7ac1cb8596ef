import type { Readable } from "node:stream";

/** What a container's program wrote. */
export interface Output {
  stdout: string;
  stderr: string;
  /** Whether one of the two was longer than the limit; reading stopped there. */
  overflowed: boolean;
}

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Splits what the engine sends for a container without a terminal: frames of one byte for the stream (1 stdout, 2 stderr),
 * three unused bytes, the length in four bytes, and the payload. Stops at `maxBytes` of one of the two, and if the stream
 * breaks off: removing a container ends it in the middle.
 */
export async function readOutput(body: Readable, maxBytes: number): Promise<Output> {
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const length = { stdout: 0, stderr: 0 };
  let header = Buffer.alloc(0);
  let left = 0;
  let into: "stdout" | "stderr" = "stdout";
  const take = (chunk: Buffer): boolean => {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const part = chunk.subarray(at, at + HEADER_BYTES - header.length);
        header = Buffer.concat([header, part]);
        at += part.length;
        if (header.length < HEADER_BYTES) return true;
        into = header[0] === STDERR ? "stderr" : "stdout";
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const part = chunk.subarray(at, at + left);
      at += part.length;
      left -= part.length;
      const room = maxBytes - length[into];
      kept[into].push(part.subarray(0, room));
      length[into] += part.length;
      if (length[into] >= maxBytes) return false;
    }
    return true;
  };
  let overflowed = false;
  try {
    for await (const chunk of body) {
      if (take(chunk as Buffer)) continue;
      overflowed = true;
      break;
    }
  } catch {
    // It broke off: the state of the container shows why.
  }
  const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString("utf8");
  return { stdout: text(kept.stdout), stderr: text(kept.stderr), overflowed };
}
