import { didYouMean } from "../catalog/suggest.ts";
import { FactoryError, type Place } from "../errors.ts";

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

/** What a value is: a text, a number or a boolean, or many of them. */
export type Kind = "scalar" | "list" | "map";

/** What `this` and `@key` mean at a place: the kinds of the enclosing `{{#each}}` blocks, outermost first. */
export type Loops = readonly ("list" | "map")[];

/** The line and column (both from 1) of a node. */
export function placeOf(file: string, node: hbs.AST.Node): Place {
  return { file, line: node.loc.start.line, col: node.loc.start.column + 1 };
}

/** Whether a part of a template is a path. */
export function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === "PathExpression";
}

/** The texts that calls of a scope's own helpers have, each with its first place, by helper. */
export type Named = Record<string, Map<string, Place>>;

/** Throws an error about a node, with its place. */
export function refuser(
  file: string,
): (node: hbs.AST.Node, code: "TEMPLATE_SYNTAX" | "TEMPLATE_HELPER", what: string, fix: string) => never {
  return (node, code, what, fix) => {
    throw new FactoryError(code, what, { where: placeOf(file, node), fix });
  };
}

/**
 * Makes what checks a path, rewrites it if it is a loop's, and says what it means.
 * @param helpers names for people who mistype one
 * @throws FactoryError TEMPLATE_SYNTAX, TEMPLATE_HELPER, ARG_UNDECLARED
 */
export function pathChecker(
  file: string,
  scope: Scope,
  helpers: readonly string[],
): (path: hbs.AST.PathExpression, loops: Loops) => Kind {
  const refuse: ReturnType<typeof refuser> = refuser(file);
  return (path, loops) => {
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
      const known = [...Object.keys(scope.roots), ...helpers];
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
}
