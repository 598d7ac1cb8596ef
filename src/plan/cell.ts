import type { Inputs, ReadImage } from "../model/inputs.ts";
import type { OtherLayers } from "../model/other-layers.ts";
import type { Value } from "../schemas/types.ts";
import type { Lowered } from "../stitch/choice.ts";
import type { CellKeys, DigestOf, Stitched } from "../stitch/stitch.ts";
import type { Action, Change, Reason, Seen } from "./action.ts";

/** Whether there is nothing to do about a cell: records prove it, and what is asked of its layers. */
export function isDone({ action, repack }: Pick<Cell, "action" | "repack">): boolean {
  return action === "reuse" && repack?.action !== "repack";
}

/** What a plan declares about a verdict other than a pass. */
export interface Expected {
  result: "fail";
  owner: string;
  reason: string;
  /** The last day on which it is tolerated, `YYYY-MM-DD`, or `never` if that does not end. */
  until: string;
}

/** The other layers that a product or a plan asks for, and what will be done about them. */
export interface CellRepack extends OtherLayers {
  /** Made and tested after the cell has passed; or nothing, since a record proves them. */
  action: "repack" | "reuse";
  /** Why they are not simply reused: as for a cell; null if they are. */
  reason: Reason | null;
  /** The record that proves them; null if none does. */
  record_id: string | null;
  /** Why they are not published although they are proven: they save too little. null if they are. */
  kept_back: string | null;
}

/** One fully resolved combination on one platform. */
export interface Cell {
  /** `<manifest>.<fragment>-<version>….<platform>`: what the plan chose, not what ranges resolved to. */
  cell_id: string;
  /** The values of named axes, by the axis's name; missing if the plan has none. */
  named?: Readonly<Record<string, string>>;
  manifest_id: string;
  /** The plans that ask for it, sorted; empty for a manifest by itself. */
  plan_ids: string[];
  platform: string;
  /** Version by fragment name, in the order of the Dockerfile. */
  fragments: Record<string, string>;
  /** The fragments whose version was chosen to fit the others; missing if there are none. */
  lowered?: readonly Lowered[];
  /** The image that the last stage starts from. */
  base: Readonly<{ ref: string; digest: string | null }>;
  /** The cell whose image is the base; missing if the base is no manifest's image. */
  parent?: string;
  /** All images that the build reads, including the base. */
  images: readonly ReadImage[];
  /** By the argument's name if only one fragment declares it, else by `fragment.argument`. */
  args: Readonly<Record<string, Value>>;
  recipe_key: string;
  build_key: string;
  verdict_key: string;
  /** The name of its bake target. */
  target: string;
  tags: string[];
  cache_from: string[];
  cache_to: string[];
  action: Action;
  /** The reason; null if it is reused. */
  reason: Reason | null;
  /** What differs from the attempt that it was compared with. */
  changes: Change[];
  /** The record that proves it, or that it was compared with; null if there is none. */
  record_id: string | null;
  /** Where its image was seen under its tag; only for a cell that is reused. */
  seen?: Seen | undefined;
  /** What the plan declares about its verdict; null if it should pass. */
  expect: Expected | null;
  /** Missing where nobody asks for it, and for a cell that is meant to fail. */
  repack?: CellRepack;
}

/** A cell with what is needed to build it. */
export interface PlannedCell {
  cell: Cell;
  keys: CellKeys;
  /** Its Dockerfile and what goes with it. Rendered at each call, so that a plan does not keep all of them in memory. */
  render: () => Stitched;
  /** Everything that went into its keys, as evidence; made when it is asked for. */
  readonly inputs: Inputs;
  /** All labels of its image; made when they are asked for. */
  readonly labels: Record<string, string>;
  /** How old a proof of it may be, in milliseconds; null for any age. */
  maxAge: number | null;
  /** The documents that say `reuse: never`: it is always built. */
  neverReused: readonly string[];
  /**
   * The same cell with digests from the builder: its Dockerfile and its keys name them. Nothing is rendered. A digest that is
   * known stays, but for the image of a parent: there the one that is given counts.
   */
  pin: (digestOf: DigestOf) => PlannedCell;
}

/** A combination that a rule forbids. */
export interface LeftOut {
  /** The values that may not occur together, by axis. */
  values: Record<string, string>;
  what: string;
}

/** How much of a plan's combinations its cells cover. */
export interface Coverage {
  /** How many axes are combined: 2 for pairs. */
  t: number;
  /** Combinations that the rules allow, and how many of them some cell has. */
  allowed: number;
  covered: number;
  /** Cells that the product would have. */
  product: number;
  /** Cells that count because a record proves them. */
  proven: number;
}

/** The result of planning. Cells are sorted by their versions in Dockerfile order, then by platform. */
export interface Planned {
  /** The plan; null for a manifest by itself, and for several plans. */
  plan_id: string | null;
  plan_ids: string[];
  /** The manifest; null if there are several. */
  manifest_id: string | null;
  cells: PlannedCell[];
  left_out: LeftOut[];
  /** By plan; only for those whose strategy chooses. */
  coverage: Record<string, Coverage>;
}

/** The parts of a planned cell; what is made on demand is given as a function. */
type CellParts = Omit<PlannedCell, "inputs" | "labels"> & {
  makeInputs: () => Inputs;
  makeLabels: () => Record<string, string>;
};

/** A class only for its getters: V8 keeps each object that has getters of its own as a dictionary. */
class LazyCell implements PlannedCell {
  readonly cell: Cell;
  readonly keys: CellKeys;
  readonly render: () => Stitched;
  readonly maxAge: number | null;
  readonly neverReused: readonly string[];
  readonly pin: PlannedCell["pin"];
  private readonly makeInputs: () => Inputs;
  private readonly makeLabels: () => Record<string, string>;

  constructor({ cell, keys, render, maxAge, neverReused, pin, makeInputs, makeLabels }: CellParts) {
    this.cell = cell;
    this.keys = keys;
    this.render = render;
    this.maxAge = maxAge;
    this.neverReused = neverReused;
    this.pin = pin;
    this.makeInputs = makeInputs;
    this.makeLabels = makeLabels;
  }

  get inputs(): Inputs {
    return this.makeInputs();
  }

  get labels(): Record<string, string> {
    return this.makeLabels();
  }
}

/** A planned cell from its parts. */
export function planCell(parts: CellParts): PlannedCell {
  return new LazyCell(parts);
}

/** The planned cell with some fields of its cell changed; what it is built from stays. */
export function withCell(
  planned: PlannedCell,
  changes: Partial<Cell>,
  maxAge: number | null = planned.maxAge,
): PlannedCell {
  const { keys, render, neverReused } = planned;
  return planCell({
    cell: { ...planned.cell, ...changes },
    keys,
    render,
    makeInputs: () => planned.inputs,
    makeLabels: () => planned.labels,
    maxAge,
    neverReused,
    pin: (digestOf) => withCell(planned.pin(digestOf), changes, maxAge),
  });
}
