import { openStore } from "../pipeline/open-store.ts";
import { attachedCommits } from "../proof/attached-commits.ts";
import type { RegistryDeps } from "../publish/registry-deps.ts";
import type { ChangePlan, PlannedChange } from "../publish/tag-changes.ts";
import type { Context } from "./context.ts";

/**
 * Takes out of a plan what would move a tag back: its image was proven at a later commit than the one that is checked out, so this is
 * a job that comes too late. Where that cannot be known, a tag is moved.
 * @throws FactoryError REGISTRY_*, GIT_FAILED, INTERRUPTED
 */
export async function withoutLater(
  context: Context,
  plan: ChangePlan,
  { repository, again, signal }: RegistryDeps,
): Promise<ChangePlan> {
  const [{ root }, world] = await Promise.all([context.catalog(), context.world()]);
  const store = openStore(root);
  const known = new Map<string, Promise<string | null>>();
  const laterOf = ({ tag, from }: PlannedChange): Promise<string | null> => {
    if (from === null) return Promise.resolve(null);
    const key = `${tag.host}/${tag.repository}@${from}`;
    let asked = known.get(key);
    if (!asked) {
      asked = attachedCommits({ client: repository(tag), again, signal }, from, store).then(
        async (commits) => {
          for (const commit of commits) if (await world.isAhead(root, commit)) return commit;
          return null;
        },
      );
      known.set(key, asked);
    }
    return asked;
  };
  const later = await Promise.all(
    plan.changes.map((change) => (change.isTransient ? Promise.resolve(null) : laterOf(change))),
  );
  const missing = plan.changes.flatMap(({ ref }, at) => {
    const commit = later[at];
    if (commit === null || commit === undefined) return [];
    const why = `it names what was proven at ${commit.slice(0, 12)}, which is later than what is checked out; --older moves it back`;
    return [{ what: ref, why }];
  });
  if (missing.length === 0) return plan;
  const changes = plan.changes.filter((_, at) => (later[at] ?? null) === null);
  return { ...plan, changes, missing: [...plan.missing, ...missing] };
}
