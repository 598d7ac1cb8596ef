/** Marks where a rendered value starts and ends; neither can be part of a value. */
export const VALUE_START = "\u0001";
export const VALUE_END = "\u0002";

/** One instruction of a Dockerfile. */
export interface Instruction {
  /** In upper case, with value marks kept, such as `RUN`. */
  keyword: string;
  /** What follows the keyword on its logical line, with value marks kept. */
  rest: string;
  /** The line it starts on, from 1. */
  line: number;
  /** Delimiters of its here-documents, with value marks kept. */
  heredocs: string[];
  /** A line inside a here-document that ends it although a value is part of the line. */
  endedByValue: boolean;
}

const HEREDOC = /<<-?\s*(?:"([^"\s]+)"|'([^'\s]+)'|([^\s"'<>|;&()]+))/g;
const TAKES_HEREDOC = new Set(["RUN", "COPY", "ADD"]);

/** The text without value marks. */
export function withoutMarks(text: string): string {
  return text.replaceAll(VALUE_START, "").replaceAll(VALUE_END, "");
}

/** Whether a rendered value is part of the text. */
export function holdsValue(text: string): boolean {
  return text.includes(VALUE_START) || text.includes(VALUE_END);
}

/**
 * Splits a Dockerfile into its instructions as BuildKit's parser does: `\` at a line's end continues it, comment
 * lines are dropped (inside a continued instruction too), here-documents belong to their instruction.
 * The escape character is `\`: what Factory writes never starts with a parser directive.
 */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.split("\n");
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const first = lines[at] ?? "";
    if (first.trim() === "" || first.trimStart().startsWith("#")) continue;
    const line = at + 1;
    let logical = first;
    while (/\\[ \t]*$/.test(logical) && at + 1 < lines.length) {
      at += 1;
      const next = lines[at] ?? "";
      if (next.trimStart().startsWith("#") || next.trim() === "") continue;
      logical = logical.replace(/\\[ \t]*$/, "") + next;
    }
    const [, word = "", rest = ""] = /^\s*(\S+)\s*([\s\S]*)$/.exec(logical) ?? [];
    const keyword = word.toUpperCase();
    const instruction: Instruction = { keyword, rest, line, heredocs: [], endedByValue: false };
    if (TAKES_HEREDOC.has(withoutMarks(keyword))) {
      for (const match of rest.matchAll(HEREDOC)) {
        const delimiter = match[1] ?? match[2] ?? match[3] ?? "";
        instruction.heredocs.push(delimiter);
        const wanted = withoutMarks(delimiter);
        for (at += 1; at < lines.length; at += 1) {
          const body = lines[at] ?? "";
          const stripped = withoutMarks(body).replace(match[0].startsWith("<<-") ? /^\t+/ : /^/, "");
          if (stripped !== wanted) continue;
          instruction.endedByValue ||= holdsValue(body);
          break;
        }
      }
    }
    instructions.push(instruction);
  }
  return instructions;
}
