import type { LeftOut } from "../causes/verdicts.ts";
import { grouped } from "../model/count.ts";
import { valueText } from "../model/value.ts";
import { visible } from "../model/visible.ts";
import { combinationText } from "./combination-text.ts";
import type { Context } from "./context.ts";
import type { ToldReport } from "./probe-plan.ts";

/** How many records, lines and changes of each kind are shown; the JSON document has all. */
const SHOWN = 3;

function count(number: number, one: string, more = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : more}`;
}

/** The first few of some texts, and how many more there are. */
function some(texts: readonly string[]): string {
  const more = texts.length - SHOWN;
  return `${texts.slice(0, SHOWN).join(", ")}${more > 0 ? ` and ${grouped(more)} more` : ""}`;
}

type Told = ToldReport["causes"][number];

function beganLines({ began }: Told): string[] {
  if (!began) return [];
  const { first_fail, last_pass, same_cell, changes } = began;
  const before = last_pass
    ? same_cell
      ? `it passed until ${last_pass.tested_at} (${last_pass.record_id})`
      : `the most similar that passed before it: ${last_pass.record_id}`
    : "nothing passed before it";
  const shown = changes.slice(0, SHOWN * 2);
  const more = changes.length - shown.length;
  return [
    `began         ${first_fail.tested_at} (${first_fail.record_id}); ${before}`,
    ...shown.map(
      ({ input, before: was, after }) =>
        `              ${visible(input)}: ${visible(was ?? "none")} → ${visible(after ?? "none")}`,
    ),
    ...(more > 0 ? [`              and ${grouped(more)} more`] : []),
    ...(last_pass && changes.length === 0 ? ["              nothing that is recorded differs"] : []),
  ];
}

function probeLines({ probe, possible }: Told): string[] {
  if (!probe) return ["to try        nothing that could be tried tells more"];
  const { command, plan, left_if_fails, left_if_passes } = probe;
  const { fragments, platform, base, args } = probe.values;
  const named = Object.fromEntries(
    Object.entries(args).map(([name, value]) => [`args.${name}`, valueText(value)]),
  );
  return [
    `to try        ${combinationText({ ...fragments, platform, base, ...named })}`,
    `              of ${grouped(possible)} that could be the cause it leaves ${grouped(left_if_fails)} if it fails, ${grouped(left_if_passes)} if it passes`,
    ...(plan
      ? [
          `              write this to ${plan.path}, then \`${command}\`:`,
          ...plan.text
            .trimEnd()
            .split("\n")
            .map((line) => `                ${visible(line)}`),
        ]
      : [`              \`${command}\``]),
  ];
}

function ruleLines({ rules, expected, planned, certain }: Told): string[] {
  if (!rules || expected || !planned || !certain) return [];
  const said = (value: object) => visible(JSON.stringify(value));
  return [
    `rule          exclude: [${said(rules.exclude)}] in its plans (\`--apply\` writes it)`,
    ...rules.conflicts.map(
      ({ fragment, version, conflicts }) =>
        `              or conflicts: ${said(conflicts)} in ${visible(fragment)} ${visible(version)}, for every plan`,
    ),
  ];
}

function causeLines(cause: Told, at: number, { bold, dim, yellow }: Context["color"]): string[] {
  const { values, records, expected, planned, certain, alternatives, possible, passes_without, signatures } =
    cause;
  const text = combinationText(values);
  const notes = [
    ...(expected ? ["declared as expected"] : []),
    ...(planned ? [] : ["no plan has a cell with it today"]),
  ];
  const title = text === "" ? "everything fails: no combination of values is to blame" : text;
  const more = possible - 1 - alternatives.length;
  return [
    `${bold(`${at + 1}. ${title}`)}  ${yellow(count(records.length, "failure"))}${notes.length > 0 ? dim(` (${notes.join("; ")})`) : ""}`,
    ...signatures
      .slice(0, SHOWN)
      .map(({ signature, failures }) => `   shows as      ${grouped(failures)} × ${visible(signature)}`),
    `   fails         ${some(records)}`,
    ...passes_without.map(
      ({ factor, value, record_id }) =>
        `   passes        with ${visible(factor)} ${visible(value ?? "none")}: ${record_id}`,
    ),
    ...[...beganLines(cause), ...ruleLines(cause)].map((line) => `   ${line}`),
    ...(certain
      ? []
      : [
          `   could also be ${alternatives.map(combinationText).join(" | ")}${more > 0 ? ` and ${grouped(more)} more` : ""}`,
          ...probeLines(cause).map((line) => `   ${line}`),
        ]),
  ];
}

const WHY: Readonly<Record<keyof LeftOut, string>> = {
  error: "came to no verdict",
  other: "prove nothing of a cell",
  stale: "are of other files, tests or policies than today's",
  incomplete: "lack evidence or later records",
  unbelievable: "cannot be believed: see `factory records verify`",
  flaky: "passed and failed with equal keys",
};

/** A report for people. Nothing in it acts on a terminal. */
export function failureLines(report: ToldReport, { color }: Pick<Context, "color">): string[] {
  const { manifest_id, passing, failing, causes, groups, flaky, left_out } = report;
  const known = passing + failing;
  const head =
    known === 0
      ? `nothing is known of ${manifest_id}: no record of it counts today`
      : failing === 0
        ? `nothing fails: ${count(passing, "combination")} of ${manifest_id} passed`
        : `${manifest_id}: ${count(causes.length, "cause")} for all ${count(failing, "failing combination")}; ${count(passing, "combination")} passed`;
  const lines = [head];
  for (const [at, cause] of causes.entries()) lines.push("", ...causeLines(cause, at, color));
  if (groups.length > 1) {
    lines.push("", color.bold("by how it shows itself"));
    for (const { signature, records, causes: by } of groups.slice(0, SHOWN * 3))
      lines.push(
        `   ${count(records.length, "failure")}, of cause ${by.map((one) => one + 1).join(", ")}: ${visible(signature)}`,
      );
  }
  if (flaky.length > 0) {
    lines.push("", color.bold("flaky: passed and failed, although nothing differed"));
    for (const { cell_id, passed, failed, tests } of flaky.slice(0, SHOWN * 3))
      lines.push(
        `   ${cell_id}: ${passed} passed, ${failed} failed${tests.length > 0 ? `: ${some(tests.map(visible))}` : ""}`,
      );
    if (flaky.length > SHOWN * 3) lines.push(`   and ${grouped(flaky.length - SHOWN * 3)} more`);
  }
  const out = (Object.keys(WHY) as (keyof LeftOut)[]).flatMap((why) =>
    left_out[why] > 0 ? [`${grouped(left_out[why])} that ${WHY[why]}`] : [],
  );
  if (out.length > 0) lines.push("", `left out: ${out.join("; ")}`);
  return lines;
}
