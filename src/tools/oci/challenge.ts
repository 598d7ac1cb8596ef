/** What a registry asks for before it lets anyone in, of a `WWW-Authenticate` header. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  scheme: string;
  /** By name, in lower case. The first of a name counts. */
  params: ReadonlyMap<string, string>;
}

/** A longer header is of no registry. */
const LONGEST = 8 * 1024;

/** A parameter, or the scheme that begins a challenge (RFC 9110, 11.2). Each alternative can only match in one way. */
const PART = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?[\s,]*/y;

/** The challenges of a header, in its order; [] for one that cannot be read. */
export function readChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  if (header.length > LONGEST) return [];
  const text = header.trimStart();
  for (PART.lastIndex = 0; PART.lastIndex < text.length;) {
    const found = PART.exec(text);
    if (found === null) return [];
    const [, name = "", quotedValue, token] = found;
    const value = quotedValue?.replace(/\\(.)/g, "$1") ?? token;
    const last = challenges.at(-1);
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), params: new Map() });
    else if (last === undefined) return [];
    else if (!last.params.has(name.toLowerCase())) last.params.set(name.toLowerCase(), value);
  }
  return challenges;
}
