import type { Changed, Differences } from "../inspect/diff-sides.ts";
import type { Side } from "../inspect/side.ts";
import { sizeText } from "../model/bytes.ts";
import { grouped } from "../model/count.ts";
import type { Report, Section } from "../screen/sections.ts";

/** A value in a cell: long ones are cut, the document has them whole. */
const LONGEST = 120;

const cutText = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "-";
  return cutText(typeof value === "string" ? value : JSON.stringify(value));
}

const section = (title: string, head: readonly string[], rows: Section["rows"] | null): Section[] =>
  rows === null || rows.length === 0 ? [] : [{ title, head, rows }];

const threeOf = (all: readonly Changed<unknown>[] | null): string[][] | null =>
  all && all.map(({ name, from, to }) => [name, valueText(from), valueText(to)]);

function growth(from: number | null, to: number | null, text: (size: number) => string): string {
  const by = (to ?? 0) - (from ?? 0);
  return `${by < 0 ? "−" : "+"}${text(Math.abs(by))}`;
}

const secondsText = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function fragmentRows(fragments: Differences["fragments"]): string[][] | null {
  return (
    fragments &&
    fragments.map(({ name, from, to, same_version }) =>
      same_version ? [name, from ?? "-", `${to ?? "-"}, with other files`] : [name, from ?? "-", to ?? "-"],
    )
  );
}

function fileSections({ files }: Differences): Section[] {
  if (!files) return [];
  const { added, removed, changed, times, list } = files;
  const others = times > 0 ? `; ${grouped(times)} have other times alone` : "";
  const title = `Files: ${grouped(added)} added, ${grouped(removed)} removed, ${grouped(changed)} changed${others}`;
  const rows = list.map(({ path, how, mode }) => {
    const modes = mode.from === mode.to ? (mode.to ?? "-") : [mode.from, mode.to].filter(Boolean).join(" → ");
    return [path, how.join(", "), modes];
  });
  return section(title, ["PATH", "HOW", "MODE"], rows);
}

function sideLine(name: string, { what, record, image, platform }: Side): string {
  const digest = image?.digest ?? record?.image?.manifest_digest ?? "no image";
  const known = record && record.record_id !== what ? ` (${record.record_id}, ${record.result.status})` : "";
  return `${name}: ${what}${known}  ${digest}  ${platform ?? ""}`.trimEnd();
}

/** What is said of a comparison, for people. */
export function diffReport(a: Side, b: Side, found: Differences): Report {
  const { packages, licenses, sizes, durations, missing } = found;
  const sections = [
    ...section("Fragments", ["FRAGMENT", "FROM", "TO"], fragmentRows(found.fragments)),
    ...section("Inputs", ["INPUT", "FROM", "TO"], threeOf(found.inputs)),
    ...section(
      "Packages",
      ["PACKAGE", "CHANGE", "FROM", "TO", "FRAGMENT"],
      packages &&
        packages.map((one) => [
          one.name,
          one.change,
          one.from.join(", ") || "-",
          one.to.join(", ") || "-",
          one.fragment ?? "-",
        ]),
    ),
    ...section(
      "Licences",
      ["LICENCE", "CHANGE", "PACKAGES"],
      licenses && licenses.map((one) => [one.license, one.change, cutText(one.packages.join(", "))]),
    ),
    ...section(
      "Sizes",
      ["FRAGMENT", "FROM", "TO", "BY"],
      sizes &&
        sizes.map(({ name, from, to }) => [
          name,
          from === null ? "-" : sizeText(from),
          to === null ? "-" : sizeText(to),
          growth(from, to, sizeText),
        ]),
    ),
    ...fileSections(found),
    ...section("Configuration", ["FIELD", "FROM", "TO"], threeOf(found.config)),
    ...section("Tests", ["TEST", "FROM", "TO"], threeOf(found.tests)),
  ];
  const times = section(
    "Durations",
    ["STAGE", "FROM", "TO", "BY"],
    durations &&
      durations.map(({ name, from, to }) => [
        name,
        from === null ? "-" : secondsText(from),
        to === null ? "-" : secondsText(to),
        growth(from, to, secondsText),
      ]),
  );
  const lines = [
    sideLine("a", a),
    sideLine("b", b),
    ...(sections.length === 0 ? ["nothing differs in what could be compared"] : []),
    ...missing.map(({ side, what, why }) => `not compared, ${side}: ${what}: ${why}`),
  ];
  return { title: `${a.what} → ${b.what}`, lines, sections: [...sections, ...times] };
}
