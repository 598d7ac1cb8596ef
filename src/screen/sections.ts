import { visible } from "../model/visible.ts";
import { markdownCell, xmlText } from "./markup.ts";
import { table } from "./table.ts";

/** A table under a heading. */
export interface Section {
  title: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
}

/** A title, some lines below it, and tables: the same for a terminal, for Markdown and for HTML. */
export interface Report {
  title: string;
  lines: readonly string[];
  sections: readonly Section[];
}

/** The rows that are shown, and how many are not. */
function cut({ rows }: Section, most: number): { rows: Section["rows"]; more: string | null } {
  const left = rows.length - most;
  return { rows: rows.slice(0, most), more: left > 0 ? `and ${left} more` : null };
}

/** @param most rows of a table */
export function reportText(
  { title, lines, sections }: Report,
  { columns, most }: { columns: number | undefined; most: number },
): string {
  const parts = sections.map((section) => {
    const { rows, more } = cut(section, most);
    const shown = rows.map((row) => row.map(visible));
    return ["", section.title, table(section.head, shown, columns), ...(more === null ? [] : [more])].join(
      "\n",
    );
  });
  return [visible(title), ...lines.map((line) => `  ${visible(line)}`), ...parts].join("\n");
}

/** @param most rows of a table: what is pasted into a pull request has bounds */
export function reportMarkdown({ title, lines, sections }: Report, most: number): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const parts = sections.flatMap((section) => {
    const { rows, more } = cut(section, most);
    return [
      "",
      `#### ${markdownCell(section.title)}`,
      "",
      row(section.head.map(markdownCell)),
      row(section.head.map(() => "---")),
      ...rows.map((cells) => row(cells.map(markdownCell))),
      ...(more === null ? [] : ["", more]),
    ];
  });
  const items = lines.map((line) => `- ${markdownCell(line)}`);
  return [`### ${markdownCell(title)}`, "", ...items, ...parts].join("\n");
}

/** Nothing of another place, and no script: the page shows what it has. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";
const STYLE =
  ":root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{max-width:72rem;margin:2rem auto;padding:0 1rem}" +
  "table{border-collapse:collapse;display:block;overflow-x:auto}td,th{text-align:left;padding:.2rem .8rem .2rem 0;" +
  "border-bottom:1px solid #8884;vertical-align:top;overflow-wrap:anywhere}";

/** A page that stands alone. @param most rows of a table */
export function reportHtml({ title, lines, sections }: Report, most: number): string {
  const cells = (name: "td" | "th", row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${name}>${xmlText(cell)}</${name}>`).join("")}</tr>`;
  const parts = sections.flatMap((section) => {
    const { rows, more } = cut(section, most);
    return [
      `<h2>${xmlText(section.title)}</h2>`,
      `<table><thead>${cells("th", section.head)}</thead><tbody>`,
      ...rows.map((row) => cells("td", row)),
      `</tbody></table>`,
      ...(more === null ? [] : [`<p>${more}</p>`]),
    ];
  });
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    `<title>${xmlText(title)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${xmlText(title)}</h1>`,
    `<ul>${lines.map((line) => `<li>${xmlText(line)}</li>`).join("")}</ul>`,
    ...parts,
    "</body></html>",
  ].join("\n");
}
