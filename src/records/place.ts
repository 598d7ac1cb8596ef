import { lstatSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { FactoryError } from "../errors.ts";

/** Real paths of a workspace and of its folder `records`. */
export interface Place {
  root: string;
  base: string;
}

/** What `work` gives; undefined where there is no such file or folder. @throws FactoryError FILE_UNREADABLE for all else */
export function ifThere<T>(path: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === undefined) throw error;
    throw new FactoryError("FILE_UNREADABLE", `${path} cannot be read (${code})`, {
      where: { file: path },
      fix: "make it readable",
      cause: error,
    });
  }
}

/**
 * Where the records of a workspace are; undefined where there are none.
 * @throws FactoryError FILE_OUTSIDE where a link leads out of the workspace, FILE_UNREADABLE
 */
export function placeOf(workspace: string): Place | undefined {
  const root = realpathSync.native(workspace);
  const base = ifThere("records", () => realpathSync.native(join(root, "records")));
  if (base === undefined) return undefined;
  if (base.startsWith(root.endsWith(sep) ? root : root + sep)) return { root, base };
  throw new FactoryError("FILE_OUTSIDE", "records leads out of the workspace", {
    where: { file: "records" },
    fix: "put the folder into the workspace in place of the link",
  });
}

/**
 * Real path of the folder for the records of a manifest, which need not be there yet.
 * @throws FactoryError FILE_OUTSIDE where it is a link, or `records` leads out of the workspace
 */
export function folderFor(workspace: string, manifestId: string): string {
  const base = placeOf(workspace)?.base ?? join(realpathSync.native(workspace), "records");
  const folder = join(base, manifestId);
  const path = `records/${manifestId}`;
  if (ifThere(path, () => lstatSync(folder))?.isSymbolicLink())
    throw new FactoryError("FILE_OUTSIDE", `${path} is a link`, {
      where: { file: path },
      fix: "put the folder itself in the place of the link",
    });
  return folder;
}
