import { withoutUserinfo } from "../model/userinfo.ts";
import { FactoryError } from "../errors.ts";
import { isLoopback } from "../model/image-reference.ts";
import { fieldAt } from "../model/payload.ts";
import { isCommit } from "../model/commit.ts";
import { quoted } from "../model/visible.ts";
import type { CiEvent, CiJob, CiMatrix, CiSystem, Environment } from "./system.ts";

/** The `strategy` of a job of GitHub Actions. */
export interface Strategy {
  "fail-fast": false;
  matrix: { include: CiJob[] };
}

/** Machines that GitHub offers. */
const HOSTED: Readonly<Record<string, string>> = {
  "linux/amd64": "ubuntu-24.04",
  "linux/arm64": "ubuntu-24.04-arm",
};

const matrix = {
  description: "the strategy of a GitHub Actions job",
  maxJobs: 256,
  // A platform for which GitHub has no machine is emulated.
  runnerFor: (platform, gpus) =>
    gpus
      ? ["self-hosted", "linux", platform.split("/")[1] ?? "amd64", "gpu"]
      : (HOSTED[platform] ?? "ubuntu-24.04"),
  sameName: (name) => name.toLowerCase(),
  document: (jobs): Strategy => ({ "fail-fast": false, matrix: { include: [...jobs] } }),
} as const satisfies CiMatrix;

const FIX = "name the file that GitHub wrote, which $GITHUB_EVENT_PATH names in a job";

/** More than any name that git takes. */
const LONGEST_NAME = 1024;
const MOST_PULL_REQUESTS = 2 ** 31;

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= LONGEST_NAME;
}

function isNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < MOST_PULL_REQUESTS;
}

/** A field that an event has to have. @throws FactoryError EVENT_INVALID */
function need<T>(payload: unknown, path: string, is: (value: unknown) => value is T, what: string): T {
  const value = fieldAt(payload, path);
  if (is(value)) return value;
  const found = value === undefined ? "is missing" : `is ${quoted(JSON.stringify(value))}`;
  throw new FactoryError("EVENT_INVALID", `\`${path}\` of the event ${found}; it has to be ${what}`, {
    fix: FIX,
  });
}

/** The branch or tag of a push, or of a run by hand. */
function ofRef(payload: unknown, commit: string | null): CiEvent {
  const ref = need(payload, "ref", isName, "a branch or tag, as `refs/heads/main`");
  const [, kind, name = ""] = /^refs\/(heads|tags)\/(.+)$/s.exec(ref) ?? [];
  if (kind === undefined) return { kind: "other" };
  if (kind === "tags") {
    // An annotated tag has a hash of its own.
    const own = fieldAt(payload, "head_commit.id");
    return { kind: "tag", tag: name, prerelease: false, commit: isCommit(own) ? own : null };
  }
  const known = fieldAt(payload, "repository.default_branch");
  return { kind: "branch", branch: name, is_default: isName(known) && name === known, commit };
}

/**
 * Reads the payload of a webhook, which is what GITHUB_EVENT_PATH names. It does not say of which event it is: its fields do.
 * https://docs.github.com/webhooks/webhook-events-and-payloads
 */
function readEvent(payload: unknown): CiEvent {
  const has = (path: string) => fieldAt(payload, path) !== undefined;
  if (typeof payload !== "object" || payload === null || Array.isArray(payload))
    throw new FactoryError("EVENT_INVALID", "the event is not a mapping", { fix: FIX });
  if (has("pull_request")) {
    const own = fieldAt(payload, "pull_request.head.repo.full_name");
    return {
      kind: "pull_request",
      number: need(payload, "pull_request.number", isNumber, "a number above 0"),
      commit: need(payload, "pull_request.head.sha", isCommit, "the hash of a commit"),
      // A fork that was deleted has no name.
      fork: own === undefined || own !== fieldAt(payload, "pull_request.base.repo.full_name"),
    };
  }
  if (has("merge_group"))
    return {
      kind: "merge_queue",
      commit: need(payload, "merge_group.head_sha", isCommit, "the hash of a commit"),
    };
  if (has("release")) {
    const gone = ["deleted", "unpublished"].includes(String(fieldAt(payload, "action")));
    if (gone || fieldAt(payload, "release.draft") === true) return { kind: "gone" };
    const tag = need(payload, "release.tag_name", isName, "a tag");
    return { kind: "tag", tag, prerelease: fieldAt(payload, "release.prerelease") === true, commit: null };
  }
  if (has("after")) {
    if (fieldAt(payload, "deleted") === true) return { kind: "gone" };
    return ofRef(payload, need(payload, "after", isCommit, "the hash of a commit"));
  }
  if (has("schedule")) {
    // It always runs on the default branch.
    const branch = fieldAt(payload, "repository.default_branch");
    return { kind: "branch", branch: isName(branch) ? branch : "", is_default: true, commit: null };
  }
  return has("inputs") || has("workflow") ? ofRef(payload, null) : { kind: "other" };
}

/** GitHub Actions. */
export const github = {
  title: "GitHub",
  isHere: ({ GITHUB_ACTIONS }) => GITHUB_ACTIONS === "true",
  jobUrl: ({ GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID }) => {
    if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY || !GITHUB_RUN_ID) return null;
    return withoutUserinfo(`${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`);
  },
  matrix,
  events: {
    fix: FIX,
    path: ({ GITHUB_ACTIONS, GITHUB_EVENT_PATH }) =>
      GITHUB_ACTIONS === "true" ? GITHUB_EVENT_PATH || undefined : undefined,
    read: readEvent,
  },
} as const satisfies CiSystem;

const API = "https://api.github.com";

/** Where GitHub's API is, and the token for it, as the environment says. */
export interface GithubApi {
  /** Without a slash at its end: over https, on loopback also over http. */
  base: string;
  /** GITHUB_TOKEN, else GH_TOKEN; "" if there is none. */
  token: string;
  /** Whether it is GitHub's own, or a server of a test. */
  isOwn: boolean;
}

/** @throws FactoryError USAGE if GITHUB_API_URL is no address that a token may be sent to */
export function githubApi(env: Environment): GithubApi {
  const wrong = (why: string) =>
    new FactoryError("USAGE", `GITHUB_API_URL ${why}`, { fix: `such as ${API}, which is the default` });
  const said = (env.GITHUB_API_URL ?? "").trim() || API;
  if (!URL.canParse(said)) throw wrong("is no address");
  const { protocol, host, origin, pathname, username, password, search, hash } = new URL(said);
  if (username !== "" || password !== "") throw wrong("has a user or a password in it");
  if (protocol !== "https:" && !(protocol === "http:" && isLoopback(host))) throw wrong("is not https");
  if (search !== "" || hash !== "") throw wrong("has more than a host and a path");
  const base = `${origin}${pathname}`.replace(/\/+$/, "");
  const token = (env.GITHUB_TOKEN ?? "").trim() || (env.GH_TOKEN ?? "").trim();
  return { base, token, isOwn: base === API || isLoopback(host) };
}
