import { basename, resolve } from "node:path";
import { valueOrder } from "../catalog/schemes/value-order.ts";
import { FactoryError } from "../errors.ts";
import { openNewFolder } from "../files/swap-folder.ts";
import { openStore } from "../pipeline/open-store.ts";
import { recordsStamp } from "../records/store-stamp.ts";
import { openPages, SITE_MARK } from "../site/open-pages.ts";
import { ASSETS, readAsset } from "../site/site-assets.ts";
import { siteRequests } from "../site/site-requests.ts";
import { serveSite } from "../site/site-server.ts";
import { writeSite } from "../site/site-writer.ts";
import type { CommandResult, Context } from "./context.ts";
import { plannedStates } from "./site-states.ts";

interface SiteOptions {
  output?: string;
  serve?: boolean;
  port?: number;
  locked?: boolean;
  recordsOnly?: boolean;
}

const PORT = 4780;
/** What takes longer, in milliseconds, says how far it is. */
const LONG_MS = 1000;

/** `factory site`: a site to browse records. */
export async function site(context: Context, options: SiteOptions): Promise<CommandResult> {
  const { output, serve = false, port, locked = false, recordsOnly = false } = options;
  if (serve === (output !== undefined))
    throw new FactoryError(
      "USAGE",
      serve ? "--serve writes nothing: -o has no place beside it" : "nothing says where the site goes",
      {
        fix: "pass -o DIR to write it, or --serve to see it",
      },
    );
  if (port !== undefined && !serve)
    throw new FactoryError("USAGE", "--port is for --serve alone", { fix: "pass --serve too" });
  if (port !== undefined && port > 65_535)
    throw new FactoryError("USAGE", `there is no port ${port}`, { fix: "ports go up to 65535" });

  const catalog = await context.catalog();
  const told = new Set<string>();
  const store = openStore(catalog.root);
  let saidAt = context.now();
  const progress = (what: string) => (done: number, of: number) => {
    if (context.now() - saidAt < LONG_MS) return;
    saidAt = context.now();
    context.say(`${what} ${done} of ${of} records`);
  };
  const open = async () =>
    openPages({
      store,
      name: basename(catalog.root) || "Factory",
      known: catalog.imageIds(),
      products: catalog.productIds().flatMap((product_id) => {
        const { sound } = catalog.loadFile("product", product_id);
        return sound.manifest_id === undefined ? [] : [{ product_id, manifest_id: sound.manifest_id }];
      }),
      statesOf: recordsOnly ? () => null : await plannedStates(context, catalog, { locked, told }),
      compare: valueOrder(catalog.fragmentScheme),
      live: serve,
      signal: context.signal,
      onProgress: progress("read"),
    });

  if (output === undefined) {
    const { signal } = context;
    await serveSite({
      port: port ?? PORT,
      signal,
      open: async () => siteRequests(await open()),
      stamp: () => recordsStamp(catalog.root),
      say: context.say,
      every: (ms, call) => {
        const timer = setInterval(call, ms);
        return () => clearInterval(timer);
      },
    });
    return { text: "", json: { served: true } };
  }

  const folder = openNewFolder(resolve(context.cwd, output), SITE_MARK);
  try {
    const deps = await open();
    let [files, bytes] = [0, 0];
    const write = (path: string, content: string | Uint8Array) => {
      files += 1;
      bytes += Buffer.byteLength(content);
      folder.write(path, content);
    };
    for (const name of ASSETS) write(name, readAsset(name));
    await writeSite(deps, write, { signal: context.signal, onProgress: progress("wrote pages of") });
    folder.commit();
    const { entries, problems } = deps.model.store;
    for (const { record, what } of problems.slice(0, 20))
      context.say(`warning: ${record === null ? "" : `${record}: `}${what}`);
    if (problems.length > 20) context.say(`warning: and ${problems.length - 20} more: see problems.html`);
    return {
      text: `${output}/index.html`,
      json: { path: output, files, bytes, records: entries.length, problems },
    };
  } catch (error) {
    folder.discard();
    throw error;
  }
}
