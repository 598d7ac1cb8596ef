/** SPDX ids for names that Debian's copyright files use; those that already are SPDX ids need no entry. */
const SPDX: ReadonlyMap<string, string> = new Map([
  ["apache-2", "Apache-2.0"],
  ["apache-2.0", "Apache-2.0"],
  ["artistic", "Artistic-1.0-Perl"],
  ["artistic-2", "Artistic-2.0"],
  ["boost-1.0", "BSL-1.0"],
  ["bsd-2-clause", "BSD-2-Clause"],
  ["bsd-3-clause", "BSD-3-Clause"],
  ["bsd-4-clause", "BSD-4-Clause"],
  ["bsd-4-clause-uc", "BSD-4-Clause-UC"],
  ["cc0", "CC0-1.0"],
  ["cc0-1.0", "CC0-1.0"],
  ["expat", "MIT"],
  ["fsfap", "FSFAP"],
  ["fsful", "FSFUL"],
  ["fsfullr", "FSFULLR"],
  ["isc", "ISC"],
  ["mit", "MIT"],
  ["mpl-1.1", "MPL-1.1"],
  ["mpl-2", "MPL-2.0"],
  ["mpl-2.0", "MPL-2.0"],
  ["ms-pl", "MS-PL"],
  ["ofl-1.1", "OFL-1.1"],
  ["openssl", "OpenSSL"],
  ["psf-2", "PSF-2.0"],
  ["sleepycat", "Sleepycat"],
  ["x11", "X11"],
  ["zlib", "Zlib"],
]);

const GNU = /^(a?gpl|lgpl|gfdl)(-niv)?-?v?(\d)(?:\.(\d))?(\+|-only|-or-later)?$/i;

/** The SPDX id for a licence's short name in a Debian copyright file; null where no id says the same. */
export function spdxOf(name: string): string | null {
  const known = SPDX.get(name.toLowerCase());
  if (known) return known;
  const [, family, invariants, major, minor, later] = GNU.exec(name) ?? [];
  if (!family || !major) return null;
  const upper = family.toUpperCase();
  const suffix = later === "+" || later === "-or-later" ? "or-later" : "only";
  if (invariants && upper !== "GFDL") return null;
  const middle = invariants ? "-no-invariants" : "";
  return `${upper}-${major}.${minor ?? "0"}${middle}-${suffix}`;
}

/**
 * The licences that a short text such as `GPL-2+ or Artistic` names: one SPDX expression where all of it has an
 * SPDX form and one kind of connective, otherwise each licence for itself.
 */
export function parseSynopsis(text: string): string[] {
  const parts = text
    .replace(/[()]/g, " ")
    .split(/\s+(and\/or|or|and)\s+|\s*,\s*(?:(or|and)\s+)?|\s*\|\s*/i)
    .map((part) => part?.trim().replace(/\s+/g, " ") ?? "");
  const connective = (part: string) => /^(?:and\/or|or|and)$/i.test(part);
  const names = parts.filter((part) => part !== "" && !connective(part));
  const licenses = names.map((name) => spdxOf(name) ?? name);
  const kinds = new Set(parts.filter(connective).map((part) => part.toUpperCase()));
  const [kind] = kinds;
  const expressible = names.length > 1 && kinds.size === 1 && kind !== "AND/OR" && !/[,()|]/.test(text);
  if (expressible && names.every((name) => spdxOf(name) !== null)) return [licenses.join(` ${kind} `)];
  return licenses;
}
