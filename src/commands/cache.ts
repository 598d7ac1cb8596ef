import type { CacheRules } from "../cleanup/cache-choice.ts";
import type { CacheContent, CleanupDeps } from "../cleanup/cache-repository.ts";
import type { CacheRef, ReadRef } from "../cleanup/cache-ref.ts";
import { FactoryError } from "../errors.ts";
import { ageMs } from "../model/age.ts";
import { bytesOf, sizeText } from "../model/bytes.ts";
import { parseReference } from "../model/image-reference.ts";
import { writtenRef } from "../plan/cache-entries.ts";
import { table } from "../screen/table.ts";
import { cleanupDeps } from "./cleanup-deps.ts";
import type { CommandResult, Context } from "./context.ts";
import { planOf } from "./planning.ts";

export interface CachePruneOptions {
  keep?: number;
  olderThan?: string;
  maxSize?: string;
  used?: boolean;
  yes?: boolean;
}

interface OpenCache {
  repository: string;
  deps: CleanupDeps;
  content: CacheContent;
  /** The plans that use a ref, by its tag; empty for a manifest by itself. */
  users: ReadonlyMap<string, { plans: Set<string>; manifests: Set<string> }>;
}

/** The refs that plans and manifests use now, with and without factory.lock. */
async function usersOf(context: Context, repository: string): Promise<OpenCache["users"]> {
  const catalog = await context.catalog();
  const users = new Map<string, { plans: Set<string>; manifests: Set<string> }>();
  const plans = await Promise.all([
    planOf(context, { all: true }),
    ...(catalog.lock() === null ? [] : [planOf(context, { all: true, locked: true })]),
  ]);
  const planned = new Set(plans.flatMap(({ cells }) => cells.map(({ cell }) => cell.manifest_id)));
  // Those that are in no plan are run by hand.
  for (const manifestId of catalog.imageIds())
    if (!planned.has(manifestId)) plans.push(await planOf(context, { manifestId }));
  for (const { cell } of plans.flatMap(({ cells }) => cells))
    for (const entry of [...cell.cache_from, ...cell.cache_to]) {
      const ref = writtenRef(entry);
      if (ref?.repository !== repository) continue;
      const user = users.get(ref.tag) ?? { plans: new Set(), manifests: new Set() };
      users.set(ref.tag, user);
      user.manifests.add(cell.manifest_id);
      for (const id of cell.plan_ids) user.plans.add(id);
    }
  return users;
}

/** The cache that the workspace has in a registry. @throws FactoryError CACHE_ELSEWHERE */
async function openCache(context: Context): Promise<OpenCache> {
  const catalog = await context.catalog();
  const place = catalog.settings().cache?.place;
  if (place?.type !== "registry")
    throw new FactoryError(
      "CACHE_ELSEWHERE",
      place
        ? `the cache is one of the type ${place.type}, and not in a registry`
        : "the workspace has no cache",
      {
        fix: place
          ? "the service or folder that keeps it cleans it: see docs/caches.md"
          : "add `cache: {repository: …}` to factory.yaml, or set FACTORY_CACHE_REPOSITORY",
      },
    );
  const { repository } = place;
  const [world, users] = await Promise.all([context.world(), usersOf(context, repository)]);
  const [registries, { readCache }] = await Promise.all([
    world.registries(),
    import("../cleanup/cache-repository.ts"),
  ]);
  const deps = cleanupDeps(context, registries, parseReference(repository), "cache refs read");
  const content = await readCache(deps, catalog.fragmentNames());
  return { repository, deps, content, users };
}

function described({ users }: OpenCache, { ref }: ReadRef) {
  const user = users.get(ref.tag);
  const sorted = (ids: Iterable<string> = []) => [...ids].sort();
  return {
    ...ref,
    used: user !== undefined,
    plans: sorted(user?.plans),
    manifests: sorted(user?.manifests),
  };
}

const rowOf = ({ tag, size, made }: CacheRef): string[] => [
  tag,
  sizeText(size),
  made === null ? "-" : made.slice(0, 16).replace("T", " "),
];

/** `factory cache list`: the refs of the cache, and which of them the workspace uses. */
export async function cacheList(context: Context): Promise<CommandResult> {
  const { sizeOfAll } = await import("../cleanup/cache-choice.ts");
  const cache = await openCache(context);
  const { repository, content, users } = cache;
  const refs = content.refs.map((read) => described(cache, read));
  for (const { tag, why } of content.unresolved.slice(0, 10)) context.say(`warning: ${tag}: ${why}`);
  const there = new Set(refs.map(({ tag }) => tag));
  const summary = {
    refs: refs.length,
    used: refs.filter(({ used }) => used).length,
    missing: [...users.keys()].filter((tag) => !there.has(tag)).length,
    size: sizeOfAll(content.refs),
  };
  const rows = refs.map((ref) => [
    ...rowOf(ref),
    ref.used ? ref.manifests.join(", ") : ref.kind === "other" ? "(no cache)" : "-",
  ]);
  const count = `${summary.refs} ${summary.refs === 1 ? "ref" : "refs"}, ${sizeText(summary.size)} together, ${summary.used} used`;
  return {
    text: `${rows.length === 0 ? "" : `${table(["REF", "SIZE", "MADE (UTC)", "USED BY"], rows, context.columns)}\n\n`}${count}`,
    json: { repository, refs, unresolved: content.unresolved, summary },
  };
}

/** @throws FactoryError USAGE */
function rulesOf({ keep, olderThan, maxSize }: CachePruneOptions): CacheRules {
  if (keep === undefined && olderThan === undefined && maxSize === undefined)
    throw new FactoryError("USAGE", "it is not said what may go", {
      fix: "pass one or more of --keep N, --older-than 30d and --max-size 50GB",
    });
  const olderThanMs = olderThan === undefined ? undefined : (ageMs(olderThan) ?? undefined);
  if (olderThan !== undefined && olderThanMs === undefined)
    throw new FactoryError("USAGE", `--older-than ${JSON.stringify(olderThan)} is no duration`, {
      fix: "such as 12h, 30d or 8w",
    });
  try {
    return { keep, olderThanMs, maxSize: maxSize === undefined ? undefined : bytesOf(maxSize) };
  } catch (error) {
    throw new FactoryError("USAGE", `--max-size ${JSON.stringify(maxSize)} is no size`, {
      fix: "such as 500MB, 50GB or 20GiB",
      cause: error,
    });
  }
}

/** `factory cache prune`: deletes what rules do not keep, or says what it would delete. */
export async function cachePrune(context: Context, options: CachePruneOptions): Promise<CommandResult> {
  const rules = rulesOf(options);
  const { choose, sizeOfAll } = await import("../cleanup/cache-choice.ts");
  const cache = await openCache(context);
  const { repository, content, deps, users } = cache;
  const { used = false, yes = false } = options;
  const [first, ...more] = content.unresolved;
  if (first)
    throw new FactoryError(
      "CACHE_UNRESOLVED",
      `it is not known what ${first.tag} of ${repository} is${more.length === 0 ? "" : `, nor ${more.length} more`}: ${first.why}`,
      { fix: "nothing was deleted; run it again, or delete that tag yourself" },
    );
  const chosen = choose(content.refs, (tag) => !used && users.has(tag), rules, context.now());
  if (chosen.length > 0 && chosen.length === content.refs.length)
    throw new FactoryError("PRUNE_TOO_MUCH", `nothing of ${repository} would be left`, {
      fix: "nothing was deleted; keep some with --keep, or delete the repository yourself",
    });
  const all = new Map(chosen.map((one) => [one.read.ref.tag, one]));
  let gone = [...all.keys()];
  let moved: string[] = [];
  if (yes) {
    const [{ deleteRefs }, { dropOf }, { githubPackage }] = await Promise.all([
      import("../cleanup/cache-repository.ts"),
      import("../cleanup/drop-manifest.ts"),
      context.world(),
    ]);
    const tagsOf = (digest: string) =>
      content.refs.flatMap(({ ref }) => (ref.digest === digest ? [ref.tag] : []));
    const { signal } = deps;
    const dropped = await dropOf(parseReference(repository), { ...deps, githubPackage }, tagsOf);
    const done = await deleteRefs(chosen, { ...deps, drop: (digest) => dropped(digest, signal) }, (tag) =>
      context.say(`deleted ${tag}`),
    );
    gone = done.pruned;
    moved = done.moved;
    for (const tag of moved) context.say(`note: ${tag} was written meanwhile, so it stays`);
  }
  const pruned = gone.flatMap((tag) => {
    const one = all.get(tag);
    return one ? [{ ...described(cache, one.read), why: one.why }] : [];
  });
  const before = sizeOfAll(content.refs);
  const left = sizeOfAll(content.refs.filter(({ ref }) => !gone.includes(ref.tag)));
  const summary = {
    pruned: pruned.length,
    kept: content.refs.length - pruned.length,
    freed: before - left,
    left,
  };
  const rows = pruned.map((ref) => [...rowOf(ref), ref.why]);
  const count = `${pruned.length} ${pruned.length === 1 ? "ref" : "refs"}`;
  const freed = `${sizeText(summary.freed)} freed, ${summary.kept} kept`;
  const said =
    pruned.length === 0
      ? `nothing to delete, ${summary.kept} kept`
      : `${count} ${yes ? "deleted" : "would be deleted (--yes does it)"}, ${freed}`;
  return {
    text: `${rows.length === 0 ? "" : `${table(["REF", "SIZE", "MADE (UTC)", "WHY"], rows, context.columns)}\n\n`}${said}`,
    json: { repository, dry_run: !yes, pruned, moved, summary },
  };
}
