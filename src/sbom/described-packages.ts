import type { About } from "./cataloger.ts";
import { needsOf, type Package } from "./package.ts";
import type { ImagePath } from "./paths.ts";

/** A package that a file of its own describes. */
export interface Described {
  package: Package;
  /** The name by which others need it. */
  name: string;
  /** Where it is installed: what it needs is looked for there. */
  place: ImagePath;
  /** The names of what it needs. */
  needs: readonly string[];
}

interface HowDescribed {
  /** What the packages are called, for people: `gems`. */
  what: string;
  /** Reads one file; null where it describes no package. */
  read: (path: ImagePath) => Described | null;
  /** The note about a file that describes no package; none where other tools may call a file that too. */
  leftOut?: string;
  /** Whether what is not installed in the same place may be anywhere. */
  isFoundAnywhere?: boolean;
}

/** The packages that files describe, one each, with what they need of each other. @throws FactoryError INTERRUPTED */
export async function describedPackages(
  paths: readonly ImagePath[],
  { what, read, leftOut, isFoundAnywhere = false }: HowDescribed,
  { notes, pace }: Pick<About, "notes" | "pace">,
): Promise<Package[]> {
  const byPlace = new Map<string, string>();
  const byName = new Map<string, string>();
  const found: Described[] = [];
  for (const [at, path] of paths.entries()) {
    if (pace.due()) await pace.rest(`${what} read`, at, paths.length);
    const made = read(path);
    if (!made) {
      if (leftOut !== undefined) notes.add(leftOut, `/${path}`);
      continue;
    }
    byPlace.set(`${made.place}\0${made.name}`, made.package.purl);
    if (isFoundAnywhere) byName.set(made.name, made.package.purl);
    found.push(made);
  }
  for (const [at, { package: own, place, needs }] of found.entries()) {
    own.needs = needsOf(
      own.purl,
      needs.flatMap((name) => byPlace.get(`${place}\0${name}`) ?? byName.get(name) ?? []),
    );
    if (pace.due()) await pace.rest(`${what}, what they need`, at, found.length);
  }
  return found.map((one) => one.package);
}
