import { grouped } from "../../model/count.ts";
import { baseText } from "../../model/parent.ts";
import type { Action } from "../action.ts";
import type { PlannedCell } from "../cell.ts";
import { reasonText } from "../decide/change-text.ts";

/** A node of the picture. */
export interface DiagramNode {
  kind:
    | "base"
    /** A prefix, or several with nothing between them, that more than one cell has. */
    | "shared"
    /** What only one cell has. */
    | "own"
    | "cell"
    /** Cells that are not drawn one by one. */
    | "more";
  lines: string[];
  /** Of a cell. */
  action: Action | null;
  /** Whether it is a cell that is meant to fail. */
  fails: boolean;
  children: DiagramNode[];
}

/** A picture of a plan: one tree per base and platform. */
export interface Diagram {
  trees: DiagramNode[];
  /** What it shows, in a line. */
  about: string;
  /** Whether cells are folded. */
  folded: boolean;
}

/** A prefix, or a base, with the cells that have it. */
interface Branch {
  lines: string[];
  shared: Map<string, Branch>;
  /** Cells that have all of their chain up to here. */
  own: PlannedCell[];
  actions: Record<Action, number>;
}

const ACTIONS = ["build", "retest", "retag", "reuse"] as const;

/** More cells than this are not drawn one by one. */
const MAX_CELLS = 200;

/** More nodes than this are too many for any picture. */
const MAX_NODES = 400;

/** Lines of one node, and characters of one line. */
const MAX_LINES = 12;
const MAX_LENGTH = 110;

function oneLine(text: string): string {
  const clean = text.replace(/[\p{C}\u2028\u2029]+/gu, " ");
  const characters = [...clean];
  return characters.length <= MAX_LENGTH ? clean : `${characters.slice(0, MAX_LENGTH - 1).join("")}…`;
}

function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? "" : "s"}`;
}

function branch(...lines: string[]): Branch {
  return { lines, shared: new Map(), own: [], actions: { build: 0, retest: 0, retag: 0, reuse: 0 } };
}

function sizeOf({ actions }: Branch): number {
  return actions.build + actions.retest + actions.retag + actions.reuse;
}

/** `4 build, 2 reuse` */
function actionsText(actions: Branch["actions"]): string {
  return ACTIONS.filter((action) => actions[action] > 0)
    .map((action) => `${grouped(actions[action])} ${action}`)
    .join(", ");
}

/** How many cells have a prefix, and how many of them build it if not all do. */
function sharedText(one: Branch): string {
  const { build } = one.actions;
  const cells = counted(sizeOf(one), "cell");
  return build === sizeOf(one) ? cells : `${cells}, ${build === 0 ? "none" : grouped(build)} to build`;
}

/** The bases, with the prefixes on them, in the order of the cells. */
function branchesOf(cells: readonly PlannedCell[]): Branch[] {
  const bases = new Map<string, Branch>();
  for (const planned of cells) {
    const { base, platform, action } = planned.cell;
    const name = `${base.ref}\n${platform}`;
    const known = bases.get(name);
    let at = known ?? branch(baseText(base.ref), platform);
    if (!known) bases.set(name, at);
    at.actions[action] += 1;
    for (const { id, fragment, version } of planned.keys.prefixes) {
      const next: Branch = at.shared.get(id) ?? branch(`${fragment} ${version}`);
      at.shared.set(id, next);
      next.actions[action] += 1;
      at = next;
    }
    at.own.push(planned);
  }
  return [...bases.values()];
}

/** Merges prefixes that have no cell and no fork between them. */
function compressed(one: Branch): Branch {
  let at = one;
  const lines = [...one.lines];
  while (at.own.length === 0 && at.shared.size === 1) {
    const [next] = at.shared.values();
    if (!next) break;
    lines.push(...next.lines);
    at = next;
  }
  return { ...at, lines };
}

function linesOf({ lines }: Branch): string[] {
  const shown = lines.length > MAX_LINES ? lines.slice(0, MAX_LINES - 1) : lines;
  const left = lines.length - shown.length;
  return [...shown.map(oneLine), ...(left > 0 ? [`… ${counted(left, "more fragment")}`] : [])];
}

function node(kind: DiagramNode["kind"], lines: string[], children: DiagramNode[] = []): DiagramNode {
  return { kind, lines, action: null, fails: false, children };
}

function cellNode({ cell }: PlannedCell): DiagramNode {
  const { cell_id, action, expect } = cell;
  const why = reasonText(cell);
  const lines = [cell_id, why === "" ? action : `${action}: ${why}`];
  if (expect) lines.push(`meant to fail: ${expect.reason}`);
  return { ...node("cell", lines.map(oneLine)), action, fails: expect !== null };
}

/** A branch with all that is below it. */
function whole(one: Branch): DiagramNode[] {
  return [
    ...[...one.shared.values()].map((next) => {
      const run = compressed(next);
      if (sizeOf(run) > 1) return node("shared", [...linesOf(run), sharedText(run)], whole(run));
      return node("own", linesOf(run), run.own.map(cellNode));
    }),
    ...one.own.map(cellNode),
  ];
}

function foldText(cells: number, actions: Branch["actions"]): string[] {
  return [`… ${counted(cells, "cell")}`, actionsText(actions)];
}

/** The branches in the order in which they get a node: those with most cells first, but none before its parent. */
function worthANode(bases: readonly Branch[], limit: number): Map<Branch, Branch[]> {
  const chosen = new Map<Branch, Branch[]>();
  const open = bases.map((one) => ({ one, size: sizeOf(one), parent: null as Branch | null }));
  while (chosen.size < limit && open.length > 0) {
    let best = 0;
    for (let at = 1; at < open.length; at += 1)
      if ((open[at]?.size ?? 0) > (open[best]?.size ?? 0)) best = at;
    const [taken] = open.splice(best, 1);
    if (!taken) break;
    chosen.set(taken.one, []);
    if (taken.parent) chosen.get(taken.parent)?.push(taken.one);
    for (const next of taken.one.shared.values()) {
      const run = compressed(next);
      const size = sizeOf(run);
      if (size > 1) open.push({ one: run, size, parent: taken.one });
    }
  }
  return chosen;
}

/** A branch whose cells, and prefixes of few cells, are one node together. */
function folded(one: Branch, chosen: ReadonlyMap<Branch, Branch[]>): DiagramNode[] {
  const shown = chosen.get(one) ?? [];
  const left = { ...one.actions };
  for (const next of shown) for (const action of ACTIONS) left[action] -= next.actions[action];
  const cells = ACTIONS.reduce((sum, action) => sum + left[action], 0);
  const nodes = shown.map((next) =>
    node("shared", [...linesOf(next), sharedText(next)], folded(next, chosen)),
  );
  if (cells > 0) nodes.push(node("more", foldText(cells, left)));
  return nodes;
}

function countNodes(nodes: readonly DiagramNode[]): number {
  return nodes.reduce((count, one) => count + 1 + countNodes(one.children), 0);
}

/**
 * Cells as the trees of their prefixes: one a base and platform. A node says how many cells share it. Where there are more
 * than 200 cells, those of a prefix are folded into one node, and so are prefixes past `limit`, those of few cells first.
 * @param limit null to fold only what is too much for any picture
 */
export function diagramOf(cells: readonly PlannedCell[], limit: number | null = null): Diagram {
  const bases = branchesOf(cells);
  const actions = branch().actions;
  for (const { cell } of cells) actions[cell.action] += 1;
  const fails = cells.filter(({ cell }) => cell.expect).length;
  const about = [
    `${counted(cells.length, "cell")}${cells.length === 0 ? "" : `: ${actionsText(actions)}`}`,
    ...(fails > 0 ? [`${grouped(fails)} meant to fail`] : []),
  ].join("; ");
  const baseNode = (one: Branch, children: DiagramNode[]) =>
    node("base", [...one.lines.map(oneLine), sharedText(one)], children);
  if (limit === null && cells.length <= MAX_CELLS) {
    const trees = bases.map((one) => baseNode(one, whole(one)));
    if (countNodes(trees) <= MAX_NODES) return { trees, about, folded: false };
  }
  const chosen = worthANode(bases, limit ?? 150);
  const trees = bases.filter((one) => chosen.has(one)).map((one) => baseNode(one, folded(one, chosen)));
  const hidden = bases.filter((one) => !chosen.has(one));
  if (hidden.length > 0) {
    const left = branch().actions;
    for (const one of hidden) for (const action of ACTIONS) left[action] += one.actions[action];
    const count = hidden.reduce((sum, one) => sum + sizeOf(one), 0);
    trees.push(node("more", [`… ${counted(hidden.length, "more base")}`, ...foldText(count, left)]));
  }
  return { trees, about, folded: true };
}
