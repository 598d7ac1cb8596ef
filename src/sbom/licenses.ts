import { isSupportedSpdxId } from "@cyclonedx/cyclonedx-library/SPDX";
import type { DeclaredLicense, License } from "./package.ts";

/**
 * Short names of Debian's machine-readable copyright format that mean exactly one SPDX id but are spelt differently (DEP-5,
 * "License specification", "Short name").
 */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["bsd-2-clause", "BSD-2-Clause"],
  ["bsd-3-clause", "BSD-3-Clause"],
  ["bsd-4-clause", "BSD-4-Clause"],
  ["cc0", "CC0-1.0"],
  ["expat", "MIT"],
  ["isc", "ISC"],
  ["zlib", "Zlib"],
]);

/** Families with a version, whose SPDX ids are the same except for `.0`. */
const VERSIONED =
  /^(apache|artistic|cddl|cpl|efl|mpl|qpl|cc-by|cc-by-nd|cc-by-sa|cc-by-nc|cc-by-nc-nd|cc-by-nc-sa|cc0)-(\d+(?:\.\d+)*)$/i;
const GNU = /^(a?gpl|lgpl|gfdl)(-niv)?-?v?(\d+(?:\.\d+)*)(\+)?$/i;

/**
 * SPDX ids that Debian's files use in a wider sense than SPDX: DEP-5 says so about MIT, and uses `Artistic` and `Python`
 * for whole families. They stay names: an id would be a guess.
 */
const AMBIGUOUS = new Set(["MIT", "X11", "W3C", "Artistic-1.0", "Python-2.0"]);

/** `2` and `2.0.0` as `2.0`: the format drops zeros at the end, SPDX keeps one. */
function spdxVersion(version: string): string {
  const parts = version.split(".");
  while (parts.length > 2 && parts.at(-1) === "0") parts.pop();
  return parts.length === 1 ? `${version}.0` : parts.join(".");
}

/** The SPDX id that a short name of a Debian copyright file certainly means; null if there is none. */
export function spdxOf(name: string): string | null {
  const known = SHORT_NAMES.get(name.toLowerCase());
  if (known) return known;
  const supported = (id: string) => (isSupportedSpdxId(id) ? id : null);
  const [, family = "", version = ""] = VERSIONED.exec(name) ?? [];
  // Three SPDX licences are called Artistic 1.0.
  if (family !== "" && !/^artistic-1(?:\.|$)/i.test(name)) {
    const prefix = /^(?:apache|artistic)$/i.test(family)
      ? `${family[0]?.toUpperCase() ?? ""}${family.slice(1).toLowerCase()}`
      : family.toUpperCase();
    return supported(`${prefix}-${spdxVersion(version)}`);
  }
  const [, gnu = "", invariants, release = "", later] = GNU.exec(name) ?? [];
  if (gnu === "") return AMBIGUOUS.has(name) ? null : supported(name);
  if (invariants && gnu.toUpperCase() !== "GFDL") return null;
  const middle = invariants ? "-no-invariants" : "";
  return supported(`${gnu.toUpperCase()}-${spdxVersion(release)}${middle}-${later ? "or-later" : "only"}`);
}

/** A name in the form that an SPDX expression allows. */
function referenceTo(name: string): string {
  const spelled = name.replaceAll("+", "-plus");
  return `LicenseRef-${spelled.replace(/[^A-Za-z0-9.-]+/g, "-").replace(/^-+|-+$/g, "") || "unnamed"}`;
}

const asExpression = (name: string) => spdxOf(name) ?? referenceTo(name);
const inParentheses = (text: string) => (/ (?:AND|OR) /.test(text) ? `(${text})` : text);

/**
 * What a License field says: names joined by `and` and `or`. `and` binds more tightly, and a comma before one of them
 * reverses that (`GPL-1+ or Artistic, and Expat`).
 */
type Synopsis = { kind: "name"; name: string } | { kind: "all" | "any"; of: Synopsis[] };

function joined(kind: "all" | "any", of: Synopsis[]): Synopsis {
  const [only] = of;
  return only !== undefined && of.length === 1 ? only : { kind, of };
}

/** @returns null for text that is not such a field: prose, or other ways to join names */
export function parseSynopsis(text: string): Synopsis | null {
  const clean = text.trim().replace(/\s+/g, " ");
  if (clean === "" || /[()|;]|and\/or/i.test(clean)) return null;
  const clauses = clean.split(/, ?(?=(?:and|or) )/i);
  const connectives = new Set(clauses.slice(1).map((clause) => clause.slice(0, 3).trim().toLowerCase()));
  if (connectives.size > 1) return null;
  const parsed = clauses.map((clause, at) => {
    const body = at === 0 ? clause : clause.replace(/^(?:and|or) /i, "");
    const any = body.split(/ or /i).map((part) => {
      const names = part.split(/ and /i).map((name): Synopsis => ({ kind: "name", name: name.trim() }));
      return joined("all", names);
    });
    return joined("any", any);
  });
  const whole = joined(connectives.has("or") ? "any" : "all", parsed);
  const named = (one: Synopsis): boolean =>
    one.kind === "name" ? one.name !== "" && !one.name.includes(",") : one.of.every(named);
  return named(whole) ? whole : null;
}

function expressionOf(synopsis: Synopsis): string {
  if (synopsis.kind === "name") return asExpression(synopsis.name);
  const parts = new Set(synopsis.of.map(expressionOf).map(inParentheses));
  return [...parts].join(synopsis.kind === "all" ? " AND " : " OR ");
}

const licenseOf = (name: string): License => {
  const id = spdxOf(name);
  return id === null ? { name } : { id };
};

/**
 * Several License fields together: a list if each field names one licence, else one expression, in which names without an
 * SPDX id are `LicenseRef-…`.
 * @param fields their first lines, each once, in the order that the result shall have
 */
export function declaredBy(fields: readonly string[]): DeclaredLicense | null {
  if (fields.length === 0) return null;
  const parsed = fields.map((text): Synopsis => parseSynopsis(text) ?? { kind: "name", name: text });
  const names = parsed.flatMap((one) => (one.kind === "name" ? [one.name] : []));
  if (names.length === parsed.length) {
    const each = names.map(licenseOf);
    return { each: [...new Map(each.map((one) => [JSON.stringify(one), one])).values()] };
  }
  return { expression: expressionOf(joined("all", parsed)) };
}
