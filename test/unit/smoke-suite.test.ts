import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, sizeText } from "../../src/model/bytes.ts";
import type { DeclaredTest } from "../../src/model/smoke.ts";
import { checkOf, effectiveTests, suiteHash as hashOfSuite } from "../../src/model/suite.ts";
import { NO_SCRIPTS } from "./no-scripts.ts";

const suiteHash = (tests: readonly DeclaredTest[], gpus?: "all" | number) =>
  hashOfSuite(tests, NO_SCRIPTS.text, gpus);

const declared = (test: Omit<DeclaredTest, "id" | "from">): DeclaredTest => ({
  id: "x",
  from: "core",
  ...test,
});

describe("effectiveTests", () => {
  it("takes the fragments' tests in order, then the manifest's, and tells where each is from", () => {
    const a = { id: "a", budget: { layers: 1 } };
    const b = { id: "b", budget: { layers: 2 } };
    const tests = effectiveTests(
      [
        { name: "two", folder: "f", smoke: [b, a] },
        { name: "none", folder: "f" },
        { name: "one", folder: "f", smoke: [a] },
      ],
      [a],
    );
    expect(tests.map(({ from, id }) => `${from}/${id}`)).toEqual(["two/b", "two/a", "one/a", "manifest/a"]);
  });

  it("gives no tests for no declarations", () => {
    expect(effectiveTests([])).toEqual([]);
  });
});

describe("suiteHash", () => {
  const same: [string, Omit<DeclaredTest, "id" | "from">, Omit<DeclaredTest, "id" | "from">][] = [
    ["summary", { summary: "what", budget: { layers: 1 } }, { budget: { layers: 1 } }],
    ["exit code", { command: { argv: ["a"], exit_code: 0 } }, { command: { argv: ["a"] } }],
    [
      "http defaults",
      { http: { port: 1, path: "/", method: "GET", status: 200, headers: {}, body: "" } },
      { http: { port: 1, path: "/" } },
    ],
    [
      "header case",
      { http: { port: 1, path: "/", headers: { Accept: "x" } } },
      { http: { port: 1, path: "/", headers: { accept: "x" } } },
    ],
    ["existence", { file: { path: "/a", exists: true } }, { file: { path: "/a" } }],
    ["mode", { file: { path: "/a", mode: "0644" } }, { file: { path: "/a", mode: "644" } }],
    ["long mode", { file: { path: "/a", mode: "04755" } }, { file: { path: "/a", mode: "4755" } }],
    ["ports", { config: { ports: ["8080", "53/udp"] } }, { config: { ports: ["53/udp", "8080/tcp"] } }],
    ["config maps", { config: { user: "a", env: {}, labels: {} } }, { config: { user: "a" } }],
    ["size", { budget: { size: "300 MB" } }, { budget: { size: "300.0MB" } }],
  ];
  it.each(same)("is the same where only the writing of the %s differs", (_, one, other) => {
    expect(suiteHash([declared(one)])).toBe(suiteHash([declared(other)]));
  });

  const base: DeclaredTest = declared({ http: { port: 1, path: "/" } });
  const different: [string, DeclaredTest[], ("all" | number)?][] = [
    ["the source", [{ ...base, from: "light" }]],
    ["the id", [{ ...base, id: "y" }]],
    ["the time-out", [{ ...base, timeout_s: 60 }]],
    ["a value", [declared({ http: { port: 1, path: "/", status: 201 } })]],
    ["a match", [declared({ http: { port: 1, path: "/", response: { contains: "a" } } })]],
    ["the number of tests", [base, base]],
    ["the GPUs", [base], "all"],
    ["the number of GPUs", [base], 1],
  ];
  it.each(different)("differs with %s", (_, tests, gpus) => {
    expect(suiteHash(tests, gpus)).not.toBe(suiteHash([base]));
  });

  it("keeps to the order of the tests", () => {
    const other = declared({ budget: { layers: 1 } });
    expect(suiteHash([base, other])).not.toBe(suiteHash([other, base]));
  });

  it("stays what it is: a change of the scheme needs a new name", () => {
    expect(suiteHash([])).toMatchInlineSnapshot(
      `"sha256:7e5b20f9e9b59122efc26947bf92a986d496cf17e24a75c87c5b6325cdbf1df6"`,
    );
  });
});

describe("checkOf", () => {
  it("gives nothing for a test that checks nothing", () => {
    expect(checkOf({ id: "x" }, NO_SCRIPTS.text)).toBeUndefined();
  });
});

describe("bytesOf", () => {
  it.each([
    ["0 B", 0],
    ["1kB", 1000],
    ["1 KiB", 1024],
    ["1.5 MB", 1_500_000],
    ["0.5GiB", 536_870_912],
  ])("reads %s", (size, bytes) => expect(bytesOf(size)).toBe(bytes));

  it("refuses what is no size", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\d/.test(text));
        expect(() => bytesOf(text)).toThrow(RangeError);
      }),
    );
  });

  it("comes near to what sizeText wrote", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (bytes) => {
        expect(Math.abs(bytesOf(sizeText(bytes)) - bytes)).toBeLessThanOrEqual(bytes * 0.05);
      }),
    );
  });
});
