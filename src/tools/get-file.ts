/** How long a server may take to begin, and to go on, in milliseconds. */
const SILENCE_MS = 30_000;

/**
 * Gets a file over HTTP, whole.
 * @param most bytes
 * @returns null where the server says that there is none
 * @throws an error if it does not answer, says anything else, or sends more
 */
export async function getFile(url: string, most: number, signal?: AbortSignal): Promise<Uint8Array | null> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(new Error("it went silent")), SILENCE_MS);
  try {
    const stop = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    const answer = await fetch(url, { signal: stop, headers: { "accept-encoding": "identity" } });
    if (answer.status === 404) return null;
    if (answer.status !== 200 || !answer.body) throw new Error(`${url} answers ${answer.status}`);
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(new Error("it went silent")), SILENCE_MS);
      size += piece.length;
      if (size > most) throw new Error(`${url} has more than ${most} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } finally {
    clearTimeout(timer);
  }
}
