import { createHash } from "node:crypto";
import { sha256Hex } from "../model/digest.ts";
import type { ReadFile } from "../model/inputs.ts";

/*
 * A listing is text, one line for each file, folder and link of a source: its mode, the hex digits of its sha256 and its
 * path from the source as a JSON string; a folder's ends in `/`, and the source itself is `/` or empty. A folder comes before
 * what is in it, and names are sorted by code unit. Its sha256 stands for the source in keys, and says nothing of where the
 * source lies.
 */

/** How many characters are collected before they become bytes. */
const PIECE = 1 << 16;

/** sha256 of nothing, as hex digits: that of a folder. */
export const NOTHING = sha256Hex("");

/** A listing that is complete. It is kept as bytes, which take less memory than objects. */
export interface Listing {
  entries: number;
  /** `sha256:…` */
  sha256: string;
  /** Its text, in pieces. */
  pieces: readonly Uint8Array[];
}

/** Collects lines, in their order, into pieces of bytes. */
export function createPieces() {
  const pieces: Uint8Array[] = [];
  const hash = createHash("sha256");
  let text = "";
  const flush = (): void => {
    if (text === "") return;
    const bytes = Buffer.from(text);
    hash.update(bytes);
    pieces.push(bytes);
    text = "";
  };
  return {
    add: (line: string): void => {
      text += line;
      if (text.length >= PIECE) flush();
    },
    /** Adds whole lines as bytes, which do not change any more. Where there are many, they are kept as they are, not copied. */
    addBytes: (lines: Buffer): void => {
      if (lines.length < PIECE) text += lines.toString();
      if (text.length >= PIECE || lines.length >= PIECE) flush();
      if (lines.length < PIECE) return;
      hash.update(lines);
      pieces.push(lines);
    },
    /** Called once, after the last line. @returns the hex digits of the sha256 too */
    end: (): { pieces: readonly Uint8Array[]; hex: string } => {
      flush();
      return { pieces, hex: hash.digest("hex") };
    },
  };
}

/** One line of a listing. @param path from the source */
export function listingLine(mode: string, hex: string, path: string): string {
  return `${mode} ${hex} ${JSON.stringify(path)}\n`;
}

/** The path of an entry from the workspace's root. @param source the source's own; `.` for the workspace */
function wholePath(source: string, path: string): string {
  if (path === "" || path === "/") return source + path;
  return source === "." ? path : `${source}/${path}`;
}

/** The files, folders and links of a listing, one at a time, with their paths from the workspace's root. */
export function* listed(source: string, { pieces }: Pick<Listing, "pieces">): Iterable<ReadFile> {
  for (const piece of pieces) {
    for (const line of Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString().split("\n")) {
      if (line === "") continue;
      const [mode = "", hex = ""] = line.split(" ", 2);
      const json = line.slice(mode.length + hex.length + 2);
      const path = json.includes("\\") ? (JSON.parse(json) as string) : json.slice(1, -1);
      yield { path: wholePath(source, path), mode, sha256: `sha256:${hex}` };
    }
  }
}
