import { FactoryError } from "../errors.ts";
import type { PlannedCell } from "../plan/cell.ts";

/**
 * The cells of one platform, where one is wanted; else all of them.
 * @param wanted a platform, `all`, or undefined
 * @throws FactoryError USAGE where no cell has it
 */
export function ofPlatform(
  cells: readonly PlannedCell[],
  wanted: string | undefined,
): readonly PlannedCell[] {
  if (wanted === undefined || wanted === "all" || cells.length === 0) return cells;
  const chosen = cells.filter(({ cell }) => cell.platform === wanted);
  if (chosen.length > 0) return chosen;
  const there = [...new Set(cells.map(({ cell }) => cell.platform))].join(", ");
  throw new FactoryError("USAGE", `no cell is for the platform ${JSON.stringify(wanted)}`, {
    fix: `there are cells for: ${there}`,
  });
}

/**
 * The cells of a run by platform: all that the engine can build, those of one platform, or with `all` every one.
 * @param wanted a platform, `all`, or undefined
 * @param able what the engine can build
 * @param others whether there are cells beside these that are proven by now: then a run of none of these is no error
 * @throws FactoryError ENGINE_PLATFORM where a wanted platform cannot be built, USAGE where no cell has it
 */
export function selectPlatforms(
  cells: readonly PlannedCell[],
  wanted: string | undefined,
  able: readonly string[],
  { others = false } = {},
): { cells: PlannedCell[]; leftOut: PlannedCell[] } {
  const can = ({ cell }: PlannedCell) => able.includes(cell.platform);
  const refuse = (platforms: string[]) =>
    new FactoryError(
      "ENGINE_PLATFORM",
      `the engine cannot build ${platforms.join(", ")}; it builds ${able.join(", ")}`,
      {
        fix: "register an emulator (qemu-user-static and binfmt-support on Debian), or use a builder with such a node",
      },
    );
  if (wanted !== undefined && wanted !== "all") {
    const chosen = [...ofPlatform(cells, wanted)];
    if (!chosen.every(can)) throw refuse([wanted]);
    return { cells: chosen, leftOut: [] };
  }
  const missing = [...new Set(cells.filter((one) => !can(one)).map(({ cell }) => cell.platform))];
  const chosen = cells.filter(can);
  if (missing.length > 0 && (wanted === "all" || (chosen.length === 0 && !others))) throw refuse(missing);
  return { cells: chosen, leftOut: cells.filter((one) => !can(one)) };
}
