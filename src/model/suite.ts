import type { SmokeTest } from "../schemas/types.ts";
import type { HashOf } from "../smoke/kinds/kind.ts";
import { type Check, checkOf } from "../smoke/kinds/kinds.ts";
import { type Settings, settingsOf } from "../smoke/settings.ts";
import { digestOf } from "./digest.ts";
import type { DeclaredTest } from "./smoke.ts";

export { type Check, checkOf };

/** How a fragment names itself as the owner of what a budget bounds. */
const SELF = "self";

/**
 * The tests of one document, with their origin. The paths of scripts are from the workspace's root, and a budget of `self` is one of
 * the fragment.
 * @param folder the fragment's, from the root; empty for a manifest
 */
export function declaredTests(from: string, tests: readonly SmokeTest[] = [], folder = ""): DeclaredTest[] {
  return tests.map((test) => {
    if (folder !== "" && test.budget?.of === SELF)
      return { ...test, from, budget: { ...test.budget, of: from } };
    if (!test.script || folder === "") return { ...test, from };
    return { ...test, from, script: { ...test.script, path: `${folder}/${test.script.path}` } };
  });
}

/** The tests of an image: those of its fragments, in their order, then the manifest's. */
export function effectiveTests(
  fragments: readonly { name: string; folder: string; smoke?: readonly SmokeTest[] }[],
  manifestSmoke: readonly SmokeTest[] = [],
): DeclaredTest[] {
  const ofFragments = fragments.flatMap(({ name, folder, smoke }) => declaredTests(name, smoke, folder));
  return [...ofFragments, ...declaredTests("manifest", manifestSmoke)];
}

/** One smoke test in the form that is hashed: every default is written out. */
export interface HashedTest {
  from: string;
  id: string;
  timeout_s: number | null;
  check: Check | null;
  /** Only there where the test has some: older suites keep their hash. */
  settings?: Settings;
  /** The same. */
  after?: string;
}

/** Tests in the form that is hashed. @throws FactoryError FILE_*, for a script that cannot be read */
export function hashedTests(tests: readonly DeclaredTest[], hashOf: HashOf): HashedTest[] {
  return tests.map((test) => {
    const settings = settingsOf(test);
    return {
      from: test.from,
      id: test.id,
      timeout_s: test.timeout_s ?? null,
      check: checkOf(test, hashOf) ?? null,
      ...(settings ? { settings } : {}),
      ...(test.after === undefined ? {} : { after: test.after }),
    };
  });
}

/**
 * sha256 over all of the tests that can change a verdict. A default that is written out changes nothing, and neither
 * does a summary; the order counts, for HTTP tests share a container. A time-out that is left out stays null: the
 * workspace's limits are hashed beside the suite.
 */
export function suiteHash(tests: readonly DeclaredTest[], hashOf: HashOf, gpus?: "all" | number): string {
  return digestOf({ scheme: "factory/suite/1", gpus: gpus ?? null, tests: hashedTests(tests, hashOf) });
}
