import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import { splitArgName } from "../catalog/names.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { valueProblem } from "../catalog/value-rules.ts";
import type { Finding, Place } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { entriesOf, isMap } from "../model/value.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ArgDeclaration, Fragment, Value } from "../schemas/types.ts";

/** A list or map of scalars that a text writes as JSON; undefined if it writes something else. */
function fromJson(text: string): Value | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const entries = Object.values(value as object) as unknown[];
    return entries.every((one) => typeof one !== "object") ? (value as Value) : undefined;
  } catch {
    return undefined;
  }
}

/** Converts a given text to the declared type, if it has that form; otherwise it stays text. */
export function coerce(given: Value, { type }: ArgDeclaration): Value {
  if (typeof given !== "string") return given;
  if (type === "integer" && /^-?(0|[1-9]\d{0,15})$/.test(given)) return Number(given);
  if (type === "boolean" && (given === "true" || given === "false")) return given === "true";
  return type === "list" || type === "map" ? (fromJson(given) ?? given) : given;
}

/** A value that a manifest or a choice gives, by the name that it uses: `port`, or `app.port`. */
type GivenValues = ReadonlyMap<
  string,
  {
    value: Value;
    /** The place of the value, or of a part of it. */
    where: (at?: readonly (string | number)[]) => Place | undefined;
  }
>;

/**
 * The manifest's values: `{port: 80, app: {name: x}}` gives `port` and `app.name`. A mapping below a name that is an
 * argument's, and no fragment's, is a map.
 */
function manifestValues({ document, place }: Entry<Manifest>, isArg: (name: string) => boolean): GivenValues {
  const values = new Map<string, { value: Value; where: (at?: readonly (string | number)[]) => Place }>();
  const add = (name: string, value: Value, path: readonly string[]) => {
    values.set(name, { value, where: (at = []) => place([...path, ...at]) });
  };
  for (const [name, given] of Object.entries(document.args ?? {})) {
    const isGroup = typeof given === "object" && !Array.isArray(given) && Object.keys(given).length > 0;
    if (!isGroup || (isArg(name) && !Object.hasOwn(document.fragments, name)))
      add(name, given as Value, ["args", name]);
    else for (const [own, value] of Object.entries(given)) add(`${name}.${own}`, value, ["args", name, own]);
  }
  return values;
}

/** The names of the fragments that declare an argument, by its name. */
function declarersOf(fragments: readonly FolderEntry<Fragment>[]): Map<string, string[]> {
  const declarers = new Map<string, string[]>();
  for (const { document } of fragments) {
    for (const name in document.args) {
      const known = declarers.get(name);
      if (known) known.push(document.name);
      else declarers.set(name, [document.name]);
    }
  }
  return declarers;
}

/** What is wrong with the name of a given value; undefined if it means exactly one argument. */
function nameFinding(
  name: string,
  where: Place | undefined,
  manifestId: string,
  declarers: ReadonlyMap<string, readonly string[]>,
): Finding | undefined {
  const { fragment, own } = splitArgName(name);
  const known = declarers.get(own) ?? [];
  if (fragment !== undefined ? known.includes(fragment) : known.length === 1) return undefined;
  if (fragment === undefined && known.length > 1) {
    return {
      code: "ARG_AMBIGUOUS",
      what: `${known.length} fragments of ${manifestId} declare an argument \`${name}\`: ${known.join(", ")}`,
      where,
      fix: `say which one you mean: ${known.map((one) => `\`${one}.${name}\``).join(" or ")}`,
    };
  }
  const names = [...declarers].flatMap(([one, by]) =>
    by.length === 1 && fragment === undefined ? [one] : by.map((each) => `${each}.${one}`),
  );
  const guess = didYouMean(name, names);
  return {
    code: "ARG_UNDECLARED",
    what:
      fragment === undefined
        ? `no fragment of ${manifestId} declares the argument \`${name}\``
        : `${manifestId} has no fragment \`${fragment}\` that declares the argument \`${own}\``,
    where,
    fix: guess
      ? `did you mean \`${guess}\`?`
      : `declared are: ${names.sort(compareText).join(", ") || "none"}`,
  };
}

/** How a list or map is written on the command line, if a text was given instead. */
function jsonHint(value: Value, { type }: ArgDeclaration, name: string | null): string {
  if (name === null || typeof value !== "string" || (type !== "list" && type !== "map")) return "";
  const example = type === "list" ? '["a", "b"]' : '{"a": "b"}';
  return `; write a ${type} as JSON, such as --arg ${name}='${example}'`;
}

/**
 * The values for each of the chosen fragments: from the choice, else from the manifest, else the default. A name is the
 * argument's own if only one fragment declares it, or `fragment.argument`.
 * Unknown and ambiguous names, wrong types and missing values are findings.
 * @returns in the order of the fragments
 */
export function resolveArgs(
  manifest: Entry<Manifest>,
  fragments: readonly FolderEntry<Fragment>[],
  choice: Readonly<Record<string, Value>>,
  findings: Finding[],
): Record<string, Value>[] {
  const { manifest_id } = manifest.document;
  const declarers = declarersOf(fragments);
  const ofManifest = manifestValues(manifest, (name) => declarers.has(name));
  const ofChoice: GivenValues = new Map(
    Object.entries(choice).map(([name, value]) => [name, { value, where: () => undefined }]),
  );
  for (const given of [ofManifest, ofChoice]) {
    for (const [name, { where }] of given) {
      const finding = nameFinding(name, where(), manifest_id, declarers);
      if (finding) findings.push(finding);
    }
  }
  return fragments.map((entry) => {
    const { name: fragment, version, args = {} } = entry.document;
    const values: Record<string, Value> = {};
    for (const [name, declaration] of Object.entries(args)) {
      const isUnique = declarers.get(name)?.length === 1;
      const full = `${fragment}.${name}`;
      const shown = isUnique ? name : full;
      const find = (given: GivenValues) => given.get(full) ?? (isUnique ? given.get(name) : undefined);
      const chosen = find(ofChoice);
      const said = chosen ?? find(ofManifest);
      const value = chosen ? coerce(chosen.value, declaration) : (said?.value ?? declaration.default);
      if (value === undefined) {
        findings.push({
          code: "ARG_MISSING",
          what: `${fragment}@${version} needs the argument \`${shown}\`, which has no default`,
          where: manifest.place(["args"]),
          fix: isUnique
            ? `add \`${name}:\` under \`args:\`, or pass --arg ${name}=VALUE`
            : `add \`${fragment}: {${name}: VALUE}\` under \`args:\`, or pass --arg ${full}=VALUE`,
        });
        continue;
      }
      const problem = valueProblem(value, declaration);
      if (problem) {
        findings.push({
          code: "ARG_TYPE",
          what: `the argument \`${shown}\`: ${problem.what}`,
          where: said ? said.where(problem.at) : entry.place(["args", name]),
          fix: `${fragment}@${version} declares it in ${entry.file}${jsonHint(value, declaration, chosen ? shown : null)}`,
        });
        continue;
      }
      values[name] = isMap(value) ? Object.fromEntries(entriesOf(value)) : value;
    }
    return values;
  });
}

/** A fragment with the values of its arguments. */
interface Valued {
  readonly entry: FolderEntry<Fragment>;
  readonly args: Readonly<Record<string, Value>>;
}

/**
 * All values, sorted by name: the argument's own if only one fragment declares it, else `fragment.argument`. So one
 * fragment's value is never taken for another's.
 */
export function argsByName(valued: readonly Valued[]): Readonly<Record<string, Value>> {
  const declarers = declarersOf(valued.map(({ entry }) => entry));
  const all: [string, Value][] = valued.flatMap(({ entry, args }) =>
    Object.entries(args).map(([name, value]): [string, Value] => [
      declarers.get(name)?.length === 1 ? name : `${entry.document.name}.${name}`,
      value,
    ]),
  );
  return Object.freeze(Object.fromEntries(all.sort(([a], [b]) => compareText(a, b))));
}
