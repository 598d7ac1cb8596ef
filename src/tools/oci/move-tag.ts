import { RegistryError } from "./registry-error.ts";
import type { OpenRepository } from "./repository-client.ts";
import { hosted } from "./served-digest.ts";

/**
 * Has a tag name a manifest that is in its repository already: no layer is sent, and what is there stays as it is.
 * @param ref `HOST/REPOSITORY:TAG`
 * @returns whether it does now; false where the manifest is not there, or the registry cannot be asked directly
 */
export async function moveTag(
  ref: string,
  digest: string,
  open: OpenRepository,
  signal?: AbortSignal,
): Promise<boolean> {
  const reference = hosted(ref);
  if (!reference?.tag) return false;
  const { tag } = reference;
  const client = open(reference);
  try {
    if ((await client.headManifest(digest, { signal })) === null) return false;
    if ((await client.headManifest(tag, { signal })) === digest) return true;
    const { bytes, mediaType } = await client.manifest(digest, { signal });
    await client.putManifest(tag, bytes, mediaType, { signal });
    return true;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}
