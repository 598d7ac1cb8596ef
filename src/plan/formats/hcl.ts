/** What Factory writes as HCL: texts, lists of texts, and maps of texts. */
type HclValue = string | readonly string[] | Readonly<Record<string, string>>;

/** Attributes of a block, in order. Empty lists and maps are left out, but for those of a group: bake needs its targets. */
type HclAttributes = Readonly<Record<string, HclValue>>;

/** Printable ASCII that means nothing to HCL: `${` and `%{` need a brace. It is in NFC, too. */
const PLAIN = /^[ !#-[\]-z|}~]*$/;

const unicode = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * A text as it stands between the quotes of an HCL string: quotes and control characters escaped, `${` and `%{` doubled so
 * that nothing is evaluated. In Unicode's form NFC, which HCL gives every text anyway.
 */
function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  return JSON.stringify(text.normalize("NFC"))
    .slice(1, -1)
    .replace(/\\[\\bf]/g, (escape) => ({ "\\b": unicode("\b"), "\\f": unicode("\f") })[escape] ?? escape)
    .replace(/[\u007f-\u009f\u2028\u2029]/g, unicode)
    .replace(/[$%](?=\{)/g, "$&$&");
}

/**
 * Writes blocks with a blank line between them. Lists of several texts and maps mostly repeat what stands in other blocks:
 * their lines are made once.
 */
export function createHclWriter() {
  const blocks: string[] = [];
  const heads = new Map<string, string>();
  const items = new Map<string, string>();
  const pairs = new Map<string, Map<string, string>>();

  const itemLines = (texts: readonly string[]): string => {
    let lines = "";
    for (const text of texts) {
      let line = items.get(text);
      if (line === undefined) items.set(text, (line = `    "${escaped(text)}",\n`));
      lines += line;
    }
    return lines;
  };

  const pairLines = (texts: Readonly<Record<string, string>>): string => {
    let lines = "";
    for (const key in texts) {
      const text = texts[key] ?? "";
      let known = pairs.get(key);
      if (!known) pairs.set(key, (known = new Map<string, string>()));
      let line = known.get(text);
      if (line === undefined) known.set(text, (line = `    "${escaped(key)}" = "${escaped(text)}"\n`));
      lines += line;
    }
    return lines;
  };

  return {
    /** `target "name" { … }` */
    block: (type: string, name: string, attributes: HclAttributes): void => {
      let block = `${type} "${escaped(name)}" {\n`;
      for (const key in attributes) {
        const value = attributes[key] ?? "";
        let head = heads.get(key);
        if (head === undefined) heads.set(key, (head = `  ${key} = `));
        if (typeof value === "string") block += `${head}"${escaped(value)}"\n`;
        else if (Array.isArray(value)) {
          const texts = value as readonly string[];
          if (texts.length === 1) block += `${head}["${escaped(texts[0] ?? "")}"]\n`;
          else if (texts.length === 0) block += type === "group" ? `${head}[]\n` : "";
          else block += `${head}[\n${itemLines(texts)}  ]\n`;
        } else {
          const lines = pairLines(value as Readonly<Record<string, string>>);
          if (lines !== "") block += `${head}{\n${lines}  }\n`;
        }
      }
      blocks.push(`${block}}\n`);
    },
    text: () => blocks.join("\n"),
  };
}
