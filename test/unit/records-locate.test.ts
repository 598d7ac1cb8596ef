import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { locateRecord, locateRecords } from "../../src/records/locate.ts";
import { temporaryFolder } from "./workspace.ts";

const ID = "20260131t120000000z-1a2b3c4d5e6f7890";
const OTHER = "20260131t120000000z-0000000000000000";

describe("the file of a record", () => {
  it("is found by one name in each folder: the one that a list of all has", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom("a", "b", "zz", "b-c"), { maxLength: 4 }),
        fc.boolean(),
        (folders, isThere) => {
          const base = temporaryFolder();
          for (const folder of folders) {
            mkdirSync(join(base, folder));
            writeFileSync(join(base, folder, `${OTHER}.json`), "{}");
            if (isThere) writeFileSync(join(base, folder, `${ID}.json`), "{}");
          }
          expect(locateRecord(base, ID)).toEqual(locateRecords(base).find(({ recordId }) => recordId === ID));
        },
      ),
      { numRuns: 30 },
    );
  });

  it("may be a link or a folder, which is for the reader to refuse; a folder of records may be no link", () => {
    const base = temporaryFolder();
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, `${OTHER}.json`), "{}");
    mkdirSync(join(base, "a", `${ID}.json`), { recursive: true });
    symlinkSync(elsewhere, join(base, "b"));
    expect(locateRecord(base, ID)).toMatchObject({ manifestId: "a" });
    expect(locateRecord(base, OTHER)).toBeUndefined();
    symlinkSync("/nowhere", join(base, "a", `${OTHER}.json`));
    expect(locateRecord(base, OTHER)).toMatchObject({ manifestId: "a" });
  });
});
