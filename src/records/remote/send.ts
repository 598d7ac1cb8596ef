import { FactoryError } from "../../errors.ts";
import { sha256 } from "../../model/digest.ts";
import { settle } from "../../model/settle.ts";
import type { WholeRecord } from "../travel.ts";
import { forEach } from "./for-each.ts";
import {
  INDEX_TYPE,
  type IndexEntry,
  keyTag,
  merged,
  readIndex,
  recordTag,
  writeIndex,
} from "./key-index.ts";
import { evidenceOf } from "../evidence.ts";
import { EMPTY_CONFIG, MANIFEST_TYPE, recordManifest } from "./record-artifact.ts";
import type { RemoteDeps, Travelled } from "./remote-deps.ts";

/** Requests at once. */
export const AT_ONCE = 16;
/** Records at once: each is several requests. */
export const RECORDS_AT_ONCE = 4;

/** Reads the index behind a tag; nothing if there is none. */
export function tagReader({ client, again, signal }: RemoteDeps): (tag: string) => Promise<IndexEntry[]> {
  const options = { signal };
  return async (tag) => {
    if ((await again(() => client.headManifest(tag, options))) === null) return [];
    const { bytes, mediaType } = await again(() => client.manifest(tag, options));
    return mediaType === INDEX_TYPE ? readIndex(bytes) : [];
  };
}

/** Pushes records, and what leads to them. */
export function recordSender(
  deps: RemoteDeps,
): (records: readonly (() => Promise<WholeRecord | null>)[]) => Promise<Travelled> {
  const { client, again, signal, onProgress } = deps;
  const options = { signal };
  const readTag = tagReader(deps);

  /** Blobs that are known to be there. */
  const stored = new Map<string, Promise<unknown>>();
  const storeBlob = (bytes: () => Uint8Array, digest: string, size: number): Promise<unknown> => {
    const known = stored.get(digest);
    if (known) return known;
    const storing = again(() => client.putBlob({ digest, size }, bytes(), options));
    stored.set(digest, storing);
    storing.catch(() => stored.delete(digest));
    return storing;
  };

  /** Pushes one record under its own tag. @returns its entry, and whether it was not there before; null if its evidence was pruned */
  const pushOne = async ({
    record,
    text,
    evidence,
    pruned,
  }: WholeRecord): Promise<{ entry: IndexEntry; isNew: boolean } | null> => {
    const manifest = recordManifest(record, text);
    const { record_id } = record;
    const entry = { record_id, digest: sha256(manifest), size: manifest.length };
    const there = await again(() => client.headManifest(recordTag(record_id), options));
    if (there === entry.digest) return { entry, isNew: false };
    if (there !== null) {
      throw new FactoryError("RECORD_CONFLICT", `the remote has another record ${record_id}`, {
        fix: "one of the two was edited: see `factory records verify`",
      });
    }
    if (pruned !== undefined) return null;
    await storeBlob(() => EMPTY_CONFIG, sha256(EMPTY_CONFIG), EMPTY_CONFIG.length);
    await storeBlob(() => text, sha256(text), text.length);
    for (const piece of evidenceOf(record))
      await storeBlob(() => evidence(piece), `sha256:${piece.sha256}`, piece.bytes);
    await again(() => client.putManifest(recordTag(record_id), manifest, MANIFEST_TYPE, options));
    return { entry, isNew: true };
  };

  /** See key-index.ts. */
  const addTo = async (tag: string, entries: readonly IndexEntry[]): Promise<void> => {
    const settled = await settle(async () => {
      const before = await readTag(tag);
      const written = writeIndex(merged(before, entries));
      if (written.equals(writeIndex(before))) return false;
      await again(() => client.putManifest(tag, written, INDEX_TYPE, options));
      return true;
    }, deps);
    if (settled) return;
    throw new FactoryError("REMOTE_BUSY", `other writers go on replacing the tag ${tag}`, {
      fix: "run `factory records push` when fewer machines write to the remote",
    });
  };

  return async (records) => {
    const travelled: Travelled = { pushed: [], pulled: [], unchanged: 0 };
    const byTag = new Map<string, IndexEntry[]>();
    let done = 0;
    const pushing = forEach(
      records,
      RECORDS_AT_ONCE,
      async (read) => {
        const whole = await read();
        onProgress?.((done += 1), records.length);
        if (!whole) return;
        const pushed = await pushOne(whole);
        if (!pushed) return void (travelled.pruned ??= []).push(whole.record.record_id);
        const { entry, isNew } = pushed;
        if (isNew) travelled.pushed.push(entry.record_id);
        else travelled.unchanged += 1;
        const { verdict_key, build_key } = whole.record;
        for (const tag of [keyTag("verdict", verdict_key), keyTag("build", build_key)])
          byTag.set(tag, [...(byTag.get(tag) ?? []), entry]);
      },
      signal,
    );
    const [pushed] = await Promise.allSettled([pushing]);
    // Those that were pushed are to be found, whatever became of the others.
    await forEach([...byTag], AT_ONCE, ([tag, entries]) => addTo(tag, entries), signal);
    if (pushed.status === "rejected") throw pushed.reason;
    travelled.pushed.sort();
    travelled.pruned?.sort();
    return travelled;
  };
}
