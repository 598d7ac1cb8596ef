import { describe, expect, it } from "vitest";
import { provable } from "../../bench/provable.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { parentRef } from "../../src/model/parent.ts";
import { oneCell } from "../../src/plan/one-cell.ts";
import { recipeLink } from "../../src/proof/recipe-link.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { familyOf, manifestOn } from "./parents-made.ts";
import { type Files, makeCatalog } from "./workspace.ts";

const FAMILY = familyOf({ root: null, leaf: "root" });
const [PARENT, BASE, OWN] = ["a", "b", "c"].map((one) => `sha256:${one.repeat(64)}`);
const DIGESTS = new Map([[parentRef("root"), PARENT]]);

/** The record of a cell as a workspace gives it, on the images that it had. */
function recordOf(files: Files, manifest_id: string, digests: ReadonlyMap<string, string | undefined>) {
  const digestOf = (ref: string) => digests.get(ref) ?? BASE ?? null;
  const cell_id = `${manifest_id}.linux-amd64`;
  const given = { today: "2026-01-01", environment: {}, digestOf };
  const planned = oneCell(makeCatalog(files), { manifest_id, cell_id }, given)?.pin(digestOf);
  if (!planned) throw new Error(`there is no ${cell_id}`);
  const inputs = planned.inputs;
  const { draft } = provable(inputs, {
    start: new Date("2026-01-01T00:00:00Z"),
    duration_ms: 1000,
    digest: OWN ?? "",
    ref: "factory/x:1",
  });
  const record = { ...draft, record_id: "x", images: draft.images ?? [] } as FactoryRecord;
  return { record, inputs };
}

const linkOf = (files: Files, { record, inputs }: ReturnType<typeof recordOf>) =>
  recipeLink("manifest", makeCatalog(files), record, inputs);

describe("stitching the manifest of a record again", () => {
  it.each(["root", "leaf"])("gives the same keys where nothing changed: %s", (id) => {
    const made = recordOf(FAMILY, id, DIGESTS);
    expect(made.record.verdict_key).toBe(keysOf(made.inputs).verdict_key);
    expect(linkOf(FAMILY, made)).toMatchObject({
      status: "ok",
      why: `${id}.linux-amd64 has the same keys now`,
    });
  });

  it("holds a cell to the recorded image of its parent, not to how that is made now", () => {
    const made = recordOf(FAMILY, "leaf", DIGESTS);
    expect(made.inputs.images).toContainEqual(expect.objectContaining({ digest: PARENT }));
    const changed = {
      ...FAMILY,
      "manifests/root.yaml": manifestOn("root", null).replace("word: root", "word: new"),
    };
    expect(linkOf(changed, made)).toMatchObject({ status: "ok" });
    expect(linkOf(changed, recordOf(FAMILY, "root", DIGESTS))).toMatchObject({ status: "broken" });
  });

  it("is broken where the cell starts from another image, says something else, or is gone", () => {
    const made = recordOf(FAMILY, "leaf", DIGESTS);
    const other = {
      ...familyOf({ root: null, other: null }),
      "manifests/leaf.yaml": manifestOn("leaf", "other"),
    };
    expect(linkOf(other, made)).toMatchObject({
      status: "broken",
      why: expect.stringContaining("leaf.linux-amd64 is another one now: ") as unknown,
    });
    const word = {
      ...FAMILY,
      "manifests/leaf.yaml": manifestOn("leaf", "root").replace("word: leaf", "word: new"),
    };
    expect(linkOf(word, made)).toMatchObject({ status: "broken" });
    const gone = { ...FAMILY, "manifests/leaf.yaml": null };
    expect(linkOf(gone, made)).toMatchObject({ status: "broken" });
  });
});
