import { lstatSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { FactoryError } from "../errors.ts";

/** The folders of a workspace that Factory writes to. */
const OWN_FOLDERS = ["records", ".factory"] as const;

function outside(path: string): FactoryError {
  return new FactoryError("FILE_OUTSIDE", `${path} leads out of the workspace`, {
    where: { file: path },
    fix: "put the folder itself into the workspace in place of the link",
  });
}

/**
 * Refuses a path below the workspace that leads out of it: every link on the way has to stay in the workspace. A part that
 * does not exist yet leads nowhere else.
 * @param root absolute path of the workspace
 * @param path from there, with `/`
 * @returns the absolute path
 * @throws FactoryError FILE_OUTSIDE; FILE_UNREADABLE if this cannot be determined
 */
export function insideWorkspace(root: string, path: string): string {
  const parts = path.split("/");
  for (let length = 1; length <= parts.length; length += 1) {
    const part = parts.slice(0, length).join("/");
    const at = join(root, part);
    try {
      const stats = lstatSync(at, { throwIfNoEntry: false });
      if (!stats) break;
      if (!stats.isSymbolicLink()) continue;
      const real = realpathSync.native(root);
      if (!realpathSync.native(at).startsWith(real.endsWith(sep) ? real : real + sep)) throw outside(part);
    } catch (error) {
      if (error instanceof FactoryError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      // A dangling link: writing through it would create a file wherever it points.
      if (code === "ENOENT" || code === "ELOOP") throw outside(part);
      if (code === "ENOTDIR") break;
      throw new FactoryError("FILE_UNREADABLE", `${part} cannot be read (${code})`, {
        where: { file: part },
        fix: "make it readable",
        cause: error,
      });
    }
  }
  return join(root, path);
}

/**
 * Refuses a workspace whose `records` or `.factory` leads out of it, or is not a folder.
 * @param root absolute path of the workspace
 * @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE
 */
export function checkOwnFolders(root: string): void {
  for (const name of OWN_FOLDERS) {
    const stats = statSync(insideWorkspace(root, name), { throwIfNoEntry: false });
    if (!stats || stats.isDirectory()) continue;
    throw new FactoryError("FILE_UNREADABLE", `${name} is not a folder`, {
      where: { file: name },
      fix: "move it away: Factory makes the folder when it needs it",
    });
  }
}
