/** One attribute of an entry such as `type=local,src=cache`, quoted where it has to be: buildx reads entries as a line of CSV. */
export function attribute(name: string, value: string): string {
  const text = `${name}=${value}`;
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A field of CSV: in quotes, where two of them stand for one, or up to the next comma. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)/y;

/** The attributes of an entry, by name. */
export function readAttributes(entry: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < entry.length) {
    const [, quoted, plain = ""] = FIELD.exec(entry) ?? [];
    const text = quoted?.replaceAll('""', '"') ?? plain;
    if (text.includes("="))
      attributes.set(text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1));
    if (FIELD.lastIndex === 0) break;
  }
  return attributes;
}
