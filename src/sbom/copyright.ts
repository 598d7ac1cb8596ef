import { compareText } from "../model/compare.ts";
import { parseSynopsis, spdxOf } from "./licenses.ts";
import { field, parseStanzas } from "./stanza.ts";

const REFERENCE = /\/usr\/share\/common-licenses\/([A-Za-z0-9][A-Za-z0-9.+-]*[A-Za-z0-9])/g;

/** How much text before a reference is looked at for "any later version", in characters: one licence notice. */
const NOTICE = 1200;

/** A licence field that is longer, or holds a sentence, is prose. */
const LONGEST_NAME = 120;

const sorted = (names: Iterable<string>) => [...new Set(names)].sort(compareText);

/** The licences in the fields of a machine-readable copyright file (DEP-5); null where the file is not one. */
function fromFields(text: string): string[] | null {
  const [header, ...stanzas] = parseStanzas(text);
  if (
    !header ||
    !/copyright-format|dep-?5/i.test(field(header, "format") || field(header, "format-specification"))
  ) {
    return null;
  }
  const synopses = sorted(
    [header, ...stanzas].flatMap((stanza) => {
      const [first = ""] = field(stanza, "license").trim().split("\n");
      return first === "" || first.length > LONGEST_NAME || first.includes(". ") ? [] : [first.trim()];
    }),
  );
  const [only] = synopses;
  if (only !== undefined && synopses.length === 1) return parseSynopsis(only);
  return sorted(synopses.flatMap(parseSynopsis).flatMap((license) => license.split(/ (?:AND|OR) /)));
}

/** The licences whose common text a copyright file points at. A GNU licence counts as "or later" where that is said. */
function fromReferences(text: string): string[] {
  const names: string[] = [];
  let previous = 0;
  for (const match of text.matchAll(REFERENCE)) {
    const name = match[1] ?? "";
    const notice = text.slice(Math.max(previous, match.index - NOTICE), match.index);
    previous = match.index;
    const gnu = /^(?:L|A)?GPL|^GFDL/.test(name);
    if (gnu) names.push((/any\s+later\s+version/i.test(notice) && spdxOf(`${name}+`)) || name);
    else names.push(name === "BSD" ? "BSD-3-Clause" : (spdxOf(name) ?? name));
  }
  return sorted(names);
}

/**
 * The licences that a Debian copyright file declares: SPDX ids where the file's names have one, else the names.
 * One entry may be a whole SPDX expression. Without any, the list is empty: nothing is guessed from prose.
 */
export function parseCopyright(text: string): string[] {
  const declared = fromFields(text);
  return declared && declared.length > 0 ? declared : fromReferences(text);
}

const known = new WeakMap<Buffer, string[]>();

/** The licences that a copyright file declares, found once for each file that a cached layer holds. */
export function licensesIn(file: Buffer | null): string[] {
  if (file === null) return [];
  const found = known.get(file) ?? parseCopyright(file.toString("utf8"));
  known.set(file, found);
  return [...found];
}
