import { isLoopback, type RepositoryName } from "../../model/image-reference.ts";
import type { Mask } from "../../model/mask.ts";
import { type Access, createAuthorizer } from "./authorization.ts";
import type { CredentialsOf } from "./credentials.ts";
import {
  exchange,
  type Fetch,
  type HttpAnswer,
  type HttpRequest,
  PATIENCE,
  type Patience,
} from "./exchange.ts";
import { followRedirects } from "./follow-redirects.ts";
import { refusal } from "./refusal.ts";
import type { RegistryError } from "./registry-error.ts";

export interface RegistryDeps {
  credentialsOf: CredentialsOf;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Is told every secret, and masks a registry's words. */
  mask: Mask;
  fetch?: Fetch;
  patience?: Partial<Patience>;
}

/** What a request may be stopped by. */
export interface Stoppable {
  signal?: AbortSignal;
}

/** What the parts of a repository's client ask with. */
export interface Connection extends RepositoryName {
  /** An address of this repository: `manifests/latest`. */
  at: (path: string) => URL;
  /**
   * An answer, whatever its status; logs in where the registry asks for it. Redirects of GET and HEAD are followed.
   * @param actions what it is for. Default: `pull`
   */
  ask: (request: HttpRequest, actions?: Access["actions"]) => Promise<HttpAnswer>;
  /** The error for an answer. @param what was asked for, such as "the manifest `1`" */
  refused: (answer: HttpAnswer, what: string, actions?: Access["actions"]) => Promise<RegistryError>;
}

/** Where a registry is: over https, on loopback over http. Docker Hub's name is not the host that answers for it. */
function originOf(host: string): string {
  if (/^(index\.)?docker\.io$/.test(host)) return "https://registry-1.docker.io";
  return new URL(`${isLoopback(host) ? "http" : "https"}://${host}`).origin;
}

/** Gives connections that share log-ins and tokens. Both are asked for when a registry wants them. */
export function createConnections(deps: RegistryDeps): (name: RepositoryName) => Connection {
  const { mask, now, fetch = globalThis.fetch } = deps;
  const patience = { ...PATIENCE, ...deps.patience };
  const send = (request: HttpRequest) => exchange(request, { fetch, patience });
  const authorizer = createAuthorizer({ send, mask, now, credentialsOf: deps.credentialsOf });

  return ({ host, repository }) => {
    const origin = originOf(host);
    const ask: Connection["ask"] = async (request, actions = "pull") => {
      // Such as the place where a blob is to be sent: a log-in is not for another host.
      if (request.url.origin !== origin) return followRedirects(request, undefined, send);
      const access = { host, repository, actions };
      const used = authorizer.held(access);
      const answer = await followRedirects(request, used, send);
      if (answer.status !== 401 || answer.url.origin !== origin) return answer;
      const { signal } = request;
      const authorization = await authorizer.answer(access, answer, { used, signal });
      if (authorization === undefined) return answer;
      await answer.drop();
      return followRedirects(request, authorization, send);
    };
    return {
      host,
      repository,
      at: (path) => new URL(`/v2/${repository}/${path}`, origin),
      ask,
      refused: (answer, what, actions = "pull") =>
        refusal(
          answer,
          { what: `${what} of ${host}/${repository}`, host, writes: actions !== "pull" },
          { mask, now },
        ),
    };
  };
}
