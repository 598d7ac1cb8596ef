import { posix } from "node:path";
import type { OpenCatalog } from "../../catalog/open.ts";
import { trailOf } from "./links.ts";

/**
 * The paths of all sources that the documents of a workspace declare, and of the scripts of manifests' tests, as far as they
 * can be read. The scripts of fragments are in their folders.
 */
function declaredPaths(catalog: OpenCatalog): string[] {
  const manifests = catalog.manifestIds().map((id) => catalog.loadManifest(id).sound);
  const scripts = manifests.flatMap(({ smoke = [] }) => smoke.flatMap((test) => test?.script?.path ?? []));
  const documents = [
    ...manifests,
    ...catalog
      .fragmentNames()
      .flatMap((name) =>
        catalog.fragmentVersions(name).map((version) => catalog.loadFolder("fragment", name, version).sound),
      ),
  ];
  const sources = documents.flatMap((one) => Object.values(one.sources ?? {}));
  return [...sources.flatMap((source) => source?.path ?? []), ...scripts];
}

/**
 * The top-level names of a workspace that its sources and scripts need to be read: `.` if that is all of them. What links on the way lead
 * to counts too, as far as these are there.
 */
export function sourceNames(catalog: OpenCatalog): string[] {
  const paths = declaredPaths(catalog)
    .map((path) => posix.normalize(path).replace(/(?<=.)\/$/, ""))
    .filter((path) => !posix.isAbsolute(path) && path !== ".." && !path.startsWith("../"));
  if (paths.length === 0) return [];
  const all = paths.flatMap((path) => [path, ...trailOf(catalog.root, path)]);
  const names = [".gitignore", ...all.map((path) => path.split("/", 1)[0] ?? "")];
  return [...new Set(names)].filter((name) => name !== "" && name !== ".git");
}
