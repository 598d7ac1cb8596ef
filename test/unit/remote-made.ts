import { createMask } from "../../src/model/mask.ts";
import { RETRIES } from "../../src/model/retries.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { type CellKeys, openRemote, type RecordRemote } from "../../src/records/remote/remote.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import type { RemoteDeps } from "../../src/records/remote/remote-deps.ts";
import { createRegistry } from "../../src/tools/oci/repository-client.ts";
import { retrying } from "../../src/tools/oci/retrying.ts";
import { serveRegistry, type ServedRegistry } from "./oci-server.ts";
import { provenDraft } from "./records-made.ts";

/** The remote in a registry that a test serves. Nothing is waited for. @param more `tries`: how often each request is tried */
export function remoteOn(
  { host }: { host: string },
  { tries = 1, ...more }: Partial<Pick<RemoteDeps, "random" | "sleep">> & { tries?: number } = {},
): RecordRemote {
  const open = createRegistry({
    credentialsOf: () => Promise.resolve(null),
    now: Date.now,
    mask: createMask(),
  });
  const sleep = () => Promise.resolve();
  return openRemote({
    client: open({ host, repository: "team/app" }),
    again: (work) => retrying(work, { policy: { ...RETRIES, tries }, sleep, random: () => 0 }),
    sleep,
    random: () => 0,
    signal: new AbortController().signal,
    ...more,
  });
}

/** Writes records of passes with the same inputs, that began so many minutes after a fixed moment. */
export async function writeRecords(
  root: string,
  minutes: readonly number[],
  change: Parameters<typeof provenDraft>[1] = {},
): Promise<FactoryRecord[]> {
  const store = openStore(root);
  const records: FactoryRecord[] = [];
  for (const minute of minutes) {
    const start = new Date(Date.parse("2026-11-21T00:00:00Z") + minute * 60_000);
    records.push(await store.put(await provenDraft(store, change, start), start));
  }
  return records;
}

export const keysOf = ({ verdict_key, build_key }: FactoryRecord): CellKeys => ({ verdict_key, build_key });

/** A registry to which anything can be pushed. Call it inside a test. */
export const served = (): Promise<ServedRegistry> =>
  serveRegistry({ uploadAt: "/v2/team/app/blobs/uploads/one" });
