import fc from "fast-check";
import { inject, vi } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The mutant that Stryker tries; not set in the first run, which has none. */
    activeMutant?: string;
  }
}

// The files of one run share what they import, as loading takes longer than most tests. What a mutant left in a module
// is never seen by the next one: each begins with modules that are loaded anew.
const world = globalThis as { triedMutant?: string };
const mutant = inject("activeMutant");
if (world.triedMutant !== mutant) vi.resetModules();
world.triedMutant = mutant;

// That a property fails is enough: nobody looks for its smallest example.
fc.configureGlobal({ endOnFailure: true });
