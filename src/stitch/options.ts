import type { Catalog, Entry, FolderEntry } from "../catalog/catalog.ts";
import type { Fragment, Manifest, Template } from "../schemas/types.ts";
import type { Choice, PickVersion } from "./choice.ts";
import { keep, ofCatalog } from "./memo.ts";
import { chooseVersion } from "./pick.ts";
import type { Piece } from "./piece.ts";

/** A version of a fragment as one manifest sees it. */
export interface Option {
  entry: FolderEntry<Fragment>;
  slot: string;
  order: number;
  platforms: readonly string[] | undefined;
  /** Positions in the manifest of those that it requires, and of all that its contract speaks of. */
  required: readonly number[];
  related: readonly number[];
  /** Versions of others that its contract lets stand beside it, as far as they were looked at. */
  getsOn: Set<Option>;
  argNames: readonly string[];
  declares: ReadonlySet<string>;
  /** By the values that were given. */
  pieces: Map<string, Piece>;
}

/** What a range comes to; with another lock it may come to something else. */
export interface Picked {
  template: FolderEntry<Template> | undefined;
  /** By position in the manifest, then range. */
  options: Map<string, Option>[];
}

/** A manifest, and what was found out about its fragments. */
export interface Sheet {
  manifest: Entry<Manifest>;
  names: readonly string[];
  ranges: readonly string[];
  at: ReadonlyMap<string, number>;
  argNames: readonly string[];
  /** By position in the manifest, then version. */
  options: Map<string, Option>[];
  unlocked: Picked;
  locked: WeakMap<PickVersion, Picked>;
  /** The position of a fragment that declares an argument: where to look first. */
  declaring: Map<string, number>;
}

function optionMaps(names: readonly string[]): Map<string, Option>[] {
  return names.map(() => new Map<string, Option>());
}

function makeSheet(manifest: Entry<Manifest>): Sheet {
  const { fragments, args = {} } = manifest.document;
  const names = Object.keys(fragments);
  return {
    manifest,
    names,
    ranges: Object.values(fragments),
    at: new Map(names.map((name, at) => [name, at])),
    argNames: Object.keys(args),
    options: optionMaps(names),
    unlocked: { template: undefined, options: optionMaps(names) },
    locked: new WeakMap(),
    declaring: new Map(),
  };
}

const sheetsOf = ofCatalog(() => new Map<string, Sheet>());

/** @throws FactoryError UNKNOWN_MANIFEST, or with the findings of the document */
export function sheetOf(catalog: Catalog, manifestId: string): Sheet {
  return keep(sheetsOf(catalog), manifestId, () => makeSheet(catalog.manifest(manifestId)));
}

/** What ranges come to with this lock, or with none. */
export function pickedOf({ names, unlocked, locked }: Sheet, pick: PickVersion | undefined): Picked {
  if (!pick) return unlocked;
  const known = locked.get(pick);
  if (known) return known;
  const made: Picked = { template: undefined, options: optionMaps(names) };
  locked.set(pick, made);
  return made;
}

/** undefined where it requires what the manifest does not have. */
function makeOption(sheet: Sheet, entry: FolderEntry<Fragment>): Option | undefined {
  const { name, slot = name, order, platforms, requires = {}, conflicts = {}, args = {} } = entry.document;
  const positions = (names: string[]) => names.flatMap((other) => sheet.at.get(other) ?? []);
  const required = positions(Object.keys(requires));
  if (required.length < Object.keys(requires).length) return undefined;
  const argNames = Object.keys(args);
  return {
    entry,
    slot,
    order,
    platforms,
    required,
    related: [...new Set([...required, ...positions(Object.keys(conflicts))])],
    getsOn: new Set(),
    argNames,
    declares: new Set(argNames),
    pieces: new Map(),
  };
}

/** The option that a range comes to; undefined where there is something to say about it. */
function findOption(
  catalog: Catalog,
  sheet: Sheet,
  at: number,
  range: string,
  pick: PickVersion | undefined,
): Option | undefined {
  const name = sheet.names[at] ?? "";
  if (!catalog.fragmentNames().includes(name)) return undefined;
  const version = chooseVersion({ what: "fragment", name, range }, catalog.fragmentVersions(name), pick);
  if (typeof version !== "string") return undefined;
  const known = sheet.options[at]?.get(version);
  if (known) return known;
  const made = makeOption(sheet, catalog.fragment(name, version));
  if (made) sheet.options[at]?.set(version, made);
  return made;
}

/** The fragments' options, in the manifest's order; undefined where there is something to say about one. */
export function chooseOptions(
  catalog: Catalog,
  sheet: Sheet,
  picked: Picked,
  choice: Choice,
): Option[] | undefined {
  const { set = {}, pick } = choice;
  const ranges = sheet.ranges.slice();
  for (const name of Object.keys(set)) {
    const at = sheet.at.get(name);
    if (at === undefined) return undefined;
    ranges[at] = set[name] ?? ranges[at] ?? "";
  }
  const options: Option[] = [];
  for (let at = 0; at < ranges.length; at += 1) {
    const range = ranges[at] ?? "";
    let option = picked.options[at]?.get(range);
    if (!option) {
      option = findOption(catalog, sheet, at, range, pick);
      if (!option) return undefined;
      picked.options[at]?.set(range, option);
    }
    options.push(option);
  }
  return options;
}
