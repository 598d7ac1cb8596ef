import type { SmokeTest } from "../schemas/types.ts";
import { type Check, checkOf } from "../smoke/kinds/kinds.ts";
import { digestOf } from "./digest.ts";
import type { DeclaredTest } from "./smoke.ts";

export { type Check, checkOf };

/** The tests of an image: those of its fragments, in their order, then the manifest's. */
export function effectiveTests(
  fragments: readonly { name: string; smoke?: readonly SmokeTest[] }[],
  manifestSmoke: readonly SmokeTest[] = [],
): DeclaredTest[] {
  const ofFragments = fragments.flatMap(({ name, smoke = [] }) =>
    smoke.map((test) => ({ ...test, from: name })),
  );
  return [...ofFragments, ...manifestSmoke.map((test) => ({ ...test, from: "manifest" }))];
}

/** One smoke test in the form that is hashed: every default is written out. */
export interface HashedTest {
  from: string;
  id: string;
  timeout_s: number | null;
  check: Check | null;
}

/** The tests of one origin in the form that is hashed. */
export function hashedTests(from: string, tests: readonly SmokeTest[] = []): HashedTest[] {
  return tests.map((test) => ({
    from,
    id: test.id,
    timeout_s: test.timeout_s ?? null,
    check: checkOf(test) ?? null,
  }));
}

/**
 * sha256 over all of the tests that can change a verdict. A default that is written out changes nothing, and neither
 * does a summary; the order counts, for HTTP tests share a container. A time-out that is left out stays null: the
 * workspace's limits are hashed beside the suite.
 */
export function suiteHash(tests: readonly DeclaredTest[], gpus?: "all" | number): string {
  return digestOf({
    scheme: "factory/suite/1",
    gpus: gpus ?? null,
    tests: tests.flatMap((test) => hashedTests(test.from, [test])),
  });
}
