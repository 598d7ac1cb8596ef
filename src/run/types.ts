import type { RunFolder } from "../files/run-folder.ts";
import type { CachePlace } from "../model/cache-place.ts";
import type { Stage, StageDeps, StageSettings } from "../pipeline/stage.ts";
import type { CellRepack, Planned, PlannedCell } from "../plan/cell.ts";
import type { RecordStore } from "../records/store.ts";
import type { CellRepacked, FactoryRecord, RunEvent } from "../schemas/types.ts";
import type { Lease } from "../tools/lease.ts";

/** What a run asks of the world. */
export interface RunDeps extends StageDeps {
  store: RecordStore;
  /** The folder of this process, for what is written while cells are built. Removed at the run's end. */
  folder: RunFolder;
  /** Names this process as the owner of what it leaves when it is killed. */
  lease: Pick<Lease, "owner" | "stateOf">;
  /** Hex digits, at least eight. */
  randomHex: () => string;
  /**
   * Loads what smoke tests and SBOMs need, and reads the bases' layers, while builds wait for the engine. Never rejects:
   * what fails here fails again, and is reported, where it is needed.
   */
  prepare: (
    layouts: readonly { layout: string; digest: string }[],
    platforms: readonly string[],
    signal?: AbortSignal,
  ) => Promise<void>;
  source: () => Promise<FactoryRecord["source"]>;
  /** Why a cache cannot be used now; null if nothing is known against it. @throws FactoryError FILE_OUTSIDE */
  cacheTrouble: (place: CachePlace) => Promise<string | null>;
  /** Removes containers that killed runs left behind. */
  sweep: () => Promise<void>;
  /** Makes other layers of a cell that has passed; missing where none can be asked for. */
  repack?: RepackStep;
  /** Told each event, in order. Never throws. */
  onEvent: (event: RunEvent) => void;
}

/** How one run goes. */
export interface RunSettings extends Omit<StageSettings, "tools" | "source" | "snapshots"> {
  signal?: AbortSignal;
}

/** What is to be run, and how. */
export interface RunRequest extends RunSettings {
  planned: Planned;
  platform?: string;
  /** How many cells at once. */
  jobs: number;
  /** Versions of Factory and Node, for the record. */
  versions: Record<string, string>;
  /** The stages of an attempt. Default: those of the table. */
  stages?: readonly Stage[];
}

/** What became of the other layers of one cell. */
export type RepackEnd = Omit<CellRepacked, "v" | "at" | "type" | "cell_id" | "with" | "duration_ms">;

/**
 * Makes the other layers that are asked for of a cell, tests them and records that.
 * @param record the one that proves the cell
 * @throws FactoryError where they cannot be made
 */
export type RepackStep = (
  planned: PlannedCell,
  record: FactoryRecord,
  about: { repack: CellRepack; deps: RunDeps; request: RunRequest; say: (text: string) => void },
) => Promise<RepackEnd>;
