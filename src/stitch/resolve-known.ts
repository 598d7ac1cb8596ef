import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import type { Fragment, Template, Value } from "../schemas/types.ts";
import { fragmentArgs, mergeArgs } from "./args.ts";
import type { Choice, Resolved } from "./choice.ts";
import { getsOnWith, requirementCycle } from "./contracts.ts";
import { keep, ofCatalog } from "./memo.ts";
import { chooseOptions, type Option, pickedOf, type Sheet, sheetOf } from "./options.ts";
import { pickTemplate } from "./pick.ts";
import { type Piece, pieceOf } from "./piece.ts";

/** The slots of a template: the position of each, and whether it may stay empty. */
interface Slots {
  at: ReadonlyMap<string, number>;
  optional: readonly boolean[];
}

const slotsOf = ofCatalog(() => new Map<FolderEntry<Template>, Slots>());
const argsOf = ofCatalog(() => new Map<string, Readonly<Record<string, Value>>>());

function makeSlots({ document }: FolderEntry<Template>): Slots {
  return {
    at: new Map(document.slots.map(({ name }, at) => [name, at])),
    optional: document.slots.map(({ optional }) => optional ?? false),
  };
}

/** The options in the order of the template's slots. */
function orderOptions(slots: Slots, options: readonly Option[]): Option[] | undefined {
  const bySlot: (Option | undefined)[] = slots.optional.map(() => undefined);
  for (const option of options) {
    const at = slots.at.get(option.slot);
    if (at === undefined || bySlot[at]) return undefined;
    bySlot[at] = option;
  }
  const ordered: Option[] = [];
  for (let at = 0; at < bySlot.length; at += 1) {
    const option = bySlot[at];
    if (!option) {
      if (slots.optional[at]) continue;
      return undefined;
    }
    if ((ordered.at(-1)?.order ?? option.order) > option.order) return undefined;
    ordered.push(option);
  }
  return ordered;
}

/** Whether all requirements and conflicts are kept, and nothing requires itself in a circle. */
function keepsContracts(options: readonly Option[], ordered: readonly Option[]): boolean {
  let backwards = true;
  for (let position = 0; position < ordered.length; position += 1) {
    const option = ordered[position];
    if (!option) return false;
    for (const at of option.related) {
      const other = options[at];
      if (!other) return false;
      if (option.getsOn.has(other)) continue;
      if (!getsOnWith(option.entry, other.entry)) return false;
      option.getsOn.add(other);
    }
    for (const at of option.required) backwards &&= ordered.indexOf(options[at] ?? option) < position;
  }
  // Where each requires what stands before it alone there can be no circle.
  return backwards || !requirementCycle(new Map(ordered.map(({ entry }) => [entry.document.name, entry])));
}

/** Whether one of the fragments declares the argument. */
function isDeclared(sheet: Sheet, options: readonly Option[], name: string): boolean {
  if (options[sheet.declaring.get(name) ?? -1]?.declares.has(name)) return true;
  const at = options.findIndex(({ declares }) => declares.has(name));
  if (at >= 0) sheet.declaring.set(name, at);
  return at >= 0;
}

/** The given values that concern an option, as a key; undefined for what is no value. */
function givenKey({ argNames }: Option, given: Readonly<Record<string, Value>>): string | undefined {
  let key = "";
  for (const name of argNames) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (typeof value === "string") key += JSON.stringify(value);
    else if (typeof value === "number" || typeof value === "boolean") key += String(value);
    else if (value !== undefined) return undefined;
    key += ",";
  }
  return key;
}

/** The option with its values. */
function findPiece(
  catalog: Catalog,
  { manifest }: Sheet,
  option: Option,
  given: Readonly<Record<string, Value>>,
  givenNames: readonly string[],
): Piece | undefined {
  const concerned = givenNames.some((name) => option.declares.has(name));
  const key = concerned ? givenKey(option, given) : "";
  if (key === undefined) return undefined;
  const known = option.pieces.get(key);
  if (known) return known;
  const { values, findings } = fragmentArgs(manifest, option.entry, given);
  if (findings.length > 0) return undefined;
  return keep(option.pieces, key, () => pieceOf(catalog, option.entry, values));
}

function mergedArgs(catalog: Catalog, pieces: readonly Piece[]): Readonly<Record<string, Value>> {
  let key = "";
  for (const { valuesNumber } of pieces) key += `${valuesNumber},`;
  return keep(argsOf(catalog), key, () => Object.freeze(mergeArgs(pieces.map(({ args }) => args))));
}

/**
 * Resolves a choice from what earlier ones found out. Only what there is nothing to say about is known: undefined in
 * every other case, which resolveWhole then explains.
 * @throws FactoryError where a document cannot be used
 */
export function resolveKnown(catalog: Catalog, manifestId: string, choice: Choice): Resolved | undefined {
  const sheet = sheetOf(catalog, manifestId);
  const { manifest } = sheet;
  const picked = pickedOf(sheet, choice.pick);
  const options = chooseOptions(catalog, sheet, picked, choice);
  if (!options) return undefined;
  if (!picked.template) {
    const template = pickTemplate(catalog, manifest, choice.pick);
    if ("code" in template) return undefined;
    picked.template = template;
  }
  const { template } = picked;
  const ordered = orderOptions(
    keep(slotsOf(catalog), template, () => makeSlots(template)),
    options,
  );
  if (!ordered || !keepsContracts(options, ordered)) return undefined;
  for (const platform of choice.platforms ?? manifest.document.platforms ?? []) {
    for (const { platforms } of options) if (platforms?.includes(platform) === false) return undefined;
  }
  const { args: given = {} } = choice;
  const givenNames = Object.keys(given);
  for (const name of sheet.argNames) if (!isDeclared(sheet, options, name)) return undefined;
  for (const name of givenNames) if (!isDeclared(sheet, options, name)) return undefined;
  const fragments: FolderEntry<Fragment>[] = [];
  const pieces: Piece[] = [];
  for (const option of ordered) {
    const piece = findPiece(catalog, sheet, option, given, givenNames);
    if (!piece) return undefined;
    fragments.push(option.entry);
    pieces.push(piece);
  }
  return {
    manifest,
    template,
    fragments,
    pieces,
    base: choice.base ?? manifest.document.base,
    args: mergedArgs(catalog, pieces),
  };
}
