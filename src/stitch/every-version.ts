import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { findingsIn } from "../catalog/document.ts";
import type { Finding } from "../errors.ts";
import type { ArgDeclaration, Fragment, Template, Value } from "../schemas/types.ts";
import { frameOf } from "./frame.ts";
import { pieceOf } from "./piece.ts";

/**
 * Texts that stand in for an argument without a default. If the text has to be a commit or a digest, a plain word is
 * refused although real values are not: so a refusal counts only if all of these texts are refused.
 */
const STAND_INS = ["value", "0".repeat(64), `sha256:${"0".repeat(64)}`];

/** What stands in for `{{base}}`. */
const ANY_BASE = "registry.invalid/base:1";

/** How many values of one argument are tried. */
const MOST_VALUES = 20;

function defaultOf({ type, default: given, enum: allowed, minimum, maximum }: ArgDeclaration): Value | null {
  if (given !== undefined) return given;
  if (allowed?.[0] !== undefined) return allowed[0];
  if (type === "boolean") return false;
  return type === "integer" ? (minimum ?? Math.min(1, maximum ?? 1)) : null;
}

/** The other values that an argument can have, if they can be listed. */
function othersOf({ type, enum: allowed }: ArgDeclaration, value: Value | undefined): Value[] {
  const all = allowed ?? (type === "boolean" ? [true, false] : []);
  return all.filter((one) => one !== value).slice(0, MOST_VALUES);
}

/**
 * Renders a version of a fragment, whether anything uses it or not: with its defaults, or values that stand in for them,
 * and with each other value that a boolean or an enum can have.
 * @returns what is wrong with it, including its files
 */
export function fragmentFindings(catalog: Catalog, entry: FolderEntry<Fragment>): Finding[] {
  const declared = Object.entries(entry.document.args ?? {});
  const valuesWith = (text: string) =>
    Object.fromEntries(
      declared.map(([name, declaration]): [string, Value] => [name, defaultOf(declaration) ?? text]),
    );
  const render = (args: Record<string, Value>) => findingsIn(() => pieceOf(catalog, entry, args).body());
  const isOpen = declared.some(([, declaration]) => defaultOf(declaration) === null);

  let values = valuesWith(STAND_INS[0] ?? "");
  let findings = render(values);
  for (const text of isOpen ? STAND_INS.slice(1) : []) {
    if (findings.length === 0) break;
    const found = render(valuesWith(text));
    if (found.length > 0) continue;
    values = valuesWith(text);
    findings = found;
  }

  const known = new Set(findings.map(({ code, what }) => `${code} ${what}`));
  for (const [name, declaration] of declared) {
    for (const value of othersOf(declaration, values[name])) {
      for (const finding of render({ ...values, [name]: value })) {
        if (known.has(`${finding.code} ${finding.what}`)) continue;
        findings.push({
          ...finding,
          what: `${finding.what} (if \`${name}\` is ${JSON.stringify(value)})`,
        });
      }
    }
  }
  return findings;
}

/**
 * Renders a version of a template, whether anything uses it or not: with all its slots filled, and with the optional ones
 * empty.
 * @returns what is wrong with it
 */
export function templateFindings(entry: FolderEntry<Template>): Finding[] {
  const { slots } = entry.document;
  const ways = [slots, slots.filter(({ optional }) => optional !== true)];
  return ways.flatMap((filled) => {
    const stages = filled.map(({ name }) => ({ name, slot: name, lines: 1 }));
    return findingsIn(() => frameOf(entry, stages, ANY_BASE));
  });
}
