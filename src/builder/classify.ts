import type { Again } from "../model/retries.ts";

/** Why a build can fail. */
export const BUILD_CLASSES = [
  "dockerfile",
  "step",
  "copy",
  "base",
  "registry-unavailable",
  "registry-limited",
  "registry-denied",
  "network",
  "builder",
  "disk",
  "timeout",
  "interrupted",
  "environment",
  "unknown",
] as const;

export type BuildClass = (typeof BUILD_CLASSES)[number];

/** Classes for which the declaration is at fault; for the others it is the environment. */
export const OWN_FAULT: ReadonlySet<BuildClass> = new Set(["dockerfile", "step", "copy", "base"]);

export interface Classified {
  class: BuildClass;
  retry: Again;
}

/** What each class of failure looks like in BuildKit's words. The first rule that matches decides. */
const RULES: readonly [RegExp, BuildClass, Again][] = [
  [
    /cannot connect to the docker daemon|failed to connect to the docker api|error during connect/i,
    "environment",
    "no",
  ],
  [
    /permission denied while trying to connect|unknown command: docker buildx|unknown (shorthand )?flag/i,
    "environment",
    "no",
  ],
  // Below HOME, where docker and buildx keep their state.
  [/(mkdir|open|create) \S*\/\.docker\b\S*: (read-only file system|permission denied)/i, "environment", "no"],
  [
    // An engine without the containerd image store cannot hold an image with its attestations.
    /does not (currently )?support exporting manifest lists|attestations? (is|are) not supported/i,
    "environment",
    "no",
  ],
  [
    /dockerfile parse error|failed to read dockerfile|failed to parse stage name|invalid reference format/i,
    "dockerfile",
    "no",
  ],
  [
    /target stage .* could not be found|circular dependency|no build stage in current context|base name .* should not be blank/i,
    "dockerfile",
    "no",
  ],
  [/did not complete successfully: exit code: \d+(?!.*context canceled)/i, "step", "no"],
  [/no space left on device|disk quota exceeded/i, "disk", "no"],
  [
    /failed to calculate checksum|forbidden path outside the build context|failed to compute cache key: .*not found/i,
    "copy",
    "no",
  ],
  [/failed to resolve source metadata[^\n]*: not found/i, "base", "no"],
  [/toomanyrequests|429 too many requests|status[^\n]*\b429\b|rate limit/i, "registry-limited", "long"],
  [
    /\bunauthorized\b|(?<!permission )\bdenied\b|insufficient_scope|authorization failed|status[^\n]*\b40[13]\b/i,
    "registry-denied",
    "no",
  ],
  [
    /no such job|transport is closing|error reading from server|no active session|failed to get status/i,
    "builder",
    "yes",
  ],
  [/no such host|temporary failure in name resolution|server misbehaving/i, "network", "once"],
  [
    /unexpected status[^\n]*\b5\d\d\b|\b50[0234] (internal|bad|service|gateway) |\bunavailable\b|connection refused/i,
    "registry-unavailable",
    "yes",
  ],
  // A push says no status where the registry had words: these are of nothing that stays as it is.
  [
    /error from registry: (?![^\n]*\b(?:invalid|unknown(?! error)|not known|unsupported|not match|too large|exceed|quota))/i,
    "registry-unavailable",
    "yes",
  ],
  [
    /\bEOF\b|connection reset|closed network connection|broken pipe|tls handshake timeout|i\/o timeout|network is unreachable|no route to host/i,
    "network",
    "yes",
  ],
  [/deadline exceeded/i, "timeout", "yes"],
  [
    /failed to resolve source metadata|manifest unknown|no match for platform in manifest|pull access denied/i,
    "base",
    "no",
  ],
  [/context canceled/i, "builder", "yes"],
];

/** The command of a RUN step, which BuildKit quotes in its error: its words must not decide the class. */
const QUOTED_PROCESS = /process "(?:[^"\\]|\\.)*"/g;

/**
 * Names the cause of a failed build.
 * @param exitCode of `docker buildx bake`; null if a signal ended it
 * @param errorText what buildx said last, from its `ERROR:` line on; neither the log nor the excerpt of the Dockerfile
 */
export function classifyFailure(exitCode: number | null, errorText: string): Classified {
  if (exitCode === 130) return { class: "interrupted", retry: "no" };
  const text = errorText.replace(QUOTED_PROCESS, "process");
  for (const [pattern, failure, retry] of RULES) {
    if (pattern.test(text)) return { class: failure, retry };
  }
  return exitCode === null ? { class: "builder", retry: "no" } : { class: "unknown", retry: "no" };
}
