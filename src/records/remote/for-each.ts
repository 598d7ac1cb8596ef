import pLimit from "p-limit";
import { findingsOf } from "../../catalog/document.ts";
import { ERRORS, errorOf, FactoryError, type Finding } from "../../errors.ts";

/** Does something for each item, at most so many at once. Errors that a person can act on are findings of one error. */
export async function forEach<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const limit = pLimit(atOnce);
  const findings: Finding[] = [];
  await Promise.all(
    items.map((item) =>
      limit(async () => {
        if (signal.aborted) return;
        try {
          await work(item);
        } catch (error) {
          findings.push(...findingsOf(error));
        }
      }),
    ),
  );
  if (signal.aborted) throw new FactoryError("INTERRUPTED", "interrupted");
  const [first] = findings;
  if (!first) return;
  if (findings.length === 1) throw errorOf(findings);
  // One error for all of them: about the environment as soon as one of them is.
  const worst = findings.find(({ code }) => ERRORS[code] === 3) ?? first;
  throw new FactoryError(worst.code, `${findings.length} records: ${worst.what}`, {
    findings,
    fix: worst.fix,
  });
}
