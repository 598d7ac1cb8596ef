import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { sha256Hex } from "../model/digest.ts";
import { DOCUMENT_BYTES } from "./archive.ts";
import type { Documents } from "./manifest.ts";

const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;

/** Whether the error of a file system call says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** The digest in the name of a blob; null for any other name, so that no name leads out of the layout. */
export function digestIn(name: string): string | null {
  const [, hex] = BLOB.exec(name) ?? [];
  return hex === undefined ? null : `sha256:${hex}`;
}

export function damaged(name: string, cause?: unknown): FactoryError {
  const reason = cause instanceof Error ? `: ${cause.message}` : ": its bytes do not have its digest";
  return new FactoryError("IMAGE_UNREADABLE", `cannot read ${name} of the built image${reason}`, {
    fix: "build the image again",
    cause,
  });
}

/**
 * The JSON documents of an OCI layout folder (image-spec, image-layout.md), each read when it is asked for. A blob's bytes
 * must have its digest.
 * @param layout absolute
 * @throws FactoryError IMAGE_UNREADABLE, when a document is asked for that is damaged
 */
export function openDocuments(layout: string): Documents {
  return {
    get: (name) => {
      const digest = digestIn(name);
      if (digest === null && name !== "index.json") return undefined;
      const file = join(layout, name);
      try {
        if (statSync(file).size > DOCUMENT_BYTES) return undefined;
        const bytes = readFileSync(file);
        if (digest !== null && `sha256:${sha256Hex(bytes)}` !== digest) throw damaged(name);
        return bytes.toString("utf8");
      } catch (cause) {
        if (isAbsent(cause)) return undefined;
        throw cause instanceof FactoryError ? cause : damaged(name, cause);
      }
    },
  };
}
