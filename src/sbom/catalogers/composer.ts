import type { About, Cataloger, Interest } from "../cataloger.ts";
import type { ImageFiles } from "../image-files.ts";
import { listOf, objectOf, parseJson, textOf } from "../loose-json.ts";
import { needsOf, purlOf, type DeclaredLicense, type Package } from "../package.ts";
import type { ImagePath } from "../paths.ts";
import { spdxDeclared } from "../spdx.ts";

const DOCUMENT: Interest = { limit: 32 << 20, beyond: "skip" };
const INSTALLED = /(?:^|\/)composer\/installed\.json$/;

/** A PHP package that Composer installed. */
export interface ComposerPackage {
  /** `symfony/console` */
  name: string;
  version: string;
  license: DeclaredLicense | null;
  author: string;
  /** Of the archive that it came in, in hex; empty if it is not said. */
  sha1: string;
  /** Whether only development needs it. */
  dev: boolean;
  needs: string[];
}

/** Several licences are a choice (getcomposer.org, "license"). */
function licenseOf(texts: readonly string[]): DeclaredLicense | null {
  const given = texts.filter((text) => text !== "");
  const choice = given.length > 1 ? spdxDeclared([`(${given.join(" OR ")})`]) : null;
  return choice && "expression" in choice ? choice : spdxDeclared(given);
}

/** The packages in a vendor/composer/installed.json, of Composer 1 or 2. Any text gives an answer. */
export function parseComposerInstalled(text: string): ComposerPackage[] {
  const json = parseJson(text);
  const dev = new Set(listOf(objectOf(json)["dev-package-names"]).map(textOf));
  const packages = Array.isArray(json) ? listOf(json) : listOf(objectOf(json).packages);
  return packages.flatMap((one) => {
    const found = objectOf(one);
    const name = textOf(found.name).toLowerCase();
    const version = textOf(found.version);
    if (!/^[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*$/.test(name) || version === "" || /\s/.test(version)) return [];
    const license = Array.isArray(found.license) ? listOf(found.license) : [found.license];
    const sha1 = textOf(objectOf(found.dist).shasum);
    const [author] = listOf(found.authors);
    return [
      {
        name,
        version,
        license: licenseOf(license.map(textOf)),
        author: textOf(objectOf(author).name),
        sha1: /^[0-9a-f]{40}$/.test(sha1) ? sha1 : "",
        dev: dev.has(textOf(found.name)),
        needs: Object.keys(objectOf(found.require)).map((need) => need.toLowerCase()),
      },
    ];
  });
}

function packageOf(one: ComposerPackage, path: ImagePath): Package | null {
  const slash = one.name.indexOf("/");
  const group = one.name.slice(0, slash);
  const name = one.name.slice(slash + 1);
  const purl = purlOf("composer", { group, name, version: one.version });
  if (purl === null) return null;
  return {
    purl,
    group,
    name,
    version: one.version,
    license: one.license,
    ...(one.author && { author: one.author }),
    ...(one.sha1 && { sha1: one.sha1 }),
    optional: one.dev,
    paths: [`/${path}`],
    facts: { "syft:package:language": "php", "syft:package:type": "php-composer" },
    needs: [],
  };
}

/** The PHP packages that Composer installed anywhere in an image. */
async function catalog(files: ImageFiles, { notes, pace }: About): Promise<Package[]> {
  const found: Package[] = [];
  for (const path of files.paths.filter((one) => INSTALLED.test(one))) {
    const read = parseComposerInstalled(files.read(path)?.toString("utf8") ?? "");
    const byName = new Map<string, Package>();
    for (const one of read) {
      const made = packageOf(one, path);
      if (made) byName.set(one.name, made);
      else notes.add("left out PHP packages that can have no package URL", one.name);
    }
    for (const one of read) {
      const own = byName.get(one.name);
      const keys = one.needs.flatMap((need) => byName.get(need)?.purl ?? []);
      if (own) own.needs = needsOf(own.purl, keys);
      if (pace.due()) await pace.rest("PHP packages, what they need", found.length, null);
    }
    found.push(...byName.values());
  }
  return found;
}

export const composer: Cataloger = {
  wants: (path, base) => (base === "installed.json" && INSTALLED.test(path) ? DOCUMENT : null),
  shape: 1,
  catalog,
};
