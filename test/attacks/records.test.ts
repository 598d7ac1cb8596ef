import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NOW, plan, proven } from "../unit/reuse-world.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** When the record of `proven` says that its cell was tested. */
const TESTED = NOW - DAY;

describe("A5 a record from the future", () => {
  it.each(["", "reuse: {max_age: 30d}\n"])("A5 is never fresh, and the clock is named (%j)", async (max) => {
    const { root } = await proven();
    appendFileSync(join(root, "factory.yaml"), max);
    const notes: string[] = [];
    const now = TESTED - 6 * MINUTE;
    const [cell] = await plan(root, { now, note: (text) => notes.push(text) });
    expect(cell).toMatchObject({ action: "build", reason: "EXPIRED" });
    expect(cell?.changes).toMatchObject([{ input: "clock", after: new Date(now).toISOString() }]);
    expect(notes).toEqual([expect.stringMatching(/^warning: .*from the future by this machine's clock/)]);
  });

  it("A5 is believed where two clocks are a few minutes apart", async () => {
    const { root } = await proven();
    const notes: string[] = [];
    const [cell] = await plan(root, { now: TESTED - 4 * MINUTE, note: (text) => notes.push(text) });
    expect([cell?.action, notes]).toEqual(["reuse", []]);
  });
});
