import { isLoopback } from "./model/image-reference.ts";
import type { Docker } from "./tools/docker.ts";
import { registryAnswers } from "./tools/oci/registry-answers.ts";

/** Whether the registry of a cache answers; yes where this process may see another one than the engine does. */
export function cacheAnswers(
  env: NodeJS.ProcessEnv,
  docker: Pick<Docker, "isLocal">,
): (repository: string) => Promise<boolean> {
  return async (repository) => {
    const proxied = !isLoopback(repository) && /./.test(env.HTTPS_PROXY ?? env.https_proxy ?? "");
    return !docker.isLocal() || proxied || (await registryAnswers(repository));
  };
}
