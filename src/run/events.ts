import type { Emit } from "../model/event.ts";
import type { RunEvent } from "../schemas/types.ts";

/** Gives what happens its version and its time, and tells each listener in turn. */
export function createEmit(
  clock: { date: () => Date },
  ...listeners: readonly ((event: RunEvent) => void)[]
): Emit {
  return (happening) => {
    const event: RunEvent = { v: 1, at: clock.date().toISOString(), ...happening };
    for (const listener of listeners) listener(event);
  };
}
