import type { CleanupDeps } from "../cleanup/cache-repository.ts";
import type { RepositoryName } from "../model/image-reference.ts";
import type { Shared } from "../shared-registries.ts";
import type { Context } from "./context.ts";

const SECOND = 1000;

/** What a repository is cleaned with. @param what is read of it, for people: said again each second, with how far it is */
export function cleanupDeps(
  context: Context,
  registries: Awaited<ReturnType<Shared["registries"]>>,
  place: RepositoryName,
  what: string,
): CleanupDeps {
  let next = context.now() + SECOND;
  return {
    client: registries.repository(place),
    again: registries.again,
    signal: registries.signal,
    onProgress: (done, of) => {
      if (context.now() < next) return;
      next = context.now() + SECOND;
      context.say(`${what}: ${done} of ${of}`);
    },
  };
}
