import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineAssembler } from "../../src/builder/log-lines.ts";
import { createMask } from "../../src/model/mask.ts";

/** A mask that knows these values. */
function maskOf(...values: string[]) {
  const mask = createMask();
  for (const value of values) mask.hide(value);
  return mask;
}

const SECRET = "https://user:p4ss/w0rd+é@index.example/simple?x='1'&y=\"2\"";

/** The longest run of characters that two texts share. */
function shared(a: string, b: string): number {
  let longest = 0;
  for (let from = 0; from < a.length; from += 1)
    while (from + longest < a.length && b.includes(a.slice(from, from + longest + 1))) longest += 1;
  return longest;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a mask that knows a value", () => {
  it.each<[string, string]>([
    ["as it is", SECRET],
    ["in JSON", JSON.stringify({ index: SECRET })],
    ["in a URL", `x?index=${encodeURIComponent(SECRET)}`],
    [
      "in a URL with small hex digits",
      encodeURIComponent(SECRET).replace(/%../g, (hex) => hex.toLowerCase()),
    ],
    ["as base64", base64(SECRET)],
    ["as base64 of a line", base64(`${SECRET}\n`)],
    ["as base64 behind one byte", base64(`a${SECRET}`)],
    ["as base64 behind two bytes", base64(`user:pw:${SECRET}`)],
    ["as base64 for URLs", Buffer.from(SECRET).toString("base64url")],
    ["as hex", Buffer.from(SECRET).toString("hex")],
    ["in single quotes of a shell", SECRET.replaceAll("'", "'\\''")],
    ["with backslashes of a shell", SECRET.replace(/[^A-Za-z0-9@%+=:,./_-]/g, "\\$&")],
  ])("replaces it %s", (_, text) => {
    const masked = maskOf(SECRET)(`before ${text} after`);
    expect(masked).toMatch(/^before .*\*\*\*.* after$/);
    // What stands around it, and the characters of base64 that it shares with that.
    expect(masked.length).toBeLessThan("before  after".length + 22);
  });

  it("replaces it where base64 is wrapped", () => {
    const long = `${SECRET}${"0123456789abcdefghijklmnopqrstuvwxyz".repeat(4)}`;
    const lines = base64(long).match(/.{1,76}/g) ?? [];
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines.slice(0, -1)) expect(maskOf(long)(line)).toBe("***");
  });

  it("replaces each line of a value of several, but not the frame of PEM", () => {
    const key =
      "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nx\nBAQEFAASCBKcwggSj\n-----END PRIVATE KEY-----\n";
    const mask = maskOf(key);
    expect(key.split("\n").map(mask)).toEqual([
      "-----BEGIN PRIVATE KEY-----",
      "***",
      "x",
      "***",
      "-----END PRIVATE KEY-----",
      "",
    ]);
  });

  it("says of a value of fewer than eight characters that it stays", () => {
    const mask = createMask();
    expect(mask.hide("1234567\n")).toBe(false);
    expect(mask("1234567 and more")).toBe("1234567 and more");
    expect(mask.hide("12345678")).toBe(true);
    expect(mask("x12345678x")).toBe("x***x");
  });

  it("leaves other texts as they are", () => {
    const mask = maskOf(SECRET, "correct horse battery staple");
    for (const text of ["", "RUN apt-get install -y curl", "https://index.example/", "battery staple", "***"])
      expect(mask(text)).toBe(text);
  });

  it("masks what a value of 500 KB has, fast", () => {
    const large = Array.from({ length: 8000 }, (_, at) => `${at} ${"abcdefgh".repeat(7)}${at * 7919}`).join(
      "\n",
    );
    const mask = maskOf(large);
    const [line = ""] = large.split("\n").slice(4000);
    expect(mask(`got ${line}!`)).toBe("got ***!");
    // In base64 of the whole, this line is at some alignment; the last characters of a line share bits with its break.
    const wrapped = base64(large).match(/.{1,76}/g) ?? [];
    for (const part of wrapped.slice(4000, 4100)) expect(shared(part, mask(part))).toBeLessThan(24);
    const start = performance.now();
    for (let count = 0; count < 2000; count += 1)
      mask(`#7 0.512 Get:${count} http://deb.example/debian bookworm/main`);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

/** Values that are at least 16 characters and cannot be in a text by chance. */
const value = fc
  .string({ minLength: 16, maxLength: 80, unit: "grapheme-ascii" })
  .map((text) => `q7${text}Zx`);

describe("property: no piece of a value", () => {
  it("of 16 characters stays in a log, however its output was cut into pieces", () => {
    fc.assert(
      fc.property(
        value,
        fc.string(),
        fc.string(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        fc.constantFrom("raw", "base64", "hex", "json"),
        (secret, before, after, cuts, form) => {
          const printed = {
            raw: secret,
            base64: base64(`${before}${secret}${after}`),
            hex: Buffer.from(secret).toString("hex"),
            json: JSON.stringify({ x: secret }),
          }[form];
          const mask = maskOf(secret);
          const assembler = createLineAssembler();
          const bytes = Buffer.from(`${before}${printed}${after}\n`);
          const lines: string[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = cuts[turn % cuts.length] ?? 1;
            lines.push(...assembler.add(bytes.subarray(at, at + size)).map(mask));
            at += size;
          }
          lines.push(...assembler.end().map(mask));
          const log = lines.join("\n");
          // Of base64, what the value alone decides: the first and the last group may have bits of its neighbours.
          const lead = Buffer.byteLength(before) % 3;
          const aligned = base64(`${"a".repeat(lead)}${secret}`).slice(lead === 0 ? 0 : 4, -4);
          const whole = {
            raw: secret,
            hex: printed,
            json: JSON.stringify(secret).slice(1, -1),
            base64: aligned,
          }[form];
          expect(shared(whole, log)).toBeLessThan(16);
        },
      ),
    );
  });

  it("of 16 characters stays where the value is printed in parts, a line each", () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 60 }), (secret, size) => {
        const mask = maskOf(secret);
        for (let at = 0; at < secret.length; at += size)
          expect(shared(secret, mask(`part ${secret.slice(at, at + size)}`))).toBeLessThan(16);
      }),
    );
  });

  it("is masked twice to something else", () => {
    fc.assert(
      fc.property(value, fc.string(), (secret, text) => {
        const mask = maskOf(secret);
        const once = mask(`${text}${secret}${text}`);
        expect(mask(once)).toBe(once);
      }),
    );
  });
});
