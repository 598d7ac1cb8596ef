import { envList, release } from "./containers.ts";
import type { Execution, Tools } from "./kinds/kind.ts";
import type { Outcome } from "./outcome.ts";
import { createPrograms, type Program } from "./programs.ts";
import type { SmokeContext } from "./suite-run.ts";

const GONE: Execution = {
  ended: "error",
  why: "the container of the test before has ended; nothing can be run in it (has the image a `sleep`?)",
};

/**
 * Runs the programs of tests that follow each other in one container, which keeps whatever they leave in it: that of the
 * image's service, or one that is made for the first of them.
 * @param serviceId the service's container, for tests that follow one of http
 */
export function createChain(
  context: SmokeContext,
  serviceId?: () => Promise<{ id: string } | { outcome: Outcome }>,
) {
  const programs = createPrograms(context);
  let held: string | undefined;
  let isFirst = true;

  /** The result of a program in the chain's own container. */
  const runHeld = async (program: Program): Promise<Execution> => {
    if (isFirst) {
      isFirst = false;
      const made = await programs.hold();
      if (!made) return programs.runAlone(program);
      if ("refused" in made) return { ended: "error", why: made.refused };
      held = made.id;
    }
    if (held === undefined) return GONE;
    return (await programs.runIn(held, program)) ?? GONE;
  };

  /** @param own what the test sets beside the container's settings */
  const executeWith =
    ({ user, env }: SmokeContext["settings"]): Tools["execute"] =>
    async (program, judge) => {
      const full = { ...program, user, env: env && envList(env) };
      if (!serviceId) return judge(await runHeld(full));
      const service = await serviceId();
      if ("outcome" in service) return service.outcome;
      return judge((await programs.runIn(service.id, full)) ?? GONE);
    };

  return {
    executeWith,
    close: () => {
      if (held !== undefined) release(context, held);
      held = undefined;
    },
  };
}
