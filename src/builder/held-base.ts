import { FactoryError } from "../errors.ts";
import type { Buildx } from "../tools/buildx.ts";
import type { Docker } from "../tools/docker.ts";

/**
 * The digest of a base that the engine holds, for the engine's own builder, which uses that image without asking a registry.
 * undefined if the builder has to be asked: it is another builder, or the engine lacks the image or its platform, or has an
 * old image store, whose digests are not those of the registry.
 * @throws FactoryError INTERRUPTED
 */
export async function heldBase(
  { ref, platform }: { ref: string; platform: string },
  { buildx, docker }: { buildx: Pick<Buildx, "driver">; docker: Pick<Docker, "inspectImage"> },
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    if ((await buildx.driver()) !== "docker") return undefined;
    // With a platform, the engine would give the digest of its manifest; a registry gives that of the index above it.
    const [{ Id, RepoDigests }] = await Promise.all([
      docker.inspectImage(ref, { signal }),
      docker.inspectImage(ref, { platform, signal }),
    ]);
    return RepoDigests?.some((name) => name.endsWith(`@${Id}`)) ? Id : undefined;
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
    return undefined;
  }
}
