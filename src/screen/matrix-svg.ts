import { countsText, entryText, type Matrix, SIGNS, type State } from "../model/proof-matrix.ts";
import { visible } from "../model/visible.ts";
import { xmlText } from "./markup.ts";
import { textWidth } from "./table.ts";

/** Background and text of each state: at least 4.5 to 1 in contrast. */
const FILLS: Readonly<Record<State, readonly [fill: string, text: string]>> = {
  failing: ["#b3261e", "#ffffff"],
  unknown: ["#e0e0e0", "#1f1f1f"],
  stale: ["#ffe08a", "#1f1f1f"],
  "expected failing": ["#cfe2ff", "#1f1f1f"],
  proven: ["#1a7f37", "#ffffff"],
};

const HEIGHT = 28;
const PER_CHARACTER = 8;
const PADDING = 10;
const GAP = 2;
/** Longer names are cut: the element has the whole one as its title. */
const LONGEST = 40;

const widthOf = (text: string) => Math.ceil(textWidth(text) * PER_CHARACTER) + 2 * PADDING;
const cut = (text: string) => {
  const shown = visible(text);
  return shown.length > LONGEST ? `${[...shown].slice(0, LONGEST - 1).join("")}…` : shown;
};

function box(at: { x: number; y: number; width: number }, fill: string, color: string, text: string): string {
  return (
    `<rect x="${at.x}" y="${at.y}" width="${at.width}" height="${HEIGHT}" rx="4" fill="${fill}"/>` +
    `<text x="${at.x + at.width / 2}" y="${at.y + HEIGHT / 2 + 5}" text-anchor="middle" fill="${color}">${xmlText(text)}</text>`
  );
}

const HEAD = ["#ffffff", "#1f1f1f"] as const;

/** A matrix as a picture. It asks for nothing else, and says in words what it shows in colours. */
export function matrixSvg(matrix: Matrix): string {
  const parts: string[] = [];
  let y = PADDING;
  let most = 0;
  const corner = `${matrix.rows} \\ ${matrix.cols}`;
  for (const table of matrix.tables) {
    if (table.per !== null) {
      const text = `${matrix.per} ${cut(table.per)}`;
      const width = widthOf(text);
      parts.push(box({ x: PADDING, y, width }, ...HEAD, text));
      most = Math.max(most, PADDING + width);
      y += HEIGHT + GAP;
    }
    const words = table.entries.map((row) =>
      row.map((entry) => (entry ? `${SIGNS[entry.state]} ${entryText(entry)}` : "")),
    );
    const first = Math.max(...[corner, ...table.rows.map(cut)].map(widthOf));
    const widths = table.cols.map((col, at) =>
      Math.max(widthOf(cut(col)), ...words.map((row) => widthOf(row[at] ?? ""))),
    );
    const xs = widths.map(
      (_, at) => PADDING + first + GAP + widths.slice(0, at).reduce((sum, one) => sum + one + GAP, 0),
    );
    parts.push(box({ x: PADDING, y, width: first }, ...HEAD, corner));
    for (const [at, col] of table.cols.entries())
      parts.push(box({ x: xs[at] ?? 0, y, width: widths[at] ?? 0 }, ...HEAD, cut(col)));
    y += HEIGHT + GAP;
    for (const [down, name] of table.rows.entries()) {
      parts.push(box({ x: PADDING, y, width: first }, ...HEAD, cut(name)));
      for (const [at, entry] of (table.entries[down] ?? []).entries()) {
        if (!entry) continue;
        const title = `${matrix.rows} ${name}, ${matrix.cols} ${table.cols[at] ?? ""}: ${entryText(entry)}`;
        const shape = box(
          { x: xs[at] ?? 0, y, width: widths[at] ?? 0 },
          ...FILLS[entry.state],
          words[down]?.[at] ?? "",
        );
        parts.push(`<g><title>${xmlText(title)}</title>${shape}</g>`);
      }
      y += HEIGHT + GAP;
    }
    most = Math.max(most, (xs.at(-1) ?? PADDING + first) + (widths.at(-1) ?? 0));
    y += PADDING;
  }
  const summary = countsText(matrix.counts);
  parts.push(`<text x="${PADDING}" y="${y + 14}" fill="#1f1f1f">${xmlText(summary)}</text>`);
  const width = Math.max(most, PADDING + widthOf(summary)) + PADDING;
  const height = y + HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title" font-family="ui-monospace, monospace" font-size="13">`,
    `<title id="title">${xmlText(`${matrix.manifest_id}: ${corner}: ${summary}`)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    "</svg>",
  ].join("\n");
}

/** A small picture with a name and what is known of it. @param state its colour */
export function badgeSvg(name: string, text: string, state: State): string {
  const label = cut(name);
  const [left, right] = [widthOf(label), widthOf(text)];
  const [fill, color] = FILLS[state];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${HEIGHT}" role="img" aria-label="${xmlText(`${name}: ${text}`)}" font-family="ui-monospace, monospace" font-size="13">`,
    `<title>${xmlText(`${name}: ${text}`)}</title>`,
    box({ x: 0, y: 0, width: left }, "#3d3d3d", "#ffffff", label),
    box({ x: left, y: 0, width: right }, fill, color, text),
    "</svg>",
  ].join("\n");
}
