import type { About, Cataloger, Interest } from "../cataloger.ts";
import { describedPackages } from "../described-packages.ts";
import type { ImageFiles } from "../image-files.ts";
import { purlOf, type DeclaredLicense, type Package } from "../package.ts";
import { baseOf, folderOf, type ImagePath } from "../paths.ts";
import { spdxDeclared } from "../spdx.ts";
import { field, parseStanzas } from "../stanza.ts";

const DOCUMENT: Interest = { limit: 256 << 10, beyond: "skip" };

/** What the DESCRIPTION of an installed R package says. */
export interface RPackage {
  name: string;
  version: string;
  /** Where it came from: `CRAN`. */
  repository: string;
  license: DeclaredLicense | null;
  author: string;
  needs: string[];
}

/** Reads a DESCRIPTION (Writing R Extensions, 1.1.1); null unless it names a package that was built, or R's own. */
export function parseDescription(text: string): RPackage | null {
  const [stanza] = parseStanzas(text, { first: true });
  if (!stanza) return null;
  const name = field(stanza, "package").trim();
  const version = field(stanza, "version").trim();
  const built = field(stanza, "built") !== "" || field(stanza, "priority").trim() === "base";
  if (!built || !/^[A-Za-z][A-Za-z0-9.]*$/.test(name) || !/^\d+(?:[.-]\d+)*$/.test(version)) return null;
  const license = field(stanza, "license").trim().replace(/\s+/g, " ");
  return {
    name,
    version,
    repository: field(stanza, "repository").trim(),
    license: spdxDeclared([license]),
    author: field(stanza, "maintainer").trim().split("\n").join(" "),
    needs: ["depends", "imports", "linkingto"].flatMap((name) =>
      field(stanza, name)
        .split(",")
        .flatMap((one) => /^\s*([A-Za-z][A-Za-z0-9.]*)/.exec(one)?.[1] ?? []),
    ),
  };
}

function packageOf(
  { name, version, repository, license, author }: RPackage,
  path: ImagePath,
): Package | null {
  const purl = purlOf("cran", { name, version });
  if (purl === null) return null;
  return {
    purl,
    name,
    version,
    license,
    ...(author && { author }),
    paths: [`/${path}`],
    facts: { repository, "syft:package:language": "R", "syft:package:type": "R-package" },
    needs: [],
  };
}

/** The R packages that are installed anywhere in an image. What one needs is looked for beside it, then anywhere. */
function catalog(files: ImageFiles, about: About): Promise<Package[]> {
  const read = (path: ImagePath) => {
    const described = parseDescription(files.read(path)?.toString("utf8") ?? "");
    const made = described && packageOf(described, path);
    const place = folderOf(folderOf(path));
    return made && { package: made, name: made.name, place, needs: described.needs };
  };
  // Other tools, too, call a file DESCRIPTION: one that describes no package is no finding.
  const paths = files.paths.filter((path) => baseOf(path) === "DESCRIPTION");
  return describedPackages(paths, { what: "R packages", read, isFoundAnywhere: true }, about);
}

export const cran: Cataloger = {
  wants: (_path, base) => (base === "DESCRIPTION" ? DOCUMENT : null),
  shape: 1,
  catalog,
};
