import type { PlannedCell } from "../cell.ts";
import { type Diagram, type DiagramNode, diagramOf } from "./diagram-tree.ts";

/** What Mermaid draws unless it is told otherwise: longer texts and more edges are refused. */
const MERMAID_TEXT = 50_000;
const MERMAID_EDGES = 500;

const FILL = { build: "#fde0c5", retest: "#fff2b3", retag: "#cfe2f3", reuse: "#d5ead0" } as const;
const LINE = { build: "#b35806", retest: "#8a6d00", retag: "#2b5d8c", reuse: "#38761d" } as const;
const FAIL = "#cc0000";

/** Nodes in the order in which they are written, numbered, with the number of what each stands on. */
function numbered({ trees }: Diagram): { node: DiagramNode; id: string; parent: string | null }[] {
  const all: { node: DiagramNode; id: string; parent: string | null }[] = [];
  const add = (node: DiagramNode, parent: string | null) => {
    const id = `n${all.length}`;
    all.push({ node, id, parent });
    for (const child of node.children) add(child, id);
  };
  for (const tree of trees) add(tree, null);
  return all;
}

/** What a reader of the text should know, as lines of a comment. */
function remarks({ about, folded }: Diagram): string[] {
  if (!folded) return [about];
  return [about, "too many to draw: a node with … stands for the cells that are not drawn one by one"];
}

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
    ...remarks(diagram).map((text) => `  // ${text}`),
    '  graph [rankdir=LR, charset="UTF-8"];',
    '  node [shape=box, fontname="sans-serif", fontsize=10];',
  ];
  for (const { node, id, parent } of numbered(diagram)) {
    lines.push(`  ${id} [label=${dotLabel(node.lines)}${dotStyle(node)}];`);
    if (parent !== null) lines.push(`  ${parent} -> ${id};`);
  }
  return `${lines.join("\n")}\n}\n`;
}

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
  const lines = ["flowchart LR", ...remarks(diagram).map((text) => `  %% ${text}`)];
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
