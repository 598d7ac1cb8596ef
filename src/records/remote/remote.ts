import { isTiedTo, type OtherLayers } from "../../model/other-layers.ts";
import type { FactoryRecord } from "../../schemas/types.ts";
import type { RecordStore } from "../store.ts";
import { forEach } from "./for-each.ts";
import { type IndexEntry, keyTag, recordOfTag, recordTag } from "./key-index.ts";
import { readArtifactEvidence, readArtifactRecord } from "./read-artifact.ts";
import type { RemoteDeps, Travelled } from "./remote-deps.ts";
import { AT_ONCE, recordSender, RECORDS_AT_ONCE, tagReader } from "./send.ts";

/** The keys of a cell. */
export interface CellKeys {
  verdict_key: string;
  build_key: string;
  /** The other layers that are asked for too; missing where none are. */
  repack?: Pick<OtherLayers, "with" | "target_size"> | undefined;
}

/** The records of many machines, in a repository of a registry: an artifact each. */
export interface RecordRemote {
  /** @throws FactoryError with a finding for each record that could not be pushed: the others were */
  push: (
    store: RecordStore,
    only?: { manifestId?: string; recordIds?: readonly string[] },
  ) => Promise<Travelled>;
  /** @throws FactoryError with a finding for each record that could not be pulled: the others were */
  pull: (store: RecordStore) => Promise<Travelled>;
  /**
   * Brings what decides about cells, and is not here, into a store: of each verdict key the records down to the newest
   * verdict, or else those of its build key; where other layers are asked for, those down to the newest verdict on such. @returns how many were brought
   * @throws FactoryError REGISTRY_*, REMOTE_CONTENT: only a registry's "not found" means that there is none
   */
  fetch: (store: RecordStore, cells: readonly CellKeys[]) => Promise<number>;
}

/** Whether a record is of the layers that are asked for. */
function isOfLayers({ repacked }: FactoryRecord, asked: NonNullable<CellKeys["repack"]>): boolean {
  return repacked !== undefined && isTiedTo(repacked, { ...repacked, image: repacked }, asked);
}

const isVerdict = ({ result }: FactoryRecord): boolean => result.status !== "error";

export function openRemote(deps: RemoteDeps): RecordRemote {
  const { client, again, signal, onProgress } = deps;
  const options = { signal };

  const readTag = tagReader(deps);
  const pushAll = recordSender(deps);

  /** Brings one record into a store. @returns the record, and whether it was not there before */
  const pullOne = async (
    store: RecordStore,
    ref: string,
    recordId: string,
  ): Promise<{ record: FactoryRecord; isNew: boolean }> => {
    const { bytes } = await again(() => client.manifest(ref, options));
    const read = await readArtifactRecord(bytes, recordId, store, deps);
    const { record, text } = read;
    const evidence = await readArtifactEvidence(read, deps);
    return { record, isNew: await store.take({ text, evidence }) };
  };

  return {
    push: async (store, { manifestId, recordIds } = {}) => {
      const wanted = recordIds && new Set(recordIds);
      const all = await store.all(manifestId);
      return pushAll(all.filter(({ record_id }) => wanted?.has(record_id) ?? true).map(({ read }) => read));
    },

    pull: async (store) => {
      const travelled: Travelled = { pushed: [], pulled: [], unchanged: 0 };
      const here = new Set((await store.all()).map(({ record_id }) => record_id));
      const there = (await again(() => client.tags(options))).flatMap((tag) => recordOfTag(tag) ?? []);
      const missing = there.filter((id) => !here.has(id)).sort();
      travelled.unchanged = there.length - missing.length;
      let done = 0;
      await forEach(
        missing,
        RECORDS_AT_ONCE,
        async (id) => {
          onProgress?.((done += 1), missing.length);
          const { isNew } = await pullOne(store, recordTag(id), id);
          if (isNew) travelled.pulled.push(id);
        },
        signal,
      );
      travelled.pulled.sort();
      return travelled;
    },

    fetch: async (store, cells) => {
      const here = new Map((await store.all()).map((one) => [one.record_id, one]));
      let brought = 0;
      /** Down to the newest verdict: what is older decides nothing. @returns whether there was one */
      const bring = async (entries: readonly IndexEntry[], isAsked: (record: FactoryRecord) => boolean) => {
        for (const { record_id, digest } of entries) {
          const known = (await here.get(record_id)?.read())?.record;
          const { record, isNew } = known
            ? { record: known, isNew: false }
            : await pullOne(store, digest, record_id);
          if (isNew) brought += 1;
          if (isAsked(record) && isVerdict(record)) return true;
        }
        return false;
      };
      const byKey = new Map(cells.map((cell) => [cell.verdict_key, cell]));
      await forEach(
        [...byKey.values()],
        AT_ONCE,
        async ({ verdict_key, build_key, repack }) => {
          const verdicts = await readTag(keyTag("verdict", verdict_key));
          const isKnown = await bring(verdicts, (record) => record.verdict_key === verdict_key);
          if (isKnown && !repack) return;
          const bits = await readTag(keyTag("build", build_key));
          if (repack) await bring(bits, (record) => isOfLayers(record, repack));
          if (!isKnown) await bring(bits, ({ repacked, ...own }) => !repacked && own.build_key === build_key);
        },
        signal,
      );
      return brought;
    },
  };
}
