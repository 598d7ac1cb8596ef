import { posix } from "node:path";
import type { Finding } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import type { Workspace } from "../schemas/types.ts";
import type { PlaceOf } from "./catalog.ts";
import type { Sound } from "./sound.ts";

/** Whether a path from the workspace leads out of it, links aside. */
export function leadsOut(path: string): boolean {
  return posix.isAbsolute(path) || /^\.\.(\/|$)/.test(posix.normalize(path));
}

/** Whether a path from the workspace is the workspace itself. */
export function isWhole(path: string): boolean {
  return /^\.\/?$/.test(posix.normalize(path));
}

/** A library that is a folder is one in the workspace. */
export function checkLibraries(libraries: Sound<Workspace>["libraries"], place: PlaceOf): Finding[] {
  return Object.entries(libraries ?? {}).flatMap(([name, source]): Finding[] => {
    if (source?.path !== undefined && isWhole(source.path)) {
      const what = `the library ${quoted(name)} is the workspace itself`;
      const fix = "name a folder in it; its own fragments need no library";
      return [{ code: "LIBRARY_INVALID", what, where: place(["libraries", name, "path"]), fix }];
    }
    if (source?.path !== undefined && leadsOut(source.path)) {
      const what = `the library ${quoted(name)} is at ${quoted(source.path)}, which leads out of the workspace`;
      const fix =
        "bring it in as a submodule or a package, or push it as an artifact and name that with `oci:`";
      return [{ code: "FILE_OUTSIDE", what, where: place(["libraries", name, "path"]), fix }];
    }
    return [];
  });
}
