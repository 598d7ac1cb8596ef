import { isFound } from "../model/pattern.ts";
import type { TextMatch } from "../schemas/types.ts";
import { observed } from "./outcome.ts";
import type { Observation } from "./outcome.ts";
import { quoted } from "./text.ts";

/** Room for each of the texts of an observation, so that several fit into one result. */
const SHOWN = 200;

function withoutLastNewline(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

/**
 * Holds a text to what it must be.
 * @param name what the text is, for people: `stdout`
 * @param match null for anything
 */
export function matchText(name: string, match: TextMatch | null, text: string): Observation[] {
  const actual = `${name} ${text === "" ? "is empty" : `is ${quoted(text, SHOWN)}`}`;
  const findings: Observation[] = [];
  if (match?.equals !== undefined) {
    const equal = text === match.equals || withoutLastNewline(text) === match.equals;
    findings.push(observed(equal, `${name} equals ${quoted(match.equals, SHOWN)}`, actual));
  }
  if (match?.contains !== undefined) {
    const contained = text.includes(match.contains);
    findings.push(observed(contained, `${name} contains ${quoted(match.contains, SHOWN)}`, actual));
  }
  if (match?.matches !== undefined) {
    const expected = `${name} matches /${match.matches}/`;
    const result = isFound(match.matches, "mu", text);
    findings.push(
      typeof result === "boolean"
        ? observed(result, expected, actual)
        : { status: "error", expected, actual: result.error },
    );
  }
  return findings;
}
