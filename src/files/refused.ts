import { FactoryError } from "../errors.ts";

/** What to do about most of what a file system refuses. */
const FIXES: Record<string, string> = {
  ENOSPC: "make room on the disk",
  EDQUOT: "make room: the quota is used up",
  EROFS: "the file system is read-only: write elsewhere, or mount it writable",
  EISDIR: "name a file in it",
  ENOTDIR: "a part of the path is a file: name another place",
  ENAMETOOLONG: "give it a shorter name",
  EPIPE: "nobody reads it any more",
};

/** Whether an error is the file system's, and no bug of ours. */
export function isRefusal(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}

/**
 * What the file system refused as an error that a person can act on; every other error as it is.
 * @param path that was to be written, as people know it
 */
export function writeFailed(path: string, error: unknown): unknown {
  if (!isRefusal(error)) return error;
  return new FactoryError("WRITE_FAILED", `cannot write ${path}: ${error.message}`, {
    fix: FIXES[error.code ?? ""] ?? "make room on the disk, or make the folder writable",
    cause: error,
  });
}

/** What `work` gives. @throws FactoryError WRITE_FAILED for what the file system refuses */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw writeFailed(path, error);
  }
}
