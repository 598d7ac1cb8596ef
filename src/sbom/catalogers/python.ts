import type { About, Cataloger, Interest } from "../cataloger.ts";
import { describedPackages } from "../described-packages.ts";
import type { ImageFiles } from "../image-files.ts";
import { purlOf, type DeclaredLicense, type Package } from "../package.ts";
import { baseOf, folderOf, type ImagePath } from "../paths.ts";
import { spdxDeclared } from "../spdx.ts";
import { field, parseStanzas } from "../stanza.ts";

/** The fields come first; the description below them is not kept. */
const HEAD: Interest = { limit: 256 << 10, beyond: "cut", part: "head" };
const WHEEL = /\.dist-info\/METADATA$/;
const EGG = /\.egg-info(?:\/PKG-INFO)?$/;
const isMetadata = (path: ImagePath) => WHEEL.test(path) || EGG.test(path);

/** The part of a distribution's metadata (METADATA, PKG-INFO) that an inventory needs. */
export interface PythonMetadata {
  name: string;
  version: string;
  license: DeclaredLicense | null;
  author: string;
  /** The normalised names of the distributions that it always needs. */
  needs: string[];
}

/** Classifiers that name exactly one licence (PEP 639, "Mapping of classifiers"); all others stay names. */
const CLASSIFIED: ReadonlyMap<string, string> = new Map([
  ["ISC License (ISCL)", "ISC"],
  ["MIT License", "MIT"],
  ["MIT No Attribution License (MIT-0)", "MIT-0"],
  ["Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"],
  ["The Unlicense (Unlicense)", "Unlicense"],
  ["zlib/libpng License", "Zlib"],
  ["GNU General Public License v2 (GPLv2)", "GPL-2.0-only"],
  ["GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"],
  ["GNU General Public License v3 (GPLv3)", "GPL-3.0-only"],
  ["GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"],
  ["GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"],
  ["GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"],
  ["GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"],
]);

const LONGEST_LICENSE = 120;

/** The name under which the package index knows a distribution (PyPA's name normalisation). */
export function normalizePythonName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

function licenseOf(
  expression: string,
  license: string,
  classifiers: readonly string[],
): DeclaredLicense | null {
  if (expression !== "") return spdxDeclared([expression]);
  const short = license.length <= LONGEST_LICENSE && !license.includes("\n");
  if (license !== "" && license !== "UNKNOWN" && short) return spdxDeclared([license]);
  return spdxDeclared(
    classifiers.flatMap((classifier) => {
      const [kind, ...rest] = classifier.split(" :: ");
      const name = rest.at(-1);
      if (kind !== "License" || name === undefined || name === "OSI Approved") return [];
      return [CLASSIFIED.get(name) ?? name];
    }),
  );
}

/** Reads a distribution's metadata; null if the text does not name one. */
export function parsePythonMetadata(text: string): PythonMetadata | null {
  const [stanza] = parseStanzas(text, { first: true });
  if (!stanza) return null;
  const name = field(stanza, "name").trim();
  const version = field(stanza, "version").trim();
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name) || version === "" || /\s/.test(version))
    return null;
  const author = field(stanza, "author").trim() || field(stanza, "author-email").trim();
  return {
    name,
    version,
    license: licenseOf(
      field(stanza, "license-expression").trim(),
      field(stanza, "license").trim(),
      stanza.get("classifier") ?? [],
    ),
    author: author === "UNKNOWN" ? "" : author.split("\n").join(" "),
    needs: (stanza.get("requires-dist") ?? []).flatMap((requirement) => {
      const [, needed] = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(requirement) ?? [];
      return needed === undefined || /;.*\bextra\b/s.test(requirement) ? [] : [normalizePythonName(needed)];
    }),
  };
}

/** The folder that Python imports from: above `x.dist-info/METADATA` and `x.egg-info`. */
function siteOf(path: ImagePath): ImagePath {
  return baseOf(path).endsWith(".egg-info") ? folderOf(path) : folderOf(folderOf(path));
}

function packageOf(metadata: PythonMetadata, path: ImagePath): Package | null {
  const normal = normalizePythonName(metadata.name);
  const purl = purlOf("pypi", { name: normal, version: metadata.version });
  if (purl === null) return null;
  return {
    purl,
    name: metadata.name,
    version: metadata.version,
    license: metadata.license,
    ...(metadata.author && { author: metadata.author }),
    paths: [`/${path}`],
    facts: {},
    needs: [],
  };
}

/** The Python distributions that are installed anywhere in an image. */
function catalog(files: ImageFiles, about: About): Promise<Package[]> {
  const read = (path: ImagePath) => {
    const metadata = parsePythonMetadata(files.read(path)?.toString("utf8") ?? "");
    const made = metadata && packageOf(metadata, path);
    if (!made) return null;
    const name = normalizePythonName(metadata.name);
    return { package: made, name, place: siteOf(path), needs: metadata.needs };
  };
  const leftOut = "left out files that name no Python distribution and version";
  return describedPackages(files.paths.filter(isMetadata), { what: "Python packages", read, leftOut }, about);
}

export const python: Cataloger = {
  wants: (path, base) =>
    (base === "METADATA" || base === "PKG-INFO" || base.endsWith(".egg-info")) && isMetadata(path)
      ? HEAD
      : null,
  shape: 2,
  catalog,
};
