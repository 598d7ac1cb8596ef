/** Draws a whole number from 0 to `below - 1`. */
export type Draw = (below: number) => number;

/**
 * Numbers that scatter like random ones and are the same each time: the upper bits of a linear congruential generator with
 * the constants of Knuth and Lewis [Press et al.: Numerical Recipes in C, 2nd edition, 1992, section 7.1].
 */
export function createDraw(): Draw {
  let state = 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}
