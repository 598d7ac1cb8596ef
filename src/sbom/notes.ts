import { brief } from "../model/visible.ts";
import { compareText } from "../model/compare.ts";

/** What a reader of an SBOM should know, and how often it occurred. */
export interface Note {
  /** What happened, as `left out files that are too large`. */
  what: string;
  /** One of the places: the one that sorts first. Empty if there is nothing to show. */
  where: string;
  count: number;
}

/** Collects notes by kind, however many packages they are about and in whatever order they come. */
export interface Notes {
  add: (what: string, where?: string, count?: number) => void;
  all: () => Note[];
  /** One line per kind. */
  lines: () => string[];
}

export function createNotes(): Notes {
  const kinds = new Map<string, Note>();
  return {
    add: (what, where = "", count = 1) => {
      const known = kinds.get(what);
      if (!known) kinds.set(what, { what, where, count });
      else {
        known.count += count;
        if (compareText(where, known.where) < 0) known.where = where;
      }
    },
    all: () => [...kinds.values()],
    lines: () =>
      [...kinds.values()].map(({ what, where, count }) => {
        if (where === "") return what;
        return `${what}: ${brief(where)}${count > 1 ? `, and ${count - 1} more` : ""}`;
      }),
  };
}
