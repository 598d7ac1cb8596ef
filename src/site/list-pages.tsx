import { valueText } from "../model/value.ts";
import { framed } from "./html-document.tsx";
import { prefixTree } from "./prefix-tree.ts";
import { recordView } from "./record-view.ts";
import { dataScript } from "./site-data.ts";
import { axesOf, type MatrixData, type ValuedCell } from "./site-matrix.ts";
import type { SiteManifest, SiteModel } from "./site-model.ts";
import { sitePaths } from "./site-paths.ts";
import type { SiteEntry } from "./site-store.ts";
import type { SiteAbout } from "./views/page-frame.tsx";
import { HomeView } from "./views/home-view.tsx";
import { ManifestView } from "./views/manifest-view.tsx";
import { MatrixPage } from "./views/matrix-page.tsx";
import { PrefixView } from "./views/prefix-view.tsx";
import { RecordPage } from "./views/record-page.tsx";
import { CellView, CompareView, ProblemsView, RecordsView, SearchView } from "./views/small-pages.tsx";

/** How many records a page lists. */
const RECORDS_A_PAGE = 100;

/** What all pages are made with. */
export interface PageDeps {
  model: SiteModel;
  about: SiteAbout;
  /** Orders the values of an axis. */
  compare: (axis: string) => (a: string, b: string) => number;
}

const HOME = ["Home", sitePaths.home] as const;

/** How many pages a list of records has. At least one. */
export const pagesFor = (entries: readonly unknown[]): number =>
  Math.max(1, Math.ceil(entries.length / RECORDS_A_PAGE));

/** A page of a list of records, as its view takes it; null if there is no such page. */
function listed(entries: readonly SiteEntry[], page: number, to: (page: number) => string) {
  const pages = pagesFor(entries);
  if (page < 1 || page > pages) return null;
  const own = entries.slice((page - 1) * RECORDS_A_PAGE, page * RECORDS_A_PAGE);
  return (root: string) => ({ entries: own, root, page, pages, to: (one: number) => root + to(one) });
}

/** The pages without a number or a name. */
export const singlePages: Readonly<Record<string, (deps: PageDeps) => string>> = {
  [sitePaths.home]: (deps) =>
    framed(deps, { path: sitePaths.home, title: "Health" }, () => <HomeView model={deps.model} />),
  [sitePaths.search]: (deps) =>
    framed(deps, { path: sitePaths.search, title: "Search", page: "search", above: [HOME] }, () => (
      <SearchView />
    )),
  [sitePaths.compare]: (deps) =>
    framed(deps, { path: sitePaths.compare, title: "Compare", page: "compare", above: [HOME] }, () => (
      <CompareView />
    )),
  [sitePaths.problems]: (deps) =>
    framed(deps, { path: sitePaths.problems, title: "Problems", above: [HOME] }, () => (
      <ProblemsView problems={deps.model.store.problems} known={(id) => deps.model.store.byId.has(id)} />
    )),
};

/** Records that are no pass. */
export const failuresOf = ({ store }: SiteModel): readonly SiteEntry[] =>
  store.entries.filter(({ status }) => status !== "pass");

export function recordsPage(deps: PageDeps, page: number): string | null {
  const list = listed(deps.model.store.entries, page, sitePaths.records);
  return (
    list &&
    framed(deps, { path: sitePaths.records(page), title: "Records", above: [HOME] }, (root) => (
      <RecordsView title="Records" {...list(root)} />
    ))
  );
}

export function failuresPage(deps: PageDeps, page: number): string | null {
  const list = listed(failuresOf(deps.model), page, sitePaths.failures);
  return (
    list &&
    framed(deps, { path: sitePaths.failures(page), title: "Failures", above: [HOME] }, (root) => (
      <RecordsView title="Failures and errors" {...list(root)} />
    ))
  );
}

/** The cells of a manifest with their values on every axis that they have. */
function matrixData({ compare }: PageDeps, { id, cells }: SiteManifest): MatrixData {
  const valued = cells.map(({ cell_id, platform, state, why, record_id, values, entries }): ValuedCell => {
    const [newest] = entries;
    const own = newest && {
      ...Object.fromEntries(newest.fragments),
      platform: newest.platform,
      base: newest.base,
      ...Object.fromEntries(
        Object.entries(newest.args).map(([name, value]) => [`args.${name}`, valueText(value)]),
      ),
    };
    return { cell_id, platform, state, why, record_id, values: { ...own, ...values } };
  });
  return { manifest_id: id, axes: axesOf(valued, compare), cells: valued };
}

export function manifestPage(deps: PageDeps, id: string, page: number): string | null {
  const manifest = deps.model.manifests.get(id);
  const list = manifest && listed(manifest.entries, page, (one) => sitePaths.manifest(id, one));
  if (!manifest || !list) return null;
  const data = page === 1 ? matrixData(deps, manifest) : { manifest_id: id, axes: [], cells: [] };
  return framed(deps, { path: sitePaths.manifest(id, page), title: id, above: [HOME] }, (root) => (
    <ManifestView model={deps.model} manifest={manifest} data={data} {...list(root)} />
  ));
}

export function matrixPage(deps: PageDeps, id: string): { page: string; data: string } | null {
  const manifest = deps.model.manifests.get(id);
  if (!manifest) return null;
  const data = matrixData(deps, manifest);
  const path = sitePaths.matrix(id);
  const above = [HOME, [id, sitePaths.manifest(id)]] as const;
  return {
    data: dataScript(`matrix/${id}`, data),
    page: framed(deps, { path, title: `What works: ${id}`, page: "matrix", above }, (root) => (
      <MatrixPage data={data} root={root} planned={manifest.planned} />
    )),
  };
}

export function prefixPage(deps: PageDeps, id: string): string | null {
  const manifest = deps.model.manifests.get(id);
  if (!manifest) return null;
  const above = [HOME, [id, sitePaths.manifest(id)]] as const;
  return framed(deps, { path: sitePaths.prefixes(id), title: `Prefixes of ${id}`, above }, (root) => (
    <PrefixView tree={prefixTree(manifest.cells)} id={id} root={root} />
  ));
}

export function cellPage(deps: PageDeps, id: string, page: number): string | null {
  const cell = deps.model.cells.get(id);
  const list = cell && listed(cell.entries, page, (one) => sitePaths.cell(id, one));
  if (!cell || !list) return null;
  const above = [HOME, [cell.manifest, sitePaths.manifest(cell.manifest)]] as const;
  return framed(deps, { path: sitePaths.cell(id, page), title: id, above }, (root) => (
    <CellView cell={cell} {...list(root)} />
  ));
}

export async function recordPage(deps: PageDeps, id: string): Promise<string | null> {
  const view = await recordView(deps.model, id);
  if (!view) return null;
  const { manifest, cell } = view.entry;
  const above = [HOME, [manifest, sitePaths.manifest(manifest)], [cell, sitePaths.cell(cell)]] as const;
  const known = (one: string) => deps.model.store.byId.has(one);
  return framed(
    deps,
    { path: sitePaths.record(id), title: `${cell} ${view.entry.status}`, above },
    (root) => <RecordPage view={view} root={root} known={known} />,
  );
}
