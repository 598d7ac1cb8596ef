import type { Again } from "../../model/retries.ts";
import { visible } from "../../model/visible.ts";
import { RegistryError } from "./registry-error.ts";

const CERTIFICATE = /CERT|UNABLE_TO_(VERIFY|GET_ISSUER)|SELF_SIGNED|^ERR_TLS_|^ERR_SSL_(?!WRONG_VERSION)/;

/** What the code of a network error means, for a person. The first rule that matches counts. */
const RULES: readonly [RegExp, Again, string][] = [
  [
    CERTIFICATE,
    "no",
    "if its certificate comes from your company, name the file of its CA in NODE_EXTRA_CA_CERTS",
  ],
  [
    /^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER)$/,
    "no",
    "registries are asked over https; over http only on loopback",
  ],
  [/^bad port$/, "no", "give it another port: browsers and Node.js ask nothing of this one"],
  [/^ENOTFOUND$/, "once", "correct the host, or see that it can be resolved from here"],
];

/** Codes that are no words. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection broke off",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "its name cannot be resolved now",
  ETIMEDOUT: "it does not answer",
  UND_ERR_CONNECT_TIMEOUT: "it does not answer",
  UND_ERR_SOCKET: "the connection broke off",
};

/** The code of an error of fetch, which stands in one of its causes; its message if there is none. */
function codeOf(error: unknown): string {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1, at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string") return code;
    if (at.cause === undefined) return at.message;
  }
  return "the connection failed";
}

/** An error of fetch, or of a body, as one that a person can act on. @param host who was asked */
export function networkFailure(host: string, cause: unknown): RegistryError {
  const code = codeOf(cause);
  const [, again, fix] = RULES.find(([pattern]) => pattern.test(code)) ?? [
    null,
    "yes" as const,
    "see that it runs and can be reached from here",
  ];
  const shown = visible(code).slice(0, 200);
  const words = Object.hasOwn(WORDS, code) ? `${WORDS[code]} (${shown})` : shown;
  return new RegistryError("REGISTRY_UNREACHABLE", `${host} cannot be reached: ${words}`, {
    fix,
    again,
    cause,
  });
}

/** A registry that says nothing for too long. */
export function tooSlow(host: string, what: string, ms: number): RegistryError {
  return new RegistryError("REGISTRY_UNREACHABLE", `${host} ${what} for ${ms / 1000} s`, {
    fix: "see that it runs and can be reached from here; then run the command again",
    again: "yes",
  });
}
