import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineAssembler, visibleLine } from "../../src/builder/log-lines.ts";

function assemble(pieces: Uint8Array[]): string[] {
  const lines = createLineAssembler();
  return [...pieces.flatMap(lines.add), ...lines.end()];
}

describe("lines of a step's output", () => {
  it("are the same, wherever the stream is cut", () => {
    const text = fc.array(
      fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("\n", "\r", "\r\n", "\u001b[1m", "é", "🏭")),
    );
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 60 })), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""), "utf8");
        const places = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const pieces = places.slice(1).map((to, index) => bytes.subarray(places[index], to));
        expect(assemble(pieces)).toEqual(assemble([bytes]));
      }),
    );
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
