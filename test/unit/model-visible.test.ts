import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { addressWithoutUserinfo, withoutUserinfo } from "../../src/model/userinfo.ts";
import { brief, listed, quoted, visible, visibleLines } from "../../src/model/visible.ts";
import { paletteOf, printable } from "../../src/screen/palette.ts";
import { oneLine } from "../../src/screen/view-frame.ts";

const anyText = fc.string({ unit: "binary" });
/** What a terminal may act on, or an eye cannot see. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe("visible", () => {
  it.each([
    ["a\nb\r\tc", "a\\nb\\r\\tc"],
    ["\u001b[31m", "\\u001b[31m"],
    ["\u202eabc\u2066", "\\u202eabc\\u2066"],
    ["\u009b\u007f", "\\u009b\\u007f"],
    ["\u200b\ufeff\u00ad", "\\u200b\\ufeff\\u00ad"],
    ["\u2028", "\\u2028"],
    ["\ud800", "\\ud800"],
    ["\u{e0041}", "\\udb40\\udc41"],
    ["größe ✓ 😀 表", "größe ✓ 😀 表"],
  ])("shows %j as %s", (text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(visibleLines(text)).toBe(shown.replaceAll("\\n", "\n"));
  });

  it("leaves nothing that a terminal acts on, in any text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const shown of [visible(text), brief(text), quoted(text), listed([text]), oneLine(text)])
          expect(shown).not.toMatch(UNSEEN);
        expect(visibleLines(text).replaceAll("\n", "")).not.toMatch(UNSEEN);
      }),
    );
  });

  it("keeps what JSON says, and keeps it on as many lines", () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: "binary" }), (json) => {
        expect(JSON.parse(visibleLines(json))).toEqual(JSON.parse(json));
      }),
    );
    expect(visibleLines('{\n  "a": "\u202e"\n}')).toBe('{\n  "a": "\\u202e"\n}');
  });

  it("is short where it stands in a sentence", () => {
    expect(brief("x".repeat(1000))).toBe(`${"x".repeat(80)}…`);
    expect(quoted("x".repeat(1000)).length).toBe(83);
    expect(listed(Array.from({ length: 12 }, (_, at) => `n${at}`))).toMatch(/`n9` and 2 more$/);
  });
});

describe("printable", () => {
  it("keeps the colours of the palette and nothing else", () => {
    const { red, bold } = paletteOf(true);
    const text = `${red("a\u202e")} ${bold("b")} \u001b[8mhidden\u001b[0m \u001b]0;title\u0007`;
    expect(printable(text, true)).toBe(
      `${red("a\\u202e")} ${bold("b")} \\u001b[8mhidden\\u001b[0m \\u001b]0;title\\u0007`,
    );
    expect(printable(red("a"), false)).toBe("\\u001b[31ma\\u001b[39m");
    expect(paletteOf(false).red("a")).toBe("a");
  });
});

describe("users and passwords of URLs", () => {
  it.each([
    ["https://u:p@host/x", "https://***@host/x"],
    ["see https://tok@host:8443/a?b=c@d.", "see https://***@host:8443/a?b=c@d."],
    ["tcp://u:p@ss@host:2375 ssh://me@box", "tcp://***@host:2375 ssh://***@box"],
    ["HTTPS://U:P@HOST", "HTTPS://***@HOST"],
    ["https://host/a@b mail me@host", "https://host/a@b mail me@host"],
    ["docker-image://debian@sha256:00ff", "docker-image://debian@sha256:00ff"],
    [
      "docker-image://docker.io/library/debian:12@sha256:00ff",
      "docker-image://docker.io/library/debian:12@sha256:00ff",
    ],
  ])("%s is shown as %s", (text, shown) => {
    expect(withoutUserinfo(text)).toBe(shown);
    expect(new FactoryError("USAGE", text, { fix: text })).toMatchObject({ message: shown, fix: shown });
  });

  it("are taken from an address without a scheme too", () => {
    expect(addressWithoutUserinfo("u:p@host/team")).toBe("***@host/team");
    expect(addressWithoutUserinfo("https://u:p@host/team")).toBe("https://***@host/team");
    expect(addressWithoutUserinfo("host:5000/team@sha256:00")).toBe("host:5000/team@sha256:00");
  });

  it("never stand in a message", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9%._~!$&'()*+,;=:-]{4,20}$/);
    fc.assert(
      fc.property(word, (secret) => {
        expect(withoutUserinfo(`cannot reach https://x${secret}x@host/y: refused`)).not.toContain(
          `x${secret}x`,
        );
      }),
    );
  });
});
