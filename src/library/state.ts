import type { Catalog, Library } from "../catalog/catalog.ts";
import { libraryOrigin } from "../catalog/libraries.ts";
import { FactoryError } from "../errors.ts";

/** What factory.lock says that a library holds; null if it says nothing. */
export function lockedDigest(catalog: Catalog, library: Library): string | null {
  return catalog.lock()?.document.libraries?.[library.name]?.[libraryOrigin(library)] ?? null;
}

/** What factory.lock says that a library held last, wherever it came from then. */
export function lastLocked(catalog: Catalog, library: Library): string | null {
  const byOrigin = catalog.lock()?.document.libraries?.[library.name] ?? {};
  return lockedDigest(catalog, library) ?? Object.values(byOrigin)[0] ?? null;
}

/** How a library stands to factory.lock. */
export interface LibraryState {
  status: "locked" | "unlocked" | "changed" | "missing";
  /** Of its content; null if it is not there. */
  digest: string | null;
  locked: string | null;
}

/** @throws FactoryError LIBRARY_INVALID, FILE_* */
export function libraryState(catalog: Catalog, library: Library): LibraryState {
  const locked = lockedDigest(catalog, library);
  try {
    const { digest } = catalog.libraryContent(library);
    const status = locked === digest ? "locked" : locked === null ? "unlocked" : "changed";
    return { status, digest, locked };
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "LIBRARY_MISSING") throw error;
    return { status: "missing", digest: null, locked };
  }
}
