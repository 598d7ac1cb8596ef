import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { repository } from "./workspace.ts";

const folder = join(repository, "test/attacks");

/** The points of the tables, in their order. */
const POINTS = [...readFileSync(join(folder, "README.md"), "utf8").matchAll(/^\| ([AB89][\d.]+) \|/gm)].map(
  ([, point = ""]) => point,
);

/** What a call comes from: `it` of `it.each(…)("…")`. */
function rootOf(node: ts.Expression): string {
  if (ts.isCallExpression(node) || ts.isPropertyAccessExpression(node)) return rootOf(node.expression);
  return ts.isIdentifier(node) ? node.text : "";
}

/** The names of the tests in a text: all that is given to `it`, `test` or one that was made of them (`itWithMounts`). */
function namesIn(text: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(it|test)([A-Z]|$)/.test(rootOf(node))) {
      const [name] = node.arguments;
      if (name && (ts.isStringLiteralLike(name) || ts.isTemplateExpression(name)))
        names.push(ts.isTemplateExpression(name) ? name.head.text : name.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest, true));
  return names;
}

const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".test.ts"))
  .flatMap((path) =>
    namesIn(readFileSync(join(folder, path), "utf8")).map((name) => ({
      path,
      name,
      point: /^([AB89][\d.]+) /.exec(name)?.[1] ?? "",
    })),
  );

describe("the tests of attacks", () => {
  it("are found, however they are declared", () => {
    const text =
      'it("a", () => {}); it.each([])("b %s", () => {}); test.skipIf(no)(\n"c", () => {}); itWith.each(x)(`d ${y}`, z)';
    expect(namesIn(text)).toEqual(["a", "b %s", "c", "d "]);
    expect(names.length).toBeGreaterThan(150);
  });

  it("name a point of the tables, each of them", () => {
    expect(names.filter(({ point }) => !POINTS.includes(point))).toEqual([]);
  });

  it("leave no point without one", () => {
    expect(POINTS.slice(0, 9)).toEqual(["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9"]);
    expect(POINTS.filter((point) => point.startsWith("B2."))).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((part) => `B2.${part}`),
    );
    const held = new Set(names.map(({ point }) => point));
    expect(POINTS.filter((point) => !held.has(point))).toEqual([]);
  });
});
