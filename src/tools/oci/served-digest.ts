import { FactoryError } from "../../errors.ts";
import { type ImageReference, isLoopback, parseReference } from "../../model/image-reference.ts";
import type { Exec } from "../exec.ts";
import type { OpenRepository } from "./repository-client.ts";

/** As the engine's own command line finds it, with its mirrors and certificates. */
async function inspected(ref: string, exec: Exec): Promise<string | null | undefined> {
  const argv = ["buildx", "imagetools", "inspect", ref, "--format", "{{.Manifest.Digest}}"];
  try {
    const { exitCode, stdout, stderr } = await exec("docker", argv, { timeoutMs: 30_000 });
    const [digest] = /sha256:[a-f0-9]{64}/.exec(stdout) ?? [];
    if (exitCode === 0 && digest !== undefined) return digest;
    return /not found|manifest unknown/i.test(stderr) ? null : undefined;
  } catch {
    return undefined;
  }
}

/** The parts of a name; undefined for one without a host, which means the engine's default registry. */
export function hosted(ref: string): ImageReference | undefined {
  try {
    return parseReference(ref);
  } catch {
    return undefined;
  }
}

/**
 * The digest that a registry has under a tag, or a digest that it has; null where it has none; undefined where it cannot be asked. It is asked
 * directly; where that is not enough (a certificate of its own, a mirror) docker's command line asks.
 */
export async function servedDigest(
  ref: string,
  { open, exec }: { open: OpenRepository; exec: Exec },
): Promise<string | null | undefined> {
  const reference = hosted(ref);
  const asked = reference?.digest ?? reference?.tag;
  if (!reference || !asked) return inspected(ref, exec);
  try {
    return await open(reference).headManifest(asked);
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    if (error.code === "REGISTRY_UNREACHABLE" && isLoopback(reference.host)) return undefined;
    return inspected(ref, exec);
  }
}
