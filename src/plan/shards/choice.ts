import { FactoryError } from "../../errors.ts";
import { quoted } from "../../model/visible.ts";
import { MAX_SHARDS } from "./shard.ts";

/** One shard of several, such as `3/16`: `index` counts from 1. */
export interface ShardChoice {
  index: number;
  count: number;
}

/**
 * The shard that `--shard 3/16` names.
 * @throws FactoryError USAGE
 */
export function parseShard(text: string): ShardChoice {
  const refuse = (what: string, fix: string) => new FactoryError("USAGE", what, { fix });
  const [, first, second] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (first === undefined || second === undefined) {
    throw refuse(
      `${quoted(text)} does not name a shard`,
      "write K/N, such as 3/16 for the third of sixteen shards",
    );
  }
  const [index, count] = [Number(first), Number(second)];
  if (count < 1 || count > MAX_SHARDS)
    throw refuse(`${quoted(text)}: a plan cannot be split into ${count} shards`, `N is 1 to ${MAX_SHARDS}`);
  if (index < 1) throw refuse(`${quoted(text)}: shards are counted from 1`, `the first is 1/${count}`);
  if (index > count)
    throw refuse(`${quoted(text)}: there are only ${count} shards`, `the last is ${count}/${count}`);
  return { index, count };
}
