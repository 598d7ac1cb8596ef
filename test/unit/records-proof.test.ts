import { describe, expect, it } from "vitest";
import { openStore } from "../../src/pipeline/open-store.ts";
import { provenDraft, START } from "./records-made.ts";
import { temporaryFolder } from "./workspace.ts";

describe("put", () => {
  it("takes texts that were cut inside of a letter", async () => {
    const store = openStore(temporaryFolder());
    const draft = await provenDraft(store);
    draft.result.notes = ["cut \ud83c"];
    const { record_id, result } = await store.put(draft, START);
    expect(result.notes).toEqual(["cut \ufffd"]);
    expect((await store.get(record_id)).result.notes).toEqual(["cut \ufffd"]);
    expect((await store.verify()).problems).toEqual([]);
  });
});
