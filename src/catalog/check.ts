import { FactoryError } from "../errors.ts";
import type { Finding } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Documents, Fragment, Pool, Template } from "../schemas/types.ts";
import type { Entry, FolderEntry } from "./catalog.ts";
import { checkChannels } from "./channel-rules.ts";
import { checkCircles } from "./circles.ts";
import { compareFindings, findingsOf } from "./document.ts";
import type { Loaded } from "./document.ts";
import { checkOddFiles } from "./odd-files.ts";
import type { FileKind, FolderKind } from "./kinds-of-documents.ts";
import type { OpenCatalog } from "./open.ts";
import { checkProduct } from "./product-rules.ts";
import {
  checkFragmentReferences,
  checkManifestReferences,
  checkPlanReferences,
  checkProductReferences,
} from "./references.ts";
import { checkCycles } from "./requirements.ts";
import type { Requirer } from "./requirements.ts";
import { listed } from "../model/visible.ts";

/** What a workspace holds, counted. */
interface WorkspaceSummary {
  manifests: number;
  /** Versions of fragments. */
  fragments: number;
  /** Versions of templates. */
  templates: number;
  plans: number;
  products: number;
  pools: number;
  policies: number;
}

/** Everything that is wrong with the workspace's documents, sorted by place, each once. */
export interface WorkspaceCheck {
  findings: Finding[];
  summary: WorkspaceSummary;
}

/** What a function gives; if it throws for bad input, the findings of its error. */
function collect<T>(findings: Finding[], otherwise: T, give: () => T): T {
  try {
    return give();
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    findings.push(...findingsOf(error));
    return otherwise;
  }
}

/** The manifest that a base names, as far as it can be read. */
function parentOfSound(base: Loaded<Manifest>["sound"]["base"]): string | null {
  return typeof base === "object" ? (base.manifest ?? null) : null;
}

function unique(findings: readonly Finding[]): Finding[] {
  const byText = new Map(findings.map((one) => [JSON.stringify([one.code, one.where, one.what]), one]));
  return [...byText.values()].sort(compareFindings);
}

/** Findings about cells that more than one pool takes: one per platform, with or without GPUs, at the last of the pools. */
export function checkPools(pools: readonly Entry<Pool>[]): Finding[] {
  const claims = new Map<string, { platform: string; takers: Entry<Pool>[] }>();
  for (const pool of pools) {
    const { platforms, gpus = false } = pool.document;
    for (const platform of platforms) {
      const what = `${platform} ${gpus ? "with" : "without"} GPUs`;
      const claim = claims.get(what);
      if (claim) claim.takers.push(pool);
      else claims.set(what, { platform, takers: [pool] });
    }
  }
  return [...claims].flatMap(([what, { platform, takers }]): Finding[] => {
    const last = takers.at(-1);
    if (!last || takers.length === 1) return [];
    const ids = takers.map(({ document }) => document.pool_id);
    return [
      {
        code: "POOL_AMBIGUOUS",
        what: `cells of ${what} could go to any of the pools ${listed(ids)}`,
        where: last.place(["platforms", last.document.platforms.indexOf(platform)]),
        fix: `keep ${platform} in only one of them, or set \`gpus: true\` in the one that is for GPUs`,
      },
    ];
  });
}

/** Finds problems in what documents render to. Each function is called only for documents without findings of their own. */
interface RenderChecks {
  manifest: (id: string) => Finding[];
  fragment: (entry: FolderEntry<Fragment>) => Finding[];
  template: (entry: FolderEntry<Template>) => Finding[];
}

/** Checks every document of a workspace and their references to each other; with `render` also what they render to. */
export function checkWorkspace(catalog: OpenCatalog, render?: RenderChecks): WorkspaceCheck {
  const findings: Finding[] = [];

  const loadFiles = <K extends FileKind>(kind: K, ids: () => string[]): Map<string, Loaded<Documents[K]>> =>
    new Map(collect(findings, [], ids).map((id) => [id, catalog.loadFile(kind, id)]));
  const loadFolders = <K extends FolderKind>(
    kind: K,
    ids: () => string[],
    versionsOf: (id: string) => string[],
  ) =>
    collect(findings, [], ids).flatMap((name) =>
      collect(findings, [], () => versionsOf(name)).map((version) => ({
        name,
        version,
        loaded: catalog.loadFolder(kind, name, version),
      })),
    );

  const manifests = new Map(
    collect(findings, [], catalog.manifestIds).map((id) => [id, catalog.loadManifest(id)]),
  );
  const plans = loadFiles("plan", catalog.planIds);
  const products = loadFiles("product", catalog.productIds);
  const policies = loadFiles("policy", catalog.policyIds);
  const pools = loadFiles("pool", catalog.poolIds);
  const fragments = loadFolders("fragment", catalog.fragmentNames, catalog.fragmentVersions);
  const templates = loadFolders("template", catalog.templateIds, catalog.templateVersions);

  findings.push(
    ...catalog.loadSettings().findings,
    ...(catalog.loadLocal()?.findings ?? []),
    ...collect(findings, [], () => checkOddFiles(catalog.root, catalog.fragmentScheme)),
  );
  for (const documents of [plans, products, policies, pools])
    for (const { findings: own } of documents.values()) findings.push(...own);
  for (const { loaded } of [...fragments, ...templates]) findings.push(...loaded.findings);
  for (const { loaded } of fragments)
    if (loaded.entry && render) findings.push(...render.fragment(loaded.entry));
  for (const { loaded } of templates)
    if (loaded.entry && render) findings.push(...render.template(loaded.entry));

  const refer = (check: () => Finding[]) => collect(findings, [], check);
  for (const { loaded } of fragments) findings.push(...refer(() => checkFragmentReferences(catalog, loaded)));
  for (const loaded of products.values()) {
    const manifest = manifests.get(loaded.sound.manifest_id ?? "");
    findings.push(
      ...refer(() => checkProductReferences(catalog, loaded)),
      ...refer(() => checkChannels(catalog, loaded)),
      ...refer(() => checkProduct(catalog, loaded, manifest, plans)),
    );
  }
  for (const loaded of plans.values()) {
    const manifest = manifests.get(loaded.sound.manifest_id ?? "");
    findings.push(...refer(() => checkPlanReferences(catalog, loaded, manifest)));
  }
  findings.push(...checkPools([...pools.values()].flatMap(({ entry }) => (entry ? [entry] : []))));
  findings.push(
    ...checkCycles(
      catalog.fragmentScheme,
      fragments.map(({ name, version, loaded }): Requirer => ({ name, version, fragment: loaded })),
    ),
  );

  for (const [id, loaded] of manifests) {
    const own = [...loaded.findings, ...refer(() => checkManifestReferences(catalog, loaded))];
    const renders = render && own.length === 0 && !catalog.isAbstract(id);
    findings.push(...own, ...(renders ? refer(() => render.manifest(id)) : []));
  }

  findings.push(
    ...checkCircles(
      new Map(
        [...manifests].map(([id, { sound, place }]) => {
          const parent = parentOfSound(sound.base);
          return [id, parent === null ? null : { parent, where: place(["base", "manifest"]) }];
        }),
      ),
    ),
  );

  const summary = {
    manifests: manifests.size,
    fragments: fragments.length,
    templates: templates.length,
    plans: plans.size,
    products: products.size,
    pools: pools.size,
    policies: policies.size,
  };
  return { findings: unique(findings), summary };
}
