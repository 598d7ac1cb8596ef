import type { PlannedCell } from "../cell.ts";
import { FAIL, FILL, LINE, numbered, remarks } from "./diagram-look.ts";
import { type DiagramNode, diagramOf } from "./diagram-tree.ts";
import { content, type WriteFormat } from "./format.ts";

/** A label of Graphviz: lines of a quoted text, in which entities of HTML count, and `\N` and the like. */
function dotLabel(lines: readonly string[]): string {
  const texts = lines.map((line) =>
    line.replaceAll("&", "&amp;").replaceAll("\\", "\\\\").replaceAll('"', '\\"'),
  );
  return `"${texts.join("\\n")}"`;
}

function dotStyle({ kind, action, fails }: DiagramNode): string {
  if (kind === "base") return ", shape=cylinder";
  if (kind === "shared") return ', style="filled,bold", fillcolor="#e6e6fa", penwidth=2';
  if (kind === "own") return ', style="rounded,dashed"';
  if (kind === "more") return ', style="rounded,dotted"';
  const style = `, style=filled, fillcolor="${FILL[action ?? "build"]}"`;
  return fails
    ? `${style}, color="${FAIL}", penwidth=3, peripheries=2`
    : `${style}, color="${LINE[action ?? "build"]}"`;
}

/**
 * The prefix tree of cells in the language of Graphviz: bases, the prefixes on them with the number of cells that share
 * each, and the cells in the colour of their action. What is shared is drawn bold, what one cell alone has is dashed.
 */
export function dot(cells: readonly PlannedCell[]): string {
  const diagram = diagramOf(cells);
  const lines = [
    "digraph plan {",
    ...remarks(diagram, "draw it with `dot -Tsvg`").map((text) => `  // ${text}`),
    '  graph [rankdir=LR, charset="UTF-8"];',
    '  node [shape=box, fontname="sans-serif", fontsize=10];',
  ];
  for (const { node, id, parent } of numbered(diagram)) {
    lines.push(`  ${id} [label=${dotLabel(node.lines)}${dotStyle(node)}];`);
    if (parent !== null) lines.push(`  ${parent} -> ${id};`);
  }
  return `${lines.join("\n")}\n}\n`;
}

/** `--format dot` */
export const write: WriteFormat = ({ planned }) => content("plan.dot", dot(planned.cells));
