import { digestOf, sha256 } from "../model/digest.ts";
import { suiteHash } from "../model/suite.ts";
import type { DeclaredTest, SmokeLimits } from "../model/smoke.ts";
import type { ContextFile } from "./files.ts";

/** All that can change an image's bits. */
export interface BuildInputs {
  /** The Dockerfile without its build-key label. */
  dockerfile: string;
  files: readonly ContextFile[];
  base: { ref: string; digest: string | null };
  /** null for the recipe as such, before a platform is chosen. */
  platform: string | null;
}

/**
 * The build key: sha256 over canonical JSON (RFC 8785) of all that can change the image's bits.
 * The scheme's name is part of it: another way to compute it is another scheme, and never matches an old key.
 */
export function buildKey({ dockerfile, files, base, platform }: BuildInputs): string {
  return digestOf({ scheme: "factory/build/1", dockerfile: sha256(dockerfile), files, base, platform });
}

/** The verdict key: the build key and all that can change the verdict: the tests, the GPUs, the containers' limits. */
export function verdictKey(inputs: {
  build_key: string;
  tests: readonly DeclaredTest[];
  gpus: "all" | number | null;
  limits: SmokeLimits;
}): string {
  const { build_key, tests, gpus, limits } = inputs;
  const { memory_mb, pids, timeout_s } = limits;
  return digestOf({
    scheme: "factory/verdict/1",
    build_key,
    tests: suiteHash([...tests]),
    gpus,
    limits: { memory_mb, pids, timeout_s },
  });
}

/**
 * Names the work of a chain of fragments, for cache refs and prefix targets: 12 hex digits over the base's ref and the
 * chain's names, versions and arguments. It names, it does not prove: BuildKit itself compares contents.
 */
export function prefixId(
  base: string,
  chain: readonly { name: string; version: string; args: unknown }[],
): string {
  return digestOf({ scheme: "factory/prefix/1", base, chain }).slice("sha256:".length, "sha256:".length + 12);
}
