import { bomFiles, bytesOfKind, bytesOrNull, logFiles, rawPath } from "./evidence-pages.tsx";
import { createPackageCounts, fillSearch } from "./fill-search.ts";
import {
  cellPage,
  failuresPage,
  manifestPage,
  matrixPage,
  type PageDeps,
  prefixPage,
  recordPage,
  recordsPage,
  singlePages,
} from "./list-pages.tsx";
import { evidenceBytes, piecesOf } from "./record-view.ts";
import { createSearchIndex, type SearchIndex } from "./search-index.ts";
import { recordData } from "./site-writer.ts";
import { dataScript } from "./site-data.ts";
import { shardOf } from "./site-paths.ts";

type Content = string | Uint8Array | null;

/** Makes any file of a site when it is asked for. */
export interface SiteRequests {
  /** @param path from the root, without a query; null if the site has no such file */
  file: (path: string) => Promise<Content>;
}

/** Answers by the same paths that a written site has. */
export function siteRequests(deps: PageDeps): SiteRequests {
  const { model, about } = deps;
  let index: Promise<SearchIndex> | undefined;

  const search = async (): Promise<SearchIndex> => {
    const made = createSearchIndex();
    fillSearch(made, model);
    const packages = createPackageCounts();
    for (const [sha256, entry] of model.sboms) {
      const bytes = await bytesOfKind(model, entry, "sbom");
      if (bytes) packages.take(sha256, bomFiles(sha256, bytes, { entry, about }).rows);
    }
    packages.fill(made);
    return made;
  };
  const evidence = async (sha256: string, path: string): Promise<Content> => {
    for (const { id } of model.store.entries) {
      const read = await model.store.read(id);
      for (const [, piece] of read ? piecesOf(read.record) : [])
        if (read && piece.sha256 === sha256 && rawPath(piece) === path)
          return bytesOrNull(() => evidenceBytes(read, piece));
    }
    return null;
  };
  const log = async (sha256: string, page: number): Promise<Content> => {
    const entry = model.logs.get(sha256);
    const bytes = entry && (await bytesOfKind(model, entry, "build_log"));
    const made = entry && bytes && logFiles(sha256, bytes, { entry, about });
    return made && page <= made.pages ? made.page(page) : null;
  };
  const bom = async (sha256: string, page: number, isData: boolean): Promise<Content> => {
    const entry = model.sboms.get(sha256);
    const bytes = entry && (await bytesOfKind(model, entry, "sbom"));
    const made = entry && bytes && bomFiles(sha256, bytes, { entry, about });
    if (!made || page > made.pages) return null;
    return isData ? made.data(page) : made.page(page);
  };

  /** What each form of a path is made by: its parts, in their order. */
  const routes: readonly (readonly [RegExp, (...parts: string[]) => Content | Promise<Content>])[] = [
    [/^records\/(\d{1,9})\.html$/, (page) => recordsPage(deps, Number(page))],
    [/^failures\/(\d{1,9})\.html$/, (page) => failuresPage(deps, Number(page))],
    [/^manifest\/([^/]+)\/index\.html$/, (id) => manifestPage(deps, id, 1)],
    [/^manifest\/([^/]+)\/records-(\d{1,9})\.html$/, (id, page) => manifestPage(deps, id, Number(page))],
    [/^manifest\/([^/]+)\/matrix\.html$/, (id) => matrixPage(deps, id)?.page ?? null],
    [/^manifest\/([^/]+)\/prefixes\.html$/, (id) => prefixPage(deps, id)],
    [/^cell\/([^/]+)\/(\d{1,9})\.html$/, (id, page) => cellPage(deps, id, Number(page))],
    [/^record\/([^/]+)\.html$/, (id) => recordPage(deps, id)],
    [/^log\/([0-9a-f]{64})(?:-(\d{1,9}))?\.html$/, (sha256, page) => log(sha256, Number(page ?? 1))],
    [/^sbom\/([0-9a-f]{64})(?:-(\d{1,9}))?\.html$/, (sha256, page) => bom(sha256, Number(page ?? 1), false)],
    [/^data\/sbom\/([0-9a-f]{64})-(\d{1,9})\.js$/, (sha256, page) => bom(sha256, Number(page), true)],
    [/^data\/matrix\/([^/]+)\.js$/, (id) => matrixPage(deps, id)?.data ?? null],
    [
      /^data\/records\/([0-9a-f]{2})\.js$/,
      (shard) => {
        const ids = model.store.entries.map(({ id }) => id).filter((id) => shardOf(id) === shard);
        return recordData(deps, shard, ids);
      },
    ],
    [
      /^data\/search\/([0-9a-z_]{2}|\d{8})\.js$/,
      async (key) => dataScript(`search/${key}`, (await (index ??= search())).part(key)),
    ],
  ];

  return {
    file: async (path) => {
      if (Object.hasOwn(singlePages, path)) return singlePages[path]?.(deps) ?? null;
      const [, sha256] = /^evidence\/([0-9a-f]{64})\./.exec(path) ?? [];
      if (sha256 !== undefined) return evidence(sha256, path);
      for (const [form, make] of routes) {
        const [, ...parts] = form.exec(path) ?? [];
        if (parts.length > 0) return make(...parts);
      }
      return null;
    },
  };
}
