import type { Place } from "../errors.ts";
import { didYouMean } from "../catalog/suggest.ts";
import {
  isPath,
  type Kind,
  type Loops,
  type Named,
  pathChecker,
  placeOf,
  refuser,
  type Scope,
} from "./template-paths.ts";
import { VALUE_HELPERS } from "./values.ts";

/** Block helpers. */
export const BLOCKS: ReadonlySet<string> = new Set(["if", "unless", "each"]);

/** Helpers for conditions, with the number of values that each takes, and an example. */
const TESTS: ReadonlyMap<string, { least: number; most: number; what: string; example: string }> = new Map([
  ["eq", { least: 2, most: 2, what: "compares two values", example: '(eq args.variant "slim")' }],
  ["in", { least: 2, most: 2, what: "takes a value and a list", example: "(in args.mode args.modes)" }],
  ["and", { least: 2, most: 20, what: "takes two conditions or more", example: "(and args.a args.b)" }],
  ["or", { least: 2, most: 20, what: "takes two conditions or more", example: "(or args.a args.b)" }],
  ["not", { least: 1, most: 1, what: "takes one condition", example: "(not args.debug)" }],
]);

/** How deep `{{#each}}` may be nested. */
const MAX_LOOPS = 3;

type Node = hbs.AST.Node & { type: string };

/**
 * Checks that a parsed Dockerfile.hbs uses only the closed language, and rewrites it to what is compiled: each bare
 * `{{path}}` to `{{plain path}}`, and `this` and `@key` to variables that only `{{#each}}` sets.
 * @returns what it calls its scope's own helpers with
 * @throws FactoryError TEMPLATE_SYNTAX, TEMPLATE_HELPER, ARG_UNDECLARED, each with its line and column
 */
export function restrict(file: string, program: hbs.AST.Program, scope: Scope): Named {
  const named: Named = {};
  const helperNames = [...Object.keys(VALUE_HELPERS), "words", ...Object.keys(scope.helpers)];
  const shownHelpers = helperNames.filter((name) => name !== "plain");

  const refuse = refuser(file);
  const checkPath = pathChecker(file, scope, shownHelpers);

  const wantScalar = (node: hbs.AST.Expression, kind: Kind) => {
    if (kind === "scalar" || !isPath(node)) return;
    const each = `{{#each ${node.original}}} … {{/each}}`;
    refuse(
      node,
      "TEMPLATE_SYNTAX",
      `\`${node.original}\` is a ${kind}, not one value`,
      kind === "list"
        ? `use {{words ${node.original}}}, or ${each} with {{this}}`
        : `use ${each} with {{@key}} and {{this}}`,
    );
  };

  const wantList = (node: hbs.AST.Expression, kind: Kind, by: string) => {
    if (kind === "list") return;
    const shown = isPath(node) ? `\`${node.original}\`` : "this";
    refuse(
      node,
      "TEMPLATE_SYNTAX",
      `\`${by}\` takes a list, and ${shown} is ${kind === "map" ? "a map" : "one value"}`,
      "name an argument with `type: list`",
    );
  };

  /** The parameters of `words` and `json` of a list: also whether its items may start with `-`. `json` becomes `array`. */
  const listCall = (node: hbs.AST.MustacheStatement, param: hbs.AST.Expression): hbs.AST.Expression[] => {
    const path = node.path as hbs.AST.PathExpression;
    if (path.original === "json") node.path = { ...path, parts: ["array"], original: "array" };
    const value = isPath(param) && scope.flags.has(param.original);
    const flags: hbs.AST.BooleanLiteral = { type: "BooleanLiteral", value, original: value, loc: node.loc };
    return [param, flags];
  };

  /** A value or a condition, and what it means. */
  const checkOperand = (node: hbs.AST.Expression, loops: Loops): Kind => {
    if (isPath(node)) return checkPath(node, loops);
    if (node.type === "SubExpression") {
      const call = node as hbs.AST.SubExpression;
      const name = call.path.original;
      const test = TESTS.get(name);
      if (!test)
        return refuse(
          node,
          "TEMPLATE_HELPER",
          `\`${name}\` may not be used inside parentheses`,
          `there are: ${[...TESTS.keys()].join(", ")}`,
        );
      const { length } = call.params;
      if (length < test.least || length > test.most || call.hash)
        refuse(node, "TEMPLATE_SYNTAX", `\`${name}\` ${test.what}`, `such as ${test.example}`);
      const kinds = call.params.map((param) => checkOperand(param, loops));
      for (const [at, param] of call.params.entries()) {
        const kind = kinds[at] ?? "scalar";
        if (name === "in" && at === 1) wantList(param, kind, "in");
        else if (name === "eq" || name === "in") wantScalar(param, kind);
      }
      return "scalar";
    }
    if (!/^(String|Number|Boolean)Literal$/.test(node.type)) {
      refuse(
        node,
        "TEMPLATE_SYNTAX",
        `${node.type} is not part of the template language`,
        "use a path, a text, a number or a boolean",
      );
    }
    return "scalar";
  };

  const checkMustache = (node: hbs.AST.MustacheStatement, loops: Loops) => {
    if (!node.escaped)
      refuse(
        node,
        "TEMPLATE_SYNTAX",
        "`{{{` and `{{&` are not part of the template language",
        "use {{…}}: values are checked, never changed",
      );
    const path = node.path as hbs.AST.PathExpression;
    if (path.type !== "PathExpression")
      refuse(node, "TEMPLATE_SYNTAX", "a literal needs no braces", "write the text itself");
    if (node.hash)
      refuse(node, "TEMPLATE_SYNTAX", `\`${path.original}\` takes no named parameters`, "remove them");
    if (shownHelpers.includes(path.original)) {
      const name = path.original;
      const wanted = scope.helpers[name] ?? 1;
      if (node.params.length !== wanted) {
        refuse(
          node,
          "TEMPLATE_SYNTAX",
          `\`${name}\` takes ${wanted} parameter${wanted === 1 ? "" : "s"}, not ${node.params.length}`,
          "correct the call",
        );
      }
      for (const param of node.params) {
        const kind = checkOperand(param, loops);
        if (name === "words") wantList(param, kind, "words");
        else if (kind === "map" || name !== "json") wantScalar(param, kind);
        if (kind === "list") node.params = listCall(node, param);
      }
      if (Object.hasOwn(scope.helpers, name) && node.params.some((param) => param.type !== "StringLiteral")) {
        refuse(node, "TEMPLATE_SYNTAX", `\`${name}\` takes a text in quotes`, `such as {{${name} "name"}}`);
      }
      for (const param of Object.hasOwn(scope.helpers, path.original) ? node.params : []) {
        const texts = (named[path.original] ??= new Map<string, Place>());
        const { value } = param as hbs.AST.StringLiteral;
        if (!texts.has(value)) texts.set(value, placeOf(file, node));
      }
      return;
    }
    if (node.params.length > 0) {
      const guess = didYouMean(path.original, helperNames);
      refuse(
        node,
        "TEMPLATE_HELPER",
        `there is no helper named \`${path.original}\``,
        guess ? `did you mean \`${guess}\`?` : `there are: ${shownHelpers.join(", ")}`,
      );
    }
    wantScalar(path, checkPath(path, loops));
    node.params = [path];
    node.path = {
      ...path,
      parts: ["plain"],
      original: "plain",
      data: false,
      depth: 0,
    };
  };

  const checkBlock = (node: hbs.AST.BlockStatement, loops: Loops) => {
    const name = node.path.original;
    if (!BLOCKS.has(name)) {
      const guess = didYouMean(name, [...BLOCKS]);
      refuse(
        node,
        "TEMPLATE_HELPER",
        `there is no block helper named \`${name}\``,
        guess ? `did you mean \`${guess}\`?` : `there are: ${[...BLOCKS].join(", ")}`,
      );
    }
    const isEach = name === "each";
    const [param] = node.params;
    const names = node.program.blockParams ?? node.inverse?.blockParams;
    if (!param || node.params.length !== 1 || node.hash || names)
      return refuse(
        node,
        "TEMPLATE_SYNTAX",
        `\`#${name}\` takes one ${isEach ? "list or map" : "condition"}`,
        `such as {{#${name} ${isEach ? "args.packages" : "args.debug"}}}`,
      );
    const kind = checkOperand(param, loops);
    if (isEach && kind === "scalar")
      refuse(
        param,
        "TEMPLATE_SYNTAX",
        `\`#each\` takes a list or a map, and ${isPath(param) ? `\`${param.original}\`` : "this"} is one value`,
        "name an argument with `type: list` or `type: map`",
      );
    if (isEach && loops.length >= MAX_LOOPS)
      refuse(node, "TEMPLATE_SYNTAX", `more than ${MAX_LOOPS} {{#each}} are nested`, "nest fewer of them");
    walk(node.program, isEach && kind !== "scalar" ? [...loops, kind] : loops);
    if (node.inverse) walk(node.inverse, loops);
  };

  const walk = (block: hbs.AST.Program, loops: Loops) => {
    for (const node of block.body as Node[]) {
      if (node.type === "MustacheStatement") checkMustache(node as hbs.AST.MustacheStatement, loops);
      else if (node.type === "BlockStatement") checkBlock(node as hbs.AST.BlockStatement, loops);
      else if (node.type !== "ContentStatement" && node.type !== "CommentStatement") {
        refuse(
          node,
          "TEMPLATE_SYNTAX",
          "partials and decorators are not part of the template language",
          "write the text out, or make it a fragment",
        );
      }
    }
  };
  walk(program, []);
  return named;
}
