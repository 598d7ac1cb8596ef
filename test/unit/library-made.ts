import { openCatalog } from "../../src/catalog/open.ts";
import { entriesOf, lockText, subjectKey } from "../../src/plan/lock/lock.ts";
import { makeWorkspace, SMALL, type Files, writeFiles } from "./workspace.ts";

/** What of the small workspace a library has. */
const SHARED = Object.fromEntries(
  Object.entries(SMALL).filter(([path]) => /^(fragments|templates)\//.test(path)),
);

/** The small workspace's fragments and templates, below a folder. */
export function libraryIn(folder: string, changes: Files = {}): Files {
  return Object.fromEntries(
    Object.entries({ ...SHARED, ...changes }).map(([path, content]) => [`${folder}/${path}`, content]),
  );
}

/** A manifest that is made of a library's fragments. */
export const SHARED_MANIFEST = `schema_version: 1
manifest_id: shared
template: company.plain@~0.1
base: debian:bookworm-slim
fragments: {company.core: ~0.1, company.app: 0.1.0}
args: {port: 8080}
`;

export const DECLARED = "schema_version: 1\nlibraries:\n  company: {path: vendor/company}\n";

/** factory.lock with what each library holds now, and nothing else. */
export function lockLibraries(root: string): void {
  const catalog = openCatalog(root, { trust: "any" });
  const lock = openCatalog(root).lock();
  const entries = new Map(lock ? entriesOf(lock.document) : []);
  for (const library of catalog.libraries()) {
    const { name, source } = library;
    const at = source.path ?? (source.oci ?? "").replace(/@.*/, "");
    const entry = { kind: "library", name, at, value: catalog.libraryContent(library).digest } as const;
    entries.set(subjectKey(entry), entry);
  }
  writeFiles(root, { "factory.lock": lockText(entries) });
}

/** A workspace with a library in vendor/company, locked, and a manifest of its fragments. Call it inside a test. */
export function workspaceWithLibrary(changes: Files = {}): string {
  const root = makeWorkspace({
    "factory.yaml": DECLARED,
    "manifests/shared.yaml": SHARED_MANIFEST,
    ...libraryIn("vendor/company"),
    ...changes,
  });
  lockLibraries(root);
  return root;
}
