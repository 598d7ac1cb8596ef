import { distance } from "fastest-levenshtein";
import { compareText } from "../model/compare.ts";

/** The length of the longest ids, which are those of cells. */
const LONGEST = 100;

/** Whether two words consist of the same letters. */
function sameLetters(a: string, b: string): boolean {
  return [...a].sort().join("") === [...b].sort().join("");
}

function isClose(word: string, candidate: string, edits: number): boolean {
  if (edits <= Math.max(1, Math.floor(Math.min(word.length, candidate.length) / 3))) return true;
  return edits === 2 && sameLetters(word, candidate);
}

/**
 * The candidate that was most likely meant, or undefined if none is close: at most one edit in three characters, or
 * two letters swapped; upper and lower case count as the same. Between equally close candidates the code units decide,
 * never their order.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > LONGEST) return undefined;
  const wanted = word.toLowerCase();
  let best: { candidate: string; edits: number } | undefined;
  for (const candidate of candidates) {
    const edits = distance(wanted, candidate.toLowerCase());
    if (!isClose(wanted, candidate.toLowerCase(), edits)) continue;
    const nearer = !best || edits < best.edits;
    if (nearer || (edits === best?.edits && compareText(candidate, best.candidate) < 0))
      best = { candidate, edits };
  }
  return best?.candidate;
}
