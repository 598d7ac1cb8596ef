import { canonicalJson, sha256, sha256Hex } from "../model/digest.ts";
import type { DeclaredTest, SmokeLimits } from "../model/smoke.ts";
import { checkOf, suiteHash } from "../model/suite.ts";
import type { SmokeTest } from "../schemas/types.ts";
import type { ContextFile } from "./files.ts";

/*
 * RFC 8785 sorts the keys of an object and puts nothing between the parts: canonical JSON of a whole is joined from
 * that of its parts. Cells share most parts, so their texts are made once.
 */

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
 * The build key from the Dockerfile's text and canonical JSON of the rest.
 * @param filesJson without the brackets
 */
export function joinBuildKey(
  dockerfile: string,
  { filesJson, baseJson, platformJson }: { filesJson: string; baseJson: string; platformJson: string },
): string {
  return sha256(
    `{"base":${baseJson},"dockerfile":"${sha256(dockerfile)}","files":[${filesJson}],"platform":${platformJson},"scheme":"factory/build/1"}`,
  );
}

/**
 * The build key: sha256 over canonical JSON (RFC 8785) of all that can change the image's bits.
 * The scheme's name is part of it: another way to compute it is another scheme, and never matches an old key.
 */
export function buildKey({ dockerfile, files, base, platform }: BuildInputs): string {
  return joinBuildKey(dockerfile, {
    filesJson: files.map((file) => canonicalJson(file)).join(","),
    baseJson: canonicalJson(base),
    platformJson: canonicalJson(platform),
  });
}

/** Tests of one origin, as they stand in a suite: canonical JSON, without the brackets. */
export function testsJson(from: string, tests: readonly SmokeTest[] = []): string {
  return tests
    .map((test) =>
      canonicalJson({
        from,
        id: test.id,
        timeout_s: test.timeout_s ?? null,
        check: checkOf(test) ?? null,
      }),
    )
    .join(",");
}

/** The hash of a suite (`suiteHash` of src/model/suite.ts) from canonical JSON of its tests, without the brackets. */
export function joinSuiteHash(json: string): string {
  return sha256(`{"gpus":null,"scheme":"factory/suite/1","tests":[${json}]}`);
}

/** The part of a verdict key that a manifest and a workspace decide, as canonical JSON without the braces. */
export function policyJson(gpus: "all" | number | null, { memory_mb, pids, timeout_s }: SmokeLimits): string {
  return `"gpus":${canonicalJson(gpus)},"limits":${canonicalJson({ memory_mb, pids, timeout_s })}`;
}

/** The verdict key from a build key, the hash of its suite and `policyJson`. */
export function joinVerdictKey(build_key: string, suite_hash: string, policy: string): string {
  return sha256(
    `{"build_key":"${build_key}",${policy},"scheme":"factory/verdict/1","tests":"${suite_hash}"}`,
  );
}

/** The verdict key: the build key and all that can change the verdict: the tests, the GPUs, the containers' limits. */
export function verdictKey(inputs: {
  build_key: string;
  tests: readonly DeclaredTest[];
  gpus: "all" | number | null;
  limits: SmokeLimits;
}): string {
  const { build_key, tests, gpus, limits } = inputs;
  return joinVerdictKey(build_key, suiteHash(tests), policyJson(gpus, limits));
}

/**
 * `prefixId` from canonical JSON.
 * @param chainJson without the brackets
 */
export function joinPrefixId(refJson: string, chainJson: string): string {
  return sha256Hex(`{"base":${refJson},"chain":[${chainJson}],"scheme":"factory/prefix/1"}`).slice(0, 12);
}

/**
 * Names the work of a chain of fragments, for cache refs and prefix targets: 12 hex digits over the base's ref and the
 * chain's names, versions and arguments. It names, it does not prove: BuildKit itself compares contents.
 */
export function prefixId(
  base: string,
  chain: readonly { name: string; version: string; args: unknown }[],
): string {
  return joinPrefixId(canonicalJson(base), chain.map((link) => canonicalJson(link)).join(","));
}
