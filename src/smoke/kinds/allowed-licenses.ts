import parse from "spdx-expression-parse";

/** A parsed SPDX expression. */
type Expression =
  | { license: string; plus?: true; exception?: string }
  | { left: Expression; conjunction: "and" | "or"; right: Expression };

/** SPDX's word for: nothing says it. */
const UNKNOWN = "NOASSERTION";

/** The parser calls itself for each parenthesis. */
const LONGEST = 1000;

function expressionOf(text: string): Expression | null {
  if (text.length > LONGEST) return null;
  try {
    return parse(text) as Expression;
  } catch {
    return null;
  }
}

const leafText = ({ license, plus, exception }: Extract<Expression, { license: string }>): string =>
  `${license}${plus ? "+" : ""}${exception === undefined ? "" : ` WITH ${exception}`}`;

/** What may stand in a list of allowed licences, as it is compared: one licence, with its exception, or a name that is no SPDX. */
function entryOf(text: string): string {
  const expression = expressionOf(text);
  return expression && "license" in expression ? leafText(expression) : text;
}

function holds(expression: Expression, allowed: ReadonlySet<string>): boolean {
  if ("license" in expression) return allowed.has(leafText(expression));
  const { left, right, conjunction } = expression;
  return conjunction === "and"
    ? holds(left, allowed) && holds(right, allowed)
    : holds(left, allowed) || holds(right, allowed);
}

/**
 * Tells whether what a package says of its licence is allowed: each of its texts is, and of an SPDX expression one of two joined by
 * `OR` is enough. `GPL-2.0-or-later` is that licence, not a choice of later ones.
 */
export function allowedBy(list: readonly string[]): (licenses: readonly string[]) => boolean {
  const allowed = new Set(list.map(entryOf));
  return (licenses) => {
    if (licenses.length === 0) return allowed.has(UNKNOWN);
    return licenses.every((text) => {
      const expression = expressionOf(text);
      return expression ? holds(expression, allowed) : allowed.has(text);
    });
  };
}
