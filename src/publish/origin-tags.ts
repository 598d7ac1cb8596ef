import { SCHEMES } from "../catalog/schemes/schemes.ts";
import { shortCommit } from "../model/commit.ts";
import { sha256Hex } from "../model/digest.ts";
import { branchTag } from "./branch-tag.ts";
import { isHighest, type Origin, type ReleasedVersion } from "./origin.ts";

/** A tag that says where an image comes from. */
export interface OriginTag {
  tag: string;
  kind: "pr" | "branch" | "sha" | "semver" | "latest";
}

const LONGEST = 128;
/** The most that a combination's own part takes, so that a branch's name has room. */
const LONGEST_SUFFIX = 60;

const { semver } = SCHEMES;

/** `1.2.3`, `1.2` and `1` of a release; a pre-release has only itself. What a higher release has it keeps. */
function ofVersion({ version, is_release }: ReleasedVersion, git: readonly string[]): OriginTag[] {
  const own: OriginTag = { tag: version.replaceAll("+", "_"), kind: "semver" };
  if (!is_release) return [own];
  const parts = semver.partsOf?.(version) ?? [];
  const lines = [2, 1].map((count) => parts.slice(0, count));
  const held = lines.filter((line) =>
    isHighest(version, git, (other) => {
      const others = semver.partsOf?.(other) ?? [];
      return line.every((part, at) => part === others[at]);
    }),
  );
  return [own, ...held.map((line): OriginTag => ({ tag: line.join("."), kind: "semver" }))];
}

/** A text as the end of a tag. */
function shortened(suffix: string): string {
  const text = suffix.replace(/[^A-Za-z0-9._-]/g, "-");
  if (text.length <= LONGEST_SUFFIX && text === suffix) return text;
  return `${text.slice(0, LONGEST_SUFFIX - 10)}_h${sha256Hex(suffix).slice(0, 8)}`;
}

/**
 * The tags that a commit's images have by where they come from: of a pull request only its own; else of a branch, of the
 * commit, and of each version that a git tag gives it. A pull request and a branch have a tag per commit.
 * @param suffix what tells a product's combinations apart; null for none
 * @param git all git tags: a release takes nothing from a higher one
 */
export function originTags(origin: Origin, suffix: string | null, git: readonly string[]): OriginTag[] {
  const { commit, pull_request, branch, versions } = origin;
  const end = suffix === null ? "" : `-${shortened(suffix)}`;
  const found: OriginTag[] = [];
  const add = (tag: string, kind: OriginTag["kind"]) => {
    const whole = `${tag}${end}`;
    if (whole.length <= LONGEST && !found.some((one) => one.tag === whole)) found.push({ tag: whole, kind });
  };
  if (commit !== null && pull_request !== null) add(`pr-${pull_request}-${shortCommit(commit)}`, "pr");
  else if (commit !== null) {
    if (branch !== null) add(branchTag(branch, commit, LONGEST - end.length), "branch");
    add(`sha-${shortCommit(commit)}`, "sha");
  }
  for (const one of versions) for (const { tag, kind } of ofVersion(one, git)) add(tag, kind);
  return found;
}

/** Whether a commit is the highest release, which `latest` means. */
export function isLatestRelease({ versions }: Origin, git: readonly string[]): boolean {
  return versions.some(({ version, is_release }) => is_release && isHighest(version, git));
}
