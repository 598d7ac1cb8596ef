import type { Finding, Place } from "../errors.ts";
import { argProblem } from "../catalog/arg-rules.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { compareText } from "../model/compare.ts";
import type { ArgDeclaration, Fragment, Manifest, Value } from "../schemas/types.ts";
import type { Entry, FolderEntry } from "../catalog/catalog.ts";

/** A text that is given becomes the declared type; a text that has no such form stays text. */
function coerce(given: Value, declaration: ArgDeclaration): Value {
  if (typeof given !== "string") return given;
  if (declaration.type === "integer" && /^-?(0|[1-9]\d{0,15})$/.test(given)) return Number(given);
  if (declaration.type === "boolean" && (given === "true" || given === "false")) return given === "true";
  return given;
}

/**
 * The value of every argument that a fragment declares: given with the choice, else by the manifest, else the default.
 * Wrong types and missing values are findings.
 */
export function fragmentArgs(
  manifest: Entry<Manifest>,
  entry: FolderEntry<Fragment>,
  given: Readonly<Record<string, Value>>,
): { values: Record<string, Value>; findings: Finding[] } {
  const findings: Finding[] = [];
  const values: Record<string, Value> = {};
  for (const [name, declaration] of Object.entries(entry.document.args ?? {})) {
    const fromManifest = Object.hasOwn(manifest.document.args ?? {}, name)
      ? manifest.document.args?.[name]
      : undefined;
    const chosen = Object.hasOwn(given, name) ? given[name] : undefined;
    const value = chosen !== undefined ? coerce(chosen, declaration) : (fromManifest ?? declaration.default);
    const where =
      chosen !== undefined
        ? undefined
        : fromManifest !== undefined
          ? manifest.place(["args", name])
          : entry.place(["args", name]);
    if (value === undefined) {
      findings.push({
        code: "ARG_MISSING",
        what: `${entry.document.name}@${entry.document.version} needs the argument \`${name}\`, which has no default`,
        where: manifest.place(["args"]),
        fix: `add \`${name}:\` under \`args:\`, or pass --arg ${name}=VALUE`,
      });
      continue;
    }
    const problem = argProblem(value, declaration);
    if (problem) {
      findings.push({
        code: "ARG_TYPE",
        what: `the argument \`${name}\`: ${problem}`,
        where,
        fix: `${entry.document.name}@${entry.document.version} declares it in ${entry.file}`,
      });
      continue;
    }
    values[name] = value;
  }
  return { values, findings };
}

/** All values by argument name, sorted. Where two fragments declare a name, the later one's value stands. */
export function mergeArgs(values: readonly Readonly<Record<string, Value>>[]): Record<string, Value> {
  const all = new Map(values.flatMap((own) => Object.entries(own)));
  return Object.fromEntries([...all].sort(([a], [b]) => compareText(a, b)));
}

/** The values of each of the chosen fragments. Undeclared names, wrong types and missing values are findings. */
export function resolveArgs(
  manifest: Entry<Manifest>,
  fragments: readonly FolderEntry<Fragment>[],
  given: Readonly<Record<string, Value>>,
): { values: Record<string, Value>[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const declared = new Map<string, string[]>();
  for (const { document } of fragments) {
    for (const name of Object.keys(document.args ?? {})) {
      declared.set(name, [...(declared.get(name) ?? []), document.name]);
    }
  }
  const undeclared = (name: string, where: Place | undefined) => {
    if (declared.has(name)) return;
    const guess = didYouMean(name, [...declared.keys()]);
    findings.push({
      code: "ARG_UNDECLARED",
      what: `no fragment of ${manifest.document.manifest_id} declares the argument \`${name}\``,
      where,
      fix: guess
        ? `did you mean \`${guess}\`?`
        : `declared are: ${[...declared.keys()].sort(compareText).join(", ") || "none"}`,
    });
  };
  for (const name of Object.keys(manifest.document.args ?? {}))
    undeclared(name, manifest.place(["args", name]));
  for (const name of Object.keys(given)) undeclared(name, undefined);

  const values = fragments.map((entry) => {
    const own = fragmentArgs(manifest, entry, given);
    findings.push(...own.findings);
    return own.values;
  });
  return { values, findings };
}
