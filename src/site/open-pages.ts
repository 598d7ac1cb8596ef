import type { RecordStore } from "../records/store.ts";
import type { PageDeps } from "./list-pages.tsx";
import { siteModel, type SiteProduct, type StatesOf } from "./site-model.ts";
import { openSiteStore } from "./site-store.ts";
import { momentText } from "./views/parts.tsx";

/** The file that says that a folder is a site of ours, and may be replaced. */
export const SITE_MARK = {
  name: ".factory-site",
  text: "A site that `factory site` wrote. It is replaced as a whole.\n",
};

interface OpenOptions {
  store: Pick<RecordStore, "list" | "all" | "get" | "foreign">;
  /** Of the site. */
  name: string;
  /** Ids of the workspace's manifests. */
  known: readonly string[];
  products: readonly SiteProduct[];
  statesOf: StatesOf;
  compare: PageDeps["compare"];
  live: boolean;
  signal: AbortSignal;
  onProgress: (read: number, of: number) => void;
}

/** Reads all that pages are made from. @throws FactoryError as `openSiteStore` */
export async function openPages(options: OpenOptions): Promise<PageDeps> {
  const { store, name, known, products, statesOf, compare, live, signal, onProgress } = options;
  const read = await openSiteStore(store, { signal, onProgress });
  const [newest] = read.entries;
  return {
    model: siteModel(read, { known, products, statesOf }),
    about: {
      name,
      records: read.entries.length,
      problems: read.problems.length,
      newest: newest ? `${momentText(newest.testedAt)} UTC` : null,
      live,
    },
    compare,
  };
}
