import type { Buildx } from "../tools/buildx.ts";
import type { Docker, ImageInspect } from "../tools/docker.ts";
import type { SmokeReport } from "../model/smoke.ts";
import type { PlannedCell } from "../plan/cell.ts";
import type { RecordStore } from "../records/store.ts";
import type { LayerStore } from "../sbom/layer-store.ts";
import type { Evidence, FactoryRecord, RecordImage, RecordResult, RecordTest } from "../schemas/types.ts";
import type { CellState, CellVerdict } from "../screen/view-frame.ts";

/** Why a cell did not pass. */
export interface Failure {
  status: "fail" | "error";
  class: RecordResult["class"];
  what: string;
  log_excerpt: string[];
}

/** What one attempt found and kept. */
export interface Findings {
  failure: Failure | null;
  evidence: Record<string, Evidence>;
  image: RecordImage | null;
  tests: RecordTest[];
  cache: { hits: number; total: number };
  retries: number;
  /** Milliseconds by stage. Smoke and SBOM overlap. */
  stages_ms: Record<string, number>;
  notes: string[];
}

/** What a run asks of the world. */
export interface RunDeps {
  docker: Docker;
  buildx: Buildx;
  store: RecordStore;
  clock: { now: () => number; date: () => Date };
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Hex digits, at least eight. */
  randomHex: () => string;
  smokeTest: (
    image: string,
    inspected: Promise<ImageInspect>,
    planned: PlannedCell,
    signal?: AbortSignal,
  ) => Promise<SmokeReport>;
  makeSbom: (
    image: { ref: string; digest: string; platform: string; name: string; layout?: string },
    signal?: AbortSignal,
  ) => Promise<{ json: string; warnings: string[] }>;
  /** Layers of earlier images, to read SBOMs from; null where another tool writes them. */
  layers: Pick<LayerStore, "lend" | "keep"> | null;
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
  /** Whether a registry on loopback answers. */
  registryAnswers: (repository: string) => Promise<boolean>;
  /** Removes containers that killed runs left behind. */
  sweep: () => Promise<void>;
  onState: (cellId: string, state: CellState) => void;
  onFinish: (cellId: string, verdict: CellVerdict, text: string) => void;
  onNote: (text: string) => void;
}

/** How one run goes. */
export interface RunSettings {
  /** The workspace, absolute. */
  root: string;
  /** A path below the workspace, from its root, with `/`. */
  relative: (path: string) => string;
  cacheRepository: string | null;
  push: boolean;
  /** Whether the prefixes that fill the registry cache are baked once for all cells, and not with each. */
  prefixesBaked?: boolean;
  signal?: AbortSignal;
}
