import type { RunEvent } from "../schemas/types.ts";

type WithoutStamp<E> = E extends unknown ? Omit<E, "v" | "at"> : never;

/** An event of a run before it has its version and its time. */
export type Happening = WithoutStamp<RunEvent>;

/** Gets events in order. Never throws. */
export type Emit = (happening: Happening) => void;
