import { canonicalJson } from "../model/digest.ts";
import type { DeclaredTest } from "../model/smoke.ts";
import type { HashOf } from "./kinds/kind.ts";
import { type Check, checkOf, portOf, scriptOf } from "./kinds/kinds.ts";
import { type Settings, settingsOf } from "./settings.ts";

/** A test, and what it needs to be run. */
export interface PlannedTest {
  index: number;
  test: DeclaredTest;
  timeoutMs: number;
  check: Check | undefined;
  settings: Settings;
}

/** Tests whose containers are alike. */
export interface Setup {
  /** Empty for the sandbox's defaults. */
  key: string;
  settings: Settings;
  /** Scripts that are in the containers, by their paths from the workspace's root. */
  scripts: readonly string[];
  /** Whether its tests follow each other in one container: that of the image's service, or one of their own. */
  chain: "service" | "commands" | null;
  tests: readonly PlannedTest[];
}

/** The tests of a suite with what they check. */
export function planTests(
  tests: readonly DeclaredTest[],
  { timeout_s, hashOf }: { timeout_s: number; hashOf: HashOf },
): PlannedTest[] {
  return tests.map((test, index) => ({
    index,
    test,
    timeoutMs: (test.timeout_s ?? timeout_s) * 1000,
    check: checkOf(test, hashOf),
    settings: settingsOf(test) ?? {},
  }));
}

const nameOf = ({ test }: PlannedTest): string => `${test.from}/${test.id}`;

/** For each test the first one of those that follow each other in its container. The document's rules rule out circles. */
function rootsOf(planned: readonly PlannedTest[]): Map<PlannedTest, PlannedTest> {
  const byName = new Map<string, PlannedTest>();
  const roots = new Map<PlannedTest, PlannedTest>();
  for (const one of planned) {
    const before =
      one.test.after === undefined ? undefined : byName.get(`${one.test.from}/${one.test.after}`);
    roots.set(one, (before && roots.get(before)) ?? one);
    byName.set(nameOf(one), one);
  }
  return roots;
}

function keyOf({ settings, check }: PlannedTest): string {
  const script = check && scriptOf(check);
  if (Object.keys(settings).length === 0 && script === undefined) return "";
  return canonicalJson({ settings, script: script ?? null });
}

/** The tests by what their containers are like, each in their order. */
export function setupsOf(planned: readonly PlannedTest[]): Setup[] {
  const roots = rootsOf(planned);
  const chained = new Set(planned.flatMap((one) => (roots.get(one) === one ? [] : [roots.get(one)])));
  const byKey = new Map<string, PlannedTest[]>();
  for (const one of planned) {
    const root = roots.get(one) ?? one;
    const key = chained.has(root) ? `after ${nameOf(root)}` : keyOf(one);
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  return [...byKey].map(([key, tests]) => {
    const [first] = tests;
    const isService = first?.check !== undefined && portOf(first.check) !== undefined;
    return {
      key,
      settings: first?.settings ?? {},
      scripts: [...new Set(tests.flatMap(({ check }) => (check && scriptOf(check)) ?? []))],
      chain: key.startsWith("after ") ? (isService ? "service" : "commands") : null,
      tests,
    };
  });
}
