import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseReport } from "../../scripts/mutation-report.mjs";
import { repository } from "./workspace.ts";

const areas = parseReport(readFileSync(join(repository, "docs/mutation.md"), "utf8"));

// The scores themselves are those of `npm run mutate`; this holds the page to the code without it.
describe("the page on mutation tests", () => {
  it("has every area that is changed", () => {
    const script = readFileSync(join(repository, "scripts/mutate.mjs"), "utf8");
    const block = /^const AREAS = \{$(.*?)^\};$/ms.exec(script)?.[1] ?? "";
    const names = [...block.matchAll(/^ {2}(\w+): \{$/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(5);
    expect([...areas.keys()]).toEqual(names);
  });

  it.each([...areas])(
    "lists all of %s that no test notices, by lines that are there, with reasons",
    (_, area) => {
      const { total, caught, survivors } = area;
      expect(caught / total).toBeGreaterThanOrEqual(0.85);
      // Two changes of a line that look the same are one entry.
      expect(survivors.length).toBeLessThanOrEqual(total - caught);
      expect(survivors.length > 0).toBe(total > caught);
      for (const { file, before, reason } of survivors) {
        const lines = readFileSync(join(repository, file), "utf8").split("\n");
        expect(lines.map((line) => line.trim())).toContain(before);
        expect(reason).toMatch(/\w+ \w+/);
      }
    },
  );
});
