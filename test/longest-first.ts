import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take longest, with the longest first: what waits most for the engine begins while there is other work. */
const LONGEST = [
  "test/attacks/engine/run.test.ts",
  "test/attacks/files.test.ts",
  "test/engine/verify.test.ts",
  "test/engine/records-remote.test.ts",
  "test/engine/run-interrupted.test.ts",
  "test/engine/run.test.ts",
  "test/engine/reuse.test.ts",
  "test/engine/faults.test.ts",
  "test/attacks/engine/files.test.ts",
  "test/engine/publish.test.ts",
  "test/engine/reproduce.test.ts",
  "test/engine/parents.test.ts",
  "test/engine/proof.test.ts",
  "test/engine/scan.test.ts",
  "test/engine/handover.test.ts",
  "test/engine/repack.test.ts",
  "test/attacks/cli.test.ts",
  "test/engine/sbom-image.test.ts",
  "test/attacks/engine/containers.test.ts",
  "test/engine/secrets.test.ts",
  "test/attacks/engine/stitch.test.ts",
  "test/attacks/records.test.ts",
];

/**
 * Starts the longest files first, so that none of them is left to one worker at the end. It is the same on a machine
 * that has run nothing yet; vitest's own order needs the times of a run before.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(`/${path}`));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
