import type { Emit, Happening } from "../model/event.ts";
import type { RunDeps } from "./types.ts";

/** Fields whose values programs tell apart; none of them holds a text from outside. */
const WORDS = new Set([
  "type",
  "status",
  "stage",
  "stages",
  "class",
  "action",
  "reason",
  "level",
  "tested_at",
]);

function masked<T>(value: T, mask: (text: string) => string): T {
  if (typeof value === "string") return mask(value) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => masked(one, mask)) as T;
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, one]): [string, unknown] => [
    name,
    WORDS.has(name) ? one : masked(one, mask),
  ]);
  return Object.fromEntries(fields) as T;
}

/** Tells everything without secrets: the view, the events and the result of the run are made from this. */
export function maskedEmit(emit: Emit, mask: (text: string) => string): Emit {
  return (happening: Happening) => emit(masked(happening, mask));
}

/** Keeps records without secrets. Evidence is masked as it is kept, by kind (runStages). */
export function withMask(deps: RunDeps): RunDeps {
  const { store, secrets } = deps;
  return {
    ...deps,
    store: {
      ...store,
      put: (draft, date) => store.put({ ...draft, result: masked(draft.result, secrets.mask) }, date),
    },
  };
}
