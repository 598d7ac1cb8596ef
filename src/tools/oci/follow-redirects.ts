import { isLoopback } from "../../model/image-reference.ts";
import { quoted } from "../../model/visible.ts";
import type { HttpAnswer, HttpRequest } from "./exchange.ts";
import { wrongAnswer } from "./registry-error.ts";

/** The most redirects in a row. */
const MOST = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Where an answer leads: over https, or over http from http to loopback. Addresses are not shown, since a signed one is
 * a secret.
 * @throws RegistryError REGISTRY_CONTENT
 */
export function leadsTo(answer: HttpAnswer): URL {
  const { host } = answer.url;
  const location = answer.headers.get("location") ?? "";
  if (location === "" || !URL.canParse(location, answer.url.href))
    throw wrongAnswer(`${host} leads elsewhere, and does not say where`);
  const next = new URL(location, answer.url);
  if (next.username !== "" || next.password !== "")
    throw wrongAnswer(`${host} leads to an address with a user or a password`);
  const isPlain = next.protocol === "http:" && answer.url.protocol === "http:" && isLoopback(next.host);
  if (next.protocol !== "https:" && !isPlain)
    throw wrongAnswer(`${host} leads to ${quoted(`${next.protocol}//${next.host}`)}, which is not https`);
  return next;
}

/**
 * An exchange, and those of the redirects of GET and HEAD. `authorization` goes to the origin of the request alone, and to
 * no address after another origin was named.
 * @throws RegistryError REGISTRY_CONTENT for a redirect that may not be followed; what `send` throws
 */
export async function followRedirects(
  request: HttpRequest,
  authorization: string | undefined,
  send: (request: HttpRequest) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const mayFollow = request.method === "GET" || request.method === "HEAD";
  let { url } = request;
  let held = authorization;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await send({
      ...request,
      url,
      headers: { ...request.headers, ...(held === undefined ? {} : { authorization: held }) },
    });
    if (!mayFollow || !REDIRECTS.has(answer.status)) return answer;
    await answer.drop();
    if (redirects === MOST) throw wrongAnswer(`${request.url.host} leads on more than ${MOST} times`);
    const next = leadsTo(answer);
    if (next.origin !== url.origin) held = undefined;
    url = next;
  }
}
