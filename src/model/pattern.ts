import { type Context, createContext, Script } from "node:vm";

/** A text as a part of a regular expression that matches just it. */
export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** How many milliseconds a regular expression may take on a text. */
const PATTERN_MS = 1000;

/** How many answers are kept, and about texts of what length: cells ask the same again and again. */
const MOST_KNOWN = 10_000;
const LONGEST_KNOWN = 1000;

let world: Context | undefined;
let search: Script | undefined;

const known = new Map<string, boolean>();

/**
 * Whether a person's regular expression is found in a text. One that backtracks endlessly would block the whole process,
 * so it runs in a context of its own, which V8 stops after a second.
 * @param flags such as `u`; neither `g` nor `y`
 * @returns whether it is found, or the reason why that cannot be determined
 */
export function isFound(pattern: string, flags: string, text: string): boolean | { error: string } {
  const asked = text.length <= LONGEST_KNOWN ? JSON.stringify([flags, pattern, text]) : null;
  const answer = asked === null ? undefined : known.get(asked);
  if (answer !== undefined) return answer;
  world ??= createContext({});
  search ??= new Script("new RegExp(pattern, flags).test(text)");
  Object.assign(world, { pattern, flags, text });
  try {
    const found = search.runInContext(world, { timeout: PATTERN_MS }) as boolean;
    if (known.size >= MOST_KNOWN) known.clear();
    if (asked !== null) known.set(asked, found);
    return found;
  } catch (error) {
    // Made in another context: not an instance of this one's Error.
    const { code, message } = error as { code?: string; message: string };
    const isSlow = code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
    return {
      error: isSlow
        ? `the pattern took more than ${PATTERN_MS} ms`
        : `the pattern cannot be used: ${message}`,
    };
  } finally {
    world.text = "";
  }
}
