import { setMaxListeners } from "node:events";
import { FactoryError } from "../errors.ts";
import { canonicalJson, sha256 } from "../model/digest.ts";
import { quoted } from "../model/visible.ts";
import type { RepositoryClient } from "../tools/oci/repository-client.ts";

/*
 * Who may move the tags of a repository. Registries cannot change a tag only if nobody else did, so this is Fischer's protocol:
 * whoever sees the tag free writes its own name into it, waits longer than anybody needs from looking to writing, and has it
 * if its name is still there. A holder that is alive writes again and again: no clock is compared with that of another machine.
 */

/** The tag that says who publishes. */
export const LOCK_TAG = "_factory-publisher";
const LOCK_ARTIFACT = "application/vnd.factory.publisher.v1";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const EMPTY = Buffer.from("{}");
const EMPTY_DESCRIPTOR = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: sha256(EMPTY),
  size: EMPTY.length,
};

/** Nobody may need longer than half of this from looking to having written. */
const SETTLE_MS = 2000;
/** How often a holder says that it is alive, and after which silence it is not. */
const BEAT_MS = 5000;
const SILENT_MS = 30_000;
const LOOK_MS = 1000;
/** After what time a holder has noticed that its tag was taken. */
const NOTICED_MS = 3 * BEAT_MS;
/** How often a registry that is too slow for the protocol is tried. */
const TRIES = 5;

export interface LockDeps {
  client: RepositoryClient;
  /** `HOST/REPOSITORY`, for people. */
  name: string;
  again: <T>(work: () => Promise<T>) => Promise<T>;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  every: (ms: number, call: () => void) => () => void;
  /** Milliseconds, from any moment. */
  clock: () => number;
  signal: AbortSignal;
  /** Nobody else's. */
  nonce: string;
  /** Who this is, for people: the address of a CI job. */
  by: string;
  /** How long to wait for another publisher, in milliseconds. */
  waitMs: number;
  say: (text: string) => void;
}

interface Held {
  nonce: string;
  beat: number;
  isFree: boolean;
  by: string;
}

const NAMES = {
  nonce: "io.factory.publisher.nonce",
  beat: "io.factory.publisher.beat",
  state: "io.factory.publisher.state",
  by: "io.factory.publisher.by",
};

function written({ nonce, beat, isFree, by }: Held): Buffer {
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: LOCK_ARTIFACT,
      config: EMPTY_DESCRIPTOR,
      layers: [EMPTY_DESCRIPTOR],
      annotations: {
        [NAMES.nonce]: nonce,
        [NAMES.beat]: String(beat),
        [NAMES.state]: isFree ? "free" : "held",
        [NAMES.by]: by,
      },
    }),
  );
}

/** What a manifest says; null where it says nothing of a publisher. */
function readHeld(bytes: Uint8Array): Held | null {
  let annotations: Record<string, unknown> | undefined;
  try {
    ({ annotations } = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
      annotations?: typeof annotations;
    });
  } catch {
    return null;
  }
  const [nonce, beat, state, by] = Object.values(NAMES).map((name) => annotations?.[name]);
  if (typeof nonce !== "string" || typeof by !== "string") return null;
  return { nonce, beat: Number(beat), isFree: state !== "held", by };
}

/**
 * Does something while nobody else moves tags of a repository.
 * @param work gets a signal that fires as well when the lock is lost
 * @throws FactoryError PUBLISHER_BUSY where somebody else is at work, PUBLISHER_SLOW where the registry cannot be used for this
 */
export async function whilePublishing<T>(
  deps: LockDeps,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { client, name, again, sleep, clock, signal, nonce, by, say } = deps;

  const look = async (): Promise<Held | null> => {
    if ((await again(() => client.headManifest(LOCK_TAG, { signal }))) === null) return null;
    return readHeld((await again(() => client.manifest(LOCK_TAG, { signal }))).bytes);
  };
  // Each writing is another one: whoever watches knows by that that this one is alive.
  let beat = 0;
  const write = async (isFree = false, until: AbortSignal | undefined = signal) => {
    beat += 1;
    const bytes = written({ nonce, beat, isFree, by });
    await again(() => client.putManifest(LOCK_TAG, bytes, MANIFEST_TYPE, { signal: until }));
  };
  const stop = () => {
    if (signal.aborted) throw new FactoryError("INTERRUPTED", "interrupted");
  };
  const busy = (held: Held | null) =>
    new FactoryError(
      "PUBLISHER_BUSY",
      `another publisher is at work on ${name}${held && held.by !== "" ? `: ${quoted(held.by)}` : ""}`,
      { fix: "run the command again when it is done, or with `--wait` and the seconds that it may take" },
    );

  /** Waits until nobody holds the tag. @returns when that was looked up */
  const free = async (deadline: number): Promise<number> => {
    let known: Held | null = null;
    let since = clock();
    for (let looks = 0, alive = false; ; looks += 1) {
      const lookedAt = clock();
      const now = await look();
      if (now === null || now.isFree || now.nonce === nonce) return lookedAt;
      if (looks === 0 || now.nonce !== known?.nonce || now.beat !== known.beat) {
        // Whoever writes is alive.
        alive = looks > 0;
        if (alive && clock() >= deadline) throw busy(now);
        if (alive) say(`waiting for another publisher of ${name}`);
        [known, since] = [now, clock()];
      } else if (clock() - since >= SILENT_MS) {
        say(`note: a publisher of ${name} ended without saying so: ${quoted(now.by)}`);
        return lookedAt;
      } else if (alive && clock() >= deadline) throw busy(now);
      await sleep(LOOK_MS, signal);
      stop();
    }
  };

  const take = async (): Promise<void> => {
    await again(() => client.putBlob(EMPTY_DESCRIPTOR, EMPTY, { signal }));
    const deadline = clock() + deps.waitMs;
    for (let left = TRIES; left > 0;) {
      const lookedAt = await free(deadline);
      await write();
      if (clock() - lookedAt > SETTLE_MS / 2) {
        // So late it may have taken the tag from somebody: until it is taken again, that one has noticed.
        left -= 1;
        await sleep(NOTICED_MS, signal);
        stop();
        continue;
      }
      await sleep(SETTLE_MS, signal);
      stop();
      const after = await look();
      if (after?.nonce === nonce) return;
      if (clock() >= deadline) throw busy(after);
    }
    throw new FactoryError("PUBLISHER_SLOW", `${name} takes too long to say who publishes`, {
      fix: "run the command again when the registry answers within a second",
    });
  };

  const release = async (): Promise<void> => {
    // Whatever became of the work, nobody is to wait for this one: the signal does not count.
    const now = readHeld((await again(() => client.manifest(LOCK_TAG))).bytes);
    if (now?.nonce === nonce) await write(true, undefined);
  };

  await take();
  const lost = new AbortController();
  let beating = Promise.resolve();
  const stopBeating = deps.every(BEAT_MS, () => {
    beating = beating.then(async () => {
      if ((await look())?.nonce !== nonce) return lost.abort();
      await write();
    });
    beating.catch(() => {
      if (!signal.aborted) lost.abort();
    });
  });
  try {
    const either = AbortSignal.any([signal, lost.signal]);
    // Each request listens to it.
    setMaxListeners(0, either);
    return await work(either);
  } catch (error) {
    if (lost.signal.aborted && !signal.aborted) throw busy(null);
    throw error;
  } finally {
    stopBeating();
    await beating.catch(() => undefined);
    await release().catch(() => undefined);
  }
}
