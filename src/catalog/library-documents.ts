import type { Finding } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import type { Documents, Fragment, Ranges, Template } from "../schemas/types.ts";
import type { FolderEntry, LibraryOf, PlaceOf } from "./catalog.ts";
import type { FolderKind } from "./kinds-of-documents.ts";
import type { LoadedFolder } from "./load-version.ts";
import { sharedId, splitSharedId } from "./names.ts";
import type { Sound } from "./sound.ts";
import type { Path } from "./yaml-value.ts";

/**
 * The id of a fragment that a document names: what is in a library means the library's own fragments, and others only if it
 * has none of that name.
 */
export function namedBy({ library }: Pick<FolderEntry<unknown>, "library">, name: string): string {
  return library?.fragments.includes(name) ? sharedId(library.name, name) : name;
}

const MISPLACED = "a library's fragments bring what they need in their own folders";

/** What a document may not say because it is in a library: it does not know the workspace that it will be used in. */
function libraryFindings(document: Sound<Fragment>, place: PlaceOf): Finding[] {
  const ranges = (field: "requires" | "conflicts") =>
    Object.keys(document[field] ?? {})
      .filter((name) => splitSharedId(name).library !== null)
      .map((name): Finding => {
        return {
          code: "LIBRARY_INVALID",
          what: `${field} ${quoted(name)}: a library cannot name a fragment of a library`,
          where: place([field, name]),
          fix: "name it as it is called in this library, without a dot",
        };
      });
  const sources = Object.entries(document.sources ?? {}).flatMap(([name, source]): Finding[] => {
    if (source?.path === undefined) return [];
    return [
      {
        code: "LIBRARY_INVALID",
        what: `the source ${quoted(name)} has a path, but ${MISPLACED}`,
        where: place(["sources", name, "path"]),
        fix: "remove the `path`: then the manifest that uses the fragment gives one",
      },
    ];
  });
  return [...ranges("requires"), ...ranges("conflicts"), ...sources];
}

function renamed(ranges: Sound<Ranges> | undefined, library: LibraryOf): Sound<Ranges> | undefined {
  if (ranges === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(ranges).map(([name, range]) => [namedBy({ library }, name), range]),
  );
}

function asShared<T extends object>(kind: FolderKind, document: T, library: LibraryOf): T {
  const shared = { ...document };
  if (kind === "template") {
    const template = shared as Sound<Template>;
    if (template.template_id !== undefined)
      template.template_id = sharedId(library.name, template.template_id);
    return shared;
  }
  const fragment = shared as Sound<Fragment>;
  const { name, slot = name, requires, conflicts } = fragment;
  if (name !== undefined) fragment.name = sharedId(library.name, name);
  if (slot !== undefined) fragment.slot = slot;
  if (requires) fragment.requires = renamed(requires, library);
  if (conflicts) fragment.conflicts = renamed(conflicts, library);
  return shared;
}

/**
 * A document of a library as the workspace knows it: its own name, and those of the fragments that it names, with the name of
 * the library; it fills the slot that it filled.
 */
export function ofLibrary<K extends FolderKind>(
  kind: K,
  loaded: LoadedFolder<Documents[K]>,
  library: LibraryOf,
): LoadedFolder<Documents[K]> {
  const prefix = `${library.name}.`;
  const inFile = (path: Path): Path =>
    path.map((step) =>
      typeof step === "string" && step.startsWith(prefix) ? step.slice(prefix.length) : step,
    );
  const place: PlaceOf = (path) => loaded.place(inFile(path));
  const findings = kind === "fragment" ? libraryFindings(loaded.sound, loaded.place) : [];
  const { entry } = loaded;
  return {
    ...loaded,
    findings: [...loaded.findings, ...findings],
    sound: asShared(kind, loaded.sound as object, library) as typeof loaded.sound,
    place,
    keyPlace: (path) => loaded.keyPlace(inFile(path)),
    entry:
      entry && findings.length === 0
        ? {
            ...entry,
            place,
            library,
            document: asShared(kind, entry.document as object, library) as Documents[K],
          }
        : undefined,
  };
}
