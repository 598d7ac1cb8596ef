import { listed } from "../files/listing.ts";
import type { LibraryContent } from "../catalog/library-content.ts";
import { compareText } from "../model/compare.ts";

/** A version of a fragment or template that differs between two states of a library. */
export interface LibraryChange {
  /** `fragments` or `templates`. */
  folder: string;
  /** As the library names it. */
  name: string;
  version: string;
  /** `changed`: the same version holds something else now. */
  change: "added" | "removed" | "changed";
}

/** What each version holds, by `folder/name/version`. A file beside the versions belongs to all of them. */
function versionsIn({ trees }: LibraryContent): Map<string, string> {
  const held = new Map<string, string[]>();
  const shared = new Map<string, string[]>();
  for (const [folder, tree] of trees) {
    for (const { path, mode, sha256 } of listed(folder, tree)) {
      const [, name, version, ...rest] = path.split("/");
      if (name === undefined || version === undefined || version === "") continue;
      const line = `${mode} ${sha256} ${path}`;
      const into = rest.length > 0 ? held : shared;
      const key = rest.length > 0 ? `${folder}/${name}/${version}` : `${folder}/${name}`;
      const lines = into.get(key);
      if (lines) lines.push(line);
      else into.set(key, [line]);
    }
  }
  return new Map(
    [...held].map(([key, lines]) => {
      const owner = key.slice(0, key.lastIndexOf("/"));
      return [key, [...lines, ...(shared.get(owner) ?? [])].join("\n")];
    }),
  );
}

/** What differs between two states of a library, sorted. */
export function libraryChanges(before: LibraryContent, after: LibraryContent): LibraryChange[] {
  const [old, now] = [versionsIn(before), versionsIn(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort(compareText).flatMap((key): LibraryChange[] => {
    if (old.get(key) === now.get(key)) return [];
    const [folder = "", name = "", version = ""] = key.split("/");
    const change = !old.has(key) ? "added" : now.has(key) ? "changed" : "removed";
    return [{ folder, name, version, change }];
  });
}
