import type { Finding } from "../errors.ts";
import type { SmokeTest } from "../schemas/types.ts";
import { regexProblem } from "./arg-rules.ts";
import type { PlaceOf } from "./catalog.ts";
import type { Sound } from "./sound.ts";
import { quoted } from "./visible.ts";
import type { Path } from "./yaml-value.ts";

const KINDS = ["command", "http", "file", "config", "budget"] as const;
/** Where a test may hold a regular expression. */
const MATCHES = [
  ["command", "stdout"],
  ["command", "stderr"],
  ["http", "response"],
  ["file", "contents"],
] as const;

function regexOf(test: Sound<SmokeTest>, [kind, field]: (typeof MATCHES)[number]): string | undefined {
  const part = test[kind] as Record<string, { matches?: string } | undefined> | undefined;
  return part?.[field]?.matches;
}

function checkTest(test: Sound<SmokeTest>, path: Path, place: PlaceOf): Finding[] {
  const findings: Finding[] = [];
  const name = test.id === undefined ? "this test" : `the test ${quoted(test.id)}`;
  const add = (at: Path, what: string, fix: string) =>
    findings.push({ code: "TEST_INVALID", what: `${name} ${what}`, where: place([...path, ...at]), fix });
  const kinds = KINDS.filter((kind) => test[kind] !== undefined);
  const [first, second] = kinds;
  // A test with nothing but one field is the schema's to refuse.
  if (first === undefined && Object.keys(test).length > 1)
    add([], "does nothing", `add one of ${KINDS.join(", ")}`);
  if (second !== undefined)
    add([second], `is of two kinds: ${kinds.join(" and ")}`, "split it into a test of each kind");
  for (const at of MATCHES) {
    const source = regexOf(test, at);
    const problem = source === undefined ? undefined : regexProblem(source, "mu");
    if (problem)
      add(
        [...at, "matches"],
        `holds what is no regular expression: ${problem}`,
        "correct it; the flags are `mu`",
      );
  }
  const { file } = test;
  for (const field of ["mode", "owner", "contents"] as const) {
    if (file?.exists !== false || file[field] === undefined) continue;
    add(
      ["file", field],
      `wants the ${field} of a file that must not exist`,
      `remove \`${field}\` or \`exists: false\``,
    );
  }
  return findings;
}

/** Smoke tests: one kind each, ids once in a document, regular expressions that compile. */
export function checkSmoke(tests: Sound<SmokeTest[]> | undefined, place: PlaceOf): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const [index, test] of (tests ?? []).entries()) {
    if (test === undefined) continue;
    findings.push(...checkTest(test, ["smoke", index], place));
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
