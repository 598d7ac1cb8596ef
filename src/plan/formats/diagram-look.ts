import type { Diagram, DiagramNode } from "./diagram-tree.ts";

/** The colours of what is done, inside and around. */
export const FILL = { build: "#fde0c5", retest: "#fff2b3", retag: "#cfe2f3", reuse: "#d5ead0" } as const;
export const LINE = { build: "#b35806", retest: "#8a6d00", retag: "#2b5d8c", reuse: "#38761d" } as const;
/** The colour of what is meant to fail. */
export const FAIL = "#cc0000";

/** Nodes in the order in which they are written, numbered, each with the number of its parent. */
export function numbered({ trees }: Diagram): { node: DiagramNode; id: string; parent: string | null }[] {
  const all: { node: DiagramNode; id: string; parent: string | null }[] = [];
  const add = (node: DiagramNode, parent: string | null) => {
    const id = `n${all.length}`;
    all.push({ node, id, parent });
    for (const child of node.children) add(child, id);
  };
  for (const tree of trees) add(tree, null);
  return all;
}

/** What a reader of the text should know, as lines of a comment. @param use how to draw it */
export function remarks({ about, folded }: Diagram, use: string): string[] {
  return [
    `made by \`factory plan\`; ${use}`,
    about,
    ...(folded ? ["too many cells to draw: a node with … means those that are not drawn one by one"] : []),
  ];
}
