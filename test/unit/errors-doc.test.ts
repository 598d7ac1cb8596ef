import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../src/errors.ts";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/errors.md", root), "utf8");

/** The sections of the page, by code. */
const sections = page
  .split(/^### /m)
  .slice(1)
  .map((text) => ({ code: /^.*/.exec(text)?.[0] ?? "", text }));

/** All of src/ but the list of codes itself, as one text: errorOf, below the list, counts as a use. */
const sources = readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(new URL(`src/${path}`, root), "utf8"))
  .join("\n")
  .replace(/export const ERRORS = \{[\s\S]*?\n\} as const/, "");

describe("docs/errors.md", () => {
  it("has one section for each code of src/errors.ts, in its order, and no other", () => {
    expect(sections.map(({ code }) => code)).toEqual(Object.keys(ERRORS));
  });

  it.each(sections)("tells the exit code, an example and a fix of $code", ({ code, text }) => {
    expect(/^Exit (\d+)\. \S/m.exec(text)?.[1]).toBe(String(ERRORS[code as keyof typeof ERRORS]));
    const example = /^```(?:text|json)\n([\s\S]+?)\n```$/m.exec(text)?.[1];
    expect(example).toMatch(new RegExp(`^error ${code}: \\S|"code": "${code}"`, "m"));
    expect(text).toMatch(/^Fix: \S/m);
  });

  it("names every exit code in its table", () => {
    const table = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(table).toEqual([0, 1, 2, 3, 70, 130]);
    expect([...new Set(Object.values(ERRORS))].every((code) => table.includes(code))).toBe(true);
  });
});

describe("src/errors.ts", () => {
  it.each(Object.keys(ERRORS))("has no dead code: %s is used", (code) => {
    expect(sources).toContain(`"${code}"`);
  });
});
