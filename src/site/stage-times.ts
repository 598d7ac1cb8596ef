/** What is known of a stage's place among the others. */
export interface StageNeeds {
  name: string;
  needs: readonly string[] | "all";
}

export interface StageTime {
  name: string;
  /** Milliseconds since the attempt began. */
  from: number;
  ms: number;
}

/**
 * When the stages of an attempt ran, by how long each took and what it waits for: a record has no more. A stage that no table has
 * any more begins when all before it are over.
 */
export function stageTimes(
  spent: Readonly<Record<string, number>>,
  table: readonly StageNeeds[],
): StageTime[] {
  const ends = new Map<string, number>();
  const times: StageTime[] = [];
  const add = (name: string, ms: number, needs: StageNeeds["needs"]) => {
    const waited = needs === "all" ? [...ends.values()] : needs.map((one) => ends.get(one) ?? 0);
    const from = Math.max(0, ...waited);
    ends.set(name, from + ms);
    times.push({ name, from, ms });
  };
  for (const { name, needs } of table) {
    const ms = spent[name];
    if (ms !== undefined) add(name, ms, needs);
    // One that did not run holds nobody up: what waits for it waits for what it waits for.
    else
      ends.set(
        name,
        needs === "all"
          ? Math.max(0, ...ends.values())
          : Math.max(0, ...needs.map((one) => ends.get(one) ?? 0)),
      );
  }
  const known = new Set(table.map(({ name }) => name));
  for (const [name, ms] of Object.entries(spent)) if (!known.has(name)) add(name, ms, "all");
  return times;
}
