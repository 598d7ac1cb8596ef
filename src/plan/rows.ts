import type { Cell, PlannedCell } from "./cell.ts";
import { reasonText } from "./decide/change-text.ts";
import { baseText } from "../model/parent.ts";
import { valueText } from "../model/value.ts";
import { visible } from "../model/visible.ts";

/** A row of a plan's table: a cell, or cells that differ only in their platform. */
export interface PlanRow {
  id: string;
  action: Cell["action"];
  reason: string;
  expected: string;
  /** What is done about its other layers; empty where none are asked for. */
  repack: string;
  /** What makes the cell different, if its id is cut; else empty. */
  versions: string;
  cells: readonly Cell[];
}

/** What cells of one manifest have in common, and what varies. */
export interface Common {
  /** Facts for the heading, in the order in which people name them. */
  facts: string[];
  /** Names that vary: of fragments, `base`, and `args.` with an argument's name. */
  varying: string[];
}

/** An id that was cut or changed, so that it ends in a hash. */
const CUT = /_h[0-9a-f]{8}$/;

function valueOf(cell: Cell, name: string): string | undefined {
  if (name === "base") return baseText(cell.base.ref);
  if (name.startsWith("args.")) {
    const value = cell.args[name.slice(5)];
    return value === undefined ? undefined : valueText(value);
  }
  return cell.fragments[name] ?? cell.named?.[name];
}

/** @param cells of one manifest */
export function commonOf(cells: readonly PlannedCell[]): Common {
  const [first] = cells;
  if (!first) return { facts: [], varying: [] };
  const same = (of: (cell: Cell) => unknown) =>
    cells.every(({ cell }) => Object.is(of(cell), of(first.cell)));
  const names = new Set<string>();
  for (const { cell } of cells) for (const name in cell.fragments) names.add(name);
  const facts: string[] = [];
  const varying: string[] = [];
  if (same((cell) => cell.base.ref)) facts.push(baseText(first.cell.base.ref));
  else varying.push("base");
  if (same((cell) => cell.platform)) facts.push(first.cell.platform);
  for (const name of names) {
    if (same((cell) => cell.fragments[name])) facts.push(`${name} ${first.cell.fragments[name]}`);
    else varying.push(name);
  }
  for (const name of Object.keys(first.cell.named ?? {}))
    if (!same((cell) => cell.named?.[name])) varying.push(name);
  const args = new Set<string>();
  for (const { cell } of cells) for (const name in cell.args) args.add(name);
  const argText = ({ args: own }: Cell, name: string) => {
    const value = own[name];
    return typeof value === "object" ? valueText(value) : value;
  };
  for (const name of args) if (!same((cell) => argText(cell, name))) varying.push(`args.${name}`);
  return { facts: facts.map(visible), varying };
}

function versionsText(cell: Cell, varying: readonly string[]): string {
  const parts = varying.flatMap((name) => {
    const value = valueOf(cell, name);
    if (value === undefined) return [];
    return [name === "base" ? value : `${name.replace(/^args\./, "")} ${value}`];
  });
  return visible(parts.join(", "));
}

/** What a plan declares about a cell; empty if it should pass. */
function expectedText({ expect }: Cell): string {
  if (!expect) return "";
  const { owner, until, reason } = expect;
  return visible(`fails: ${reason} (${owner}${until === "never" ? "" : `, until ${until}`})`);
}

/** One row per cell. */
export function rowsOf(cells: readonly PlannedCell[], { varying }: Common): PlanRow[] {
  const cut = cells.some(({ cell }) => CUT.test(cell.cell_id));
  return cells.map(({ cell }) => ({
    id: cell.cell_id,
    action: cell.action,
    reason: visible(reasonText(cell)),
    expected: expectedText(cell),
    repack: cell.repack ? `${cell.repack.action}, by ${cell.repack.with}` : "",
    versions: cut ? versionsText(cell, varying) : "",
    cells: [cell],
  }));
}

/** The id without its platform; undefined if it does not end in it. */
function stemOf({ cell_id, platform }: Cell): string | undefined {
  const slug = `.${platform.replaceAll("/", "-")}`;
  return cell_id.endsWith(slug) ? cell_id.slice(0, -slug.length) : undefined;
}

/** Ids that differ only in their platform, in the notation of shells: `demo.core-0.1.0.linux-{amd64,arm64}`. */
function togetherId(stem: string, cells: readonly Cell[]): string {
  const slugs = cells.map(({ platform }) => platform.replaceAll("/", "-"));
  const linux = slugs.every((slug) => slug.startsWith("linux-"));
  return `${stem}.${linux ? "linux-" : ""}{${slugs.map((slug) => (linux ? slug.slice(6) : slug)).join(",")}}`;
}

/** Cells that differ only in their platform as one row, if the same is done about them for the same reason. */
export function acrossPlatforms(rows: readonly PlanRow[]): PlanRow[] {
  const found = new Map<string, PlanRow[]>();
  for (const row of rows) {
    const [cell] = row.cells;
    const stem = cell && stemOf(cell);
    const change = cell?.changes[0]?.input ?? "";
    const key =
      stem === undefined
        ? row.id
        : [stem, row.action, cell?.reason, change, row.expected, row.repack].join("\n");
    const known = found.get(key);
    if (known) known.push(row);
    else found.set(key, [row]);
  }
  return [...found.values()].flatMap((same) => {
    const [first] = same;
    const cells = same.flatMap((row) => row.cells);
    const stem = cells[0] && stemOf(cells[0]);
    if (!first || same.length === 1 || stem === undefined) return same;
    const alike = same.every(({ reason }) => reason === first.reason);
    const [change] = cells[0]?.changes ?? [];
    const reason = alike
      ? first.reason
      : visible(`${cells[0]?.reason ?? ""} ${change?.input ?? ""}`.trimEnd());
    return [{ ...first, id: togetherId(stem, cells), reason, cells }];
  });
}

/**
 * A number of rows, in their order, that best show what is done: some for each action and reason in turn. Rows about which
 * nothing is done are only used if there are no others.
 */
export function tellingRows(rows: readonly PlanRow[], most: number): PlanRow[] {
  const working = rows.filter(({ action }) => action !== "reuse");
  const kinds = new Map<string, PlanRow[]>();
  for (const row of working.length > 0 ? working : rows) {
    const kind = `${row.action} ${row.expected === "" ? row.reason : "meant to fail"}`;
    const known = kinds.get(kind);
    if (known) known.push(row);
    else kinds.set(kind, [row]);
  }
  const lists = [...kinds.values()].sort((a, b) => b.length - a.length);
  const chosen = new Set<PlanRow>();
  for (let round = 0; chosen.size < most; round += 1) {
    let added = false;
    for (const list of lists) {
      const row = list[round];
      if (!row || chosen.size >= most) continue;
      chosen.add(row);
      added = true;
    }
    if (!added) break;
  }
  return rows.filter((row) => chosen.has(row));
}
