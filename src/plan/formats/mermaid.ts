import type { PlannedCell } from "../cell.ts";
import { FAIL, FILL, LINE, numbered, remarks } from "./diagram-look.ts";
import { type Diagram, type DiagramNode, diagramOf } from "./diagram-tree.ts";
import { content, type WriteFormat } from "./format.ts";

/** What Mermaid draws unless it is told otherwise: longer texts and more edges are refused. */
const MERMAID_TEXT = 50_000;
const MERMAID_EDGES = 500;

/**
 * A label of Mermaid: a quoted text in which every character that could mean something to Mermaid, to Markdown or to HTML
 * is an entity. Some words count even between quotes: a direction, and with a colon a style or an icon.
 */
function mermaidLabel(lines: readonly string[]): string {
  const entity = (c: string) => `#${c.charCodeAt(0)};`;
  const texts = lines.map((line) =>
    line.replace(/["#&<>%{}$*`[\]|\\]/g, entity).replace(/d(?=irection\s)/g, entity),
  );
  const label = texts.join("<br/>");
  return `"${/style|classDef|:fa-/.test(label) ? label.replaceAll(":", entity) : label}"`;
}

const SHAPES: Record<DiagramNode["kind"], readonly [string, string]> = {
  base: ["[(", ")]"],
  shared: ["[[", "]]"],
  own: ["(", ")"],
  cell: ["[", "]"],
  more: ["([", "])"],
};

const CLASSES: Record<string, string> = {
  shared: "fill:#e6e6fa,stroke:#333366,stroke-width:2px,color:#000000",
  own: "stroke-dasharray:4 3",
  more: "stroke-dasharray:1 3",
  build: `fill:${FILL.build},stroke:${LINE.build},color:#000000`,
  retest: `fill:${FILL.retest},stroke:${LINE.retest},color:#000000`,
  retag: `fill:${FILL.retag},stroke:${LINE.retag},color:#000000`,
  reuse: `fill:${FILL.reuse},stroke:${LINE.reuse},color:#000000`,
  fails: `stroke:${FAIL},stroke-width:4px`,
};

function mermaidText(diagram: Diagram): { text: string; edges: number } {
  const lines = [
    "flowchart LR",
    ...remarks(diagram, "GitHub and mermaid.live draw it").map((text) => `  %% ${text}`),
  ];
  const members = new Map<string, string[]>(Object.keys(CLASSES).map((name) => [name, []]));
  let edges = 0;
  for (const { node, id, parent } of numbered(diagram)) {
    const [open, close] = SHAPES[node.kind];
    lines.push(`  ${id}${open}${mermaidLabel(node.lines)}${close}`);
    members.get(node.action ?? node.kind)?.push(id);
    if (node.fails) members.get("fails")?.push(id);
    if (parent === null) continue;
    lines.push(`  ${parent} --> ${id}`);
    edges += 1;
  }
  for (const [name, ids] of members) {
    if (ids.length === 0) continue;
    lines.push(`  classDef ${name} ${CLASSES[name]}`, `  class ${ids.join(",")} ${name}`);
  }
  return { text: `${lines.join("\n")}\n`, edges };
}

/**
 * The prefix tree of cells in the language of Mermaid, drawn as `dot` draws it. It stays below the 50,000 characters and 500
 * edges that Mermaid takes: where it would not, more is folded.
 */
export function mermaid(cells: readonly PlannedCell[]): string {
  let written = mermaidText(diagramOf(cells));
  for (let limit = 128; limit > 0; limit = Math.floor(limit / 2)) {
    if (written.text.length < MERMAID_TEXT && written.edges < MERMAID_EDGES) break;
    written = mermaidText(diagramOf(cells, limit));
  }
  return written.text;
}

/** `--format mermaid` */
export const write: WriteFormat = ({ planned }) => content("plan.mmd", mermaid(planned.cells));
