import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decompressZstd } from "../../src/sbom/zstd.ts";
import { farFrame, frame, MATCH, plainFrame, skippable } from "./zstd-made.ts";

/** Bytes in pieces of some sizes, one after the other. */
async function* inSizes(bytes: Buffer, sizes: readonly number[]): AsyncIterable<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield await Promise.resolve(bytes.subarray(at, at + size));
    at += size;
  }
}

async function textOf(bytes: Buffer, sizes: readonly number[] = [1 << 16]): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of decompressZstd(inSizes(bytes, sizes))) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe("a zstd stream", () => {
  it("is read right where a match is 100 MiB before: docker-repack packs with such a window", async () => {
    const text = "0123456789".repeat(20);
    const far = await textOf(farFrame(text, 790));
    expect(far.slice(0, text.length)).toBe(text);
    expect(far).toHaveLength(text.length + 790 * (128 << 10) + MATCH);
    expect(far.slice(-MATCH)).toBe(text.slice(0, MATCH));
    expect(far.indexOf("1", text.length)).toBe(far.length - MATCH + 1);
  });

  it("is frames one after the other, however they are cut, with some that are skipped between", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.string({ maxLength: 200 }).map((text) => ({ text, bytes: plainFrame(text) })),
            fc.nat(100).map((size) => ({ text: "", bytes: skippable(size) })),
          ),
          { maxLength: 30 },
        ),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
        async (parts, sizes) => {
          const bytes = Buffer.concat(parts.map((part) => part.bytes));
          expect(await textOf(bytes, sizes)).toBe(parts.map(({ text }) => text).join(""));
        },
      ),
    );
  });

  it("may have any number of frames with nothing in them", async () => {
    const nothing = Buffer.concat(Array.from({ length: 20_000 }, () => skippable(0)));
    expect(await textOf(Buffer.concat([nothing, plainFrame("a"), nothing]))).toBe("a");
  });

  it("that is empty has nothing in it", async () => {
    expect(await textOf(Buffer.alloc(0))).toBe("");
  });

  it.each([
    ["cut off", plainFrame("a".repeat(1000)).subarray(0, 500)],
    ["cut off in its head", plainFrame("a").subarray(0, 5)],
    ["no zstd at all", Buffer.from("a".repeat(5000))],
    ["followed by something else", Buffer.concat([plainFrame("a"), Buffer.from("b".repeat(5000))])],
    [
      "damaged in the middle",
      Buffer.concat([frame([Buffer.from([7, 0, 0])]), plainFrame("b".repeat(50_000))]),
    ],
    ["of a window that nobody has memory for", frame([], 41)],
  ])("that is %s ends in an error, and never hangs", async (_, bytes) => {
    for (const size of [1, 700, 1 << 16])
      await expect(textOf(bytes, [size])).rejects.toThrow(/zstd|[Ii]ncomplete/);
  });

  it("damaged anywhere ends: in an error or in other bytes", async () => {
    // A small window: what the decoder has for a stream that fails, it keeps.
    const whole = Buffer.concat([
      plainFrame("abc".repeat(50)),
      skippable(10),
      farFrame("x".repeat(200), 1, 18),
    ]);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = Buffer.from(whole);
        bytes[at] = byte;
        const ended = await textOf(bytes).then(
          () => "text",
          () => "error",
        );
        expect(["text", "error"]).toContain(ended);
      }),
    );
  });
});
