import { withoutUserinfo } from "./model/userinfo.ts";

/**
 * Every error code of Factory, with the exit code of a process that ends with it.
 * docs/errors.md explains each of them; a test holds the two to each other.
 */
export const ERRORS = {
  // 2: bad input or usage
  USAGE: 2,
  WORKSPACE_NOT_FOUND: 2,
  WORKSPACE_EXISTS: 2,
  FOLDER_TAKEN: 2,
  DOCKERFILE_INVALID: 2,
  FINDINGS: 2,
  FILE_UNREADABLE: 2,
  FILE_TOO_LARGE: 2,
  FILE_OUTSIDE: 2,
  FILE_MISSING: 2,
  YAML_SYNTAX: 2,
  YAML_DUPLICATE_KEY: 2,
  YAML_ALIAS: 2,
  YAML_UNSUPPORTED: 2,
  YAML_KEY: 2,
  SCHEMA: 2,
  SCHEMA_UNKNOWN_FIELD: 2,
  SCHEMA_MISSING_FIELD: 2,
  NAME_MISMATCH: 2,
  UNKNOWN_MANIFEST: 2,
  UNKNOWN_BASE: 2,
  EXTENDS_NESTED: 2,
  MANIFEST_ABSTRACT: 2,
  UNKNOWN_PLAN: 2,
  UNKNOWN_PRODUCT: 2,
  UNKNOWN_CHANNEL: 2,
  UNKNOWN_POLICY: 2,
  UNKNOWN_POOL: 2,
  UNKNOWN_CELL: 2,
  UNKNOWN_FRAGMENT: 2,
  UNKNOWN_TEMPLATE: 2,
  UNKNOWN_RECORD: 2,
  UNKNOWN_AXIS: 2,
  UNKNOWN_LIBRARY: 2,
  RANGE_INVALID: 2,
  SCHEME_MIXED: 2,
  RANGE_UNSATISFIED: 2,
  REQUIRES_MISSING: 2,
  REQUIRES_CYCLE: 2,
  PARENT_CYCLE: 2,
  REQUIRES_VERSION: 2,
  CONFLICT: 2,
  VERSIONS_CONTRADICT: 2,
  SEARCH_TOO_LONG: 2,
  PLATFORM_UNSUPPORTED: 2,
  BASE_UNSUPPORTED: 2,
  SLOT_CLAIMED_TWICE: 2,
  SLOT_DUPLICATE: 2,
  SLOT_EMPTY: 2,
  SLOT_UNKNOWN: 2,
  SLOT_ORDER: 2,
  SLOT_BUILDER: 2,
  STAGE_UNKNOWN: 2,
  ARG_UNDECLARED: 2,
  ARG_TYPE: 2,
  ARG_MISSING: 2,
  ARG_AMBIGUOUS: 2,
  ARG_UNSAFE: 2,
  TEMPLATE_SYNTAX: 2,
  TEMPLATE_HELPER: 2,
  TEMPLATE_INSTRUCTION: 2,
  TEMPLATE_TOO_LONG: 2,
  IMAGE_UNCLEAR: 2,
  SOURCE_UNPINNED: 2,
  SECRET_UNDECLARED: 2,
  SECRET_UNUSED: 2,
  SECRET_EXPOSED: 2,
  SECRET_UNKNOWN: 2,
  SOURCE_UNDECLARED: 2,
  SOURCE_INVALID: 2,
  COPY_UNDECLARED: 2,
  LIBRARY_INVALID: 2,
  LIBRARY_TWICE: 2,
  FRAGMENT_TWICE: 2,
  LIBRARY_MISSING: 2,
  LIBRARY_UNLOCKED: 2,
  LIBRARY_CHANGED: 2,
  LIBRARY_TAG_TAKEN: 2,
  TEST_DUPLICATE: 2,
  TEST_INVALID: 2,
  CELL_DUPLICATE: 2,
  PLAN_EMPTY: 2,
  PLAN_TOO_LARGE: 2,
  SHARDS_TOO_FEW: 2,
  POOL_AMBIGUOUS: 2,
  JOB_NAME_COLLISION: 2,
  SHARD_MOVED: 2,
  RULE_UNUSED: 2,
  RULE_REMOVES_ALL: 2,
  ZIP_LENGTH: 2,
  ZIP_CYCLE: 2,
  STRATEGY_TOO_STRONG: 2,
  SEED_IMPOSSIBLE: 2,
  EXPECT_EXPIRED: 2,
  LOCK_MISSING: 2,
  LOCK_EDITED: 2,
  LOCK_STALE: 2,
  BASE_PLATFORM: 2,
  CACHE_REF_SHARED: 2,
  CACHE_ELSEWHERE: 2,
  CHANNEL_INVALID: 2,
  POLICY_INVALID: 2,
  REPACK_CONFLICT: 2,
  TAG_COLLISION: 2,
  TAG_UNKNOWN_NAME: 2,
  TAG_INVALID: 2,
  EVENT_INVALID: 2,
  TARGET_COLLISION: 2,
  NAME_TOO_LONG: 2,
  REFERENCE_INVALID: 2,
  RECORD_UNREADABLE: 2,
  EVIDENCE_MISMATCH: 2,
  RECORD_CONFLICT: 2,
  REMOTE_UNDECLARED: 2,
  EVIDENCE_LOST: 2,
  RECORD_INCOMPLETE: 2,
  CELL_UNPROVEN: 2,
  HANDOVER_INVALID: 2,
  PRUNE_TOO_MUCH: 2,
  // 3: the environment lacks something
  DOCKER_MISSING: 3,
  BUILDX_MISSING: 3,
  ENGINE_UNREACHABLE: 3,
  ENGINE_PLATFORM: 3,
  ENGINE_FAILED: 3,
  BASE_UNRESOLVED: 3,
  IMAGE_NOT_FOUND: 3,
  IMAGE_UNREADABLE: 3,
  REGISTRY_UNREACHABLE: 3,
  REGISTRY_LOGIN: 3,
  REGISTRY_DENIED: 3,
  REGISTRY_NOT_FOUND: 3,
  REGISTRY_LIMITED: 3,
  REGISTRY_REFUSED: 3,
  REGISTRY_CONTENT: 3,
  PACKAGE_TOKEN_MISSING: 3,
  PACKAGE_UNDELETABLE: 3,
  REMOTE_CONTENT: 3,
  REMOTE_BUSY: 3,
  PROOF_MISMATCH: 3,
  SIGNING_FAILED: 3,
  PUBLISHER_BUSY: 3,
  PUBLISHER_SLOW: 3,
  CACHE_UNRESOLVED: 3,
  PRUNE_UNRESOLVED: 3,
  TOOL_MISSING: 3,
  TOOL_FAILED: 3,
  GIT_FAILED: 3,
  SECRET_MISSING: 3,
  WRITE_FAILED: 3,
  FILE_CHANGED: 3,
  FOLDER_GONE: 3,
  PORT_TAKEN: 3,
  SYSTEM_REFUSED: 3,
  // 70: our own bugs
  INTERNAL: 70,
  // 130: a signal
  INTERRUPTED: 130,
} as const satisfies Record<string, ExitCode>;

/** 0 ok · 1 a verdict is negative · 2 bad input or usage · 3 the environment lacks something · 70 our bug · 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 70 | 130;
export type ErrorCode = keyof typeof ERRORS;

/** A place in a file. `file` is relative to the workspace, with `/`; lines and columns start at 1. */
export interface Place {
  file: string;
  line?: number;
  col?: number;
}

/** One thing wrong with the input. */
export interface Finding {
  code: ErrorCode;
  what: string;
  where?: Place;
  fix?: string;
}

interface ErrorDetails {
  where?: Place;
  fix?: string;
  cause?: unknown;
  /** All the findings, if the error combines several. */
  findings?: Finding[];
}

/**
 * An error that a person can act on. Everything else that is thrown counts as a bug of ours. A user and a password in
 * the URL of a message are not kept.
 */
export class FactoryError extends Error {
  readonly code: ErrorCode;
  readonly where: Place | undefined;
  readonly fix: string | undefined;
  readonly findings: Finding[] | undefined;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    super(withoutUserinfo(what), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "FactoryError";
    this.code = code;
    this.where = details.where;
    this.fix = details.fix === undefined ? undefined : withoutUserinfo(details.fix);
    this.findings = details.findings;
  }

  get exitCode(): ExitCode {
    return ERRORS[this.code];
  }
}

/** What a function gives; an error of one code that has no place gets one. */
export function withPlace<T>(code: ErrorCode, where: Place | undefined, give: () => T): T {
  try {
    return give();
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== code || error.where) throw error;
    throw new FactoryError(code, error.message, { where, fix: error.fix });
  }
}

/** The error for a list of findings: the single finding itself, or `FINDINGS` for several. */
export function errorOf(findings: Finding[]): FactoryError {
  const [first, ...rest] = findings;
  if (first && rest.length === 0)
    return new FactoryError(first.code, first.what, { where: first.where, fix: first.fix, findings });
  return new FactoryError("FINDINGS", `${findings.length} findings in the workspace`, { findings });
}
