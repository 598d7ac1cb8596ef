import { parseReference } from "../model/subject.ts";
import { tagOf } from "./cell-names.ts";
import { type Inputs, keysOf, type Repacked } from "../model/inputs.ts";
import { type PlannedCell, planCell } from "./cell.ts";

/** The tag of an image in other layers. @param ref the tag of the original, with its repository */
export function repackedTag(ref: string, tag_suffix: string): string {
  const { repository, tag } = parseReference(ref);
  return `${repository}:${tagOf(`${tag}${tag_suffix}`)}`;
}

/** A cell whose image is in other layers: its own tag, and a verdict of its own. @param tag with its repository */
export function repackedCell(planned: PlannedCell, repacked: Repacked, tag: string): PlannedCell {
  const makeInputs = (): Inputs => ({ ...planned.inputs, repacked });
  const { verdict_key } = keysOf(makeInputs());
  const { render, maxAge, neverReused } = planned;
  return planCell({
    cell: { ...planned.cell, verdict_key, tags: [tag] },
    keys: { ...planned.keys, verdict_key },
    render,
    makeInputs,
    makeLabels: () => planned.labels,
    maxAge,
    neverReused,
    pin: () => {
      throw new Error("the images of a repacked cell are those that it was built from");
    },
  });
}
