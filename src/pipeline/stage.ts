import type { BaseResolution } from "../builder/base.ts";
import type { Handover } from "../builder/handover.ts";
import type { Snapshots } from "../files/snapshot.ts";
import type { CacheUse } from "../model/cache-place.ts";
import type { RetryPolicy } from "../model/retries.ts";
import type { NetworkName } from "../model/secret.ts";
import type { SmokeReport } from "../model/smoke.ts";
import type { PlannedCell } from "../plan/cell.ts";
import type { Recipe } from "../sbom/layer-origin.ts";
import type { LayerStore } from "../sbom/layer-store.ts";
import type { RecordStore } from "../records/store.ts";
import type { Evidence, FactoryRecord, RecordImage, RecordTest } from "../schemas/types.ts";
import type { Buildx } from "../tools/buildx.ts";
import type { Docker, ImageInspect } from "../tools/docker.ts";

/** Whose fault a failure is: `fail` lies in what was asked for, and proves something; `error` lies in the environment. */
export type Fault = "fail" | "error";

/**
 * What a stage is for. It says what an action does again: a cell that is tested again takes over what the stages of its
 * image left, and one that only gets its tag takes over those of its proof too.
 */
export type Part =
  /** The cell itself: always done. */
  | "cell"
  /** The bits of its image. */
  | "image"
  /** What is proven of the image. */
  | "proof"
  /** Where the image goes. */
  | "delivery";

/** Why a cell did not pass. */
export interface Failure {
  status: Fault;
  class: string;
  what: string;
  log_excerpt: string[];
}

/** An image that the engine holds under a tag of this attempt's own, until the attempt ends. */
export interface HeldImage {
  /** The attempt's own tag. */
  held: string;
  digest: string;
  /** Of the platform's image manifest. */
  manifest_digest: string;
  inspected: Promise<ImageInspect>;
  /** Whether only its registry has it: then it is held by no tag, and gets its own there. */
  isAway?: boolean;
  /** When its build began and ended; null for one that is not built by this attempt. */
  built: { started: Date; finished: Date } | null;
  /** The image as an OCI layout too, from which its SBOM is read; absent where it was not written. */
  layout?: string;
}

/** What an attempt leaves behind as it goes. */
export interface Trail {
  /** The stage that failed, the first in the order of the table; `done` where all passed. */
  stage: string;
  failure: Failure | null;
  evidence: Record<string, Evidence>;
  image: RecordImage | null;
  tests: RecordTest[];
  cache: { hits: number; total: number };
  retries: number;
  /** Milliseconds by stage. Some overlap. */
  stages_ms: Record<string, number>;
  notes: string[];
  /** A bug of Factory: it is thrown on, but only after the attempt has its record. */
  bug?: unknown;
}

/** What is asked of a cell that gets secrets. */
export interface SecretCell extends Pick<PlannedCell, "inputs"> {
  cell: Pick<PlannedCell["cell"], "cell_id">;
  keys: Pick<PlannedCell["keys"], "secrets">;
  render: () => Pick<ReturnType<PlannedCell["render"]>, "files" | "contents">;
}

/** The secrets of a run's cells: each is obtained once. */
export interface RunSecrets {
  /** Replaces them in a text that is kept or shown. */
  mask: (text: string) => string;
  /**
   * Obtains all that cells need, before anything is built.
   * @throws FactoryError SECRET_UNKNOWN, SECRET_MISSING, FILE_OUTSIDE: all findings at once; INTERRUPTED
   */
  require: (cells: readonly SecretCell[]) => Promise<void>;
  /** What steps get to reach the network: obtained when it is first asked for. @throws FactoryError as `require` */
  network: () => Promise<readonly NetworkName[]>;
  /** What a bake of these targets gets: each target the secrets of its cell. @throws FactoryError as `require` */
  handOver: (targets: readonly { target: string; planned: SecretCell }[]) => Promise<Handover>;
}

/** How a run goes, as far as stages need to know. */
export interface StageSettings {
  /** The workspace, absolute. */
  root: string;
  /** A path below the workspace, from its root, with `/`. */
  relative: (path: string) => string;
  /** The cache of builds; null without one, and where it cannot be used. */
  cache: CacheUse | null;
  /** What builds read in place of the workspace. */
  snapshots: Snapshots;
  push: boolean;
  /** What is done about failures that may pass by themselves. */
  retries: RetryPolicy;
  /** Versions of the tools that take part. */
  tools: Promise<Readonly<Record<string, string>>>;
  /** The commit that the workspace is at, and the CI job that runs this. */
  source: FactoryRecord["source"];
  /** Whether the prefixes that fill the registry cache are baked once for all cells, and not with each. */
  prefixesBaked?: boolean;
}

/** The proven image that a cell starts from, or why it cannot start. */
export type Origin =
  /** A reference by which the builder finds the image: with the digest it is that image or none. */
  { ref: string; digest: string } | { blocked: string };

/** One attempt at one cell, as its stages share it. */
export interface Attempt {
  planned: PlannedCell;
  /** What the builder made of the cell's base; undefined where it was not asked. */
  base: BaseResolution | undefined;
  /** The image of the cell that it starts from; null where it starts from none. */
  origin: Origin | null;
  /** Absolute; the attempt's own, removed at its end. */
  folder: string;
  /** The tag under which the engine holds its image meanwhile. */
  held: string;
  settings: StageSettings;
  trail: Trail;
  /** Bake targets that only fill the cache. */
  prefixes: string[];
  /** Set by the stage that builds the image, or where a known one is taken. */
  image: HeldImage | null;
  /** Whether the cell's own tag names the image by now. */
  tagged: boolean;
  /** The SBOM of its image, which is made once: when the first stage asks for it. */
  sbom?: Promise<{ json: string; warnings: string[] }>;
  /** The record of the image that its image has the files of, in other layers; absent for an image of its own. */
  filesOf?: string;
}

/** What one stage works with. */
export interface Work {
  attempt: Attempt;
  /** Fires where the run is interrupted, and where an earlier stage made this one moot. */
  signal: AbortSignal;
  /** Keeps evidence of a kind that the stage declares. */
  keep: (kind: string, data: string | Uint8Array) => Promise<void>;
  progress: (at: { step: number; steps: number; cached: boolean; detail: string }) => void;
  /** A step or a test of the stage is over. @param part.started milliseconds since 1970 */
  part: (part: {
    part: string;
    status: "pass" | "fail" | "error" | "skipped" | "cached";
    started: number;
    duration_ms: number;
  }) => void;
  /** A line of the stage's log. */
  log: (line: string) => void;
  warn: (text: string) => void;
}

/** What stages ask of the world. */
export interface StageDeps {
  docker: Docker;
  buildx: Buildx;
  clock: { now: () => number; date: () => Date };
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 up to, but not 1. */
  random: () => number;
  /** Calls again and again, every so many milliseconds, until the returned function is called. */
  every: (ms: number, call: () => void) => () => void;
  secrets: RunSecrets;
  store: Pick<RecordStore, "keep">;
  /** Has a tag of a registry name an image that is there already. @returns whether it does now */
  moveTag?: (ref: string, digest: string, signal?: AbortSignal) => Promise<boolean>;
  /** @param about `recipe` is what the image was built from, and `sbom` gives its SBOM; `filesOf` is the record of the image that it has the files of, in other layers */
  smokeTest: (
    image: string,
    about: {
      inspected: Promise<ImageInspect>;
      recipe: Recipe;
      sbom: () => Promise<string>;
      filesOf: string | null;
    },
    planned: PlannedCell,
    signal?: AbortSignal,
    onTest?: (test: SmokeReport["tests"][number]) => void,
  ) => Promise<SmokeReport>;
  makeSbom: (
    image: {
      ref: string;
      digest: string;
      platform: string;
      name: string;
      layout?: string;
      recipe: Recipe;
    },
    signal?: AbortSignal,
  ) => Promise<{ json: string; warnings: string[] }>;
  /** Layers of earlier images, to read SBOMs from; null where another tool writes them. */
  layers: Pick<LayerStore, "lend" | "keep" | "holds"> | null;
}

/** A stage of an attempt: all that the rest of Factory knows of it. */
export interface Stage {
  /** Lower case; it stands in records, in events and on the screen. */
  name: string;
  part: Part;
  /**
   * Stages before it in the table that it waits for; `all` for every one of them. Stages that wait for the same ones run at
   * the same time.
   */
  needs: readonly string[] | "all";
  /** Media types of the evidence that it leaves when it passes, by kind. */
  evidence: Readonly<Record<string, string>>;
  /** Kinds among them that are kept byte for byte, since proofs are computed from them. No secret is masked there: they hold no output. */
  exact?: readonly string[];
  /** The same of evidence that it only leaves for a cell that has what it is about. */
  mayLeave?: Readonly<Record<string, string>>;
  /** Kinds of `evidence` that it leaves too where it fails by what was asked for. */
  provesFail?: readonly string[];
  /** Classes of its failures, and whose fault each is. Those of `EVERYWHERE` need not be named. */
  classes: Readonly<Record<string, Fault>>;
  /** Whether it is wanted in a run; absent where it always is. */
  wanted?: (settings: StageSettings) => boolean;
  /**
   * Does its work. A failure is what it gives back; null where it passed.
   * @throws FactoryError for what the environment lacks
   */
  run: (work: Work, deps: StageDeps) => Promise<Failure | null>;
}

/** How many lines of a log a record keeps. */
export const LOG_TAIL = 40;

/** The image of an attempt. A stage that calls this has to need the stage that makes it: otherwise it is a bug of Factory. */
export function imageOf({ image }: Attempt): HeldImage {
  if (!image) throw new Error("a stage needs an image, and no stage before it made one");
  return image;
}
