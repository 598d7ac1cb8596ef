import stringWidth from "string-width";

/** Text cut to so many columns, with `…` at the end where something was cut. */
function fit(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let cut = "";
  for (const character of text) {
    if (stringWidth(cut + character) > columns - 1) break;
    cut += character;
  }
  return `${cut}…`;
}

/**
 * Rows in columns as wide as their widest cell, the head first. Where the terminal is narrower, the widest columns
 * give way until the rest fits; without a terminal nothing is cut.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined,
): string {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => stringWidth(row[at] ?? ""))));
  const gap = 2;
  const total = () => widths.reduce((sum, width) => sum + width + gap, -gap);
  while (columns !== undefined && total() > columns && Math.max(...widths) > 8) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return all
    .map((row) =>
      widths
        .map((width, at) => {
          const text = fit(row[at] ?? "", width);
          return text + " ".repeat(width - stringWidth(text));
        })
        .join(" ".repeat(gap))
        .trimEnd(),
    )
    .join("\n");
}
