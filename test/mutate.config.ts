import { defineConfig } from "vitest/config";
import { BaseSequencer, type Reporter, type TestSpecification, type Vitest } from "vitest/node";

/** `npm run mutate` says which unit tests belong to what it changes, those that tell most in the least time first. */
const include = (process.env.MUTATE_TESTS ?? "").split(",");

/** Keeps that order: the first test that fails ends the run. */
class GivenOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const at = ({ moduleId }: TestSpecification) =>
      include.findIndex((path) => moduleId.endsWith(`/${path}`));
    return Promise.resolve([...files].sort((a, b) => at(a) - at(b)));
  }
}

/** Makes an error of a file that does not load. Stryker counts tests that fail, and such a file has none. */
class Unloadable implements Reporter {
  private vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.vitest = vitest;
  }

  onTestModuleEnd: Reporter["onTestModuleEnd"] = (module) => {
    for (const { message } of module.errors())
      this.vitest?.state.catchError(new Error(`${module.relativeModuleId}: ${message}`), "not loaded");
  };
}

export default defineConfig({
  test: {
    setupFiles: ["test/mutate-setup.ts", "test/setup.ts"],
    include,
    reporters: [new Unloadable()],
    testTimeout: 120_000,
    maxWorkers: 1,
    // test/mutate-setup.ts loads them anew for each run.
    isolate: false,
    sequence: { sequencer: GivenOrder },
  },
});
