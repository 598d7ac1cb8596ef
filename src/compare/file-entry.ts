import type { Header } from "tar-stream";

/** What a tar says of one path, without its bytes. */
export interface FileEntry {
  /** `file`, `directory`, `symlink`, `link`, `character-device` … */
  type: string;
  /** Octal digits of its permission bits. */
  mode: string;
  /** `uid:gid` */
  owner: string;
  /** Milliseconds since 1970. */
  mtime: string;
  /** A hash over its extended attributes; empty without any. */
  attributes: string;
  /** A hash of a file's bytes; where a link leads; the numbers of a device. */
  content: string;
}

/** How one path of two images differs. */
export type Difference = "added" | "removed" | "type" | "content" | "mode" | "owner" | "attributes" | "times";

/** Kinds of entries that have bytes of their own. */
export function hasBytes(type: string | null | undefined): boolean {
  return type === "file" || type === "contiguous-file";
}

/** A path in its own words, where it is no clean one: then it starts with this. */
const ODD = "\0";

/** A name as a key that no clean path can be. */
export function oddPath(name: string): string {
  return ODD + name;
}

/** A key as people read it. */
export function pathText(key: string): string {
  return key.startsWith(ODD) ? key.slice(1) : `/${key}`;
}

/**
 * An entry in one text, which takes less memory than an object: of an image with a million files that matters.
 * @param content a hash of a file's bytes
 * @param attributes a hash over its extended attributes
 */
export function packEntry(header: Header, content: string, attributes: string): string {
  const { type, mode = 0, uid = 0, gid = 0, mtime, linkname, devmajor = 0, devminor = 0 } = header;
  const kind = type === "contiguous-file" ? "file" : (type ?? "unknown");
  const isLink = kind === "symlink" || kind === "link";
  const isDevice = kind === "character-device" || kind === "block-device";
  const about = isLink ? (linkname ?? "") : isDevice ? `${devmajor}:${devminor}` : content;
  const time = mtime instanceof Date ? mtime.getTime() : 0;
  // A link's own permissions mean nothing.
  const permissions = kind === "symlink" ? "" : (mode & 0o7777).toString(8);
  return [kind, permissions, `${uid}:${gid}`, time, attributes, about].join(" ");
}

export function unpackEntry(text: string): FileEntry {
  const [type = "", mode = "", owner = "", mtime = "", attributes = ""] = text.split(" ", 5);
  const before = type.length + mode.length + owner.length + mtime.length + attributes.length + 5;
  return { type, mode, owner, mtime, attributes, content: text.slice(before) };
}

const COMPARED = ["mode", "owner", "attributes", "content"] as const;

/** How two entries of one path differ; nothing where they are the same. */
export function differences(before: string, after: string): Difference[] {
  if (before === after) return [];
  const [one, two] = [unpackEntry(before), unpackEntry(after)];
  if (one.type !== two.type) return ["type"];
  const found: Difference[] = COMPARED.filter((name) => one[name] !== two[name]);
  return one.mtime === two.mtime ? found : [...found, "times"];
}
