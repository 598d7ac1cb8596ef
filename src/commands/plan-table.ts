import { grouped } from "../model/count.ts";
import { visible } from "../model/visible.ts";
import type { Action } from "../plan/action.ts";
import type { Coverage, LeftOut, Planned, PlannedCell } from "../plan/cell.ts";
import { prefixTargets } from "../plan/prefix.ts";
import type { Palette } from "../screen/palette.ts";
import { acrossPlatforms, commonOf, type PlanRow, rowsOf, tellingRows } from "../plan/rows.ts";
import { summaryLines } from "./plan-summary.ts";
import { columnWidths, type Screen, shrink, tableLines, tableWidth, wrap } from "../screen/table.ts";

/** With more cells than this there is a summary, and on a terminal rows beyond this are cut. */
const MANY = 40;

/** How many rows of a cut list are shown, and how many left-out combinations are named. */
const SHOWN_ROWS = 30;
const SHOWN_LEFT_OUT = 20;

/** The columns of a table; `giving` may be cut. */
const HEAD = ["CELL", "ACTION", "REASON", "WITH", "EXPECTED", "REPACK"];
const GIVING = [2, 3, 4];
const LEAST = 16;

/** Cells and their rows, by manifest. */
interface Section {
  manifest: string;
  facts: string[];
  rows: PlanRow[];
}

function counted(count: number, what: string, more = `${what}s`): string {
  return `${grouped(count)} ${count === 1 ? what : more}`;
}

/** A colour for what is done. */
function actionColor(action: string, color: Palette): (text: string) => string {
  const colors: Record<Action, (text: string) => string> = {
    build: color.yellow,
    retest: color.cyan,
    retag: color.cyan,
    reuse: color.green,
  };
  return colors[action as Action] ?? ((text) => text);
}

function sectionsOf(cells: readonly PlannedCell[], together: boolean): Section[] {
  const manifests = new Map<string, PlannedCell[]>();
  for (const planned of cells) {
    const known = manifests.get(planned.cell.manifest_id);
    if (known) known.push(planned);
    else manifests.set(planned.cell.manifest_id, [planned]);
  }
  return [...manifests].map(([manifest, own]) => {
    const common = commonOf(own);
    const rows = rowsOf(own, common);
    return { manifest, facts: common.facts, rows: together ? acrossPlatforms(rows) : rows };
  });
}

/** A row on several lines, for a terminal that is too narrow for columns: its id stays whole. */
function* stacked(row: PlanRow, columns: number, color: Palette): Iterable<string> {
  yield* wrap(row.id, columns, "");
  const room = Math.max(1, columns - 2);
  const [first = "", ...rest] = wrap(`${row.action}${row.reason === "" ? "" : ` ${row.reason}`}`, room, "  ");
  const paint = actionColor(row.action, color);
  yield `  ${paint(first.slice(0, row.action.length))}${first.slice(row.action.length)}`;
  for (const line of rest) yield `  ${line}`;
  if (row.versions !== "") for (const line of wrap(row.versions, room)) yield `  ${color.dim(line)}`;
  if (row.repack !== "") for (const line of wrap(`repack: ${row.repack}`, room)) yield `  ${color.dim(line)}`;
  if (row.expected !== "") for (const line of wrap(row.expected, room)) yield `  ${color.red(line)}`;
}

function* sectionLines({ manifest, facts, rows }: Section, { columns, color }: Screen): Iterable<string> {
  const [heading = "", ...more] = wrap(`${manifest}: ${facts.join(", ")}`, columns);
  yield `${color.bold(heading.slice(0, manifest.length))}${heading.slice(manifest.length)}`;
  yield* more;

  const failing = rows.some(({ expected }) => expected !== "");
  const cut = rows.some(({ versions }) => versions !== "");
  const repacked = rows.some(({ repack }) => repack !== "");
  const used = [true, true, true, cut, failing, repacked];
  const pick = <T>(all: readonly T[]) => all.filter((_, at) => used[at]);
  const texts = rows.map(({ id, action, reason, versions, expected, repack }) =>
    pick([id, action, reason, versions, failing && expected === "" ? "passes" : expected, repack]),
  );
  const head = pick(HEAD);
  const giving = GIVING.flatMap((at) => (used[at] ? [head.indexOf(HEAD[at] ?? "")] : []));
  let widths = columnWidths(head, texts);
  if (columns !== undefined) {
    widths = shrink(widths, columns, { giving, least: LEAST });
    if (tableWidth(widths) > columns) {
      for (const row of rows) yield* stacked(row, columns, color);
      return;
    }
  }
  yield* tableLines([head], widths, (text) => color.dim(text));
  yield* tableLines(texts, widths, (text, at) => {
    if (head[at] === "ACTION") return actionColor(text, color)(text);
    if (head[at] === "EXPECTED") return text === "passes" ? color.dim(text) : color.red(text);
    return text;
  });
}

/** How many cells have each value, in the order in which the values first occur. */
function countsOf(
  cells: readonly PlannedCell[],
  of: (cell: PlannedCell["cell"]) => string,
): [string, number][] {
  const counts = new Map<string, number>();
  for (const { cell } of cells) counts.set(of(cell), (counts.get(of(cell)) ?? 0) + 1);
  return [...counts];
}

function totals({ cells }: Planned): string[] {
  if (cells.length === 0) return ["0 cells: there is nothing to do"];
  const platforms = countsOf(cells, ({ platform }) => platform)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([platform, count]) => `${grouped(count)} × ${platform}`);
  const prefixes = counted(prefixTargets(cells, null).length, "prefix", "prefixes");
  const failing = cells.filter(({ cell }) => cell.expect).length;
  const actions = countsOf(cells, ({ action }) => action);
  const lines = [
    `${counted(cells.length, "cell")} (${platforms.join(", ")}), ${prefixes}, ${grouped(failing)} meant to fail`,
  ];
  if (actions.some(([action]) => action !== "build")) {
    const order = ["build", "retest", "retag", "reuse"];
    actions.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    lines.push(actions.map(([action, count]) => `${grouped(count)} ${action}`).join(", "));
  }
  const repacks = countsOf(
    cells.filter(({ cell }) => cell.repack),
    ({ repack }) => repack?.action ?? "",
  );
  if (repacks.length > 0)
    lines.push(`other layers: ${repacks.map(([action, count]) => `${grouped(count)} ${action}`).join(", ")}`);
  if (cells.every(({ cell }) => cell.reason === "NOT_ASKED"))
    lines.push("NOT_ASKED: the records were not asked what is proven; --reuse asks them");
  return lines;
}

const TUPLES = ["", "values", "pairs", "triples"];

function coverageText({ t, allowed, covered, product, proven }: Coverage, cells: number): string {
  const text = `${TUPLES[t] ?? `combinations of ${t}`}: ${grouped(covered)}/${grouped(allowed)}, ${counted(cells, "cell")} instead of ${grouped(product)}`;
  return proven > 0 ? `${text}, ${grouped(proven)} of them proven by records` : text;
}

function leftOutTexts(left_out: readonly LeftOut[]): string[] {
  const texts = left_out.map(({ values, what }) => {
    const parts = Object.entries(values).map(([name, value]) =>
      name === "platform" || name === "base" ? value : `${name.replace(/^args\./, "")} ${value}`,
    );
    return visible(parts.length === 0 ? what : `${parts.join(", ")}: ${what}`);
  });
  return [...new Set(texts)];
}

/**
 * A plan as lines for people: for each manifest a heading that says what its cells have in common, one row per cell, and
 * totals. Above 40 cells a summary comes first. On a terminal, cells that differ only in their platform then share a row,
 * long lists are cut, and no line is wider than the terminal; elsewhere every cell has its own line and nothing is cut.
 */
export function* planTable(planned: Planned, screen: Screen): Iterable<string> {
  const { cells, coverage, left_out, plan_ids } = planned;
  const { columns, color } = screen;
  const many = cells.length > MANY;
  if (many) {
    yield* summaryLines(planned, screen);
    yield "";
  }
  const sections = sectionsOf(cells, many && columns !== undefined);
  const rows = sections.flatMap((section) => section.rows);
  const cut = columns !== undefined && rows.length > MANY;
  const telling = new Set(cut ? tellingRows(rows, SHOWN_ROWS) : rows);
  for (const section of sections) {
    const own = cut ? section.rows.filter((row) => telling.has(row)) : section.rows;
    if (own.length === 0) continue;
    yield* sectionLines({ ...section, rows: own }, screen);
    yield "";
  }
  if (cut) {
    const left = cells.length - [...telling].reduce((sum, row) => sum + row.cells.length, 0);
    const how = "`--format json`, or a pipe, shows them all";
    for (const line of wrap(`… and ${counted(left, "more cell")}: ${how}`, columns)) yield color.dim(line);
    yield "";
  }
  for (const total of totals(planned)) yield* wrap(total, columns);
  for (const [plan, one] of Object.entries(coverage)) {
    const own = cells.filter(({ cell }) => cell.plan_ids.includes(plan)).length;
    const text = `${plan_ids.length > 1 ? `${plan}, ` : ""}${coverageText(one, own)}`;
    for (const line of wrap(text, columns)) yield one.covered < one.allowed ? color.yellow(line) : line;
  }
  const texts = leftOutTexts(left_out);
  const named = texts.slice(0, SHOWN_LEFT_OUT).map((text) => `left out: ${text}`);
  const unnamed = texts.length - named.length;
  if (unnamed > 0) named.push(`left out: ${grouped(unnamed)} more; \`--format json\` names them`);
  for (const text of named) for (const line of wrap(text, columns)) yield color.dim(line);
}
