import { bakeTags } from "../publish/bake-tags.ts";
import type { TagList } from "../publish/published-tags.ts";
import type { CommandResult, Context } from "./context.ts";
import { publicTags, type PublicTagsOptions } from "./public-tags.ts";

interface TagsOptions extends Pick<PublicTagsOptions, "product" | "event" | "locked"> {
  format?: "text" | "json" | "bake";
}

/** How many of the tags that are missing are named on stderr. */
const SHOWN = 10;

/** Names what is missing. */
function warn({ missing }: TagList, say: Context["say"]): void {
  for (const { what, why } of missing.slice(0, SHOWN)) say(`missing: ${what}: ${why}`);
  if (missing.length > SHOWN) say(`and ${missing.length - SHOWN} more are missing: see --json`);
}

/**
 * `factory tags`: the tags of each product. Its own, from what its cells are, stand for what records prove; those of the
 * commit, from git and the CI event, for the cells as they are planned.
 */
export async function tags(context: Context, options: TagsOptions): Promise<CommandResult> {
  const { list, cells, origin } = await publicTags(context, { ...options, evenUnproven: true });

  const { kind, commit, pull_request, branch, fork } = origin;
  const json = {
    tags: list.tags,
    missing: list.missing,
    ...(list.kept_back.length > 0 && { kept_back: list.kept_back }),
    origin: { kind, commit, pull_request, branch, fork },
  };
  if (options.format === "bake") {
    const text = bakeTags(list.tags, [...cells.values()].flat());
    return { text, isContent: true, json: { bake: text } };
  }
  if (options.format === "json") return { text: JSON.stringify(json, null, 2), isContent: true, json };
  warn(list, context.say);
  return { text: list.tags.map(({ ref }) => ref).join("\n"), json };
}
