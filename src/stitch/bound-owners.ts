import { FactoryError } from "../errors.ts";
import { BASE, TEMPLATE } from "../model/image-contents.ts";
import type { DeclaredTest } from "../model/smoke.ts";
import { quoted } from "../model/visible.ts";

/**
 * The tests of an image, whose budgets all bound something that is in it.
 * @param file the manifest's
 * @param fragments the names of those that are in the image
 * @throws FactoryError TEST_INVALID
 */
export function boundOwners(
  file: string,
  tests: DeclaredTest[],
  fragments: readonly string[],
): DeclaredTest[] {
  for (const { from, id, budget } of tests) {
    const of = budget?.of;
    if (of === undefined || of === BASE || of === TEMPLATE || fragments.includes(of)) continue;
    const whose = from === "manifest" ? "" : ` of the fragment ${from}`;
    throw new FactoryError(
      "TEST_INVALID",
      `the test ${quoted(id)}${whose} bounds ${quoted(of)}, which is not in the image`,
      {
        where: { file },
        fix: `name one of ${[...fragments, BASE, TEMPLATE].join(", ")}`,
      },
    );
  }
  return tests;
}
