import { searchKey } from "./search-words.ts";

/** Something that search finds. */
export type Hit = readonly [kind: string, title: string, path: string, detail: string];

/** A word, how many things have it, and the first of those. */
export type Word = readonly [word: string, total: number, hits: readonly Hit[]];

/** The words of a site by the part that each is in. */
export interface SearchIndex {
  add: (word: string, hit: Hit) => void;
  /** Names of the parts that have words, sorted. */
  keys: () => string[];
  /** The words of a part, sorted. */
  part: (key: string) => Word[];
  /** Whether words were left out, since there are too many. */
  isFull: () => boolean;
}

/** How many things a word leads to. */
const MOST_HITS = 60;
const MOST_WORDS = 500_000;
const LONGEST = 100;

export function createSearchIndex(): SearchIndex {
  const parts = new Map<string, Map<string, { total: number; hits: Hit[] }>>();
  let words = 0;
  let full = false;
  return {
    add: (text, hit) => {
      const word = text.toLowerCase().slice(0, LONGEST);
      const key = searchKey(word);
      if (key === null) return;
      let part = parts.get(key);
      if (!part) parts.set(key, (part = new Map<string, { total: number; hits: Hit[] }>()));
      let own = part.get(word);
      if (!own) {
        if (words >= MOST_WORDS) {
          full = true;
          return;
        }
        words += 1;
        part.set(word, (own = { total: 0, hits: [] }));
      }
      own.total += 1;
      if (own.hits.length < MOST_HITS) own.hits.push(hit);
    },
    keys: () => [...parts.keys()].sort(),
    part: (key) =>
      [...(parts.get(key) ?? [])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([word, { total, hits }]): Word => [word, total, hits]),
    isFull: () => full,
  };
}
