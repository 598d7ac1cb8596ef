import { randomInt } from "node:crypto";
import { setMaxListeners } from "node:events";
import fc from "fast-check";
import { type RunnerTestCase, TestRunner } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** What `npm run fuzz` reports of a test that has properties: the rounds that it ran, and the seed of the last. */
    fuzz?: { rounds: number; seed: number };
  }
}

const rounds = Number(process.env.FUZZ_ROUNDS);
const fixedSeed = process.env.FUZZ_SEED;

/** Runs each test that has properties again and again, each time with another seed. `scripts/fuzz.mjs` sets it up. */
export default class FuzzRunner extends TestRunner {
  async runTask(test: RunnerTestCase): Promise<void> {
    // Each call of a test listens for the end of the run.
    setMaxListeners(0, test.context.signal);
    for (let round = 1; round <= rounds; round += 1) {
      const seed = fixedSeed === undefined ? randomInt(2 ** 31) : Number(fixedSeed);
      let used = false;
      // Whatever draws values reads the seed: so a test without properties is known, and runs once.
      fc.configureGlobal({
        get seed() {
          used = true;
          return seed;
        },
      });
      try {
        await TestRunner.getTestFn(test)();
      } finally {
        if (used) test.meta.fuzz = { rounds: round, seed };
      }
      if (!used) return;
    }
  }
}
