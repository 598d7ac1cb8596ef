import { sha256Hex } from "../model/digest.ts";
import { platformSlug } from "../model/platform.ts";
import { valueSlug, valueText } from "../model/value.ts";
import type { Value } from "../schemas/types.ts";

const MAX_ID = 100;

/** `_h` and the digits behind it. */
const HASH_LENGTH = 10;

/** A longer platform is cut as well: no real one is. */
const MAX_PLATFORM = 50;

/** A base or an argument's value that can be mistaken for nothing else. */
const PLAIN = /^[a-z0-9_-]+$/;

/** A version that looks like one with the next fragment and its version, or with a platform, behind it. */
const READS_AS_MORE = /[-+].*\.[a-z][^.]*-\d/i;
const SEMVER = /^\d+\.\d+\.\d+([-+]|$)/;
const OTHER_READS_AS_MORE = /\.[a-z][^.]*-/i;

function isAmbiguous([name, value]: readonly [string, Value]): boolean {
  if (typeof value === "object") return true;
  const text = valueText(value);
  return name === "base" || name.startsWith("args.")
    ? !PLAIN.test(text)
    : READS_AS_MORE.test(text) || (!SEMVER.test(text) && OTHER_READS_AS_MORE.test(text));
}

/**
 * The id of a cell: the manifest, each chosen axis with its value (`core-0.1.0`, `args.port-8080`), the platform, joined
 * by `.`, which no name contains. It consists of `[a-z0-9._-]`. If it would be longer than 100 characters, lose a
 * difference or look like another cell's, as with each list or map, it is cut and ends in `_h` and 8 hex digits of its
 * sha256; the platform stays in front of that.
 */
export function cellId(
  manifestId: string,
  chosen: readonly (readonly [string, Value])[],
  platform: string,
): string {
  const parts = (text: (value: Value) => string) => [
    manifestId,
    ...chosen.map(([name, value]) => `${name}-${text(value)}`),
    platformSlug(platform),
  ];
  const whole = parts(valueSlug).join(".");
  const id = whole.toLowerCase().replace(/[^a-z0-9._-]/g, "-");
  if (id === whole && id.length <= MAX_ID && !chosen.some(isAmbiguous)) return id;
  return `${shortened(id, platformSlug(platform))}_h${sha256Hex(parts(valueText).join("\n")).slice(0, 8)}`;
}

/** An id that leaves room for the hash: what is too much is taken out in front of the platform. */
function shortened(id: string, slug: string): string {
  const room = MAX_ID - HASH_LENGTH;
  if (id.length <= room) return id;
  if (slug.length > MAX_PLATFORM) return id.slice(0, room);
  return `${id.slice(0, room - slug.length - 1).replace(/[._-]+$/, "")}.${slug}`;
}

/** The id of a manifest's cell by itself, which is what others start from. */
export function parentCellId(manifestId: string, platform: string): string {
  return cellId(manifestId, [], platform);
}

/** A name for bake, where dots are not allowed. */
export function targetName(id: string): string {
  // V8 keeps the result of a replacement as a tree of its parts, which is large for many cells. A join gives one string.
  return id.split(".").join("_");
}

/** A tag: 128 characters of `[A-Za-z0-9_.-]`, not starting with `.` or `-`. A longer one is cut and ends in a hash. */
export function tagOf(text: string): string {
  const tag = text.replace(/[^A-Za-z0-9_.-]/g, "-").replace(/^[.-]+/, "");
  return tag.length <= 128 ? tag : `${tag.slice(0, 118)}_h${sha256Hex(text).slice(0, 8)}`;
}
