import type { CellRepacked } from "../schemas/types.ts";

/** What became of a cell's other layers, in one line: `passed, by zstd: 16.9 % smaller`. */
export function repackText({
  status,
  with: program,
  saving,
  why,
}: Pick<CellRepacked, "status" | "with" | "saving" | "why">): string {
  const size =
    saving === null ? "" : `: ${(Math.abs(saving) * 100).toFixed(1)} % ${saving < 0 ? "larger" : "smaller"}`;
  if (status === "pass") return `passed, by ${program}${size}${why === null ? "" : `; ${why}`}`;
  if (status === "reused") return `reused, by ${program}${why === null ? "" : `; ${why}`}`;
  return `${status === "fail" ? "failed" : status}, by ${program}${why === null ? "" : `: ${why}`}`;
}
