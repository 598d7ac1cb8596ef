import type { HttpAnswer } from "./exchange.ts";
import type { RegistryError } from "./registry-error.ts";

/**
 * The address of the next page of a list, of its `Link` header (RFC 8288); undefined if this one is the last.
 * @throws what `wrong` makes of the reason, if it is on another host
 */
export function nextPage(
  { headers, url }: HttpAnswer,
  wrong: (why: string) => RegistryError,
): URL | undefined {
  const [, target] = /<([^<>]*)>\s*;[^<]*?\brel\s*=\s*"?next\b/i.exec(headers.get("link") ?? "") ?? [];
  if (target === undefined) return undefined;
  const next = URL.canParse(target, url.href) ? new URL(target, url) : undefined;
  if (next?.origin !== url.origin || next.username !== "" || next.password !== "")
    throw wrong("lead to another host");
  return next;
}
