import { FactoryError } from "../../errors.ts";
import type { Mask } from "../../model/mask.ts";
import { visible } from "../../model/visible.ts";
import type { HttpAnswer } from "../oci/exchange.ts";
import { retryAfter } from "../oci/refusal.ts";
import { RegistryError } from "../oci/registry-error.ts";

const MOST_READ = 64 * 1024;
const MOST_SAID = 300;

/** How long GitHub wants to be left alone after a limit of which it does not say when it ends. */
const UNSAID_MS = 60_000;

/** GitHub's own words; "" if it has none. */
async function wordsOf(answer: HttpAnswer, mask: Mask): Promise<string> {
  let message: unknown;
  try {
    ({ message } = JSON.parse((await answer.bytes(MOST_READ)).toString("utf8")) as { message?: unknown });
  } catch {
    return "";
  }
  const shown = typeof message === "string" ? visible(mask(message)) : "";
  return shown.length > MOST_SAID ? `${shown.slice(0, MOST_SAID)}…` : shown;
}

/** Whether an answer means that too much was asked: a 403 may, too. */
function isLimit({ status, headers }: HttpAnswer, words: string): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return (
    headers.has("retry-after") ||
    headers.get("x-ratelimit-remaining") === "0" ||
    /\b(rate limit|abuse detection)/i.test(words)
  );
}

/** When a limit ends, in milliseconds from now, by GitHub's own clock where it says that. */
function limitEnds({ headers }: HttpAnswer, now: number): number {
  const asked = retryAfter(headers, now);
  if (asked !== undefined) return asked;
  const reset = headers.get("x-ratelimit-reset") ?? "";
  if (headers.get("x-ratelimit-remaining") !== "0" || !/^\d{1,12}$/.test(reset)) return UNSAID_MS;
  const theirs = Date.parse(headers.get("date") ?? "");
  return Math.max(1000, Number(reset) * 1000 - (Number.isNaN(theirs) ? now : theirs));
}

/**
 * The error for an answer of GitHub's API that is no success. Its body is read.
 * @param what what was asked for
 * @param now in milliseconds since 1970
 */
export async function githubRefusal(
  answer: HttpAnswer,
  what: string,
  { mask, now }: { mask: Mask; now: () => number },
): Promise<FactoryError> {
  const { status, url } = answer;
  const words = await wordsOf(answer, mask);
  const said = `${what}: ${url.host} answers ${status}${words === "" ? "" : `: ${words}`}`;
  if (isLimit(answer, words)) {
    const retryAfterMs = limitEnds(answer, now());
    const minutes = Math.ceil(retryAfterMs / 60_000);
    return new RegistryError("REGISTRY_LIMITED", said, {
      status,
      retryAfterMs,
      again: "long",
      fix: `run the command again in ${minutes} min: what was deleted stays deleted`,
    });
  }
  if (status === 401)
    return new RegistryError("REGISTRY_DENIED", said, {
      status,
      again: "no",
      fix: "the token has expired or is wrong: give another one, see docs/prune.md",
    });
  if (status === 403) return new RegistryError("REGISTRY_DENIED", said, { status, again: "no", fix: RIGHTS });
  if (status === 404)
    return new RegistryError("REGISTRY_NOT_FOUND", said, {
      status,
      again: "no",
      fix: `GitHub says so too of what a token may not see: ${RIGHTS}`,
    });
  if (/\b(more than [\d,.]+ downloads|last (tagged )?version)\b/i.test(words))
    return new FactoryError("PACKAGE_UNDELETABLE", said, {
      fix: /downloads/i.test(words)
        ? "give it another tag that stays, or ask GitHub's support, or make the package private for as long"
        : "delete the whole package on GitHub if that is meant",
    });
  const isItsOwn = status >= 500 || status === 408;
  return new RegistryError("REGISTRY_REFUSED", said, {
    status,
    retryAfterMs: retryAfter(answer.headers, now()),
    again: isItsOwn ? "yes" : "no",
    fix: isItsOwn ? "run the command again; see https://www.githubstatus.com" : "see GitHub's own words",
  });
}

/** What a token has to be allowed. */
export const RIGHTS =
  "the token needs the scopes `read:packages` and `delete:packages`, and its owner the role Admin for the package; a job of GitHub Actions needs `permissions: packages: write`, and its repository that role";
