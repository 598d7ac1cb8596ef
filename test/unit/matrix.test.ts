import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRegions, updateRegions } from "../../src/files/marked-regions.ts";
import {
  type Matrix,
  type MatrixCell,
  matrixOf,
  type Placed,
  SIGNS,
  STATES,
} from "../../src/model/proof-matrix.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { statesOf } from "../../src/plan/decide/cell-states.ts";
import { markdownCell, xmlText } from "../../src/screen/markup.ts";
import { matrixMarkdown } from "../../src/screen/matrix-markdown.ts";
import { badgeSvg, matrixSvg } from "../../src/screen/matrix-svg.ts";
import { matrixLines } from "../../src/screen/matrix-text.ts";
import { paletteOf } from "../../src/screen/palette.ts";
import { textWidth } from "../../src/screen/table.ts";
import { attemptAt, cellOf, DAY, NOW, RECIPE, recordsOf, type Told } from "./plan-reason-cells.ts";
import { errorFrom, temporaryFolder } from "./workspace.ts";

const FAIL = { status: "fail", stage: "smoke", class: "smoke-test" } as const;
const CUT = { status: "error", stage: "build", class: "interrupted", digest: null, ref: null } as const;
const MEANT = { result: "fail", owner: "team", reason: "it lacks a module", until: "never" } as const;
const cell = cellOf();
const older = cellOf({
  fragments: [{ name: "core", version: "0.0.9", text: "old" }, ...RECIPE.fragments.slice(1)],
});

async function stateOf(planned: PlannedCell, told: readonly Told[]) {
  const options = { attempts: recordsOf(told), now: NOW, maxAge: ({ maxAge }: PlannedCell) => maxAge };
  const { states, problems } = await statesOf([planned], options);
  return { state: states[0]?.state, record_id: states[0]?.record_id, problems };
}

const spoilt = (one: Told, what = "EVIDENCE_CHANGED"): Told => ({ ...one, problems: [what] });

describe("what is known of a cell", () => {
  it.each<[string, PlannedCell, Told[], string]>([
    ["a pass of today", cell, [attemptAt(cell, DAY)], "proven"],
    ["nothing", cell, [], "unknown"],
    ["an error alone", cell, [attemptAt(cell, DAY, CUT)], "unknown"],
    ["a pass and a later error", cell, [attemptAt(cell, 2 * DAY), attemptAt(cell, DAY, CUT)], "proven"],
    ["a fail of today", cell, [attemptAt(cell, DAY, FAIL)], "failing"],
    ["a fail after a pass", cell, [attemptAt(cell, 2 * DAY), attemptAt(cell, DAY, FAIL)], "failing"],
    ["a pass after a fail", cell, [attemptAt(cell, 2 * DAY, FAIL), attemptAt(cell, DAY)], "proven"],
    ["a fail that is declared", cellOf({ expect: MEANT }), [attemptAt(cell, DAY, FAIL)], "expected failing"],
    ["a pass though a fail is declared", cellOf({ expect: MEANT }), [attemptAt(cell, DAY)], "proven"],
    ["a pass of other contents", cell, [attemptAt(older, DAY)], "stale"],
    ["a fail of other contents", cell, [attemptAt(older, DAY, FAIL)], "stale"],
    ["a pass that is too old", cellOf({ maxAge: DAY }), [attemptAt(cell, 2 * DAY)], "stale"],
    ["a pass whose later record is missing", cell, [{ ...attemptAt(cell, DAY), lost: "x" }], "stale"],
    ["a fail whose later record is missing", cell, [{ ...attemptAt(cell, DAY, FAIL), lost: "x" }], "stale"],
    ["a pass whose evidence was pruned", cell, [{ ...attemptAt(cell, DAY), pruned: "2026-01-01" }], "stale"],
    ["a pass that is never reused", cellOf({ neverReused: ["x"] }), [attemptAt(cell, DAY)], "proven"],
    ["a pass that cannot be believed", cell, [spoilt(attemptAt(cell, DAY))], "unknown"],
    ["a fail that cannot be believed", cell, [spoilt(attemptAt(cell, DAY, FAIL))], "unknown"],
    [
      "a pass before a fail that cannot be believed",
      cell,
      [attemptAt(cell, 2 * DAY), spoilt(attemptAt(cell, DAY, FAIL))],
      "unknown",
    ],
  ])("%s", async (_, planned, told, state) => {
    // Attempts are at the cell's own id and keys, whatever else it says.
    const own = told.map((one) => ({
      ...one,
      attempt:
        one.attempt.verdict_key === cell.cell.verdict_key
          ? { ...one.attempt, verdict_key: planned.cell.verdict_key, build_key: planned.cell.build_key }
          : one.attempt,
    }));
    expect((await stateOf(planned, own)).state).toBe(state);
  });

  it("is not known without the digest of the base", async () => {
    const open = cellOf({ base: { ref: "debian:bookworm-slim", digest: null } });
    expect((await stateOf(open, [attemptAt(open, DAY)])).state).toBe("stale");
  });

  it("is served for the others where a record cannot be believed, which is named", async () => {
    const arm = cellOf({ platform: "linux/arm64" });
    const told = [spoilt(attemptAt(cell, DAY)), attemptAt(arm, 2 * DAY)];
    const options = { attempts: recordsOf(told), now: NOW, maxAge: () => null };
    const { states, problems } = await statesOf([cell, arm], options);
    expect(states.map(({ state }) => state)).toEqual(["unknown", "proven"]);
    expect(problems).toEqual([{ record: `demo/${told[0]?.attempt.record_id}`, what: "EVIDENCE_CHANGED" }]);
  });
});

const HOSTILE = [
  "core",
  "0.1.0",
  "a|b",
  "<script>alert(1)</script>",
  "<!-- /factory:matrix -->",
  "`x` **y** [z](javascript:a)",
  "https://evil.example www.evil.example @team #1",
  "\u001b]0;t\u0007\u202e\n| x |",
  "&amp;\"'",
  "a_b __c__",
  "很长的名字",
  "x".repeat(300),
];
const name = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary", maxLength: 12 }));

const matrices = fc
  .array(fc.record({ row: name, col: name, per: name, state: fc.constantFrom(...STATES) }), { maxLength: 25 })
  .chain((all) => fc.boolean().map((withPer) => [all, withPer] as const))
  .map(([all, withPer]): Matrix => {
    const placed = all.map(({ row, col, per, state }, at): Placed => ({
      row,
      col,
      per: withPer ? per : null,
      cell: {
        cell_id: `c${at}`,
        platform: "linux/amd64",
        state,
        why: "",
        record_id: null,
      } satisfies MatrixCell,
    }));
    const about = { manifest_id: "demo", rows: "core", cols: "light", per: withPer ? "base" : null };
    return matrixOf(placed, about, () => (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  });

const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe("a matrix", () => {
  it("has each cell once, and shows the worst", () => {
    fc.assert(
      fc.property(matrices, ({ tables, counts }) => {
        const entries = tables.flatMap((table) => table.entries.flat()).filter((entry) => entry !== null);
        const cells = entries.flatMap((entry) => entry.cells);
        expect(new Set(cells.map(({ cell_id }) => cell_id)).size).toBe(cells.length);
        expect(cells.length).toBe(Object.values(counts).reduce((sum, one) => sum + one, 0));
        for (const { state, cells: own, count } of entries) {
          expect(Math.min(...own.map((one) => STATES.indexOf(one.state)))).toBe(STATES.indexOf(state));
          expect(own.filter((one) => one.state === state)).toHaveLength(count);
        }
      }),
    );
  });

  it("fits the terminal, whatever its names are, and acts on nothing", () => {
    fc.assert(
      fc.property(matrices, fc.integer({ min: 8, max: 120 }), (matrix, columns) => {
        for (const line of matrixLines(matrix, { columns, color: paletteOf(false) })) {
          expect(line).not.toMatch(UNSAFE);
          expect(line).not.toContain("\n");
          expect(textWidth(line)).toBeLessThanOrEqual(columns);
        }
      }),
    );
  });

  it("in Markdown is tables, and nothing else", () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const text = matrixMarkdown(matrix);
        expect(text).not.toMatch(UNSAFE);
        expect(text).not.toMatch(/[<>`\[\]@]|https?:\/\/|www\./);
        const lines = text.split("\n").filter((line) => line.startsWith("|"));
        const wanted = matrix.tables.flatMap(({ rows, cols }) =>
          Array<number>(rows.length + 2).fill(cols.length + 2),
        );
        expect(lines.map((line) => line.split("|").length - 1)).toEqual(wanted);
      }),
    );
  });

  it("as a picture is well-formed, asks for nothing and runs nothing", () => {
    fc.assert(
      fc.property(matrices, name, (matrix, product) => {
        for (const text of [matrixSvg(matrix), badgeSvg(product, "1 proven", "proven")]) {
          expect(text).not.toMatch(UNSAFE);
          const bare = text.replace(/<\/?(svg|g|rect|text|title)( [a-zA-Z-]+="[^"<>]*")*\/?>/g, "");
          expect(bare).not.toMatch(/[<>]/);
          expect(bare.replace(/&(lt|gt|amp|quot|#39);/g, "")).not.toContain("&");
          expect(text.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/ (href|src|on\w+|style)=/);
        }
      }),
    );
  });

  it("looks as it should", async () => {
    const made = (row: string, col: string, state: MatrixCell["state"], at: number): Placed => ({
      row,
      col,
      per: null,
      cell: { cell_id: `c${at}`, platform: "linux/amd64", state, why: "", record_id: null },
    });
    const matrix = matrixOf(
      [
        made("0.1.0", "0.1.0", "proven", 1),
        made("0.1.0", "0.1.0", "failing", 2),
        made("0.1.0", "0.2.0", "proven", 3),
        made("0.3.0", "0.1.0", "expected failing", 4),
        made("0.3.0", "0.2.0", "stale", 5),
        made("0.4.0", "0.2.0", "unknown", 6),
      ],
      { manifest_id: "llm_factory", rows: "core", cols: "light", per: null },
      () => (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    );
    await expect(`${matrixMarkdown(matrix)}\n`).toMatchFileSnapshot("../golden/matrix/matrix.md");
    await expect(`${matrixSvg(matrix)}\n`).toMatchFileSnapshot("../golden/matrix/matrix.svg");
    await expect(`${badgeSvg("llm_factory", "3 proven, 1 failing", "failing")}\n`).toMatchFileSnapshot(
      "../golden/matrix/badge.svg",
    );
    const plain = [...matrixLines(matrix, { columns: undefined, color: paletteOf(false) })].join("\n");
    await expect(`${plain}\n`).toMatchFileSnapshot("../golden/matrix/matrix.txt");
    expect(new Set(Object.values(SIGNS)).size).toBe(STATES.length);
  });

  it("is escaped text by text", () => {
    expect(markdownCell("a_b core@0.1.0 |x| www.a.b")).toBe("a_b core&#64;0.1.0 &#124;x&#124; www&#46;a.b");
    expect(xmlText(`<a b="c">&'`)).toBe("&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
  });
});

const MARK = "<!-- factory:matrix manifest_id=demo rows=core cols=light -->";
const END = "<!-- /factory:matrix -->";
const KEY = "demo core light ";

function fileWith(text: string | Buffer): string {
  const file = join(temporaryFolder(), "README.md");
  writeFileSync(file, text);
  return file;
}

describe("the marked regions of a file", () => {
  it("are all that changes, byte for byte, and are current from then on", () => {
    const outside = fc
      .uint8Array({ maxLength: 30 })
      .map((bytes) => Buffer.from(bytes).toString("latin1").replace(/[`~]/g, "-"));
    fc.assert(
      fc.property(
        outside,
        outside,
        outside,
        fc.constantFrom("\n", "\r\n"),
        (before, between, after, newline) => {
          const head = `${before}${newline}${MARK}${newline}`;
          const tail = `${END}${newline}${after}`;
          const file = fileWith(Buffer.from(`${head}${between}${newline}${tail}`, "latin1"));
          const made = new Map([[KEY, "| a |\n| ü |"]]);
          expect(updateRegions(file, "README.md", made, false)).toBe(
            `${between}${newline}` !==
              Buffer.from(`\n| a |\n| ü |\n\n`).toString("latin1").replaceAll("\n", newline),
          );
          updateRegions(file, "README.md", made, true);
          const text = readFileSync(file).toString("latin1");
          expect(text.startsWith(head)).toBe(true);
          expect(text.endsWith(tail)).toBe(true);
          expect(text.slice(head.length, -tail.length)).toBe(
            Buffer.from(`\n| a |\n| ü |\n\n`).toString("latin1").replaceAll("\n", newline),
          );
          expect(updateRegions(file, "README.md", made, true)).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("leave alone examples in fences, the mode, and a link to the file", () => {
    const text = `\`\`\`markdown\n${MARK}\nexample\n${END}\n\`\`\`\n${MARK}\n${END}\n`;
    const file = fileWith(text);
    const link = join(temporaryFolder(), "link.md");
    symlinkSync(file, link);
    const mode = statSync(file).mode;
    expect(updateRegions(link, "link.md", new Map([[KEY, "x"]]), true)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe(
      text
        .replace(`${MARK}\n${END}\n`, (all) => all)
        .replace(/\n(<!-- factory[^\n]*)\n(<!-- \/)/, "\n$1\n\nx\n\n$2"),
    );
    expect(statSync(file).mode).toBe(mode);
    expect(readFileSync(link, "utf8")).toBe(readFileSync(file, "utf8"));
  });

  it.each([
    ["no mark", "text\n", 1],
    ["a mark that does not end", `a\n${MARK}\n`, 2],
    ["an end without a mark", `${END}\n`, 1],
    ["a mark within another", `${MARK}\n${MARK}\n${END}\n`, 2],
    [
      "a mark with something else",
      `<!-- factory:matrix manifest_id=demo rows=core cols=light output=/etc/passwd -->\n${END}\n`,
      1,
    ],
    ["a mark with too little", `<!-- factory:matrix manifest_id=demo rows=core -->\n${END}\n`, 1],
    ["a mark that says a thing twice", `${MARK.replace("rows", "rows=x rows")}\n${END}\n`, 1],
  ])("are refused with their line: %s", (_, text, line) => {
    const file = fileWith(text);
    expect(errorFrom(() => readRegions(file, "README.md"))).toMatchObject({ code: "USAGE", where: { line } });
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("are not looked for in what is no file", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "x"));
    for (const path of [join(folder, "x"), join(folder, "none"), "/dev/null"])
      expect(errorFrom(() => readRegions(path, "x")).code).toBe("FILE_UNREADABLE");
  });
});
