import { readChallenges } from "./challenge.ts";
import type { Credentials, CredentialsOf } from "./credentials.ts";
import { type HttpAnswer, interruptedAsking } from "./exchange.ts";
import { type Authorization, basic, obtainToken, type TokenDeps } from "./token.ts";

/** What someone wants to be let in for. */
export interface Access {
  host: string;
  repository: string;
  actions: "pull" | "pull,push" | "delete";
}

/** Gets what registries ask for, and keeps it for as long as it is good. */
export interface Authorizer {
  /** What is known for an access, as the header `Authorization`. */
  held: (access: Access) => string | undefined;
  /**
   * What answers a 401. Several that ask at once share one answer.
   * @param used what was not enough
   * @returns undefined if there is nothing else to try
   * @throws RegistryError, and what `credentialsOf` throws; FactoryError INTERRUPTED
   */
  answer: (
    access: Access,
    refused: HttpAnswer,
    options: { used: string | undefined; signal?: AbortSignal },
  ) => Promise<string | undefined>;
}

/** What is left of a promise for one of those who wait for it. */
async function unlessAborted<T>(
  value: Promise<T>,
  signal: AbortSignal | undefined,
  host: string,
): Promise<T> {
  if (!signal) return value;
  let stop = () => {};
  const aborted = new Promise<never>((_, fail) => {
    stop = () => fail(interruptedAsking(host));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([value, aborted]).finally(() => signal.removeEventListener("abort", stop));
}

export function createAuthorizer(deps: TokenDeps & { credentialsOf: CredentialsOf }): Authorizer {
  const known = new Map<string, Authorization>();
  const asked = new Map<string, Promise<Authorization | undefined>>();
  const keyOf = ({ host, repository, actions }: Access) => `${host}/${repository}:${actions}`;

  const held = (access: Access): string | undefined => {
    const authorization = known.get(keyOf(access));
    return authorization && authorization.until > deps.now() ? authorization.header : undefined;
  };

  /** The log-in for a host; its secrets are masked from here on. */
  const logIn = async (host: string): Promise<Credentials | null> => {
    const credentials = await deps.credentialsOf(host);
    if (credentials?.kind === "password") {
      deps.mask.hide(credentials.password);
      deps.mask.hide(basic(credentials.username, credentials.password).slice("Basic ".length));
    } else if (credentials) deps.mask.hide(credentials.token);
    return credentials;
  };

  const obtain = async (access: Access, header: string): Promise<Authorization | undefined> => {
    const challenges = readChallenges(header);
    const challenge =
      challenges.find(({ scheme }) => scheme === "bearer") ??
      challenges.find(({ scheme }) => scheme === "basic");
    if (!challenge) return undefined;
    const credentials = await logIn(access.host);
    if (challenge.scheme === "basic")
      return credentials?.kind === "password"
        ? { header: basic(credentials.username, credentials.password), until: Infinity }
        : undefined;
    if (credentials?.kind === "registry") return { header: `Bearer ${credentials.token}`, until: Infinity };
    const scope = `repository:${access.repository}:${access.actions}`;
    return obtainToken(
      { host: access.host, challenge, credentials, scope, writes: access.actions !== "pull" },
      deps,
    );
  };

  return {
    held,
    answer: async (access, refused, { used, signal }) => {
      const now = held(access);
      if (now !== undefined && now !== used) return now;
      const key = keyOf(access);
      let asking = asked.get(key);
      if (!asking) {
        const header = refused.headers.get("www-authenticate") ?? "";
        // Without anyone's signal: others may wait for it too.
        asking = obtain(access, header).finally(() => asked.delete(key));
        asked.set(key, asking);
      }
      const authorization = await unlessAborted(asking, signal, access.host);
      if (authorization === undefined || authorization.header === used) return undefined;
      known.set(key, authorization);
      return authorization.header;
    },
  };
}
