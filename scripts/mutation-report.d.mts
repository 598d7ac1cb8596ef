/** What came of one area: how many changes were made and noticed, and those that no test noticed. */
export interface MutatedArea {
  total: number;
  caught: number;
  survivors: { file: string; before: string; after: string; reason: string }[];
}
export function parseReport(text: string): Map<string, MutatedArea>;
export function printReport(
  text: string,
  order: readonly string[],
  areas: ReadonlyMap<string, MutatedArea>,
): string;
