/** One paragraph of `Field: value` lines. Field names are in lower case; a field may occur several times. */
export type Stanza = ReadonlyMap<string, readonly string[]>;

const FIELD = /^([!-9;-~]+):[ \t]*(.*)$/;

/**
 * Parses paragraphs of fields, as in Debian control files, DEP-5 and Python metadata. Lines that begin with a blank
 * continue the value above them, with their text after that blank. Other lines are ignored, so any text gives a result.
 * @param options.first only the first paragraph, for files with a body below it
 */
export function parseStanzas(text: string, options: { first?: boolean } = {}): Stanza[] {
  const stanzas: Stanza[] = [];
  let current = new Map<string, string[]>();
  let values: string[] | null = null;
  let lines: string[] = [];
  const endField = () => {
    values?.push(lines.join("\n"));
    values = null;
  };
  const endStanza = () => {
    endField();
    if (current.size > 0) stanzas.push(current);
    current = new Map();
  };
  for (const raw of text.split("\n")) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line.trim() === "") {
      endStanza();
      if (options.first && stanzas.length > 0) return stanzas;
      continue;
    }
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (values) lines.push(line.slice(1));
      continue;
    }
    endField();
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    values = current.get(key) ?? [];
    current.set(key, values);
    lines = [value.trimEnd()];
  }
  endStanza();
  return stanzas;
}

/** Paragraphs are decoded in pieces of about this size, in bytes, which end at the end of a paragraph. */
const PIECE = 64 << 10;

/** The paragraphs of a file that may be very large, one after the other. */
export function* stanzasIn(bytes: Buffer): Generator<Stanza> {
  for (let at = 0; at < bytes.length;) {
    const gap = at + PIECE < bytes.length ? bytes.indexOf("\n\n", at + PIECE) : -1;
    const end = gap < 0 ? bytes.length : gap + 2;
    yield* parseStanzas(bytes.toString("utf8", at, end));
    at = end;
  }
}

/** The first value of a field; the empty text if there is none. */
export function field(stanza: Stanza, name: string): string {
  return stanza.get(name)?.[0] ?? "";
}
