/** What Factory writes as HCL: texts, lists of texts, and maps of texts. */
export type HclValue = string | readonly string[] | Readonly<Record<string, string>>;

/**
 * A text as an HCL string: quotes and control characters escaped, `${` and `%{` doubled so that nothing is evaluated.
 * In Unicode's form NFC, which HCL gives every text anyway.
 */
function hclString(text: string): string {
  const unicode = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text.normalize("NFC"))
    .replace(/\\[\\bf]/g, (escape) => ({ "\\b": unicode("\b"), "\\f": unicode("\f") })[escape] ?? escape)
    .replace(/[\u007f-\u009f\u2028\u2029]/g, unicode)
    .replace(/[$%](?=\{)/g, "$&$&");
}

function hclValue(value: HclValue): string {
  if (typeof value === "string") return hclString(value);
  if (Array.isArray(value)) {
    const items = (value as readonly string[]).map(hclString);
    return items.length < 2 ? `[${items.join("")}]` : `[\n    ${items.join(",\n    ")},\n  ]`;
  }
  const pairs = Object.entries(value as Record<string, string>).map(
    ([key, text]) => `${hclString(key)} = ${hclString(text)}`,
  );
  return pairs.length === 0 ? "{}" : `{\n    ${pairs.join("\n    ")}\n  }`;
}

/** An HCL block: `target "name" { … }`. Attributes stand in the order given; empty lists and maps are left out. */
export function hclBlock(type: string, name: string, attributes: Readonly<Record<string, HclValue>>): string {
  const lines = Object.entries(attributes)
    .filter(([, value]) => typeof value === "string" || Object.keys(value).length > 0)
    .map(([key, value]) => `  ${key} = ${hclValue(value)}`);
  return `${type} ${hclString(name)} {\n${lines.join("\n")}\n}\n`;
}
