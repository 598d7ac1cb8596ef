import type { Finding, Place } from "../errors.ts";
import { argProblem } from "../catalog/arg-rules.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { compareText } from "../model/compare.ts";
import type { ArgDeclaration, Fragment, Manifest, Value } from "../schemas/types.ts";
import type { Entry, FolderEntry } from "../catalog/catalog.ts";

/** A value given on the command line as text becomes the declared type; a text that has no such form stays text. */
function coerce(text: string, declaration: ArgDeclaration): Value {
  if (declaration.type === "integer" && /^-?(0|[1-9]\d{0,15})$/.test(text)) return Number(text);
  if (declaration.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/**
 * The value of every argument that the chosen fragments declare: given on the command line, else by the manifest,
 * else the default. Undeclared names, wrong types and missing values are findings.
 */
export function resolveArgs(
  manifest: Entry<Manifest>,
  fragments: readonly FolderEntry<Fragment>[],
  given: Readonly<Record<string, string>>,
): { byFragment: Map<string, Record<string, Value>>; all: Record<string, Value>; findings: Finding[] } {
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

  const byFragment = new Map<string, Record<string, Value>>();
  const all: Record<string, Value> = {};
  for (const entry of fragments) {
    const values: Record<string, Value> = {};
    for (const [name, declaration] of Object.entries(entry.document.args ?? {})) {
      const fromManifest = Object.hasOwn(manifest.document.args ?? {}, name)
        ? manifest.document.args?.[name]
        : undefined;
      const text = Object.hasOwn(given, name) ? given[name] : undefined;
      const value = text !== undefined ? coerce(text, declaration) : (fromManifest ?? declaration.default);
      const where =
        text !== undefined
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
      all[name] = value;
    }
    byFragment.set(entry.document.name, values);
  }
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => compareText(a, b)));
  return { byFragment, all: sorted, findings };
}
