import { isSharedId } from "../catalog/names.ts";
import type { Scheme } from "../catalog/schemes/scheme.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { FactoryError } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import { type Field, FIELDS, fragmentOf, type FragmentTest } from "./list-request.ts";

function misused(what: string, fix: string): FactoryError {
  return new FactoryError("USAGE", what, { fix });
}

/**
 * What `--fragment` says: a name alone (`core`), or with a version or a range of the fragment's own scheme: `core=0.2.0`,
 * `core>=0.2`, `core@~0.2`. Pre-releases count like any other version.
 * @throws FactoryError USAGE
 */
export function fragmentTest(text: string, schemeOf: (name: string) => Scheme): FragmentTest {
  const [, name = "", said = ""] = /^\s*([\w.-]*?)\s*([@<>=~^!*].*)?$/s.exec(text) ?? [];
  if (!isSharedId(name))
    throw misused(`--fragment ${quoted(text)} names no fragment`, "such as core, core=0.2.0 or 'core>=0.2'");
  const range = said.replace(/^@\s*/, "");
  if (said === "") return { name, test: () => true };
  const scheme = schemeOf(name);
  // npm reads `=>1` as any version.
  const isSound = (one: string) => one !== "" && !/^=[<>]/.test(range) && scheme.isRange(one);
  const found = [range, range.replace(/^==?\s*/, "")].find(isSound);
  if (found === undefined)
    throw misused(
      `--fragment ${quoted(text)} has no version or range that ${name} can have (${scheme.name})`,
      `such as ${scheme.examples}`,
    );
  return { name, test: (version) => scheme.isVersion(version) && scheme.satisfies(version, found, true) };
}

/**
 * A field by which records are sorted or grouped.
 * @param flag that names it @param allowed of the plain fields
 * @throws FactoryError USAGE
 */
export function parseField(
  text: string,
  flag: string,
  allowed: readonly (typeof FIELDS)[number][] = FIELDS,
): Field {
  if (isSharedId(fragmentOf(text) ?? "")) return text as Field;
  const field = allowed.find((one) => one === text);
  if (field) return field;
  const guess = didYouMean(text, [...allowed]);
  throw misused(
    `${flag} ${quoted(text)}: there is no such field`,
    guess ? `did you mean ${guess}?` : `there are: ${allowed.join(", ")}, fragment:NAME`,
  );
}

/** A digest, or its beginning, as records have it. @throws FactoryError USAGE */
export function digestStart(text: string): string {
  const [, hex] = /^(?:sha256:)?([0-9a-f]{6,64})$/.exec(text) ?? [];
  if (hex !== undefined) return `sha256:${hex}`;
  throw misused(
    `--digest ${quoted(text)} is not the beginning of a digest`,
    "such as sha256:3f2a91…: at least six hex digits",
  );
}

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * A moment as milliseconds since 1970: an ISO 8601 date or time, or how long ago, such as `90m`, `12h`, `7d`, `2w`.
 * @throws FactoryError USAGE
 */
export function momentOf(text: string, now: number, flag = "--since"): number {
  const [, count, unit = ""] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (UNITS[unit] ?? 0);
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?$/.exec(text);
  // A time without a zone is UTC, as in the list.
  const moment = time ? Date.parse(time[1] && !time[2] ? `${text}Z` : text) : Number.NaN;
  if (!Number.isNaN(moment)) return moment;
  throw new FactoryError("USAGE", `${flag} ${JSON.stringify(text)} is not a date, a time or a duration`, {
    fix: "such as 2026-01-31, 2026-01-31T12:00:00Z, 12h or 7d",
  });
}
