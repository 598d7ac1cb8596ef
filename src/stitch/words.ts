/** What BuildKit's flag parser treats as white space. */
const SPACE = /[\t\n\v\f\r \u0085\u00a0]/;

/**
 * Takes the flags, unquoted, off the start of what follows a keyword, as BuildKit does (extractBuilderFlags in
 * frontend/dockerfile/parser).
 */
export function takeFlags(rest: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let at = 0;
  while (at < rest.length) {
    if (SPACE.test(rest[at] ?? "")) {
      at += 1;
      continue;
    }
    if (!rest.startsWith("--", at)) return { flags, rest: rest.slice(at) };
    let word = "";
    let quote = "";
    for (; at < rest.length; at += 1) {
      let char = rest[at] ?? "";
      if (quote === "" && SPACE.test(char)) break;
      if (quote === "" ? char === "'" || char === '"' : char === quote) {
        quote = quote === "" ? char : "";
        continue;
      }
      if (char === "\\") char = rest[(at += 1)] ?? "";
      word += char;
    }
    if (word === "--") return { flags, rest: rest.slice(at) };
    flags.push(word);
  }
  return { flags, rest: "" };
}

/** The fields of a line of comma-separated values, unquoted. */
export function csvFields(line: string): string[] {
  const fields: string[] = [];
  for (const [, quoted, plain = ""] of `${line},`.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*)),/g))
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
  return fields;
}

/** The words of a text without quotes and escapes. */
export function plainWords(text: string): string[] {
  return text
    .split(/\s+/)
    .map((word) => word.replace(/["'\\]/g, ""))
    .filter((word) => word !== "");
}
