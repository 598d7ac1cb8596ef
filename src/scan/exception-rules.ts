import type { Entry } from "../catalog/catalog.ts";
import type { Finding } from "../errors.ts";
import type { Policy } from "../schemas/types.ts";
import { lastUntil } from "./scan-verdict.ts";

/**
 * A finding for each exception of a policy that ends more than a year from now.
 * @param now milliseconds since 1970
 */
export function exceptionFindings({ document, place }: Entry<Policy>, now: number): Finding[] {
  const last = lastUntil(now);
  return (document.scan?.exceptions ?? []).flatMap(({ id, owner, until }, at): Finding[] =>
    until <= last
      ? []
      : [
          {
            code: "POLICY_INVALID",
            what: `the exception for ${id} is until ${until}, which is more than a year ahead, so it does not count`,
            where: place(["scan", "exceptions", at, "until"]),
            fix: `${owner} has to name a day up to ${last}, and look at it again then`,
          },
        ],
  );
}
