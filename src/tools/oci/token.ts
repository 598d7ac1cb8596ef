import { isLoopback } from "../../model/image-reference.ts";
import type { Mask } from "../../model/mask.ts";
import { quoted } from "../../model/visible.ts";
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import type { HttpAnswer, HttpRequest } from "./exchange.ts";
import { refusal } from "./refusal.ts";
import { wrongAnswer } from "./registry-error.ts";

/** What lets someone in, as the header `Authorization`, and until when, in milliseconds since 1970. */
export interface Authorization {
  header: string;
  until: number;
}

/** Who asks a token service, and for what. */
export interface TokenRequest {
  /** The registry. */
  host: string;
  challenge: Challenge;
  credentials: Credentials | null;
  /** What is wanted: `repository:team/app:pull`. */
  scope: string;
  writes: boolean;
}

export interface TokenDeps {
  send: (request: HttpRequest) => Promise<HttpAnswer>;
  mask: Mask;
  now: () => number;
}

const MOST_ANSWER = 1 << 20;

/** How long a token is good if its service does not say, by the specification, and how much earlier it is given up. */
const DEFAULT_S = 60;
const EARLIER_MS = 5000;

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** The address of a token service: over https, or over http from loopback to loopback. @throws RegistryError REGISTRY_CONTENT */
function serviceOf({ host, challenge }: TokenRequest): URL {
  const realm = challenge.params.get("realm") ?? "";
  if (!URL.canParse(realm))
    throw wrongAnswer(`${host} asks for a token, and does not say where it is to be had`);
  const url = new URL(realm);
  const isPlain = url.protocol === "http:" && isLoopback(url.host) && isLoopback(host);
  if ((url.protocol !== "https:" && !isPlain) || url.username !== "" || url.password !== "")
    throw wrongAnswer(
      `${host} sends log-ins to ${quoted(`${url.protocol}//${url.host}`)}, which is not https: none was sent`,
    );
  return url;
}

/** What to ask for: what the challenge says, and what is wanted, which may be more. */
function scopesOf({ challenge, scope }: TokenRequest): string[] {
  const resource = scope.slice(0, scope.lastIndexOf(":") + 1);
  const said = (challenge.params.get("scope") ?? "").split(" ").filter((one) => one !== "");
  const actions = [scope, ...said.filter((one) => one.startsWith(resource))].flatMap((one) =>
    one.slice(resource.length).split(","),
  );
  return [
    ...said.filter((one) => !one.startsWith(resource)),
    `${resource}${[...new Set(actions)].join(",")}`,
  ];
}

function requestFor(asked: TokenRequest): HttpRequest {
  const url = serviceOf(asked);
  const { credentials, challenge } = asked;
  const service = challenge.params.get("service");
  if (credentials?.kind === "identity") {
    const form = new URLSearchParams([
      ["grant_type", "refresh_token"],
      ["client_id", "factory"],
      ["refresh_token", credentials.token],
      ["scope", scopesOf(asked).join(" ")],
    ]);
    if (service !== undefined) form.set("service", service);
    return {
      method: "POST",
      url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: form.toString(),
    };
  }
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopesOf(asked)) url.searchParams.append("scope", scope);
  if (credentials?.kind !== "password") return { method: "GET", url };
  url.searchParams.set("account", credentials.username);
  return {
    method: "GET",
    url,
    headers: { authorization: basic(credentials.username, credentials.password) },
  };
}

function readToken(text: string): { token: string; seconds: number } | undefined {
  let said: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null;
  try {
    said = JSON.parse(text) as typeof said;
  } catch {
    return undefined;
  }
  const token = said?.token ?? said?.access_token;
  const seconds = said?.expires_in;
  // What is no printable ASCII cannot stand in a header.
  if (typeof token !== "string" || !/^[!-~]+$/.test(token)) return undefined;
  return { token, seconds: typeof seconds === "number" && seconds > 0 ? seconds : DEFAULT_S };
}

/**
 * Asks the token service that a challenge names (https://distribution.github.io/distribution/spec/auth/token/).
 * Redirects are not followed.
 * @throws RegistryError REGISTRY_CONTENT for a service that may not be asked, or that gives no token; and for its refusal
 */
export async function obtainToken(
  asked: TokenRequest,
  { send, mask, now }: TokenDeps,
): Promise<Authorization> {
  const request = requestFor(asked);
  const answer = await send(request);
  const what = `the token service ${request.url.host} of ${asked.host}`;
  if (answer.status !== 200) throw await refusal(answer, { ...asked, what }, { mask, now });
  const said = readToken((await answer.bytes(MOST_ANSWER)).toString("utf8"));
  if (!said) throw wrongAnswer(`${what} does not answer with a token`);
  mask.hide(said.token);
  return { header: `Bearer ${said.token}`, until: now() + said.seconds * 1000 - EARLIER_MS };
}
