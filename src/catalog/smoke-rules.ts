import type { Finding } from "../errors.ts";
import type { SmokeTest } from "../schemas/types.ts";
import type { Kind } from "../smoke/kinds/kind.ts";
import { KIND_NAMES, type KindName, KINDS } from "../smoke/kinds/kinds.ts";
import { regexProblem } from "./value-rules.ts";
import type { PlaceOf } from "./catalog.ts";
import { settingProblems } from "./setting-rules.ts";
import type { Sound } from "./sound.ts";
import { quoted } from "../model/visible.ts";
import type { Path } from "./yaml-value.ts";

/** Applies the rules of a kind to what a document declares. */
function checkKind(name: KindName, declared: object): { at: Path; what: string; fix: string }[] {
  const { matches, problems } = KINDS[name] as unknown as Kind<object, { kind: string }>;
  const found = (problems?.(declared) ?? []).map(({ field, what, fix }) => ({
    at: [name, field],
    what,
    fix,
  }));
  for (const field of matches as readonly string[]) {
    const source = (declared as Record<string, { matches?: string } | undefined>)[field]?.matches;
    const problem = source === undefined ? undefined : regexProblem(source, "mu");
    if (problem === undefined) continue;
    found.push({
      at: [name, field, "matches"],
      what: `is not a regular expression: ${problem}`,
      fix: "correct it; the flags are `mu`",
    });
  }
  return found;
}

function checkTest(
  test: Sound<SmokeTest>,
  { path, place, earlier }: { path: Path; place: PlaceOf; earlier: readonly Sound<SmokeTest>[] },
): Finding[] {
  const findings: Finding[] = [];
  const name = test.id === undefined ? "this test" : `the test ${quoted(test.id)}`;
  const add = (at: Path, what: string, fix: string) =>
    findings.push({ code: "TEST_INVALID", what: `${name} ${what}`, where: place([...path, ...at]), fix });
  const kinds = KIND_NAMES.filter((kind) => test[kind] !== undefined);
  const [first, second] = kinds;
  // The schema refuses a test with only one field.
  if (first === undefined && Object.keys(test).length > 1)
    add([], "tests nothing", `add one of ${KIND_NAMES.join(", ")}`);
  if (second !== undefined)
    add([second], `is of two kinds: ${kinds.join(" and ")}`, "split it into a test of each kind");
  for (const name of kinds) {
    for (const { at, what, fix } of checkKind(name, test[name] as object)) add(at, what, fix);
  }
  for (const { at, what, fix } of settingProblems(test, earlier)) add(at, what, fix);
  return findings;
}

/** Checks smoke tests: each is of one kind, ids are unique in a document, and regular expressions compile. */
export function checkSmoke(tests: Sound<SmokeTest[]> | undefined, place: PlaceOf): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const [index, test] of (tests ?? []).entries()) {
    if (test === undefined) continue;
    const earlier = (tests ?? []).slice(0, index).filter((one) => one !== undefined);
    findings.push(...checkTest(test, { path: ["smoke", index], place, earlier }));
    if (test.id === undefined) continue;
    if (seen.has(test.id)) {
      findings.push({
        code: "TEST_DUPLICATE",
        what: `two tests have the id ${quoted(test.id)}`,
        where: place(["smoke", index, "id"]),
        fix: "give one of them another id",
      });
    }
    seen.add(test.id);
  }
  return findings;
}
