import { compareText } from "../model/compare.ts";
import type { MatrixCell, State } from "../model/proof-matrix.ts";
import type { SiteEntry, SiteStore } from "./site-store.ts";

/** A product, as far as the site names it. */
export interface SiteProduct {
  product_id: string;
  manifest_id: string;
}

/** All records of a cell. */
export interface SiteCell extends MatrixCell {
  /** Its values on the axes of a matrix, as the workspace has them today; missing where no plan has it. */
  values?: Readonly<Record<string, string>>;
  manifest: string;
  /** Newest first; none for a cell that was never tried. */
  entries: SiteEntry[];
}

/** All that is known of a manifest. */
export interface SiteManifest {
  id: string;
  products: string[];
  /** Newest first. */
  entries: SiteEntry[];
  /** By id. */
  cells: SiteCell[];
  /** Whether its cells have their states by the rules of reuse, and not by their newest verdicts alone. */
  planned: boolean;
}

/** Everything that pages are made from. */
export interface SiteModel {
  store: SiteStore;
  manifests: ReadonlyMap<string, SiteManifest>;
  cells: ReadonlyMap<string, SiteCell>;
  /** Verdict keys that have both a pass and a failure. */
  flaky: ReadonlySet<string>;
  /** The newest record that has a piece of evidence, by its sha256. */
  logs: ReadonlyMap<string, SiteEntry>;
  sboms: ReadonlyMap<string, SiteEntry>;
}

/** What is known of the cells of a manifest as the workspace is today; null where that cannot be said. */
export type StatesOf = (manifestId: string) => readonly PlannedState[] | null;

/** A cell of today's plans, and its values on the axes of a matrix. */
export type PlannedState = MatrixCell & { values: Readonly<Record<string, string>> };

/** The state of a cell by its newest verdict. An image in other layers says nothing of it. */
function stateBy(entries: readonly SiteEntry[]): Pick<MatrixCell, "state" | "why" | "record_id"> {
  const newest = entries.find(({ status, action }) => status !== "error" && action !== "repack");
  if (!newest) return { state: "unknown", why: "no attempt came to a verdict", record_id: null };
  const state: State = newest.status === "pass" ? "proven" : newest.expected ? "expected failing" : "failing";
  return { state, why: `its newest verdict is a ${newest.status}`, record_id: newest.id };
}

function grouped(entries: readonly SiteEntry[], of: (one: SiteEntry) => string): Map<string, SiteEntry[]> {
  const groups = new Map<string, SiteEntry[]>();
  for (const one of entries) {
    const key = of(one);
    const known = groups.get(key);
    if (known) known.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function cellsOf(
  id: string,
  entries: readonly SiteEntry[],
  today: readonly PlannedState[] | null,
): SiteCell[] {
  const groups = grouped(entries, ({ cell }) => cell);
  const states = new Map((today ?? []).map((cell) => [cell.cell_id, cell]));
  const ids = [...new Set([...groups.keys(), ...states.keys()])].sort(compareText);
  return ids.map((cell_id): SiteCell => {
    const own = groups.get(cell_id) ?? [];
    const state = states.get(cell_id);
    const platform = state?.platform ?? own[0]?.platform ?? "";
    if (state) return { ...state, platform, manifest: id, entries: own };
    const by = stateBy(own);
    // What no plan has any more is not proven as the workspace is today.
    const old = today !== null && by.state !== "unknown";
    const why = old ? `no plan has it today; ${by.why}` : by.why;
    return { cell_id, platform, manifest: id, entries: own, ...by, state: old ? "stale" : by.state, why };
  });
}

/** Verdict keys with a pass and a failure: equal inputs and tests, another verdict. */
function flakyKeys(entries: readonly SiteEntry[]): Set<string> {
  const seen = new Map<string, string>();
  const flaky = new Set<string>();
  for (const { verdictKey, status, action } of entries) {
    if (status === "error" || action === "repack") continue;
    const known = seen.get(verdictKey);
    if (known === undefined) seen.set(verdictKey, status);
    else if (known !== status) flaky.add(verdictKey);
  }
  return flaky;
}

/** The first entry of each value; entries are newest first. */
function newestWith(
  entries: readonly SiteEntry[],
  of: (one: SiteEntry) => string | null,
): Map<string, SiteEntry> {
  const found = new Map<string, SiteEntry>();
  for (const one of entries) {
    const key = of(one);
    if (key !== null && !found.has(key)) found.set(key, one);
  }
  return found;
}

/** Orders what was read. @param known ids of the workspace's manifests, those without records among them */
export function siteModel(
  store: SiteStore,
  {
    known,
    products,
    statesOf,
  }: { known: readonly string[]; products: readonly SiteProduct[]; statesOf: StatesOf },
): SiteModel {
  const groups = grouped(store.entries, ({ manifest }) => manifest);
  const ids = [...new Set([...groups.keys(), ...known])].sort(compareText);
  const manifests = new Map(
    ids.map((id): [string, SiteManifest] => {
      const entries = groups.get(id) ?? [];
      const states = statesOf(id);
      const own = products
        .filter(({ manifest_id }) => manifest_id === id)
        .map(({ product_id }) => product_id);
      const cells = cellsOf(id, entries, states);
      return [id, { id, products: own.sort(compareText), entries, cells, planned: states !== null }];
    }),
  );
  return {
    store,
    manifests,
    cells: new Map([...manifests.values()].flatMap(({ cells }) => cells.map((cell) => [cell.cell_id, cell]))),
    flaky: flakyKeys(store.entries),
    logs: newestWith(store.entries, ({ log }) => log),
    sboms: newestWith(store.entries, ({ sbom }) => sbom),
  };
}
