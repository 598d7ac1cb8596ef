import { FactoryError, type Place } from "../errors.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { VALUE_HELPERS } from "./values.ts";

/** What a Dockerfile.hbs may name, by the kind of file it is. */
export interface Scope {
  /** The allowed first words of a path, each with its allowed second words, or null if it takes none. */
  roots: Record<string, readonly string[] | null>;
  /** Helpers of this kind of file beside the common ones, with the number of texts that each takes. */
  helpers: Record<string, number>;
}

/** Block helpers, and helpers for conditions. */
export const BLOCKS: ReadonlySet<string> = new Set(["if", "unless"]);
export const TESTS: ReadonlySet<string> = new Set(["eq"]);

type Node = hbs.AST.Node & { type: string };

/** The line and column (both from 1) of a node. */
export function placeOf(file: string, node: hbs.AST.Node): Place {
  return { file, line: node.loc.start.line, col: node.loc.start.column + 1 };
}

/**
 * Checks that a parsed Dockerfile.hbs uses only the closed language, and rewrites each bare `{{path}}` to `{{plain path}}`.
 * @throws FactoryError TEMPLATE_SYNTAX, TEMPLATE_HELPER, ARG_UNDECLARED, each with its line and column
 */
export function restrict(file: string, program: hbs.AST.Program, scope: Scope): void {
  const helperNames = [...Object.keys(VALUE_HELPERS), ...Object.keys(scope.helpers)];

  const refuse = (
    node: hbs.AST.Node,
    code: "TEMPLATE_SYNTAX" | "TEMPLATE_HELPER",
    what: string,
    fix: string,
  ): never => {
    throw new FactoryError(code, what, { where: placeOf(file, node), fix });
  };

  const checkPath = (path: hbs.AST.PathExpression) => {
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
      const known = [...Object.keys(scope.roots), ...helperNames].filter((name) => name !== "plain");
      const guess = didYouMean(root, known);
      refuse(
        path,
        "TEMPLATE_HELPER",
        `there is no helper and no value named \`${path.original}\` here`,
        guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ")}`,
      );
    }
    const allowed = scope.roots[root];
    if (allowed === null && second === undefined) return;
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
  };

  const checkOperand = (node: hbs.AST.Expression): void => {
    if (node.type === "PathExpression") return checkPath(node as hbs.AST.PathExpression);
    if (node.type === "SubExpression") {
      const call = node as hbs.AST.SubExpression;
      const name = call.path.original;
      if (!TESTS.has(name))
        refuse(
          node,
          "TEMPLATE_HELPER",
          `\`${name}\` may not be used inside parentheses`,
          `there is: ${[...TESTS].join(", ")}`,
        );
      if (call.params.length !== 2 || call.hash)
        refuse(node, "TEMPLATE_SYNTAX", "`eq` compares two values", 'such as (eq args.variant "slim")');
      call.params.forEach(checkOperand);
      return;
    }
    if (!/^(String|Number|Boolean)Literal$/.test(node.type)) {
      refuse(
        node,
        "TEMPLATE_SYNTAX",
        `${node.type} is not part of the template language`,
        "use a path, a text, a number or a boolean",
      );
    }
  };

  const checkMustache = (node: hbs.AST.MustacheStatement) => {
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
    if (helperNames.includes(path.original) && path.original !== "plain") {
      const wanted = scope.helpers[path.original] ?? 1;
      if (node.params.length !== wanted) {
        refuse(
          node,
          "TEMPLATE_SYNTAX",
          `\`${path.original}\` takes ${wanted} parameter${wanted === 1 ? "" : "s"}, not ${node.params.length}`,
          "correct the call",
        );
      }
      node.params.forEach(checkOperand);
      if (
        Object.hasOwn(scope.helpers, path.original) &&
        node.params.some((param) => param.type !== "StringLiteral")
      ) {
        refuse(
          node,
          "TEMPLATE_SYNTAX",
          `\`${path.original}\` takes a text in quotes`,
          `such as {{${path.original} "name"}}`,
        );
      }
      return;
    }
    if (node.params.length > 0) {
      const guess = didYouMean(path.original, helperNames);
      refuse(
        node,
        "TEMPLATE_HELPER",
        `there is no helper named \`${path.original}\``,
        guess
          ? `did you mean \`${guess}\`?`
          : `there are: ${helperNames.filter((name) => name !== "plain").join(", ")}`,
      );
    }
    checkPath(path);
    node.params = [path];
    node.path = {
      ...path,
      parts: ["plain"],
      original: "plain",
      data: false,
      depth: 0,
    };
  };

  const checkBlock = (node: hbs.AST.BlockStatement) => {
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
    if (node.params.length !== 1 || node.hash)
      refuse(node, "TEMPLATE_SYNTAX", `\`#${name}\` takes one condition`, `such as {{#${name} args.debug}}`);
    node.params.forEach(checkOperand);
    walk(node.program);
    if (node.inverse) walk(node.inverse);
  };

  const walk = (block: hbs.AST.Program) => {
    for (const node of block.body as Node[]) {
      if (node.type === "MustacheStatement") checkMustache(node as hbs.AST.MustacheStatement);
      else if (node.type === "BlockStatement") checkBlock(node as hbs.AST.BlockStatement);
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
  walk(program);
}
