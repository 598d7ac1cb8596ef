import { instance } from "@viz-js/viz";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withCell } from "../../src/plan/cell.ts";
import { dot } from "../../src/plan/formats/dot.ts";
import { mermaid } from "../../src/plan/formats/mermaid.ts";
import { madeCell, madeGrid, versions } from "./plan-made-cells.ts";

const PLATFORMS = ["linux/amd64", "linux/arm64"];

const SMALL = [
  madeCell({
    fragments: { core: "0.1.0", app: "1.0.0", end: "1.0.0" },
    chosen: ["app"],
    cell: { action: "reuse", reason: null },
  }),
  madeCell({
    fragments: { core: "0.1.0", app: "2.0.0" },
    chosen: ["app"],
    cell: {
      reason: "FRAGMENT",
      changes: [{ input: "fragments.app", before: "1.0.0", after: "2.0.0" }],
      expect: { result: "fail", owner: "@team", reason: 'no "x" yet', until: "never" },
    },
  }),
];

/** Labels of the nodes of a Mermaid text, decoded as Mermaid and a browser do. */
function mermaidLabels(text: string): string[][] {
  const labels = [...text.matchAll(/^ {2}n\d+(?:\[\(|\[\[|\(\[|\[|\()"([^"]*)"(?:\)\]|\]\]|\]\)|\]|\))$/gm)];
  return labels.map(([, label = ""]) =>
    label
      .split("<br/>")
      .map((line) => line.replace(/#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))),
  );
}

/** Labels of the nodes of a Graphviz text, decoded as Graphviz does. */
function dotLabels(text: string): string[][] {
  return [...text.matchAll(/^ {2}n\d+ \[label="((?:[^"\\\n]|\\[\\"n])*)"[,\]]/gm)].map(([, label = ""]) =>
    label
      .split(/(?<=(?:^|[^\\])(?:\\\\)*)\\n/)
      .map((line) => line.replace(/\\([\\"])/g, "$1").replaceAll("&amp;", "&")),
  );
}

/** Words of users, of what means something to one of the languages. */
const words = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'"\\#;&<>%{}$*`[]|():',
        "%%{init}%%",
        "#35;",
        "&amp;",
        "<b>",
        "\\N",
        "\\n",
        "end",
        "direction LR",
        "style x:a#",
        "classDef",
        "fa:fa-car",
        "$$x$$",
      ),
      fc.string({ unit: "grapheme", maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 10 },
  )
  .map((all) => all.join(""));

describe("dot", () => {
  it("draws bases, prefixes with what they share, and cells", () => {
    expect(dot(SMALL)).toBe(`digraph plan {
  // made by \`factory plan\`; draw it with \`dot -Tsvg\`
  // 2 cells: 1 build, 1 reuse; 1 meant to fail
  graph [rankdir=LR, charset="UTF-8"];
  node [shape=box, fontname="sans-serif", fontsize=10];
  n0 [label="debian:bookworm-slim\\nlinux/amd64\\n2 cells, 1 to build", shape=cylinder];
  n1 [label="core 0.1.0\\n2 cells, 1 to build", style="filled,bold", fillcolor="#e6e6fa", penwidth=2];
  n0 -> n1;
  n2 [label="app 1.0.0\\nend 1.0.0", style="rounded,dashed"];
  n1 -> n2;
  n3 [label="demo.app-1.0.0.linux-amd64\\nreuse", style=filled, fillcolor="#d5ead0", color="#38761d"];
  n2 -> n3;
  n4 [label="app 2.0.0", style="rounded,dashed"];
  n1 -> n4;
  n5 [label="demo.app-2.0.0.linux-amd64\\nbuild: FRAGMENT app 1.0.0 → 2.0.0\\nmeant to fail: no \\"x\\" yet", style=filled, fillcolor="#fde0c5", color="#cc0000", penwidth=3, peripheries=2];
  n4 -> n5;
}
`);
  });

  it("is a graph without nodes where there are no cells", () => {
    expect(dot([])).not.toContain("n0");
    expect(mermaid([])).not.toContain("n0");
  });
});

describe("mermaid", () => {
  it("draws the same", () => {
    expect(mermaid(SMALL)).toBe(`flowchart LR
  %% made by \`factory plan\`; GitHub and mermaid.live draw it
  %% 2 cells: 1 build, 1 reuse; 1 meant to fail
  n0[("debian:bookworm-slim<br/>linux/amd64<br/>2 cells, 1 to build")]
  n1[["core 0.1.0<br/>2 cells, 1 to build"]]
  n0 --> n1
  n2("app 1.0.0<br/>end 1.0.0")
  n1 --> n2
  n3["demo.app-1.0.0.linux-amd64<br/>reuse"]
  n2 --> n3
  n4("app 2.0.0")
  n1 --> n4
  n5["demo.app-2.0.0.linux-amd64<br/>build: FRAGMENT app 1.0.0 → 2.0.0<br/>meant to fail: no #34;x#34; yet"]
  n4 --> n5
  classDef shared fill:#e6e6fa,stroke:#333366,stroke-width:2px,color:#000000
  class n1 shared
  classDef own stroke-dasharray:4 3
  class n2,n4 own
  classDef build fill:#fde0c5,stroke:#b35806,color:#000000
  class n5 build
  classDef reuse fill:#d5ead0,stroke:#38761d,color:#000000
  class n3 reuse
  classDef fails stroke:#cc0000,stroke-width:4px
  class n5 fails
`);
  });

  it("stays below what Mermaid draws, however long names are", () => {
    const fragments = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`f${at}-${"x".repeat(50)}`, ["1.0.0"]]),
    );
    for (const cells of [
      madeGrid({ ...fragments, core: versions(100) }, PLATFORMS, { chosen: ["core"] }),
      madeGrid({ a: versions(101), ...fragments, b: versions(3) }, PLATFORMS, { chosen: ["a", "b"] }),
    ]) {
      const text = mermaid(cells);
      expect(text.length).toBeLessThan(50_000);
      expect(text.split(" --> ").length - 1).toBeLessThan(500);
      expect(text).toContain("linux/arm64");
    }
  });
});

describe("texts of users", () => {
  it("come back as they were, in both languages, and end no label", () => {
    fc.assert(
      fc.property(words, words, (reason, path) => {
        const cell = madeCell({
          fragments: { core: "0.1.0" },
          cell: {
            reason: "FILES",
            changes: [{ input: "fragments.core", before: null, after: path }],
            expect: { result: "fail", owner: "o", reason, until: "never" },
          },
        });
        const clean = (text: string) => {
          const all = [...text.replace(/[\p{C}\u2028\u2029]+/gu, " ")];
          return all.length <= 110 ? all.join("") : `${all.slice(0, 109).join("")}…`;
        };
        const lines = [cell.cell.cell_id, `build: FILES core ${path}`, `meant to fail: ${reason}`].map(clean);
        expect(dotLabels(dot([cell])).at(-1)).toEqual(lines);
        const text = mermaid([cell]);
        expect(mermaidLabels(text).at(-1)).toEqual(lines);
        for (const line of text.split("\n").filter((one) => /^ {2}n\d+[[(]/.test(one))) {
          // What Mermaid would take for a directive, a style, an icon, a formula, or Markdown.
          expect(line.slice(2)).not.toMatch(/%%|[{}`$*]|(style|classDef).*:\S*#|fa[bklrs]?:fa-|direction\s/);
        }
      }),
    );
  });
});

describe("many cells", () => {
  const BIG = madeGrid({ security: versions(2), core: versions(10), app: versions(20) }, PLATFORMS).map(
    (one, at) => (at % 8 < 2 ? withCell(one, { action: "reuse", reason: null }) : one),
  );

  it("are folded into one node a prefix, which is said in a comment", () => {
    const text = dot(BIG);
    expect(text).toMatch(/^ {2}\/\/ too many cells to draw: /m);
    expect(mermaid(BIG)).toMatch(/^ {2}%% too many cells to draw: /m);
    expect(text).not.toContain(BIG[0]?.cell.cell_id);
    expect(text).toContain('[label="… 20 cells\\n15 build, 5 reuse"');
    expect(text).toContain('[label="core 0.10.0\\n20 cells, 15 to build"');
  });

  it.each([
    [1, 1, 201],
    [2, 2, 60],
    [3, 90, 2],
    [300, 1, 2],
    [1, 160, 3],
  ])("are all counted in what is folded: %i × %i × %i", (a, b, c) => {
    const cells = madeGrid({ a: versions(a), b: versions(b), c: versions(c) });
    const labels = dotLabels(dot(cells));
    const folded = labels.flatMap(([first]) => /^… ([\d,]+) cells?$/.exec(first ?? "")?.[1] ?? []);
    expect(folded.reduce((sum, text) => sum + Number(text.replaceAll(",", "")), 0)).toBe(cells.length);
    expect(labels.length).toBeLessThanOrEqual(400);
  });

  it("on many bases are named as such", () => {
    const cells = Array.from({ length: 300 }, (_, at) =>
      madeCell({ base: `b${at}:1`, fragments: { core: "0.1.0" } }),
    );
    const labels = dotLabels(dot(cells));
    expect(labels.at(-1)).toEqual(["… 150 more bases", "… 150 cells", "150 build"]);
  });
});

describe("Graphviz", () => {
  it("reads back every label", async () => {
    const reason = 'say "hi" <b>#1;</b> &amp; & [x] {y} \\N \\ ';
    const cell = madeCell({
      fragments: { core: "0.1.0" },
      cell: { expect: { result: "fail", owner: "o", reason, until: "never" } },
    });
    const graphviz = await instance();
    const { output, errors } = graphviz.render(dot([cell]), { format: "svg" });
    // It brings no fonts along, and says so.
    expect(errors.filter(({ message }) => !message.includes("metrics"))).toEqual([]);
    const texts = [...(output ?? "").matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) =>
      text
        .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
        .replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&quot;", '"')
        .replaceAll("\u00a0", " ")
        .replaceAll("&amp;", "&"),
    );
    expect(texts.map((text) => text.trim())).toContain(`meant to fail: ${reason}`.trim());
  });
});
