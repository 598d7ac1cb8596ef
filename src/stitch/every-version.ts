import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { findingsIn } from "../catalog/document.ts";
import type { Finding } from "../errors.ts";
import { valueText } from "../model/value.ts";
import type { ArgDeclaration, Fragment, ItemDeclaration, Scalar, Template, Value } from "../schemas/types.ts";
import { frameOf } from "./frame.ts";
import { standInSources } from "./declared-sources.ts";
import { ofCatalog } from "./memo.ts";
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

/** What stands in for a scalar; null if it is a text of any kind. */
function scalarOf({
  type,
  enum: allowed,
  minimum,
  maximum,
}: Omit<ItemDeclaration, "pattern">): Scalar | null {
  if (allowed?.[0] !== undefined) return allowed[0];
  if (type === "boolean") return false;
  return type === "integer" ? (minimum ?? Math.min(1, maximum ?? 1)) : null;
}

/** A list or map with a number of entries, as far as its declaration has different ones. */
function entriesFor({ type, items, values }: ArgDeclaration, count: number, text: string): Value {
  const one: ItemDeclaration = (type === "list" ? items : values) ?? { type: "string" };
  const all = Array.from({ length: count }, (_, at): Scalar => {
    if (one.enum) return one.enum[at % one.enum.length] ?? text;
    if (one.type === "integer") return (one.minimum ?? Math.min(1, one.maximum ?? 1)) + at;
    return scalarOf(one) ?? (at === 0 ? text : `${text}${at}`);
  });
  return type === "list" ? all : Object.fromEntries(all.map((item, at) => [`key${at}`, item]));
}

/** The numbers of entries that are tried: the fewest that are allowed, one, and several. */
function sizesOf({ min_items = 0, max_items = 1000 }: ArgDeclaration): number[] {
  const several = Math.min(max_items, Math.max(min_items, 3));
  return [...new Set([min_items, Math.max(1, min_items), several])].filter((size) => size <= max_items);
}

/** What an argument has that is given no value, with a text where its declaration leaves it open. */
function valueWith(declaration: ArgDeclaration, text: string): Value {
  const { type, default: given, enum: allowed } = declaration;
  if (given !== undefined) return given;
  if (type !== "list" && type !== "map") return scalarOf({ ...declaration, type } as ItemDeclaration) ?? text;
  return allowed?.[0] ?? entriesFor(declaration, Math.max(1, declaration.min_items ?? 0), text);
}

/** The other values that an argument can have, if they can be listed; of a list or map, some of each size. */
function othersOf(declaration: ArgDeclaration, value: Value | undefined, text: string): Value[] {
  const { type, enum: allowed } = declaration;
  const sized = type === "list" || type === "map";
  const all =
    allowed ??
    (sized
      ? sizesOf(declaration).map((size) => entriesFor(declaration, size, text))
      : type === "boolean"
        ? [true, false]
        : []);
  const taken = value === undefined ? undefined : valueText(value);
  return all.filter((one) => valueText(one) !== taken).slice(0, MOST_VALUES);
}

/** The names of the sources that manifests declare, as far as these can be read. */
const namesOf = ofCatalog((catalog) => {
  const names = new Set<string>();
  for (const id of catalog.manifestIds())
    findingsIn(() => {
      for (const name of Object.keys(catalog.manifest(id).document.sources ?? {})) names.add(name);
    });
  return names;
});

/**
 * Renders a version of a fragment, whether anything uses it or not: with its defaults, or values that stand in for them,
 * and with each other value that a boolean or an enum can have. Its sources are not read: those of a manifest are read with it.
 * @returns what is wrong with it, including its files
 */
export function fragmentFindings(catalog: Catalog, entry: FolderEntry<Fragment>): Finding[] {
  const declared = Object.entries(entry.document.args ?? {});
  const valuesWith = (text: string) =>
    Object.fromEntries(
      declared.map(([name, declaration]): [string, Value] => [name, valueWith(declaration, text)]),
    );
  const sources = standInSources(entry, (name) => namesOf(catalog).has(name));
  const render = (args: Record<string, Value>) =>
    findingsIn(() => pieceOf(catalog, entry, args, sources).body());
  const [first = "", ...more] = STAND_INS;
  const isOpen = declared.some(
    ([, one]) => valueText(valueWith(one, first)) !== valueText(valueWith(one, `${first}s`)),
  );

  let standIn = first;
  let findings = render(valuesWith(first));
  for (const text of isOpen ? more : []) {
    if (findings.length === 0) break;
    const found = render(valuesWith(text));
    if (found.length > 0) continue;
    standIn = text;
    findings = found;
  }
  const values = valuesWith(standIn);

  findings.push(...findingsIn(() => pieceOf(catalog, entry, values).testsJson()));
  const known = new Set(findings.map(({ code, what }) => `${code} ${what}`));
  for (const [name, declaration] of declared) {
    for (const value of othersOf(declaration, values[name], standIn)) {
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
    const stages = filled.flatMap(({ name, many }) =>
      (many === true ? ["", "-2"] : [""]).map((more) => ({ name: `${name}${more}`, slot: name, lines: 1 })),
    );
    return findingsIn(() => frameOf(entry, stages, ANY_BASE));
  });
}
