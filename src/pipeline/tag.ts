import { imageOf, type Stage } from "./stage.ts";

/** Gives the proven image the cell's own tag, which so far named the image that was proven before. */
export const tag: Stage = {
  name: "tag",
  part: "delivery",
  needs: "all",
  evidence: {},
  classes: {},
  run: async ({ attempt, signal }, { docker }) => {
    await docker.tagImage(imageOf(attempt).digest, attempt.planned.cell.tags[0] ?? "", { signal });
    attempt.tagged = true;
    return null;
  },
};
