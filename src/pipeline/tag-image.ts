import { FactoryError } from "../errors.ts";
import type { Docker } from "../tools/docker.ts";

/**
 * Gives an image that the engine holds one more tag, or moves one. The image that had it stays, without a name.
 * @throws FactoryError IMAGE_NOT_FOUND, ENGINE_FAILED, INTERRUPTED
 */
export async function tagImage(
  docker: Pick<Docker, "run">,
  digest: string,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { exitCode, stderr, aborted } = await docker.run(["image", "tag", digest, ref], { signal });
  if (exitCode === 0) return;
  if (aborted || signal?.aborted) throw new FactoryError("INTERRUPTED", `interrupted while tagging ${ref}`);
  const what = `docker image tag ${digest} ${ref}: ${stderr.trim()}`;
  throw /No such image/i.test(stderr)
    ? new FactoryError("IMAGE_NOT_FOUND", what, { fix: "build or pull the image first" })
    : new FactoryError("ENGINE_FAILED", what);
}
