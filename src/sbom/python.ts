import { isPythonMetadata } from "./interest.ts";
import type { ImageFiles } from "./merge.ts";
import { purlOf, type Catalogue, type Package } from "./package.ts";
import { baseOf, folderOf, type ImagePath } from "./paths.ts";
import { field, parseStanzas } from "./stanza.ts";

/** The part of a distribution's metadata (METADATA, PKG-INFO) that an inventory needs. */
export interface PythonMetadata {
  name: string;
  version: string;
  licenses: string[];
  author: string;
  /** The normalised names of what it always needs. */
  needs: string[];
}

const CLASSIFIED: ReadonlyMap<string, string> = new Map([
  ["Apache Software License", "Apache-2.0"],
  ["BSD License", "BSD"],
  ["ISC License (ISCL)", "ISC"],
  ["MIT License", "MIT"],
  ["MIT No Attribution License (MIT-0)", "MIT-0"],
  ["Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"],
  ["Python Software Foundation License", "PSF-2.0"],
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

function licensesOf(expression: string, license: string, classifiers: readonly string[]): string[] {
  if (expression !== "") return [expression];
  if (
    license !== "" &&
    license !== "UNKNOWN" &&
    license.length <= LONGEST_LICENSE &&
    !license.includes("\n")
  ) {
    return [license];
  }
  return classifiers.flatMap((classifier) => {
    const [kind, ...rest] = classifier.split(" :: ");
    const name = rest.at(-1);
    if (kind !== "License" || name === undefined || name === "OSI Approved") return [];
    return [CLASSIFIED.get(name) ?? name];
  });
}

/** Reads a distribution's metadata; null where the text names none. */
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
    licenses: licensesOf(
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
    ecosystem: "pypi",
    purl,
    name: metadata.name,
    version: metadata.version,
    licenses: metadata.licenses,
    ...(metadata.author && { author: metadata.author }),
    paths: [`/${path}`],
    facts: {},
    needs: [],
  };
}

/** The Python distributions that are installed anywhere in an image. */
export function catalogPython(files: ImageFiles): Catalogue {
  const warnings: string[] = [];
  const bySite = new Map<string, string>();
  const found = files.paths.filter(isPythonMetadata).flatMap((path) => {
    const metadata = parsePythonMetadata(files.read(path)?.toString("utf8") ?? "");
    const made = metadata && packageOf(metadata, path);
    if (!made) {
      warnings.push(`left out /${path}: it names no Python distribution and version`);
      return [];
    }
    const site = siteOf(path);
    bySite.set(`${site}\0${normalizePythonName(metadata.name)}`, made.purl);
    return [{ package: made, site, needs: metadata.needs }];
  });
  for (const one of found) {
    const needs = one.needs.flatMap((name) => bySite.get(`${one.site}\0${name}`) ?? []);
    one.package.needs = needs.filter((purl) => purl !== one.package.purl);
  }
  return { packages: found.map((one) => one.package), warnings };
}
