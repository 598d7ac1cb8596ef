import pLimit from "p-limit";
import { FactoryError } from "../errors.ts";
import type { Emit } from "../model/event.ts";
import { notPushed } from "../model/other-layers.ts";
import type { CellRepack, PlannedCell } from "../plan/cell.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import type { RepackEnd, RunDeps, RunRequest } from "./types.ts";

/** The other layers of a run's cells: made beside what is built, and never a reason against a cell. */
export interface Repacks {
  /** Told each cell that passed, or that a record proves. @param record null if it is the one that the plan names */
  take: (planned: PlannedCell, record: FactoryRecord | null) => void;
  /** When all are done. @throws what is the fault of none of them: an interrupted run, a full disk, a bug */
  done: () => Promise<void>;
  /** Starts no further one, and waits for those that are under way. */
  close: () => Promise<void>;
}

/** Each reads and compares two images: more at once would only wait for the disk. */
const AT_ONCE = 2;

const NONE = { record_id: null, record: null, image: null, saving: null, pushed: false } as const;

/** What is the matter with the machine or the run, and not with one image. */
const OF_THE_RUN: ReadonlySet<string> = new Set(["INTERRUPTED", "WRITE_FAILED", "ENGINE_UNREACHABLE"]);

export function openRepacks(request: RunRequest, deps: RunDeps, emit: Emit): Repacks {
  const { signal, jobs, platform: wanted } = request;
  const limit = pLimit(Math.min(jobs, AT_ONCE));
  const running: Promise<void>[] = [];
  let isStopped = false;

  /** What a record proves already. */
  const proven = async ({ record_id: id, kept_back }: CellRepack): Promise<RepackEnd> => {
    const { manifest_id, record_id, image } = await deps.store.get(id ?? "");
    const about = image && { ref: image.ref, digest: image.digest };
    const record = deps.store.nameOf({ manifest_id, record_id });
    const pushed = image?.pushed ?? false;
    return {
      ...NONE,
      status: "reused",
      record_id,
      record,
      image: about,
      pushed,
      why: kept_back && notPushed(kept_back),
    };
  };

  const make = async (
    planned: PlannedCell,
    original: FactoryRecord,
    repack: CellRepack,
  ): Promise<RepackEnd> => {
    const { cell_id, platform } = planned.cell;
    const able = await deps.buildx.platforms();
    if (!able.includes(platform)) {
      const status = wanted === undefined ? "left-out" : "error";
      return { ...NONE, status, why: `the engine cannot run ${platform}` };
    }
    if (!deps.repack) throw new Error("this run has nothing to repack with");
    const say = (text: string) => emit({ type: "note", level: "note", cell_id, text: `${cell_id}: ${text}` });
    return deps.repack(planned, original, { repack, deps, request, say });
  };

  const one = async (
    planned: PlannedCell,
    record: FactoryRecord | null,
    repack: CellRepack,
  ): Promise<void> => {
    const { cell_id, record_id } = planned.cell;
    const start = deps.clock.now();
    const tell = (end: RepackEnd) =>
      emit({
        type: "cell-repacked",
        cell_id,
        with: repack.with,
        duration_ms: Math.round(deps.clock.now() - start),
        ...end,
      });
    try {
      if (record === null && repack.action === "reuse") return tell(await proven(repack));
      if (signal?.aborted || isStopped)
        return tell({ ...NONE, status: "error", why: "the run ended before it" });
      const original = record ?? (await deps.store.get(record_id ?? ""));
      if (original.schema_version !== 2) throw new Error(`${original.record_id} has an old form`);
      tell(await make(planned, original, repack));
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      tell({ ...NONE, status: "error", why: what });
      if (error instanceof FactoryError && !OF_THE_RUN.has(error.code)) return;
      isStopped = true;
      if (!(error instanceof FactoryError && error.code === "INTERRUPTED" && signal?.aborted)) throw error;
    }
  };

  return {
    take: (planned, record) => {
      const { repack } = planned.cell;
      if (!repack) return;
      const work = limit(() => one(planned, record, repack));
      work.catch(() => undefined);
      running.push(work);
    },
    done: async () => {
      const broken = (await Promise.allSettled(running)).find(({ status }) => status === "rejected");
      if (broken?.status === "rejected") throw broken.reason;
    },
    close: async () => {
      isStopped = true;
      await Promise.allSettled(running);
    },
  };
}
