import { createHash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FactoryError, type Place } from "../errors.ts";
import { readRegularPieces } from "../files/read-regular.ts";
import { compareText } from "../model/compare.ts";
import { sha256 } from "../model/digest.ts";
import type { ReadFile } from "../model/inputs.ts";

/** A file or folder that the Dockerfile may copy. Each of these fields can change the image's bits. */
export type ContextFile = ReadFile;

const NAME = /^[A-Za-z0-9._@+-]+(\/[A-Za-z0-9._@+-]+)*$/;
const MAX_FILES = 10_000;

/** sha256 of a regular file of any size. @throws FactoryError FILE_UNREADABLE */
function hashFile(root: string, path: string, where: Place): string {
  const hash = createHash("sha256");
  const refuse = (what: string, cause?: unknown) =>
    new FactoryError("FILE_UNREADABLE", `${path} ${what}`, { where, fix: "make it readable", cause });
  let read: number | undefined;
  try {
    read = readRegularPieces(join(root, path), (piece) => hash.update(piece));
  } catch (error) {
    throw refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  if (read === undefined) throw refuse("was replaced by something else while it was read");
  return `sha256:${hash.digest("hex")}`;
}

/**
 * The files that `{{file "name"}}` means: the file itself, or a folder with everything in it, sorted by path.
 * @param root absolute path of the workspace
 * @param folder the fragment's folder, from the root
 * @throws FactoryError FILE_OUTSIDE, FILE_MISSING, FILE_UNREADABLE, FILE_TOO_LARGE
 */
export function contextFiles(root: string, folder: string, name: string, where: Place): ContextFile[] {
  if (!NAME.test(name) || name.split("/").some((part) => part === ".." || part === ".")) {
    throw new FactoryError(
      "FILE_OUTSIDE",
      `{{file ${JSON.stringify(name)}}} is not the name of a file of this fragment`,
      {
        where,
        fix: "name a file or folder beside Dockerfile.hbs, using only letters, digits and . _ @ + -",
      },
    );
  }
  const files: ContextFile[] = [];
  const add = (path: string) => {
    const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (!stat) {
      throw new FactoryError("FILE_MISSING", `there is no ${path}`, {
        where,
        fix: "add the file, or correct its name",
      });
    }
    // Git's two modes: a file is executable or it is not, whatever the umask of the checkout.
    const mode = stat.isDirectory() || (stat.mode & 0o100) !== 0 ? "0755" : "0644";
    if (stat.isDirectory()) {
      files.push({ path: `${path}/`, mode, sha256: sha256("") });
      for (const entry of readdirSync(join(root, path)).sort(compareText)) {
        if (!NAME.test(entry)) {
          throw new FactoryError(
            "FILE_UNREADABLE",
            `${JSON.stringify(`${path}/${entry}`)} cannot be used in a Dockerfile`,
            {
              where,
              fix: "rename it: use only letters, digits and . _ @ + -",
            },
          );
        }
        add(`${path}/${entry}`);
      }
    } else if (stat.isFile()) {
      files.push({ path, mode, sha256: hashFile(root, path, where) });
    } else {
      throw new FactoryError("FILE_UNREADABLE", `${path} is a link or a special file`, {
        where,
        fix: "fragments may only have regular files",
      });
    }
    if (files.length > MAX_FILES) {
      throw new FactoryError("FILE_TOO_LARGE", `${folder}/${name} has more than ${MAX_FILES} files`, {
        where,
        fix: "pack them into an archive",
      });
    }
  };
  // Every folder on the way has to be a real one, or the path would lead elsewhere.
  const parts = name.split("/");
  for (let length = 1; length < parts.length; length += 1) {
    const path = `${folder}/${parts.slice(0, length).join("/")}`;
    const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) {
      throw new FactoryError("FILE_OUTSIDE", `${path} is a link`, {
        where,
        fix: "fragments may only have regular files",
      });
    }
  }
  add(`${folder}/${name}`);
  return files;
}
