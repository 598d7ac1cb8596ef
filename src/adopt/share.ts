import type { Carried } from "./carry.ts";

/** Steps that stay in one stage. */
export interface Atom {
  key: string;
  steps: readonly Carried[];
  /** Whether a stage of the original starts with it. */
  opens: boolean;
}

/** One of the chains that are compared. */
export interface Member {
  id: string;
  atoms: readonly Atom[];
}

/** Steps that several chains have in common, or one has alone. */
export interface Segment {
  /** How many segments come before it. */
  depth: number;
  /** The ids of the chains that have it, and its steps in each of them. */
  members: readonly { id: string; atoms: readonly Atom[] }[];
  /** Whether nothing follows it in any of them. */
  isLast: boolean;
}

const WORK = new Set(["RUN", "COPY", "ADD"]);

const keywordOf = ({ step }: Carried): string => step.instruction.keyword;

/** Whether an atom changes files. */
export function isWork({ steps }: Atom): boolean {
  return steps.some((one) => WORK.has(keywordOf(one)));
}

/**
 * Cuts a chain where a stage may end. In the image of a stage, ENTRYPOINT forgets a CMD of the stages below it, and what
 * ONBUILD declares is done by the stage above. So a CMD and an ENTRYPOINT behind it stay together, and so does all from
 * an ONBUILD to the end of its stage.
 */
export function atomsOf(steps: readonly (Carried & { opens: boolean })[]): Atom[] {
  const atoms: Atom[] = [];
  for (let at = 0; at < steps.length;) {
    const next = steps.findIndex(({ opens }, place) => place > at && opens);
    const stage = steps.slice(at, next < 0 ? steps.length : next);
    const [first] = stage;
    let length = 1;
    if (first && keywordOf(first) === "CMD")
      length = Math.max(1, stage.findLastIndex((one) => keywordOf(one) === "ENTRYPOINT") + 1);
    if (first && keywordOf(first) === "ONBUILD") length = stage.length;
    // An ONBUILD between a CMD and its ENTRYPOINT takes the rest along.
    if (stage.slice(0, length).some((one) => keywordOf(one) === "ONBUILD")) length = stage.length;
    const own = stage.slice(0, length);
    const opens = first?.opens ?? false;
    atoms.push({ steps: own, opens, key: `${opens ? "^" : ""}${own.map(({ key }) => key).join("\n")}` });
    at += length;
  }
  return atoms;
}

/** How many shared steps are worth a fragment of their own, if none of them changes files. */
const LEAST = 3;

/** The most segments on top of each other: an order has to fit into a contract. */
const MOST = 60;

/** Finds the longest common beginnings of chains, and what remains of each. */
export function segmentsOf(all: readonly Member[]): Segment[] {
  const segments: Segment[] = [];
  const split = (members: readonly Member[], from: number, depth: number): void => {
    let to = from;
    const lengths = members.map(({ atoms }) => atoms.length);
    const shortest = Math.min(...lengths);
    const first = members[0]?.atoms ?? [];
    if (members.length === 1) to = shortest;
    else while (to < shortest && members.every(({ atoms }) => atoms[to]?.key === first[to]?.key)) to += 1;
    const shared = first.slice(from, to);
    const going = members.filter(({ atoms }) => atoms.length > to);
    const isSmall = shared.length < LEAST && !shared.some(isWork);
    const isKept = to > from && (going.length === 0 || (!isSmall && depth < MOST));
    const start = isKept ? to : from;
    if (isKept) {
      segments.push({
        depth,
        members: members.map(({ id, atoms }) => ({ id, atoms: atoms.slice(from, to) })),
        isLast: going.length === 0,
      });
    }
    const groups = new Map<string, Member[]>();
    for (const member of isKept ? going : members) {
      // What is not kept is looked at by what comes after it.
      const key =
        depth >= MOST
          ? member.id
          : member.atoms
              .slice(start, to + 1)
              .map((one) => one.key)
              .join("\n");
      groups.set(key, [...(groups.get(key) ?? []), member]);
    }
    for (const group of groups.values())
      if (group.length > 0 && (group[0]?.atoms.length ?? 0) > start)
        split(group, start, depth + (isKept ? 1 : 0));
  };
  // Chains without a step have nothing to share.
  const some = all.filter(({ atoms }) => atoms.length > 0);
  const starts = new Map<string, Member[]>();
  for (const member of some)
    starts.set(member.atoms[0]?.key ?? "", [...(starts.get(member.atoms[0]?.key ?? "") ?? []), member]);
  for (const group of starts.values()) split(group, 0, 0);
  return segments;
}
