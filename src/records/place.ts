import { lstatSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { FactoryError } from "../errors.ts";

/** Real paths of a workspace and of its folder `records`. */
export interface Place {
  root: string;
  base: string;
}

/** What `work` gives; undefined if there is no such file or folder. @throws FactoryError FILE_UNREADABLE for any other error */
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
 * Where the records of a workspace are; undefined if there are none.
 * @throws FactoryError FILE_OUTSIDE if a link leads out of the workspace, FILE_UNREADABLE
 */
export function placeOf(workspace: string): Place | undefined {
  const root = realpathSync.native(workspace);
  const base = ifThere("records", () => realpathSync.native(join(root, "records")));
  if (base === undefined) return undefined;
  if (base.startsWith(root.endsWith(sep) ? root : root + sep)) return { root, base };
  throw new FactoryError("FILE_OUTSIDE", "records leads out of the workspace", {
    where: { file: "records" },
    fix: "replace the link with a folder in the workspace",
  });
}

/**
 * Real path of the folder for the records of a manifest, which need not exist yet.
 * @throws FactoryError FILE_OUTSIDE if it is a link, or if `records` leads out of the workspace
 */
export function folderFor(workspace: string, manifestId: string): string {
  const base = placeOf(workspace)?.base ?? join(realpathSync.native(workspace), "records");
  const folder = join(base, manifestId);
  const path = `records/${manifestId}`;
  if (ifThere(path, () => lstatSync(folder))?.isSymbolicLink())
    throw new FactoryError("FILE_OUTSIDE", `${path} is a link`, {
      where: { file: path },
      fix: "replace the link with the folder itself",
    });
  return folder;
}
