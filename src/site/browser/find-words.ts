import type { Hit, Word } from "../search-index.ts";
import { searchKey, wordsOf } from "../search-words.ts";
import { dataPart } from "./shards.ts";

/** What search found. */
export interface Found {
  hits: Hit[];
  /** Whether there are more, which are not shown. */
  more: boolean;
}

const MOST = 200;

/** Things that have all words of a query, by their beginnings. */
export async function find(query: string): Promise<Found> {
  const words = wordsOf(query).filter((word) => searchKey(word) !== null);
  const [first, ...rest] = words.sort((a, b) => b.length - a.length);
  if (first === undefined) return { hits: [], more: false };
  const part = ((await dataPart(`search/${searchKey(first)}`)) ?? []) as Word[];
  const hits = new Map<string, Hit>();
  let more = false;
  for (const [word, count, own] of part) {
    if (!word.startsWith(first)) continue;
    more ||= count > own.length;
    for (const hit of own) {
      const [kind, title, path, detail] = hit;
      const text = `${kind} ${title} ${detail}`.toLowerCase();
      if (rest.every((one) => text.includes(one))) hits.set(`${kind} ${title} ${path}`, hit);
    }
  }
  const all = [...hits.values()];
  return { hits: all.slice(0, MOST), more: more || all.length > MOST };
}
