import { countsText, entryText, type Matrix, SIGNS } from "../model/proof-matrix.ts";
import { markdownCell } from "./markup.ts";

const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

/** A matrix as tables in Markdown. */
export function matrixMarkdown({ tables, rows, cols, per, counts }: Matrix): string {
  const lines = tables.flatMap((table) => [
    ...(table.per === null ? [] : [`**${markdownCell(per ?? "")} ${markdownCell(table.per)}**`, ""]),
    row([`${markdownCell(rows)} &#92; ${markdownCell(cols)}`, ...table.cols.map(markdownCell)]),
    row(["---", ...table.cols.map(() => "---")]),
    ...table.rows.map((name, at) =>
      row([
        markdownCell(name),
        ...(table.entries[at] ?? []).map((entry) =>
          entry ? `${SIGNS[entry.state]} ${entryText(entry)}` : " ",
        ),
      ]),
    ),
    "",
  ]);
  return [...lines, countsText(counts)].join("\n");
}
