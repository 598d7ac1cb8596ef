import { compareText } from "../model/compare.ts";
import { sha256Hex } from "../model/digest.ts";
import { declaredBy } from "./licenses.ts";
import type { DeclaredLicense } from "./package.ts";
import { field, parseStanzas } from "./stanza.ts";

/** A License field that is longer is prose. */
const LONGEST_NAME = 120;

/** What a Debian copyright file says. */
export interface Copyright {
  /** null if the file is not machine-readable, or has prose where the name of a licence should be. */
  license: DeclaredLicense | null;
  /** The file's SHA-256, in hex: the file itself is the licence, whatever can be read from it. */
  sha256: string;
}

/**
 * The licences that the Files stanzas of a machine-readable copyright file name (DEP-5), or those of its header if there
 * are no such stanzas. Any other file gives nothing: a pointer to a text in /usr/share/common-licenses, or the words of
 * one, does not say which licences the package has.
 */
export function parseCopyright(text: string): DeclaredLicense | null {
  const [header, ...stanzas] = parseStanzas(text);
  if (!header) return null;
  const format = field(header, "format") || field(header, "format-specification");
  if (!/copyright-format|dep-?5/i.test(format)) return null;
  const ofFiles = stanzas.filter((stanza) => stanza.has("files"));
  const named = (ofFiles.length > 0 ? ofFiles : [header]).flatMap((stanza) => {
    const [first = ""] = field(stanza, "license").split("\n");
    return first.trim() === "" ? [] : [first.trim().replace(/\s+/g, " ")];
  });
  if (named.some((name) => name.length > LONGEST_NAME || name.includes(". "))) return null;
  return declaredBy([...new Set(named)].sort(compareText));
}

const known = new WeakMap<Buffer, Copyright>();

/** What a copyright file says, found once for each file that a cached layer holds. */
export function copyrightIn(file: Buffer): Copyright {
  const found = known.get(file) ?? {
    license: parseCopyright(file.toString("utf8")),
    sha256: sha256Hex(file),
  };
  known.set(file, found);
  return found;
}
