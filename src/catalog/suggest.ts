import { distance } from "fastest-levenshtein";
import { compareText } from "../model/compare.ts";

const LONGEST = 64;

/**
 * The candidate that was most likely meant, or undefined where none is close: at most one edit in three
 * characters, letter case aside. Equally close ones are decided by code unit, never by the order given.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > LONGEST) return undefined;
  const wanted = word.toLowerCase();
  let best: { candidate: string; edits: number } | undefined;
  for (const candidate of candidates) {
    const edits = distance(wanted, candidate.toLowerCase());
    if (edits > Math.max(1, Math.floor(Math.min(word.length, candidate.length) / 3))) continue;
    const closer =
      !best || edits < best.edits || (edits === best.edits && compareText(candidate, best.candidate) < 0);
    if (closer) best = { candidate, edits };
  }
  return best?.candidate;
}
