import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dpkgStatus, inspected, type LayerMade } from "../unit/inspect-made.ts";

const LAYERS: readonly LayerMade[] = [
  ["base", [dpkgStatus("libc@1")]],
  ["RUN install # buildkit", [dpkgStatus("libc@1", "curl@7"), { name: "a", text: "a" }]],
  ["RUN true # buildkit", []],
];

interface Inspected {
  record_id: string | null;
  fragments: { fragment: string | null }[];
  notes: string[];
}

describe("who owns what in an image", () => {
  test("9.16 an edited record is refused, and a Dockerfile that is not the recorded one names nobody", async () => {
    const { root, put, json, call } = await inspected();
    const { record } = await put(LAYERS);
    const { dockerfile } = record.evidence;
    const evidence = join(root, "records/demo", dockerfile?.path ?? "");
    const text = readFileSync(evidence, "utf8");
    writeFileSync(evidence, text.replace("AS core\nRUN install", "AS x\nRUN install"));
    const found = (await json("inspect", record.record_id)) as unknown as Inspected;
    expect(found.fragments).toMatchObject([{ fragment: null, layers: 3, packages: 2 }]);
    expect(found.notes[0]).toContain("the Dockerfile of");
    writeFileSync(evidence, text);

    const file = join(root, "records/demo", `${record.record_id}.json`);
    writeFileSync(file, readFileSync(file, "utf8").replace('"core"', '"evil"'));
    const { status, stdout } = await call("inspect", record.record_id, "--json");
    expect([status, JSON.parse(stdout)]).toMatchObject([2, { error: { code: "EVIDENCE_MISMATCH" } }]);
  });

  test("9.16 a tag that was moved is another image: no record of the first one speaks of it", async () => {
    const { put, json, stored, record } = await inspected().then(async (made) => {
      const { record } = await made.put(LAYERS);
      return { ...made, record };
    });
    const ref = record.image?.ref ?? "";
    const { digest } = await put(LAYERS.slice(0, 2), { tag: "2", inputs: { manifest_id: "other" } });
    const moved = stored.manifests.get(digest);
    if (moved) stored.manifests.set("1", moved);
    expect(await json("inspect", ref)).toMatchObject({ digest, cell_id: "demo.linux-amd64" });
    const found = (await json("inspect", ref)) as unknown as Inspected;
    expect(found.record_id).not.toBe(record.record_id);
    expect(await json("inspect", record.record_id)).toMatchObject({ digest: record.image?.digest });
  });

  test("9.16 a layer that is not what the record's digest leads to is refused, from whatever it comes", async () => {
    const { put, call, stored } = await inspected();
    const { record } = await put(LAYERS);
    const { bytes } = stored.manifests.get(record.image?.digest ?? "") ?? { bytes: Buffer.from("{}") };
    const { layers } = JSON.parse(bytes.toString()) as { layers: { digest: string }[] };
    const blob = stored.blobs.get(layers[1]?.digest ?? "") ?? Buffer.alloc(0);
    stored.blobs.set(layers[1]?.digest ?? "", Buffer.concat([blob.subarray(0, -1), Buffer.from([1])]));
    const { status, stdout, stderr } = await call("inspect", record.record_id, "--json");
    expect(status, stdout + stderr).toBe(3);
    expect(stdout).not.toContain("fragments");
  });

  test("9.16 names of files and instructions act on no terminal", async () => {
    const { put, call } = await inspected();
    const text = "x".repeat(1000);
    const { record } = await put([
      ["base\u001b[2J", [{ name: "a\u001b]0;title\u0007\u202eb", text }]],
      ["RUN install\u001b[31m # buildkit", [{ name: "c", text }]],
      ["RUN true # buildkit", []],
    ]);
    const { status, stdout } = await call("inspect", record.record_id);
    expect(status).toBe(0);
    expect(stdout).toContain("1.0 kB duplicated");
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202e]/);
  });

  test("9.16 a comparison believes no edited record and no SBOM that was not recorded, and says what is gone", async () => {
    const { root, put, json, call, stored } = await inspected();
    const { record: one, digest } = await put(LAYERS);
    const { record: other } = await put([...LAYERS.slice(0, 2), ["RUN true # buildkit", [{ name: "b" }]]], {
      tag: "2",
      start: new Date("2026-11-22T01:02:03.456Z"),
    });
    stored.manifests.delete(digest);
    const sbom = join(root, "records/demo", one.evidence.sbom?.path ?? "");
    writeFileSync(
      sbom,
      readFileSync(sbom, "utf8").replace('"components": []', '"components": [{"purl": "pkg:deb/a@1"}]'),
    );
    const found = await json("diff", one.record_id, other.record_id);
    expect(found).toMatchObject({
      packages: null,
      files: null,
      missing: [
        { side: "a", what: "the image" },
        { side: "a", what: "the packages" },
      ],
    });
    const file = join(root, "records/demo", `${other.record_id}.json`);
    writeFileSync(file, readFileSync(file, "utf8").replace('"core"', '"evil"'));
    const { status, stdout } = await call("diff", one.record_id, other.record_id, "--json");
    expect([status, JSON.parse(stdout)]).toMatchObject([2, { error: { code: "EVIDENCE_MISMATCH" } }]);
  });
});
