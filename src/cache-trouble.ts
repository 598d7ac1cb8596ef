import { readdirSync } from "node:fs";
import { insideWorkspace } from "./files/own-folders.ts";
import type { CachePlace } from "./model/cache-place.ts";
import { isLoopback } from "./model/image-reference.ts";
import type { Mask } from "./model/mask.ts";
import type { Buildx } from "./tools/buildx.ts";
import type { Docker } from "./tools/docker.ts";
import { registryAnswers } from "./tools/oci/registry-answers.ts";

interface Around {
  env: NodeJS.ProcessEnv;
  docker: Pick<Docker, "isLocal">;
  buildx: Pick<Buildx, "driver">;
  /** The workspace, absolute. */
  root: string;
  /** Is told the credentials that buildx takes from the environment. */
  mask: Pick<Mask, "hide">;
}

/** What buildx takes from the environment for a cache. */
const CREDENTIALS: Partial<Record<CachePlace["type"], readonly string[]>> = {
  gha: ["ACTIONS_RUNTIME_TOKEN"],
  s3: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
};

/** The names in a folder; none if it is not there. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether a registry answers; yes where this process may see another one than the engine does. */
async function answers(repository: string, { env, docker }: Around): Promise<boolean> {
  const proxied = !isLoopback(repository) && /./.test(env.HTTPS_PROXY ?? env.https_proxy ?? "");
  return !docker.isLocal() || proxied || (await registryAnswers(repository));
}

/** Why a cache cannot be used now; null if nothing is known against it. @throws FactoryError FILE_OUTSIDE */
export function cacheTrouble(around: Around): (place: CachePlace) => Promise<string | null> {
  const { env, buildx, root, mask } = around;
  return async (place) => {
    for (const name of CREDENTIALS[place.type] ?? []) mask.hide(env[name] ?? "");
    switch (place.type) {
      case "registry":
        return (await answers(place.repository, around))
          ? null
          : `the cache registry ${place.repository} does not answer`;
      case "gha":
        // As buildx does: it leaves such a cache out without a word.
        return /./.test(env.ACTIONS_RUNTIME_TOKEN ?? "") &&
          /./.test(`${env.ACTIONS_RESULTS_URL ?? ""}${env.ACTIONS_CACHE_URL ?? ""}`)
          ? null
          : "the cache of GitHub Actions cannot be reached, since a step has to pass ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL on";
      case "s3":
        // Its BuildKit has no such cache, and would fail the build.
        return (await buildx.driver()) === "docker"
          ? "the builder's driver `docker` has no cache of the type s3 (`docker buildx create --use` makes a builder that has)"
          : null;
      case "local":
        // Each ref is a folder in there: buildx would write through a link.
        for (const name of namesIn(insideWorkspace(root, place.folder)))
          insideWorkspace(root, `${place.folder}/${name}`);
        return null;
    }
  };
}
