import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineAssembler, visibleLine } from "../../src/builder/log-lines.ts";

function assemble(pieces: Uint8Array[]): string[] {
  const lines = createLineAssembler();
  return [...pieces.flatMap(lines.add), ...lines.end()];
}

/** The pieces of a text's bytes, cut at these places. */
function cutAt(text: string, cuts: number[]): Uint8Array[] {
  const bytes = Buffer.from(text, "utf8");
  const inside = cuts.filter((cut) => cut > 0 && cut < bytes.length).sort((a, b) => a - b);
  const places = [0, ...new Set(inside), bytes.length];
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to));
}

describe("lines of a step's output", () => {
  it("are the same, wherever the stream is cut", () => {
    const part = fc.oneof(
      { weight: 8, arbitrary: fc.string({ unit: "grapheme" }) },
      { weight: 8, arbitrary: fc.constantFrom("\n", "\r", "\r\n", "\u001b[1m", "é", "🏭") },
      { weight: 1, arbitrary: fc.constantFrom("x".repeat(16_383), "🏭".repeat(8_192)) },
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.oneof(fc.nat({ max: 60 }), fc.nat())), (parts, cuts) => {
        const text = parts.join("");
        expect(assemble(cutAt(text, cuts))).toEqual(assemble(cutAt(text, [])));
      }),
    );
  });

  it.each([
    ["between two carriage returns and a newline", "𐀀ࠀ\n🏭\r\r\n", 14, ["𐀀ࠀ", "🏭"]],
    ["between two carriage returns", "a\r\rb", 2, ["b"]],
    ["after the last of several carriage returns", "a\r\r\r", 4, ["a"]],
    ["inside a character", "é\r\n", 1, ["é"]],
  ])("are the same when the stream is cut %s", (_, text, cut, lines) => {
    expect(assemble(cutAt(text, [cut]))).toEqual(lines);
    expect(assemble(cutAt(text, []))).toEqual(lines);
  });

  it("come in pieces where they are too long, without a character cut in two", () => {
    const text = `x${"🏭".repeat(8_192)}\n`;
    expect(assemble(cutAt(text, [])).map((line) => line.length)).toEqual([16_383, 2]);
  });

  it("hold what a terminal would show in the end", () => {
    expect(assemble([Buffer.from("10%\r50%\r100%\r\nready\r\n\r\n\u001b[31mred\u001b[0m\tx\u0007")])).toEqual(
      ["100%", "ready", "", "red\tx"],
    );
  });

  it("take broken UTF-8 for the replacement character", () => {
    expect(assemble([Uint8Array.of(0x61, 0xff, 0x0a, 0xc3)])).toEqual(["a\ufffd", "\ufffd"]);
  });

  it("keep no title, link or cursor sequence", () => {
    expect(visibleLine("\u001b]0;title\u0007a\u001b[2Kb\u001b[1;1Hc")).toBe("abc");
  });
});
