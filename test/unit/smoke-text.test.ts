import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchText } from "../../src/smoke/match.ts";
import { observed, outcomeOf } from "../../src/smoke/outcome.ts";
import { cut, quoted, SHOWN } from "../../src/smoke/text.ts";

describe("quoted", () => {
  it("tells different short texts apart", () => {
    const short = fc.string({ unit: "binary", maxLength: SHOWN / 2 });
    fc.assert(fc.property(short, short, (a, b) => (quoted(a) === quoted(b)) === (a === b)));
    expect(quoted("\n")).not.toBe(quoted("\\n"));
  });
});

describe("cut", () => {
  it("keeps the start and the end", () => {
    const text = `start${"-".repeat(5000)}end`;
    expect(cut(text)).toMatch(/^start-+ … 4508 characters … -+end$/);
    expect(cut("short")).toBe("short");
  });
});

describe("matchText", () => {
  const statuses = (match: Parameters<typeof matchText>[1], text: string) =>
    matchText("stdout", match, text).map(({ status }) => status);

  it.each([
    [{ equals: "a" }, "a", "pass"],
    [{ equals: "a" }, "a\n", "pass"],
    [{ equals: "a\n" }, "a\n", "pass"],
    [{ equals: "a" }, "a\n\n", "fail"],
    [{ equals: "a" }, "ab", "fail"],
    [{ equals: "" }, "", "pass"],
    [{ contains: "b" }, "abc", "pass"],
    [{ contains: "B" }, "abc", "fail"],
    [{ matches: "^b$" }, "a\nb\nc", "pass"],
    [{ matches: "^.$" }, "😀", "pass"],
    [{ matches: "^b$" }, "abc", "fail"],
    [{ matches: "(" }, "abc", "error"],
  ] as const)("holds %j against %j: %s", (match, text, status) => {
    expect(statuses(match, text)).toEqual([status]);
  });

  it("says what is asked, and what is there", () => {
    const found = (match: Parameters<typeof matchText>[1], text: string) => matchText("stdout", match, text);
    const actual = 'stdout is "a\\nb"';
    expect(found({ equals: "a\n", contains: "c", matches: "c" }, "a\nb")).toEqual([
      { status: "fail", expected: 'stdout equals "a\\n"', actual },
      { status: "fail", expected: 'stdout contains "c"', actual },
      { status: "fail", expected: "stdout matches /c/", actual },
    ]);
    expect(found({ contains: "c" }, "")).toMatchObject([{ actual: "stdout is empty" }]);
    const [broken] = found({ matches: "(" }, "");
    expect(broken?.actual).toMatch(/^the pattern cannot be used: Invalid regular expression: /);
  });

  it("looks at nothing where nothing is asked, and at all that is asked", () => {
    expect(statuses(null, "a")).toEqual([]);
    expect(statuses({ equals: "a", contains: "b", matches: "a" }, "a")).toEqual(["pass", "fail", "pass"]);
  });

  it("stops a pattern that backtracks without end", () => {
    const [found] = matchText("stdout", { matches: "^(a+)+$" }, `${"a".repeat(50)}b`);
    expect(found).toMatchObject({ status: "error", actual: "the pattern took more than 1000 ms" });
  });
});

describe("outcomeOf", () => {
  it("tells only what differed, and what was found beside it", () => {
    const outcome = outcomeOf(
      [observed(true, "a", "b"), observed(false, "c", "d"), observed(false, "e", "f")],
      ["g"],
    );
    expect(outcome).toEqual({ status: "fail", expected: "c; e", actual: "d; f; g" });
  });

  it("tells all that was looked at where nothing differed, and nothing beside it", () => {
    expect(outcomeOf([observed(true, "a", "b"), observed(true, "c", "d")], ["g"])).toEqual({
      status: "pass",
      expected: "a; c",
      actual: "b; d",
    });
    expect(outcomeOf([])).toEqual({ status: "pass", expected: "", actual: "" });
    expect(outcomeOf([observed(false, "a", "b")])).toEqual({ status: "fail", expected: "a", actual: "b" });
  });

  it("is an error where one thing could not be looked at", () => {
    const error = { status: "error" as const, expected: "a", actual: "b" };
    expect(outcomeOf([observed(false, "c", "d"), error]).status).toBe("error");
  });

  it("stays short", () => {
    const outcome = outcomeOf([observed(false, "x".repeat(9999), "y".repeat(9999))]);
    expect(outcome.expected.length + outcome.actual.length).toBeLessThan(2 * SHOWN + 100);
  });
});
