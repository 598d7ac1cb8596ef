import { FactoryError } from "../errors.ts";

/** What to do about the usual errors of a file system. */
const FIXES: Record<string, string> = {
  ENOSPC: "make room on the disk",
  EDQUOT: "make room on the disk: your quota is used up",
  EROFS: "the file system is read-only: write elsewhere, or mount it writable",
  EISDIR: "name a file in it",
  ENOTDIR: "a part of the path is a file: choose another path",
  ENAMETOOLONG: "give it a shorter name",
  EPIPE: "nobody reads it any more",
};

/** Whether an error comes from the file system, and is not a bug of ours. */
export function isRefusal(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}

/**
 * An error of the file system as one that a person can act on; every other error as it is.
 * @param path that was to be written, as a person would name it
 */
export function writeFailed(path: string, error: unknown): unknown {
  if (!isRefusal(error)) return error;
  return new FactoryError("WRITE_FAILED", `cannot write ${path}: ${error.message}`, {
    fix: FIXES[error.code ?? ""] ?? "make room on the disk, or make the folder writable",
    cause: error,
  });
}

/** What `work` gives. @throws FactoryError WRITE_FAILED for an error of the file system */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw writeFailed(path, error);
  }
}
