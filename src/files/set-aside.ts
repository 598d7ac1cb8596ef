import { existsSync, renameSync, rmSync } from "node:fs";
import { writing } from "./refused.ts";

/** What is about to be deleted lies beside its place, under this name, until it is known that nobody needs it. */
const ASIDE = ".going";

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Takes a file out of its place; nothing if it is not there. @throws FactoryError WRITE_FAILED */
export const setAside = (file: string): void => writing(file, () => moveIfThere(file, file + ASIDE));

/** Puts a file back that was set aside; nothing if it was not. @throws FactoryError WRITE_FAILED */
export const putBack = (file: string): void => writing(file, () => moveIfThere(file + ASIDE, file));

/** Deletes a file that was set aside; nothing if it was not. @throws FactoryError WRITE_FAILED */
export const deleteAside = (file: string): void => writing(file, () => rmSync(file + ASIDE, { force: true }));

/** Whether a file was set aside, and neither put back nor deleted. */
export const isAside = (file: string): boolean => existsSync(file + ASIDE);

/** Deletes a file; nothing if it is not there. @throws FactoryError WRITE_FAILED */
export const deleteFile = (file: string): void => writing(file, () => rmSync(file, { force: true }));
