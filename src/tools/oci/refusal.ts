import type { Mask } from "../../model/mask.ts";
import { visible } from "../../model/visible.ts";
import type { HttpAnswer } from "./exchange.ts";
import { RegistryError } from "./registry-error.ts";

/** What a request was about, for the words of an error. */
export interface Asked {
  /** Such as "the manifest `1.0.0` of ghcr.io/team/app". */
  what: string;
  /** The registry as people write it. */
  host: string;
  /** Whether it writes. */
  writes: boolean;
}

/** How much of an error's body is read, in bytes, and how much of it is said, in characters. */
const MOST_READ = 64 * 1024;
const MOST_SAID = 300;

/** The registry's own words: `errors[].code` and `.message` of its JSON; "" if it has none. */
async function wordsOf(answer: HttpAnswer, mask: Mask): Promise<string> {
  let errors: unknown;
  try {
    const text = (await answer.bytes(MOST_READ)).toString("utf8");
    ({ errors } = JSON.parse(text) as { errors?: unknown });
  } catch {
    // Too long, broken off, or of a proxy: the status has to do.
    return "";
  }
  if (!Array.isArray(errors)) return "";
  const words = (errors as unknown[])
    .slice(0, 3)
    .map((error) => {
      const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
      return [code, message].filter((part) => typeof part === "string" && part !== "").join(" ");
    })
    .filter((said) => said !== "")
    .join("; ");
  const shown = visible(mask(words));
  return shown.length > MOST_SAID ? `${shown.slice(0, MOST_SAID)}…` : shown;
}

/** `Retry-After` in milliseconds from now: seconds, or a date. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const date = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function logIn({ host, writes }: Asked): string {
  const account = `log in with \`docker login ${host}\`, with an account that may ${writes ? "write" : "read"} there`;
  return host === "ghcr.io" && writes
    ? `${account}; a job of GitHub Actions needs \`permissions: packages: write\``
    : account;
}

/**
 * The error for an answer that is not what was hoped for. Its body is read, or dropped.
 * @param now in milliseconds since 1970
 */
export async function refusal(
  answer: HttpAnswer,
  asked: Asked,
  { mask, now }: { mask: Mask; now: () => number },
): Promise<RegistryError> {
  const { status, headers } = answer;
  const words = await wordsOf(answer, mask);
  const said = `${asked.what}: the registry answers ${status}${words === "" ? "" : `: ${words}`}`;
  const details = { status, retryAfterMs: retryAfter(headers, now()) };
  if (status === 401 || status === 403)
    return new RegistryError("REGISTRY_DENIED", said, { ...details, again: "no", fix: logIn(asked) });
  if (status === 404)
    return new RegistryError("REGISTRY_NOT_FOUND", said, {
      ...details,
      again: "no",
      fix: `correct the name; if it is private, ${logIn(asked)}`,
    });
  if (status === 429)
    return new RegistryError("REGISTRY_LIMITED", said, {
      ...details,
      again: "long",
      fix: `wait, or log in with \`docker login ${asked.host}\`: accounts have higher limits`,
    });
  const isItsOwn = status >= 500 || status === 408;
  return new RegistryError("REGISTRY_REFUSED", said, {
    ...details,
    again: isItsOwn ? "yes" : "no",
    fix: isItsOwn
      ? "run the command again; if it stays so, ask those who run the registry"
      : status === 405
        ? "the registry does not let this be done; ask those who run it"
        : "see the registry's own words",
  });
}
