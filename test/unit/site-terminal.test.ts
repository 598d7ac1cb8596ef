import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowsHtml } from "../../src/site/log-html.ts";
import { logPages, readLog } from "../../src/site/log-steps.ts";
import { createScreen } from "../../src/site/terminal-screen.ts";

const ESC = "\u001b";

/** What a terminal shows of some lines. */
function shown(...lines: string[]): string[] {
  const screen = createScreen();
  for (const [at, line] of lines.entries()) screen.line(line, at + 1);
  return screen.rows().map(({ pieces }) => pieces.map(({ text }) => text).join(""));
}

/** The looks and texts of a line. */
function pieces(line: string): [string, string][] {
  const screen = createScreen();
  screen.line(line, 1);
  return (screen.rows()[0]?.pieces ?? []).map(({ classes, text }) => [classes, text]);
}

describe("a screen", () => {
  it.each<[string, string[], string[]]>([
    ["plain lines", ["a", "", "b"], ["a", "", "b"]],
    ["a carriage return", ["10 %\r20 %"], ["20 %"]],
    ["a shorter text over a longer one", ["abcdef\rxy"], ["xycdef"]],
    ["erasing to the end of a row", [`abcdef\rxy${ESC}[K`], ["xy"]],
    ["erasing to its beginning", [`abcdef${ESC}[3G${ESC}[1K`], ["   def"]],
    ["erasing the row", [`abcdef${ESC}[2K\rz`], ["z"]],
    ["a backspace", ["abc\b\bX"], ["aXc"]],
    ["tabs", ["a\tb"], ["a       b"]],
    ["two bars that are drawn again", ["a 1", "b 1", `${ESC}[2Aa 2`, "b 2", "end"], ["a 2", "b 2", "end"]],
    ["the beginning of rows above", ["one", "two", `${ESC}[2F${ESC}[KONE`], ["ONE", "two"]],
    ["erasing below", ["one", "two", "three", `${ESC}[3A${ESC}[J`, "new"], ["", "new"]],
    ["a place", ["one", "two", `${ESC}[1;2HX`], ["oXe", "two"]],
    ["a saved place", [`ab${ESC}7cd${ESC}8X`], ["abXd"]],
    ["deleting and inserting", [`abcdef\r${ESC}[2P${ESC}[2@`], ["  cdef"]],
    ["a screen that is cleared stays above", ["old", `${ESC}[2J${ESC}[Hnew`], ["old", "new"]],
    ["deleting rows", ["one", "two", `${ESC}[2A${ESC}[M`], ["two"]],
    ["moves as far as they may go", [`${ESC}[999999999Ax${ESC}[999999999D${ESC}[999999999By`], ["y"]],
    ["titles and links", [`${ESC}]0;title\u0007a${ESC}]8;;http://x/${ESC}\\b${ESC}]8;;${ESC}\\`], ["ab"]],
    ["a title without an end", [`a${ESC}]0;rest`, "next"], ["a0;rest", "next"]],
    ["questions and modes", [`${ESC}[6n${ESC}[?25la${ESC}P1$r${ESC}\\b${ESC}(B`], ["ab"]],
    ["sequences of eight bits", ["\u009b31ma\u009d0;t\u009cb"], ["ab"]],
    ["half a sequence", [`a${ESC}`, `b${ESC}[`, `c${ESC}[1`], ["a", "b", "c1"]],
  ])("shows %s", (_, lines, rows) => {
    expect(shown(...lines)).toEqual(rows);
  });

  it.each<[string, [string, string][]]>([
    [
      `${ESC}[31mred${ESC}[0m plain`,
      [
        ["f1", "red"],
        ["", " plain"],
      ],
    ],
    [`${ESC}[1;4;97;44mx`, [["tb tu f15 k4", "x"]]],
    [`${ESC}[38;5;208mx`, [["f208", "x"]]],
    [`${ESC}[38;2;255;0;0mx`, [["f196", "x"]]],
    [`${ESC}[38:2::255:0:0mx`, [["f196", "x"]]],
    [`${ESC}[48;2;8;8;8mx`, [["k232", "x"]]],
    [
      `${ESC}[7mx${ESC}[27my`,
      [
        ["tv", "x"],
        ["", "y"],
      ],
    ],
    // What would be hidden is not.
    [`${ESC}[8mx`, [["", "x"]]],
    [`${ESC}[31;41mx`, [["k1", "x"]]],
    [`${ESC}[38;5;999;1mx`, [["tb f255", "x"]]],
  ])("gives %j its look", (line, wanted) => {
    expect(pieces(line)).toEqual(wanted);
  });

  it("breaks a long line, and no character", () => {
    const line = "😀".repeat(2000);
    const rows = shown(line);
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.join("")).toBe(line);
    for (const row of rows) expect(row).not.toMatch(/\p{Surrogate}/u);
  });

  it("names the line that wrote a row first, and none for the rest of a long one", () => {
    const screen = createScreen();
    screen.line("x".repeat(1500), 7, "0.100");
    screen.line("y", 8);
    expect(screen.rows().map(({ line, at }) => [line, at])).toEqual([
      [7, "0.100"],
      [null, ""],
      [8, ""],
    ]);
  });

  it("is done with bombs in a moment", () => {
    for (const bomb of [
      `${ESC}[1K`,
      `${ESC}[999999999@`,
      `${ESC}[J`,
      `${ESC}]`,
      `${ESC}[2J`,
      `${ESC}[9999;9999H`,
      `${ESC}[999999L`,
      "\rx",
    ]) {
      const screen = createScreen();
      screen.line("y".repeat(1000), 1);
      screen.line(bomb.repeat(400_000), 2);
      expect(screen.rows().length).toBeLessThan(500_000);
    }
  });
});

/** Texts with much of what a terminal acts on. */
const wild = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        ESC,
        "\r",
        "\b",
        "\t",
        "\u009b",
        "\u0007",
        "[",
        "]0;",
        "2J",
        "K",
        "31m",
        "A",
        "<b>",
        "&",
        '"',
      ),
      fc.constantFrom("\u202e", "\u2066", "\u200b", "\ufeff", "\ud800", "</pre>", "<script>"),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join("").replaceAll("\n", ""));

describe("a log as HTML", () => {
  const htmlOf = (bytes: Buffer) =>
    readLog(bytes)
      .steps.map(({ rows }) => rowsHtml(rows, 0, rows.length))
      .join("");

  it("is inert, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.oneof(wild, fc.uint8Array({ maxLength: 400 })), (given) => {
        const html = htmlOf(typeof given === "string" ? Buffer.from(given) : Buffer.from(given));
        const own = /<\/?(?:div|i)>|<i id="L\d+">|<span class="[a-z0-9 ]+">|<\/span>|\n/g;
        const rest = html.replace(own, "");
        expect(rest).not.toMatch(/[<>]/);
        expect(rest).not.toMatch(/&(?!(lt|gt|amp);)/);
        expect(rest).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it("keeps all text that has no control characters", () => {
    const plain = fc.array(fc.string({ unit: fc.constantFrom(..."abc <&>é漢😀#") }), { maxLength: 20 });
    fc.assert(
      fc.property(plain, (lines) => {
        const html = htmlOf(Buffer.from(lines.map((line) => `x${line}\n`).join("")));
        const text = html
          .replace(/<[^>]*>/g, "")
          .replace(/&lt;/g, "<")
          .replace(/&gt;/g, ">")
          .replace(/&amp;/g, "&");
        expect(text).toBe(lines.map((line) => `x${line}\n`).join(""));
      }),
    );
  });
});

describe("steps of a log", () => {
  const log = [
    "#1 [core 1/2] RUN make",
    "#1 0.100 first",
    "#2 [app 2/2] RUN test",
    "#2 0.100 other",
    "#1 0.200 second",
    "#1 DONE 0.4s",
    "loose",
    "#3 [x] RUN y",
    "#3 CACHED",
    "#2 ERROR: exit code: 1",
    "#4 [z] RUN z",
    "#4 CANCELED",
  ].join("\n");

  it("are told apart, those that failed first", () => {
    const { steps, lines } = readLog(Buffer.from(log));
    expect(lines).toBe(12);
    expect(
      steps.map(({ number, state, seconds, rows }) => [
        number,
        state,
        seconds,
        rows.map(({ pieces: own }) => own.map(({ text }) => text).join("")),
      ]),
    ).toEqual([
      [2, "failed", null, ["other", "ERROR: exit code: 1"]],
      [1, "done", 0.4, ["first", "second"]],
      [null, "open", null, ["loose"]],
      [3, "cached", null, []],
      [4, "canceled", null, []],
    ]);
  });

  it("share pages; a long one goes on on the next", () => {
    const text = `#1 a\n${"#1 0.1 x\n".repeat(25)}#1 ERROR: no\n#2 b\n#2 0.1 y\n`;
    const { steps } = readLog(Buffer.from(text.replaceAll("0.1 ", "0.100 ")));
    const pages = logPages(steps, 10);
    expect(pages.map((parts) => parts.map(({ step, from, to }) => [step.number, from, to]))).toEqual([
      [[1, 0, 10]],
      [[1, 10, 20]],
      [
        [1, 20, 26],
        [2, 0, 1],
      ],
    ]);
    expect(logPages([], 10)).toEqual([[]]);
  });

  it("leave out the middle of what is too long, and say so", () => {
    const line = `${"x".repeat(99)}\n`;
    const { leftOut, lines, steps } = readLog(Buffer.from(line.repeat(200_000)));
    expect(lines).toBe(200_000);
    expect(leftOut).toBeGreaterThan(3_000_000);
    expect(leftOut % line.length).toBe(0);
    const rows = steps[0]?.rows ?? [];
    expect(rows.length * line.length + leftOut).toBe(200_000 * line.length);
    expect(rows.at(-1)?.line).toBe(200_000);
  });

  it("are bounded in number, and nothing is lost", () => {
    const many = Array.from({ length: 20_000 }, (_, at) => `#${at} name ${at}`).join("\n");
    const { steps } = readLog(Buffer.from(many));
    expect(steps.length).toBeLessThan(6000);
    expect(steps.reduce((sum, { rows, number }) => sum + rows.length + (number === null ? 0 : 1), 0)).toBe(
      20_000,
    );
  });
});
