import { type ErrorCode, FactoryError } from "../../errors.ts";
import type { Again } from "../../model/retries.ts";

export type RegistryCode = Extract<ErrorCode, `REGISTRY_${string}`>;

interface RegistryErrorDetails {
  fix: string;
  again: Again;
  status?: number;
  retryAfterMs?: number;
  cause?: unknown;
}

/** What kept a registry from doing what it was asked for. */
export class RegistryError extends FactoryError {
  declare readonly code: RegistryCode;
  readonly again: Again;
  /** The HTTP status, if the registry answered. */
  readonly status: number | undefined;
  /** How long the registry asks to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: RegistryCode, what: string, details: RegistryErrorDetails) {
    super(code, what, { fix: details.fix, cause: details.cause });
    this.again = details.again;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** What a registry answered is not what was asked for, or not what the protocol allows: asking again gives the same. */
export function wrongAnswer(what: string): RegistryError {
  return new RegistryError("REGISTRY_CONTENT", what, {
    fix: "nothing of it was used; see what the registry, or a proxy before it, has there",
    again: "no",
  });
}
