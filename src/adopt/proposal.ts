import { type Carried, carry } from "./carry.ts";
import { commonWords, cutSegment, fragmentName, propose, type Proposed } from "./proposed-fragment.ts";
import type { Outline } from "./outline.ts";
import { atomsOf, segmentsOf } from "./share.ts";
import { type Chain, type ChainStep, stageNamed } from "./stages.ts";

/** The fragments of each image, by its id. */
export interface Proposal {
  fragments: ReadonlyMap<string, readonly Proposed[]>;
  /** All steps of each image, by its id. */
  steps: ReadonlyMap<string, readonly Carried[]>;
}

/** How far apart orders are, so that something may be put between. */
const STEP = 5;

/** Groups by a key, in the order of the first of each. */
function grouped<T>(all: readonly T[], keyOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()];
}

/**
 * Proposes fragments for images: what several have in common becomes one fragment, with an argument wherever only a value
 * differs.
 */
export function proposeAll(outlines: ReadonlyMap<string, Outline>): Proposal {
  const fragments = new Map<string, Proposed[]>([...outlines.keys()].map((id) => [id, []]));
  const steps = new Map<string, Carried[]>([...outlines.keys()].map((id) => [id, []]));
  const taken = new Set<string>();
  /** The fragment of each stage that something copies from, by image. */
  const builderNames = new Map<string, Map<number, string>>(
    [...outlines.keys()].map((id) => [id, new Map()]),
  );
  const put = (fragment: Proposed, members: readonly { id: string; steps: readonly Carried[] }[]): void => {
    for (const { id, steps: own } of members) {
      fragments.get(id)?.push(fragment);
      steps.get(id)?.push(...own);
    }
  };
  const carriedOf = (id: string, { stages }: Outline, chain: Chain): (Carried & ChainStep)[] =>
    chain.steps.map((step) => ({
      ...step,
      ...carry(step, (name, byNumber) =>
        builderNames.get(id)?.get(stageNamed(stages, step.stage, { name, byNumber })),
      ),
    }));

  // A builder copies only from earlier ones: taken in turn, those have their names already.
  const most = Math.max(0, ...[...outlines.values()].map(({ builders }) => builders.length));
  for (let turn = 0; turn < most; turn += 1) {
    const own = [...outlines].flatMap(([id, outline]) => {
      const builder = outline.builders[turn];
      return builder ? [{ id, ...builder, steps: carriedOf(id, outline, builder.chain) }] : [];
    });
    const groups = grouped(
      own,
      ({ chain, steps: each }) => `${chain.image}\n${each.map(({ key }) => key).join("\n")}`,
    );
    for (const members of groups) {
      const start = commonWords(members.map(({ id }) => id));
      const name = fragmentName(`${start === "" ? "" : `${start}-`}${members[0]?.name ?? "builder"}`, taken);
      put(
        propose({ name, order: (turn + 1) * STEP, slot: "builders", from: members[0]?.chain.image, members }),
        members,
      );
      for (const { id, stage } of members) builderNames.get(id)?.set(stage, name);
    }
  }

  const chains = [...outlines].map(([id, outline]) => ({
    id,
    atoms: atomsOf(carriedOf(id, outline, outline.image)),
  }));
  const orders = new Map<string, number>();
  for (const segment of segmentsOf(chains)) {
    const ids = segment.members.map(({ id }) => id);
    const cuts = cutSegment(segment);
    const start = commonWords(ids) || "shared";
    for (const { suffix, from, to } of cuts) {
      const members = segment.members.map(({ id, atoms }) => ({
        id,
        steps: atoms.slice(from, to).flatMap((atom) => atom.steps),
      }));
      const name = fragmentName(cuts.length > 1 && suffix !== "" ? `${start}-${suffix}` : start, taken);
      const order = Math.max(...ids.map((id) => orders.get(id) ?? 0)) + STEP;
      for (const id of ids) orders.set(id, order);
      put(propose({ name, order, slot: "steps", members }), members);
    }
  }
  for (const { id, atoms } of chains) {
    if (atoms.length > 0) continue;
    const members = [{ id, steps: [] }];
    put(propose({ name: fragmentName(id, taken), order: STEP, slot: "steps", members }), members);
  }
  return { fragments, steps };
}
