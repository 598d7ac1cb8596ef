import { FactoryError, type Place } from "../errors.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { VALUE_HELPERS } from "./values.ts";

/** What a Dockerfile.hbs may name, by the kind of file it is. */
export interface Scope {
  /** The allowed first words of a path, each with its allowed second words, or null if it takes none. */
  roots: Record<string, readonly string[] | null>;
  /** Helpers of this kind of file beside the common ones, with the number of texts that each takes. */
  helpers: Record<string, number>;
  /** The paths that mean a list or a map: `args.packages`. All others mean a text, a number or a boolean. */
  kinds: ReadonlyMap<string, "list" | "map">;
  /** The lists whose declaration itself names items that start with `-`: `words` writes those. */
  flags: ReadonlySet<string>;
}

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

/** What `this` and `@key` mean at a place: the kinds of the enclosing `{{#each}}` blocks, outermost first. */
type Loops = readonly ("list" | "map")[];

/** The line and column (both from 1) of a node. */
export function placeOf(file: string, node: hbs.AST.Node): Place {
  return { file, line: node.loc.start.line, col: node.loc.start.column + 1 };
}

function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === "PathExpression";
}

/** The texts that calls of a scope's own helpers have, each with its first place, by helper. */
export type Named = Record<string, Map<string, Place>>;

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

  const refuse = (
    node: hbs.AST.Node,
    code: "TEMPLATE_SYNTAX" | "TEMPLATE_HELPER",
    what: string,
    fix: string,
  ): never => {
    throw new FactoryError(code, what, { where: placeOf(file, node), fix });
  };

  /** Checks a path, rewrites it if it is a loop's, and says what it means. */
  const checkPath = (path: hbs.AST.PathExpression, loops: Loops): "scalar" | "list" | "map" => {
    const isThis = path.original === "this";
    if (isThis || path.original === "@key") {
      const kind = loops.at(-1);
      if (kind === undefined)
        refuse(
          path,
          "TEMPLATE_SYNTAX",
          `\`${path.original}\` only means something inside of {{#each}}`,
          "such as {{#each args.packages}}{{this}}{{/each}}",
        );
      if (!isThis && kind !== "map")
        refuse(path, "TEMPLATE_SYNTAX", "the items of a list have no `@key`", "use {{this}}");
      Object.assign(path, { data: true, depth: 0, parts: [isThis ? "item" : "key"] });
      return "scalar";
    }
    const [root = "", second, ...more] = path.parts.map(String);
    if (path.depth > 0 || path.data || path.original.startsWith("this")) {
      refuse(
        path,
        "TEMPLATE_SYNTAX",
        `\`${path.original}\` is not part of the template language`,
        "name a value in full, such as args.port",
      );
    }
    if (!Object.hasOwn(scope.roots, root)) {
      const known = [...Object.keys(scope.roots), ...shownHelpers];
      const guess = didYouMean(root, known);
      refuse(
        path,
        "TEMPLATE_HELPER",
        `there is no helper and no value named \`${path.original}\` here`,
        guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ")}`,
      );
    }
    const allowed = scope.roots[root];
    if (allowed === null && second === undefined) return "scalar";
    if (!allowed || second === undefined || more.length > 0 || !allowed.includes(second)) {
      const names = (allowed ?? []).map((name) => `${root}.${name}`);
      const guess = didYouMean(path.original, names);
      throw new FactoryError(
        root === "args" ? "ARG_UNDECLARED" : "TEMPLATE_HELPER",
        `\`${path.original}\` is not declared`,
        {
          where: placeOf(file, path),
          fix: guess
            ? `did you mean \`${guess}\`?`
            : `declare it under \`${root}:\` in fragment.yaml; declared: ${names.join(", ") || "none"}`,
        },
      );
    }
    return scope.kinds.get(`${root}.${second}`) ?? "scalar";
  };

  const wantScalar = (node: hbs.AST.Expression, kind: "scalar" | "list" | "map") => {
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

  const wantList = (node: hbs.AST.Expression, kind: "scalar" | "list" | "map", by: string) => {
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
  const checkOperand = (node: hbs.AST.Expression, loops: Loops): "scalar" | "list" | "map" => {
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
