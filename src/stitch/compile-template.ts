import Handlebars from "handlebars";
import { FactoryError, type Place } from "../errors.ts";
import { VALUE_END, VALUE_START } from "./dockerfile.ts";
import { loop, TEST_HELPERS, truthy } from "./branches.ts";
import { BLOCKS, restrict } from "./template-language.ts";
import { type Named, placeOf, type Scope } from "./template-paths.ts";
import { LIST_HELPERS } from "./list-words.ts";
import { UnsafeValue, VALUE_HELPERS } from "./values.ts";

/** The helpers of one rendering: each gets its parameters and its place in the file, and returns finished text. */
export type Helpers = Record<string, (params: unknown[], where: Place) => string>;

/** A compiled Dockerfile.hbs. Values stand between marks in what it returns (see dockerfile.ts). */
export interface Render {
  (data: Record<string, unknown>, helpers: Helpers): string;
  /** What it calls its scope's own helpers with, in whichever branch. */
  named: Named;
}

/** A syntax error in Handlebars's own words, with the line that it names. */
function syntaxError(file: string, error: unknown): FactoryError {
  const text = error instanceof Error ? error.message : String(error);
  const lexer = /^Parse error on line (\d+):[\s\S]*?\n(-*)\^\n([\s\S]*)$/.exec(text);
  const other = /^([\s\S]*?) - (\d+):(\d+)$/.exec(text);
  const where = lexer
    ? { file, line: Number(lexer[1]) }
    : other
      ? { file, line: Number(other[2]), col: Number(other[3]) + 1 }
      : { file };
  const what = (lexer?.[3] ?? other?.[1] ?? text).replaceAll("\n", " ");
  return new FactoryError("TEMPLATE_SYNTAX", `Handlebars cannot read this: ${what}`, {
    where,
    fix: "close every {{…}} and every {{#if …}}",
    cause: error,
  });
}

/** Handlebars parses nested blocks with nested calls, and its time grows faster than the text. */
const MAX_NESTING = 100;

/** How deep blocks are nested (an `{{else if …}}` counts as one inside the last), or parentheses in a call. */
function nesting(text: string): number {
  const blocks: number[] = [];
  let depth = 0;
  let calls = 0;
  let inCall = false;
  let deepest = 0;
  for (const [token, sign, word] of text.matchAll(/\{\{~?(?:([#/^])|(else)(?=[\s~}]))?|[()]|\}\}/g)) {
    if (token === "(" || token === ")") {
      if (inCall) calls += token === "(" ? 1 : -1;
      deepest = Math.max(deepest, calls);
      continue;
    }
    inCall = token !== "}}";
    calls = 0;
    if (sign === "/") depth -= blocks.pop() ?? 0;
    else if (sign !== undefined) {
      blocks.push(1);
      depth += 1;
    } else if (word !== undefined && blocks.length > 0) {
      blocks.push((blocks.pop() ?? 0) + 1);
      depth += 1;
    }
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/**
 * Compiles a Dockerfile.hbs: Handlebars in strict mode, restricted to the language of template-language.ts.
 * @throws FactoryError TEMPLATE_SYNTAX, TEMPLATE_HELPER, ARG_UNDECLARED, each with its line and column
 */
export function compileTemplate(file: string, text: string, scope: Scope): Render {
  if (/[\u0001-\u0008\u000e-\u001f\u007f]/.test(text)) {
    throw new FactoryError("TEMPLATE_SYNTAX", "the file has a control character", {
      where: { file },
      fix: "remove it",
    });
  }
  if (nesting(text) > MAX_NESTING) {
    throw new FactoryError("TEMPLATE_SYNTAX", `more than ${MAX_NESTING} blocks or parentheses are nested`, {
      where: { file },
      fix: "nest fewer of them",
    });
  }
  let program: hbs.AST.Program;
  try {
    program = Handlebars.parse(text);
  } catch (error) {
    throw syntaxError(file, error);
  }
  const named = restrict(file, program, scope);

  const instance = Handlebars.create();
  for (const name of Object.keys(instance.helpers)) instance.unregisterHelper(name);
  for (const [name, test] of Object.entries(TEST_HELPERS))
    // Handlebars adds its options as the last argument.
    instance.registerHelper(name, (...params: unknown[]) => test(params.slice(0, -1)));
  for (const wanted of [true, false]) {
    instance.registerHelper(
      wanted ? "if" : "unless",
      function (this: unknown, value: unknown, { fn, inverse }: Handlebars.HelperOptions) {
        return truthy(value) === wanted ? fn(this) : inverse(this);
      },
    );
  }
  let rounds = 0;
  instance.registerHelper(
    "each",
    function (this: unknown, value: unknown, options: Handlebars.HelperOptions & hbs.AST.Node) {
      const { fn, inverse } = options;
      const data = options.data as Record<string, unknown>;
      return loop(value, {
        where: placeOf(file, options),
        count: () => (rounds += 1),
        write: (variables) => fn(this, { data: { ...data, ...variables } }),
        otherwise: () => inverse(this),
      });
    },
  );
  for (const [name, write] of Object.entries(VALUE_HELPERS)) {
    instance.registerHelper(name, (value: unknown, call: hbs.AST.Node) => {
      try {
        return VALUE_START + write(value) + VALUE_END;
      } catch (error) {
        if (!(error instanceof UnsafeValue)) throw error;
        throw new FactoryError("ARG_UNSAFE", error.message, { where: placeOf(file, call), fix: error.fix });
      }
    });
  }
  const names = [
    ...BLOCKS,
    ...Object.keys(TEST_HELPERS),
    ...Object.keys(VALUE_HELPERS),
    ...LIST_HELPERS,
    ...Object.keys(scope.helpers),
  ];
  const run = instance.compile(program, {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: Object.fromEntries(names.map((name) => [name, true])),
    preventIndent: true,
  });
  const render = (data: Record<string, unknown>, helpers: Helpers): string => {
    const own = Object.fromEntries(
      Object.entries(helpers).map(([name, helper]) => [
        name,
        // Handlebars adds its options, with the place of the call, as the last argument.
        (...args: unknown[]) => helper(args.slice(0, -1), placeOf(file, args.at(-1) as hbs.AST.Node)),
      ]),
    );
    rounds = 0;
    return run(data, { helpers: own });
  };
  return Object.assign(render, { named });
}
