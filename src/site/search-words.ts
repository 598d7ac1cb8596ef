/** Words that begin with a day, as ids of records do, are kept by that day. */
const DAY = /^\d{8}/;

/** The part of the index that has a word; null for one that is too short to be looked for. */
export function searchKey(word: string): string | null {
  const day = DAY.exec(word)?.[0];
  if (day !== undefined) return day;
  if (word.length < 2) return null;
  return [...word.slice(0, 2)].map((sign) => (/[a-z0-9]/.test(sign) ? sign : "_")).join("");
}

/** The words of a query, and of a name: lower case, without `sha256:`. */
export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .map((word) => word.replace(/^sha256:/, ""))
    .filter((word) => word !== "");
}

/** A name, and the parts of it that a word may begin with. */
export function partsOf(name: string): string[] {
  return [...new Set([name, ...name.split(/[^\p{L}\p{N}]+/u)])].filter((part) => part.length > 1);
}
