import { shortCommit } from "../model/commit.ts";
import { sha256Hex } from "../model/digest.ts";

/** `_h` and the digits behind it. */
const HASH_LENGTH = 10;
/** More than this is not kept of a branch's name, however much room a tag has. */
const LONGEST = 121;

/** Names that are read as another kind of tag, or as a name with a hash. */
const TAKEN = /^pr-\d+$|^sha$|_h[0-9a-f]{8}$/;

/**
 * A tag for a commit of a branch: the name in lower case, `/` and special characters as `-`, several of these as one, none
 * at either end, cut to 121 characters; then `-` and seven digits of the commit. Where more is lost than case and special
 * characters, a hash of the whole name is put behind it, as `_h1a2b3c4d`: where it is cut, for letters that tags do not have,
 * and where the result would read as another kind of tag.
 * @param name any text
 * @param commit its whole hash
 * @param room how long the tag may be
 */
export function branchTag(name: string, commit: string, room = 128): string {
  const end = `-${shortCommit(commit)}`;
  const most = Math.min(LONGEST, room - end.length);
  const slug = name
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[^a-z0-9._-]/gu, "-")
    .replace(/-{2,}/g, "-")
    .replace(/^-|-$/g, "");
  // A tag may not start with a dot.
  const start = slug.replace(/^[.-]+/, "");
  const isWhole = /^[ -~]+$/.test(name) && start === slug && slug !== "" && slug.length <= most;
  if (isWhole && !TAKEN.test(slug)) return `${slug}${end}`;
  const kept = start.slice(0, most - HASH_LENGTH).replace(/[.-]+$/, "") || "branch";
  return `${kept}_h${sha256Hex(name).slice(0, 8)}${end}`;
}
