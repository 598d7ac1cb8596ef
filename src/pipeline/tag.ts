import { imageOf, type Stage } from "./stage.ts";

/**
 * Gives the proven image the cell's own tag, which so far named the image that was proven before. One that only its registry has
 * gets its tag there, by the push.
 */
export const tag: Stage = {
  name: "tag",
  part: "delivery",
  needs: "all",
  evidence: {},
  classes: {},
  run: async ({ attempt, signal }, { docker }) => {
    const { digest, isAway = false } = imageOf(attempt);
    if (!isAway) await docker.tagImage(digest, attempt.planned.cell.tags[0] ?? "", { signal });
    attempt.tagged = true;
    return null;
  },
};
