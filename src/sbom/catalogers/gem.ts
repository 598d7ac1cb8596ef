import type { About, Cataloger, Interest } from "../cataloger.ts";
import { describedPackages } from "../described-packages.ts";
import type { ImageFiles } from "../image-files.ts";
import { purlOf, type DeclaredLicense, type Package } from "../package.ts";
import type { ImagePath } from "../paths.ts";
import { folderOf } from "../paths.ts";
import { spdxDeclared } from "../spdx.ts";

const DOCUMENT: Interest = { limit: 1 << 20, beyond: "skip" };
/** Where RubyGems, and Debian's Ruby packages, keep the specifications of what is installed. */
const SPECIFICATION = /(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/;

/** What the specification of an installed gem says. */
export interface GemSpecification {
  name: string;
  version: string;
  /** `ruby` where the gem is for any machine. */
  platform: string;
  license: DeclaredLicense | null;
  author: string;
  /** The names of the gems that it needs at run time. */
  needs: string[];
}

/** A text in Ruby, as RubyGems writes it: `"a".freeze`, `'a'`, `%q<a>`. */
const TEXT = /"((?:[^"\\]|\\.)*)"|'([^']*)'|%q<([^>]*)>/g;

const textsIn = (ruby: string) =>
  [...ruby.matchAll(TEXT)].map(([, double, single, quoted]) =>
    (double?.replace(/\\(.)/g, "$1") ?? single ?? quoted ?? "").trim(),
  );

/**
 * Reads a specification as RubyGems writes it when it installs a gem: Ruby, with one assignment a line. Nothing of it is
 * run. null if it does not name a gem and its version.
 */
export function parseGemSpecification(text: string): GemSpecification | null {
  const values = new Map<string, string[]>();
  const needs: string[] = [];
  for (const line of text.split("\n")) {
    const [, field, ruby = ""] = /^\s*\w+\.(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (field !== undefined && !values.has(field)) values.set(field, textsIn(ruby));
    const [, kind, dependency = ""] =
      /^\s*\w+\.add_(?:(runtime|development)_)?dependency\s*\(?(.*)$/.exec(line) ?? [];
    if (dependency !== "" && kind !== "development") needs.push(...textsIn(dependency).slice(0, 1));
  }
  const [name = ""] = values.get("name") ?? [];
  const [version = ""] = values.get("version") ?? [];
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name) || !/^\d[\w.-]*$/.test(version)) return null;
  const licenses = values.get("licenses") ?? values.get("license") ?? [];
  return {
    name,
    version,
    platform: values.get("platform")?.[0] ?? "ruby",
    license: spdxDeclared(licenses),
    author: (values.get("authors") ?? values.get("author") ?? []).join(", "),
    needs: [...new Set(needs)],
  };
}

function packageOf(
  { name, version, platform, license, author }: GemSpecification,
  path: ImagePath,
): Package | null {
  const qualifiers = { platform: platform === "ruby" ? "" : platform };
  const purl = purlOf("gem", { name, version, qualifiers });
  if (purl === null) return null;
  return {
    purl,
    name,
    version,
    license,
    ...(author && { author }),
    paths: [`/${path}`],
    facts: { "syft:package:language": "ruby", "syft:package:type": "gem" },
    needs: [],
  };
}

/** The installed gems of an image. What one needs is looked for beside it, then anywhere. */
function catalog(files: ImageFiles, about: About): Promise<Package[]> {
  const read = (path: ImagePath) => {
    const gem = parseGemSpecification(files.read(path)?.toString("utf8") ?? "");
    const made = gem && packageOf(gem, path);
    return made && { package: made, name: made.name, place: folderOf(path), needs: gem.needs };
  };
  const leftOut = "left out files that name no gem and version";
  const paths = files.paths.filter((path) => SPECIFICATION.test(path));
  return describedPackages(paths, { what: "gems", read, leftOut, isFoundAnywhere: true }, about);
}

export const gem: Cataloger = {
  wants: (path, base) => (base.endsWith(".gemspec") && SPECIFICATION.test(path) ? DOCUMENT : null),
  shape: 1,
  catalog,
};
