import type { About, Cataloger } from "../cataloger.ts";
import type { ImageFiles } from "../image-files.ts";
import { listOf, objectOf, parseJson, textOf } from "../loose-json.ts";
import { needsOf, purlOf, type Package } from "../package.ts";
import type { ImagePath } from "../paths.ts";
import { programIn } from "../program-reader.ts";

/** A crate that is part of a program. */
export interface Crate {
  name: string;
  version: string;
  /** Where it came from: `crates.io`, `git`, `local` or `registry`. */
  source: string;
  /** Positions of the crates that it needs. */
  needs: number[];
}

const MOST_CRATES = 20_000;

/**
 * The crates in the JSON of cargo-auditable. Those that only took part in the build are null: they are not in the program.
 * Any text gives an answer.
 */
export function parseAudit(text: string): (Crate | null)[] {
  const packages = listOf(objectOf(parseJson(text)).packages).slice(0, MOST_CRATES);
  return packages.map((one) => {
    const { name, version, source, kind, dependencies } = objectOf(one);
    if (!/^[A-Za-z0-9_-]+$/.test(textOf(name)) || !/^\d[^\s]*$/.test(textOf(version))) return null;
    if (kind !== undefined && kind !== "runtime") return null;
    const needs = listOf(dependencies).filter((at): at is number => Number.isSafeInteger(at));
    return { name: textOf(name), version: textOf(version), source: textOf(source), needs };
  });
}

function packagesOf(audit: string, where: ImagePath): Package[] {
  const crates = parseAudit(audit);
  const purls = crates.map((crate) => crate && purlOf("cargo", crate));
  return crates.flatMap((crate, at) => {
    const purl = purls[at] ?? null;
    if (!crate || purl === null) return [];
    const { name, version, source } = crate;
    const needs = crate.needs.flatMap((need) => purls[need] ?? []);
    return {
      purl,
      name,
      version,
      license: null,
      paths: [`/${where}`],
      facts: { source, "syft:package:language": "rust", "syft:package:type": "rust-crate" },
      needs: needsOf(purl, needs),
    };
  });
}

/** The crates of the Rust programs of an image that were built with cargo-auditable. */
async function catalog(files: ImageFiles, { pace }: About): Promise<Package[]> {
  const found: Package[] = [];
  for (const [at, path] of files.programs.entries()) {
    const { audit } = programIn(files.read(path));
    if (audit !== undefined) found.push(...packagesOf(audit, path));
    if (pace.due()) await pace.rest("Rust programs", at, files.programs.length);
  }
  return found;
}

export const cargo: Cataloger = { wants: () => null, shape: 1, catalog };
