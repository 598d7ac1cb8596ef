import { FactoryError } from "../errors.ts";
import { parseReference, type RepositoryName } from "../model/image-reference.ts";
import { OF_A_COMMIT } from "../publish/published-tags.ts";
import type { Change, ChangePlan, Missing, PlannedChange, Wanted } from "../publish/tag-changes.ts";
import type { RegistryDeps } from "../publish/registry-deps.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { table } from "../screen/table.ts";
import type { CommandResult, Context } from "./context.ts";
import { publicTags } from "./public-tags.ts";

/** What commands that move tags share. */
export interface MovingOptions {
  dryRun?: boolean;
  /** How long to wait for another publisher, in seconds. */
  wait?: number;
}

export interface PublishOptions extends MovingOptions {
  /** Whether tags are moved that name the image of a later commit. */
  older?: boolean;
  product?: string;
  event?: string;
  locked?: boolean;
}

/** Digests are told by their first digits, as Docker's command line does. */
const SHORT = "sha256:".length + 12;
/** How many of the things that are missing are named on stderr. */
const SHOWN = 10;

/** Reads records by their ids, each once. */
export function recordReader(context: Context): (id: string) => Promise<FactoryRecord> {
  const known = new Map<string, Promise<FactoryRecord>>();
  const read = async (id: string): Promise<FactoryRecord> => {
    const [{ root }, { openStore }] = await Promise.all([
      context.catalog(),
      import("../pipeline/open-store.ts"),
    ]);
    const record = await openStore(root).get(id);
    if (record.schema_version === 2) return record;
    throw new FactoryError("RECORD_UNREADABLE", `the record ${id} is of the old form, which proves nothing`);
  };
  return (id) => {
    let reading = known.get(id);
    if (!reading) known.set(id, (reading = read(id)));
    return reading;
  };
}

/** What became of tags, for people and for programs. @param isDone false where nothing was changed yet */
export function told(
  context: Context,
  { changes, unchanged, missing }: { changes: readonly Change[]; unchanged: number; missing: Missing[] },
  isDone: boolean,
): CommandResult {
  for (const { what, why } of missing.slice(0, SHOWN)) context.say(`missing: ${what}: ${why}`);
  if (missing.length > SHOWN) context.say(`and ${missing.length - SHOWN} more are missing: see --json`);
  const short = (digest: string | null) => (digest === null ? "-" : digest.slice(0, SHORT));
  const rows = changes.map(({ ref, from, to }) => [ref, short(from), short(to)]);
  const count = `${changes.length} ${changes.length === 1 ? "tag" : "tags"}`;
  const summary = `${count} ${isDone ? "moved" : "would be moved"}, ${unchanged} as they should be, ${missing.length} missing`;
  return {
    text: `${rows.length === 0 ? "" : `${table(["TAG", "FROM", "TO"], rows, context.columns)}\n\n`}${summary}`,
    json: {
      changes: changes.map(({ ref, from, to, record_ids }) => ({ ref, from, to, record_ids })),
      missing,
      unchanged,
    },
    exitCode: missing.length > 0 ? 1 : 0,
  };
}

const unique = (names: readonly RepositoryName[]): RepositoryName[] => [
  ...new Map(names.map(({ host, repository }) => [`${host}/${repository}`, { host, repository }])).values(),
];

/** Attaches the records of an image to it, where a tag is to name it: signed, if it is said with what. */
async function prover(context: Context): Promise<(change: PlannedChange) => Promise<unknown>> {
  const [{ root, settings }, { attachProof }, { openStore }] = await Promise.all([
    context.catalog(),
    context.world(),
    import("../pipeline/open-store.ts"),
  ]);
  const all = new Map((await openStore(root).all()).map((one) => [one.record_id, one]));
  return async ({ tag: { host, repository }, joined: { digest, members }, record_ids, source }) => {
    const records = await Promise.all(record_ids.map(async (id) => (await all.get(id)?.read()) ?? null));
    const whole = records.filter((one) => one !== null);
    const from = [
      ...(source === undefined ? [] : [parseReference(source)]),
      ...members.map((one) => one.from),
    ];
    return attachProof({ host, repository, digest }, whole, {
      signing: settings().signing,
      from: unique(from),
    });
  };
}

/**
 * Moves tags, or says how they would be moved. Nobody else that asks in the same way moves tags of the same repositories
 * meanwhile; where there is nothing to move, nobody is kept from it.
 * @param onlyDue takes out of a plan what is not to be moved
 * @throws FactoryError PUBLISHER_BUSY, PUBLISHER_SLOW, SIGNING_FAILED, REGISTRY_*, INTERRUPTED
 */
export async function move(
  context: Context,
  wanted: readonly Wanted[],
  already: readonly Missing[],
  { dryRun = false, wait = 0 }: MovingOptions,
  onlyDue?: (plan: ChangePlan, deps: RegistryDeps) => Promise<ChangePlan>,
): Promise<CommandResult> {
  const world = await context.world();
  const [{ planChanges }, publishing] = await Promise.all([
    import("../publish/tag-changes.ts"),
    world.publishing({ waitMs: wait * 1000 }),
  ]);
  const recordOf = recordReader(context);
  const planOf = async (deps: RegistryDeps): Promise<ChangePlan> => {
    const plan = await planChanges(wanted, recordOf, deps);
    return onlyDue ? onlyDue(plan, deps) : plan;
  };
  const first = await planOf(publishing);
  const tellAll = (plan: Omit<ChangePlan, "changes">, changes: readonly Change[], missing: Missing[] = []) =>
    told(
      context,
      { changes, unchanged: plan.unchanged.length, missing: [...already, ...plan.missing, ...missing] },
      !dryRun,
    );
  if (dryRun || first.changes.length === 0) return tellAll(first, first.changes);
  const { moveTags } = await import("../publish/move-tags.ts");
  return publishing.alone(
    first.changes.map(({ tag }) => tag),
    async (own) => {
      // Another one may have moved them until now.
      const plan = await planOf(own);
      const moved = await moveTags(plan.changes, own, {
        prove: await prover(context),
        onMoved: ({ ref, to }) => context.say(`${ref} is ${to}`),
      });
      return tellAll(plan, moved.changes, moved.missing);
    },
  );
}

/** `factory publish`: gives what records prove its public tags. Nothing is built. */
export async function publish(context: Context, options: PublishOptions): Promise<CommandResult> {
  const { list, origin } = await publicTags(context, { ...options, needPushed: true });
  const wanted = list.tags
    .filter(isProven)
    .map((one) => ({ ...one, isTransient: OF_A_COMMIT.has(one.kind) }));
  const { withoutLater } = await import("./later-commits.ts");
  const onlyDue = options.older
    ? undefined
    : (plan: ChangePlan, deps: RegistryDeps) => withoutLater(context, plan, deps);
  for (const { what, why } of list.kept_back) context.say(`note: ${what} is not published: ${why}`);
  const isRefused = origin.fork && !options.dryRun;
  if (isRefused)
    context.say("note: a pull request from a fork publishes nothing; this is what would be published");
  const dryRun = isRefused || options.dryRun;
  const result = await move(context, wanted, list.missing, { ...options, dryRun }, onlyDue);
  if (list.kept_back.length === 0) return result;
  return { ...result, json: { ...(result.json as object), kept_back: list.kept_back } };
}

const isProven = ({ record_ids }: Wanted): boolean => record_ids.length > 0;
