/** Length of the blocks by which texts are compared. */
const BLOCK = 8;

/** The fewest characters that a form has: a shorter text may be anywhere by chance. */
export const SHORTEST_FORM = BLOCK;

/** The fewest characters of a longer form that count as a piece of it. */
const SHORTEST_PIECE = 16;

/** How many places of one block are kept: more only occur where a form repeats itself. */
const MOST_PLACES = 64;

/** How many hashes of half a block are told apart, and how many bits of a hash that leaves out. */
const HALVES = 1 << 21;
const HALVES_SHIFT = 11;
const FIRST = 1;
const SECOND = 2;

/** A range of a text: from, and before which index. */
type Range = readonly [number, number];

/**
 * Finds texts in other texts, whole or in pieces: a form of at least 16 characters is found wherever 16 of its characters
 * stand in a row, a shorter one where it stands as a whole.
 *
 * Each form is cut into blocks of eight characters. Any 16 characters of it in a row contain a whole block (15 do); so each
 * place of a text is looked up as a block, and a hit is compared in both directions.
 */
export function createFinder() {
  const blocks = new Map<string, { form: string; at: number }[]>();
  /** Whether some block may have four characters as its first or second half, by a hash of them: most texts need no other look. */
  let halves = new Uint8Array(0);
  const known = new Set<string>();
  const halfOf = (text: string, at: number) =>
    Math.imul(
      text.charCodeAt(at) |
        (text.charCodeAt(at + 1) << 7) |
        (text.charCodeAt(at + 2) << 14) |
        (text.charCodeAt(at + 3) << 21),
      0x9e3779b1,
    ) >>> HALVES_SHIFT;

  /** The range that a text shares with a form, where a block of it lies at `from`. */
  const shared = (text: string, from: number, form: string, at: number): Range | undefined => {
    let before = 0;
    while (before < at && before < from && text[from - before - 1] === form[at - before - 1]) before += 1;
    let after = BLOCK;
    while (at + after < form.length && text[from + after] === form[at + after]) after += 1;
    return before + after >= Math.min(SHORTEST_PIECE, form.length)
      ? [from - before, from + after]
      : undefined;
  };

  return {
    /** Adds a form; one of less than eight characters is left out. */
    add: (form: string): void => {
      if (form.length < SHORTEST_FORM || known.has(form)) return;
      known.add(form);
      if (halves.length === 0) halves = new Uint8Array(HALVES);
      for (let at = 0; at + BLOCK <= form.length; at += BLOCK) {
        const block = form.slice(at, at + BLOCK);
        let places = blocks.get(block);
        if (!places) blocks.set(block, (places = []));
        if (places.length < MOST_PLACES) places.push({ form, at });
        halves[halfOf(block, 0)]! |= FIRST;
        halves[halfOf(block, BLOCK / 2)]! |= SECOND;
      }
    },

    /** The ranges of a text that are pieces of a form, in order, apart from each other. */
    find: (text: string): Range[] => {
      const found: [number, number][] = [];
      if (known.size === 0) return found;
      for (let from = 0; from + BLOCK <= text.length; from += 1) {
        if ((halves[halfOf(text, from)]! & FIRST) === 0) continue;
        if ((halves[halfOf(text, from + BLOCK / 2)]! & SECOND) === 0) continue;
        let end = 0;
        for (const { form, at } of blocks.get(text.slice(from, from + BLOCK)) ?? []) {
          const range = shared(text, from, form, at);
          if (!range) continue;
          end = Math.max(end, range[1]);
          found.push([range[0], range[1]]);
        }
        // What one form shares up to here, another may share from the next block on.
        if (end > from + BLOCK) from = end - BLOCK;
      }
      found.sort((a, b) => a[0] - b[0]);
      const apart: [number, number][] = [];
      for (const [start, end] of found) {
        const last = apart.at(-1);
        if (last && start <= last[1]) last[1] = Math.max(last[1], end);
        else apart.push([start, end]);
      }
      return apart;
    },
  };
}
