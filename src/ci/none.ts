import type { CiSystem } from "./system.ts";

/** Where no CI system is known: a person's machine, or a system that Factory has no file for. */
export const none = {
  title: null,
  isHere: () => true,
  jobUrl: () => null,
  matrix: null,
} as const satisfies CiSystem;
