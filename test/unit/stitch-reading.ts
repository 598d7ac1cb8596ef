/**
 * A second reading of Dockerfiles, by another way than src/stitch/dockerfile.ts: character by character, after the
 * description of the format. The keywords of a Dockerfile, in order.
 */
export function keywordsOf(dockerfile: string): string[] {
  const keywords: string[] = [];
  const waiting = dockerfile.split("\n");
  const isComment = (line: string) => line.trimStart().startsWith("#");
  while (waiting.length > 0) {
    let line = waiting.shift() ?? "";
    if (line.trim() === "" || isComment(line)) continue;
    let whole = "";
    for (;;) {
      const bare = line.replace(/[ \t\r]+$/, "");
      const backslashes = bare.length - bare.replace(/\\+$/, "").length;
      if (backslashes !== 1) break;
      whole += bare.slice(0, -1);
      let next = waiting.shift();
      while (next !== undefined && (next.trim() === "" || isComment(next))) next = waiting.shift();
      line = next ?? "";
      if (next === undefined) break;
    }
    whole += line;
    const keyword = (whole.trim().split(/\s/)[0] ?? "").toUpperCase();
    keywords.push(keyword);
    if (
      !["RUN", "COPY", "ADD"].includes(keyword) ||
      whole.trim().slice(keyword.length).trim().startsWith("[")
    )
      continue;
    for (const end of delimiters(whole)) while (waiting.length > 0 && waiting.shift() !== end);
  }
  return keywords;
}

/** The delimiters of the here-documents that a logical line starts: words of their own, outside of quotes. */
function delimiters(line: string): string[] {
  const found: string[] = [];
  let quote = "";
  let word = "";
  let quoted = false;
  const end = () => {
    if (!quoted && /^\d*<<-?[^<]+$/.test(word)) found.push(word.replace(/^\d*<<-?/, ""));
    word = "";
    quoted = false;
  };
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? "";
    if (quote === "" && /\s/.test(char)) end();
    else if (quote === "" && (char === "'" || char === '"')) {
      quote = char;
      quoted = true;
    } else if (char === quote) quote = "";
    else if (char === "\\" && quote !== "'") {
      at += 1;
      quoted ||= quote === "";
    } else word += char;
  }
  end();
  return quote === "" ? found : [];
}
