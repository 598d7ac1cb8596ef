import type { OpenCatalog } from "../catalog/open.ts";
import { deleteImages } from "../cleanup/delete-images.ts";
import { chooseImages, type ImageChoice, subjectOfTag, type TaggedImage } from "../cleanup/image-graph.ts";
import { dropOf } from "../cleanup/drop-manifest.ts";
import { type ImageRepository, markKey, readImages } from "../cleanup/image-repository.ts";
import { type TransientAges, transientAges } from "../cleanup/transient-rules.ts";
import { type TransientTag, transientTag } from "../cleanup/transient-tag.ts";
import type { CleanupDeps } from "../cleanup/cache-repository.ts";
import { FactoryError } from "../errors.ts";
import { parseReference, repositoryIn, type RepositoryName } from "../model/image-reference.ts";
import { openStore } from "../pipeline/open-store.ts";
import { LOCK_TAG } from "../publish/publisher-lock.ts";
import { policyOf } from "../publish/promotion.ts";
import { table } from "../screen/table.ts";
import { cleanupDeps } from "./cleanup-deps.ts";
import type { CommandResult, Context } from "./context.ts";

interface PruneOptions {
  product?: string[];
  maxShare: number;
  yes?: boolean;
  wait?: number;
}

/** One repository of products, and how old its images may get: where several have it, as old as any of them says. */
interface Place extends RepositoryName {
  name: string;
  ages: TransientAges;
}

interface Pruned {
  repository: string;
  tag: string;
  digest: string;
  kind: TransientTag["kind"];
  /** When the tag was written: ISO 8601, UTC. */
  made: string;
}

interface Kept {
  repository: string;
  tag: string;
  why: string;
}

const SKEW_MS = 5 * 60_000;

/** The repositories of products. @throws FactoryError UNKNOWN_PRODUCT, UNKNOWN_POLICY */
function placesOf(catalog: OpenCatalog, ids: readonly string[]): Place[] {
  const places = new Map<string, Place>();
  const wanted = new Set(ids.map((id) => catalog.product(id).document.repository));
  for (const id of catalog.productIds()) {
    const { document } = catalog.product(id);
    if (ids.length > 0 && !wanted.has(document.repository)) continue;
    const policy = policyOf(document, "");
    const ages = transientAges(policy === undefined ? {} : catalog.policy(policy).document);
    const { host, repository } = parseReference(document.repository);
    const known = places.get(document.repository)?.ages;
    const longest = (kind: TransientTag["kind"]) => {
      const [own, other] = [ages[kind], known ? known[kind] : 0];
      return own === null || other === null ? null : Math.max(own, other);
    };
    places.set(document.repository, {
      host,
      repository,
      name: document.repository,
      ages: { pull_request: longest("pull_request"), branch: longest("branch"), commit: longest("commit") },
    });
  }
  return [...places.values()];
}

/** Digests of images in a repository that records name: they prove something. */
async function recordedIn({ root }: OpenCatalog, name: string): Promise<Set<string>> {
  const digests = new Set<string>();
  for (const { read } of await openStore(root).all()) {
    const image = (await read())?.record.image;
    if (!image) continue;
    if (repositoryIn(image.ref) !== name) continue;
    digests.add(image.digest).add(image.manifest_digest);
  }
  return digests;
}

/** What there is in a repository, and what of it may go. */
interface Plan {
  content: ImageRepository;
  choice: ImageChoice;
  pruned: Pruned[];
  kept: Kept[];
}

/**
 * @param recorded digests that records name
 * @param around `commits`: when commits were made, by their first seven digits
 * @throws FactoryError PRUNE_UNRESOLVED, PRUNE_TOO_MUCH, REGISTRY_*
 */
async function planPrune(
  { name, ages }: Place,
  deps: CleanupDeps,
  recorded: ReadonlySet<string>,
  around: { now: number; maxShare: number; commits: ReadonlyMap<string, number> },
): Promise<Plan> {
  const { now, maxShare, commits } = around;
  const content = await readImages(deps, recorded);
  const kept: Kept[] = [];
  const old = new Map<TaggedImage, { kind: TransientTag["kind"]; made: number }>();
  for (const one of content.tags) {
    const about = transientTag(one.tag, (digits) => commits.has(digits));
    const most = about && ages[about.kind];
    if (!about || most === null) continue;
    const { kind } = about;
    const made = content.marks.get(markKey(one.digest, one.tag)) ?? commits.get(about.commit);
    const stay = (why: string) => void kept.push({ repository: name, tag: one.tag, why });
    if (made === undefined) stay("nothing says when it was written");
    else if (made > now + SKEW_MS) stay(`it is from the future: ${new Date(made).toISOString()}`);
    else if (made < now - most) old.set(one, { kind, made });
  }
  const choice = chooseImages(content, (one) => old.has(one), recorded);
  for (const { tag } of choice.held)
    kept.push({ repository: name, tag, why: "something that stays needs its image" });
  const refuse = (what: string, fix: string) =>
    new FactoryError("PRUNE_TOO_MUCH", `${what} of ${name}`, { fix: `nothing was deleted; ${fix}` });
  const images = content.tags.filter(({ tag }) => subjectOfTag(tag) === null);
  if (choice.tags.length > 0 && choice.tags.length === images.length)
    throw refuse("nothing would be left", "delete the repository yourself if that is meant");
  if (choice.tags.length > maxShare * images.length)
    throw refuse(
      `${choice.tags.length} of ${images.length} tags would go`,
      `look at them, then allow it with --max-share ${Math.min(1, Math.ceil((choice.tags.length / images.length) * 100) / 100)}`,
    );
  const pruned = choice.tags.flatMap((one): Pruned[] => {
    const about = old.get(one);
    if (!about) return [];
    const { kind, made } = about;
    return [{ repository: name, ...one, kind, made: new Date(made).toISOString() }];
  });
  return { content, choice, pruned, kept };
}

/** `factory prune`: deletes transient images that are old enough and that nothing needs, or says which. */
export async function prune(
  context: Context,
  { product = [], maxShare, yes = false, wait = 0 }: PruneOptions,
): Promise<CommandResult> {
  const [catalog, world] = await Promise.all([context.catalog(), context.world()]);
  const places = placesOf(catalog, product);
  const [registries, publishing] = await Promise.all([
    world.registries(),
    world.publishing({ waitMs: wait * 1000 }),
  ]);
  const commits = await world.commitTimes(catalog.root);
  const around = { now: context.now(), maxShare, commits };
  const all: { pruned: Pruned[]; kept: Kept[]; moved: string[]; manifests: number; left: number } = {
    pruned: [],
    kept: [],
    moved: [],
    manifests: 0,
    left: 0,
  };
  for (const place of places) {
    const deps = cleanupDeps(context, registries, place, `${place.name}: tags read`);
    const recorded = await recordedIn(catalog, place.name);
    let plan = await planPrune(place, deps, recorded, around);
    let gone = plan.pruned;
    if (yes && plan.choice.tags.length > 0) {
      const { githubPackage } = world;
      // Of the plan that counts by then.
      const drop = await dropOf(place, { ...deps, githubPackage }, (digest) =>
        plan.content.tags.flatMap((one) => (one.digest === digest ? [one.tag] : [])),
      );
      const deleted = await publishing.alone(
        [{ ...place, tag: LOCK_TAG, digest: null }],
        async ({ signal }) => {
          const own = { ...deps, signal };
          plan = await planPrune(place, own, recorded, around);
          return deleteImages(plan.content, plan.choice.tags, recorded, {
            ...own,
            drop: (digest) => drop(digest, signal),
            onDeleted: (tag) => context.say(`deleted ${place.name}:${tag}`),
          });
        },
      );
      const { pruned, moved } = deleted;
      for (const tag of moved)
        context.say(`note: ${place.name}:${tag} stays: somebody moved it, or tagged its image, meanwhile`);
      gone = plan.pruned.filter(({ tag }) => pruned.includes(tag));
      all.moved.push(...moved.map((tag) => `${place.name}:${tag}`));
    }
    all.pruned.push(...gone);
    all.kept.push(...plan.kept);
    all.manifests += plan.choice.manifests.length;
    all.left += plan.content.tags.length - gone.length;
  }
  for (const { repository, tag, why } of all.kept.slice(0, 10))
    context.say(`note: ${repository}:${tag} stays: ${why}`);
  if (all.kept.length > 10) context.say(`and ${all.kept.length - 10} more stay: see --json`);
  const rows = all.pruned.map(({ repository, tag, kind, made }) => [
    `${repository}:${tag}`,
    kind.replace("_", " "),
    made.slice(0, 16).replace("T", " "),
  ]);
  const count = `${rows.length} ${rows.length === 1 ? "tag" : "tags"}`;
  const said =
    rows.length === 0
      ? `nothing to delete, ${all.left} tags stay`
      : `${count} ${yes ? "deleted" : "would be deleted (--yes does it)"}, ${all.left} stay`;
  return {
    text: `${rows.length === 0 ? "" : `${table(["TAG", "OF A", "WRITTEN (UTC)"], rows, context.columns)}\n\n`}${said}`,
    json: {
      dry_run: !yes,
      pruned: all.pruned,
      kept: all.kept,
      moved: all.moved,
      summary: { pruned: all.pruned.length, manifests: all.manifests, left: all.left },
    },
  };
}
