import { join } from "node:path";
import type { Catalog, Library } from "../catalog/catalog.ts";
import { libraryOrigin } from "../catalog/libraries.ts";
import { LOCK_FILE, type OpenCatalog, openCatalog } from "../catalog/open.ts";
import { readText } from "../catalog/read.ts";
import { errorOf, FactoryError } from "../errors.ts";
import { writeWhole } from "../files/write-whole.ts";
import { entriesOf, isEdited, type LockEntry, lockText, subjectKey } from "../plan/lock/lock.ts";
import { declareLibrary } from "./declare.ts";

const SETTINGS = "factory.yaml";

/** The workspace with one library, as it is to be and whatever it holds, and no other. */
export function catalogWith({ root, onProgress }: Catalog, library: Library): OpenCatalog {
  return openCatalog(root, { trust: "any", libraries: [library], onProgress });
}

/** Refuses a library with documents that are not right. @throws FactoryError with all findings */
export function checkDocuments(catalog: OpenCatalog, { name }: Library): void {
  const isOwn = (id: string) => id.startsWith(`${name}.`);
  const findings = [
    ...catalog
      .fragmentNames()
      .filter(isOwn)
      .flatMap((id) =>
        catalog
          .fragmentVersions(id)
          .flatMap((version) => catalog.loadFolder("fragment", id, version).findings),
      ),
    ...catalog
      .templateIds()
      .filter(isOwn)
      .flatMap((id) =>
        catalog
          .templateVersions(id)
          .flatMap((version) => catalog.loadFolder("template", id, version).findings),
      ),
  ];
  if (findings.length > 0) throw errorOf(findings);
}

/**
 * Writes what a library holds to factory.lock, and then where it is to factory.yaml. In between, the lock says too much, which
 * does no harm.
 * @param digest of its content
 * @throws FactoryError LOCK_EDITED, LIBRARY_INVALID, WRITE_FAILED
 */
export function recordLibrary(root: string, library: Library, digest: string): void {
  const { name, source } = library;
  const text = readText(root, SETTINGS);
  const declared = declareLibrary(text, name, source);
  // Others may have been written since the workspace was opened.
  const lock = openCatalog(root).lock();
  if (lock && isEdited(lock.document)) {
    throw new FactoryError("LOCK_EDITED", "factory.lock was edited by hand or merged", {
      where: lock.place(["lock_digest"]),
      fix: "run `factory lock` first, and look at what it changes",
    });
  }
  const entries = [...(lock ? entriesOf(lock.document).values() : [])];
  const kept = entries.filter((entry) => entry.kind !== "library" || entry.name !== name);
  const entry: LockEntry = { kind: "library", name, at: libraryOrigin(library), value: digest };
  const all = new Map([...kept, entry].map((one) => [subjectKey(one), one]));
  writeWhole(join(root, LOCK_FILE), lockText(all), false);
  if (declared !== text) writeWhole(join(root, SETTINGS), declared, false);
}
