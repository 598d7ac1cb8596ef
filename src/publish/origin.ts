import type { CiEvent } from "../ci/system.ts";
import { SCHEMES } from "../catalog/schemes/schemes.ts";

/** What git says about a workspace. What it does not know is null. */
export interface GitNames {
  /** The whole hash of what is checked out. */
  commit: string | null;
  /** The branch that is checked out. */
  branch: string | null;
  default_branch: string | null;
  /** All tags, and those of what is checked out. */
  tags: readonly string[];
  tags_here: readonly string[];
}

/** A version that a git tag gives a commit. */
export interface ReleasedVersion {
  /** `1.2.3` of the tag `v1.2.3`. */
  version: string;
  /** Whether it is a release: `1.2` and `1` may mean it as well. */
  is_release: boolean;
}

/** What images are made from: what tags say about it. */
export interface Origin {
  /** Why a job runs; `local` without an event. */
  kind: CiEvent["kind"] | "local";
  commit: string | null;
  pull_request: number | null;
  /** Whether the commits are those of another repository. */
  fork: boolean;
  /** A branch that is not the default one. */
  branch: string | null;
  /** The versions that git tags give it. */
  versions: readonly ReleasedVersion[];
  /** Whether a product's own tags are given: not for what is only proposed, nor for an older release. */
  publishes: boolean;
}

const { semver } = SCHEMES;

/** The version that a git tag names: `1.2.3` of `v1.2.3`; null if it names none. */
function versionOfTag(tag: string): string | null {
  const version = tag.startsWith("v") ? tag.slice(1) : tag;
  return version.length <= 128 && semver.isVersion(version) ? version : null;
}

/** Whether no release among the git tags is higher than a version, of those that pass `among`. */
export function isHighest(
  version: string,
  tags: readonly string[],
  among: (other: string) => boolean = () => true,
): boolean {
  return tags.every((tag) => {
    const other = versionOfTag(tag);
    if (other === null || !semver.isRelease(other) || !among(other)) return true;
    return semver.compare(other, version) <= 0;
  });
}

/** Without a known default branch, these are taken for one. */
const DEFAULTS = ["main", "master"];

/** The versions that git tags name; those that somebody calls pre-releases are none, whatever their names are. */
function versionsOf(tags: readonly string[], prerelease = false): ReleasedVersion[] {
  return tags.flatMap((tag) => {
    const version = versionOfTag(tag);
    return version === null ? [] : [{ version, is_release: !prerelease && semver.isRelease(version) }];
  });
}

function local(git: GitNames): Origin {
  const { branch, default_branch, commit } = git;
  const isDefault = default_branch === null ? DEFAULTS.includes(branch ?? "") : branch === default_branch;
  return {
    kind: "local",
    commit,
    pull_request: null,
    fork: false,
    branch: isDefault ? null : branch,
    versions: versionsOf(git.tags_here),
    publishes: true,
  };
}

/**
 * What is known of where images come from. Without an event, git alone says it.
 * @param event why the CI job runs; null if there is none
 */
export function originOf(event: CiEvent | null, git: GitNames): Origin {
  if (event === null) return local(git);
  const none: Origin = {
    kind: event.kind,
    commit: "commit" in event ? (event.commit ?? git.commit) : git.commit,
    pull_request: null,
    fork: false,
    branch: null,
    versions: [],
    publishes: false,
  };
  switch (event.kind) {
    case "pull_request":
      return { ...none, pull_request: event.number, fork: event.fork };
    case "branch":
      return { ...none, branch: event.is_default ? null : event.branch, publishes: event.is_default };
    case "tag": {
      const versions = versionsOf([event.tag], event.prerelease);
      const publishes = versions.some(
        ({ version, is_release }) => is_release && isHighest(version, git.tags),
      );
      return { ...none, versions, publishes };
    }
    case "gone":
      return { ...none, commit: null };
    default:
      return none;
  }
}
