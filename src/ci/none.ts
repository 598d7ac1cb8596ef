import type { CiSystem } from "./system.ts";

/** No known CI system: a person's machine, or a system that Factory has no file for. */
export const none = {
  title: null,
  isHere: () => true,
  jobUrl: () => null,
  matrix: null,
  events: null,
} as const satisfies CiSystem;
