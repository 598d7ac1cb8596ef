import type { TextMatch } from "../schemas/types.ts";
import { finding } from "./outcome.ts";
import type { Finding } from "./outcome.ts";
import { quoted } from "./text.ts";

/** The milliseconds that a regular expression may take on a text. */
const PATTERN_MS = 1000;

/** Room for each of the texts of a finding, so that several fit into one result. */
const SHOWN = 200;

function withoutLastNewline(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

/**
 * Whether the pattern (flags `mu`) is found. A pattern that backtracks without end would hold the whole process, so it
 * runs in a context of its own, which V8 stops after a second; the process waits that long at most.
 */
async function found(pattern: string, text: string): Promise<boolean | { error: string }> {
  const { runInNewContext } = await import("node:vm");
  try {
    const values = { pattern, text };
    return runInNewContext('new RegExp(pattern, "mu").test(text)', values, {
      timeout: PATTERN_MS,
    }) as boolean;
  } catch (error) {
    // Made in another context: not an instance of this one's Error.
    const { code, message } = error as { code?: string; message: string };
    if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT")
      return { error: `the pattern took more than ${PATTERN_MS} ms` };
    return { error: `the pattern cannot be used: ${message}` };
  }
}

/**
 * Holds a text to what it must be.
 * @param name what the text is, for people: `stdout`
 * @param match null for anything
 */
export async function matchText(name: string, match: TextMatch | null, text: string): Promise<Finding[]> {
  const actual = `${name} ${text === "" ? "is empty" : `is ${quoted(text, SHOWN)}`}`;
  const findings: Finding[] = [];
  if (match?.equals !== undefined) {
    const equal = text === match.equals || withoutLastNewline(text) === match.equals;
    findings.push(finding(equal, `${name} equals ${quoted(match.equals, SHOWN)}`, actual));
  }
  if (match?.contains !== undefined) {
    const contained = text.includes(match.contains);
    findings.push(finding(contained, `${name} contains ${quoted(match.contains, SHOWN)}`, actual));
  }
  if (match?.matches !== undefined) {
    const expected = `${name} matches /${match.matches}/`;
    const result = await found(match.matches, text);
    findings.push(
      typeof result === "boolean"
        ? finding(result, expected, actual)
        : { status: "error", expected, actual: result.error },
    );
  }
  return findings;
}
