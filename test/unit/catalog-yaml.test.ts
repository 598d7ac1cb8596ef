import fc from "fast-check";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { parseYaml } from "../../src/catalog/yaml.ts";

/** `CODE line:col fix` of every finding. */
function said(text: string): string[] {
  return parseYaml(text, "x.yaml").findings.map(
    ({ code, where, fix }) => `${code} ${where?.line}:${where?.col} ${fix}`,
  );
}

describe("parseYaml", () => {
  it.each([
    ["a: 1\nb:\n\tc: 1\n", "YAML_SYNTAX 3:1"],
    ["a: [1\n", "YAML_SYNTAX 2:1"],
    ["a: 'x", "YAML_SYNTAX 1:6"],
    ["a: b: c", "YAML_SYNTAX 1:4"],
    ["a: >=0.1 <0.3", 'YAML_SYNTAX 1:5 quote the value: ">=0.1 <0.3"'],
    ["core: *", 'YAML_SYNTAX 1:7 quote the value: "*"'],
    ["a: 1\na: 2\n", "YAML_DUPLICATE_KEY 2:1"],
    ["a: {b: 1, b: 2}", "YAML_DUPLICATE_KEY 1:11"],
    ["a: &x 1\nb: *x\n", "YAML_ALIAS 1:7"],
    ["&x a: 1", "YAML_ALIAS 1:4"],
    ["*x : 1", "YAML_ALIAS 1:1"],
    ["a: !!binary aGk=", "YAML_UNSUPPORTED 1:13"],
    ["a: !env HOME", "YAML_UNSUPPORTED 1:9"],
    ["!!map a: 1", "YAML_UNSUPPORTED 1:7"],
    ["%YAML 1.1\n---\na: yes\n", "YAML_UNSUPPORTED 1:1"],
    ["a: 1\n---\nb: 2\n", "YAML_UNSUPPORTED 2:1"],
    ["__proto__: {x: 1}", "YAML_KEY 1:1"],
    ["a:\n  constructor: 1\n", "YAML_KEY 2:3"],
    ["a: {prototype: 1}", "YAML_KEY 1:5"],
    ["8080: x", 'YAML_KEY 1:1 quote it: "8080"'],
    ["[a]: x", "YAML_KEY 1:1"],
    ["a: 12345678901234567890", 'SCHEMA 1:4 quote it if it is meant as text: "12345678901234567890"'],
    ['a: "\\uD800"', "SCHEMA 1:4"],
  ])("finds what is wrong with %j once", (text, start) => {
    const findings = said(text);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toContain(start);
  });

  it("gives every broken place, without the echoes of each", () => {
    expect(said("a: >=1\nb: 1\n\n\nc: [1\n\n\n").map((one) => one.split(" ")[1])).toEqual(["1:5", "8:1"]);
    expect(said("a: 1\na: 2\n8: 3\n__proto__: 4\n")).toHaveLength(3);
  });

  it("keeps what stands around a refused value", () => {
    const parsed = parseYaml("a: &x 1\nb: [*x, 2]\nc: 3\n__proto__: {d: 4}\n", "x.yaml");
    expect(parsed.value).toEqual({ a: null, b: [null, 2], c: 3 });
    expect(parsed.holes).toEqual([["a"], ["b", 0]]);
    expect(({} as { d?: number }).d).toBeUndefined();
  });

  it("knows nothing of merge keys and old booleans", () => {
    expect(parseYaml("<<: {a: 1}\nb: yes\nc: 012\n", "x.yaml").value).toEqual({
      "<<": { a: 1 },
      b: "yes",
      c: 12,
    });
  });

  it.each([
    ["[", "YAML_SYNTAX"],
    ["{", "YAML_SYNTAX"],
    ["- ", "YAML_SYNTAX"],
    ["? ", "YAML_SYNTAX"],
    ["a: ", "YAML_SYNTAX"],
    ["]\n", "YAML_SYNTAX"],
    ["k: 1,", "YAML_SYNTAX"],
    ["---\n", "FILE_TOO_LARGE"],
    ["*a\n", "FILE_TOO_LARGE"],
    ["- a\n", "FILE_TOO_LARGE"],
  ])("survives a mebibyte of %j", (part, code) => {
    const [first] = parseYaml(part.repeat(Math.floor(2 ** 20 / part.length)), "x.yaml").findings;
    expect([code, "FILE_TOO_LARGE"]).toContain(first?.code);
  });

  it("refuses an alias bomb with one finding", () => {
    const lines = Array.from(
      { length: 30 },
      (_, i) =>
        `a${i}: &a${i} [${Array(9)
          .fill(i ? `*a${i - 1}` : "lol")
          .join(", ")}]`,
    );
    expect(said(lines.join("\n"))).toHaveLength(1);
  });

  it("reads what JSON can say as the library does", () => {
    const json = fc
      .jsonValue()
      .filter((value) => !/__proto__|constructor|prototype|\p{Surrogate}/u.test(JSON.stringify(value)));
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value);
        const parsed = parseYaml(text, "x.yaml");
        if (parsed.findings.length === 0) expect(parsed.value).toEqual(parse(text));
        else expect(parsed.findings.map(({ what }) => what).join()).toMatch(/too large|surrogate|twice/);
      }),
    );
  });

  it("gives places inside the file for any text", () => {
    const piece = fc.constantFrom(
      ..."ab:- \n\t[]{}\"'#&*!|>%@,?0.~\\<=\ufeff\u2028é💥".split(""),
      "a: ",
      "\n  ",
      "- ",
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
        (text) => {
          const lines = text.split("\n");
          for (const { where } of parseYaml(text, "x.yaml").findings) {
            expect(where?.line).toBeGreaterThanOrEqual(1);
            expect(where?.line).toBeLessThanOrEqual(lines.length);
            expect(where?.col).toBeLessThanOrEqual((lines[(where?.line ?? 1) - 1]?.length ?? 0) + 1);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
