/*
 * Versions of Debian packages (Debian Policy 5.6.12): `[epoch:]upstream[-revision]`. Parts without digits are compared letter by
 * letter, where `~` comes before the end and letters come before all else; parts of digits as numbers.
 */

interface Parts {
  epoch: number;
  upstream: string;
  revision: string;
}

function partsOf(version: string): Parts {
  const [, epoch = "0", rest = ""] = /^(?:(\d+):)?([^]*)$/.exec(version) ?? [];
  const at = rest.lastIndexOf("-");
  return {
    epoch: Number(epoch),
    upstream: at < 0 ? rest : rest.slice(0, at),
    // A version without a revision is one with the revision 0.
    revision: at < 0 ? "0" : rest.slice(at + 1),
  };
}

/** The place of a character among all: `~`, the end, letters, the rest. */
function rank(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === "~") return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function compareWords(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = rank(a[at]) - rank(b[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareNumbers(a: string, b: string): number {
  const [own, other] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  if (own.length !== other.length) return own.length - other.length;
  return own < other ? -1 : own > other ? 1 : 0;
}

/** Words and numbers in turn. The first is a word, which may be empty. */
function partsIn(text: string): string[] {
  const parts: string[] = text.match(/\d+|\D+/g) ?? [];
  return /^\d/.test(text) ? ["", ...parts] : parts;
}

function compareText(a: string, b: string): number {
  const [own, other] = [partsIn(a), partsIn(b)];
  for (let at = 0; at < Math.max(own.length, other.length); at += 1) {
    const [x = "", y = ""] = [own[at], other[at]];
    const difference = at % 2 === 0 ? compareWords(x, y) : compareNumbers(x, y);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a version comes before (negative), is (0) or comes after (positive) another one, as dpkg decides it. */
export function compareDebian(a: string, b: string): number {
  const [own, other] = [partsOf(a), partsOf(b)];
  return (
    own.epoch - other.epoch ||
    compareText(own.upstream, other.upstream) ||
    compareText(own.revision, other.revision)
  );
}
