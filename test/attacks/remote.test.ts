import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { sha256 } from "../../src/model/digest.ts";
import { INDEX_TYPE, keyTag, recordTag, writeIndex } from "../../src/records/remote/key-index.ts";
import { recordManifest } from "../../src/records/remote/record-artifact.ts";
import { contentHash } from "../../src/records/record-id.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { type Got, refuse, serveRegistry, type ServedRegistry } from "../unit/oci-server.ts";
import { INPUTS } from "../unit/records-made.ts";
import { keysOf, remoteOn, served, writeRecords } from "../unit/remote-made.ts";
import { factoryAtOnce, makeWorkspace, treeOf } from "../unit/workspace.ts";

const OTHER = { dockerfile: INPUTS.dockerfile.replace("true", "other") };

const refusal = (work: Promise<unknown>): Promise<FactoryError> =>
  work.then(
    () => expect.unreachable(),
    (error: unknown) => (error instanceof FactoryError ? error : Promise.reject(error as Error)),
  );

/** A remote with one record, and another machine. */
async function shared() {
  const registry = await served();
  const [here, there] = [makeWorkspace(), makeWorkspace()];
  const [record] = await writeRecords(here, [1]);
  if (!record) throw new Error("no record");
  await remoteOn(registry).push(openStore(here));
  return { registry, here, there, record, cell: keysOf(record) };
}

const textOf = (root: string, { manifest_id, record_id }: FactoryRecord): Buffer =>
  readFileSync(join(root, "records", manifest_id, `${record_id}.json`));

/** Puts a record's artifact in place of another one, under its tag and those of its keys. */
function plant({ manifests, blobs }: ServedRegistry, tag: string, record: FactoryRecord, text: Buffer): void {
  const bytes = recordManifest(record, text);
  const stored = { bytes, mediaType: "application/vnd.oci.image.manifest.v1+json" };
  blobs.set(sha256(text), text);
  manifests.set(tag, stored).set(sha256(bytes), stored);
  const index = writeIndex([{ record_id: tag.slice(2), digest: sha256(bytes), size: bytes.length }]);
  manifests.set(keyTag("verdict", record.verdict_key), { bytes: index, mediaType: INDEX_TYPE });
}

describe("what others wrote to the remote", () => {
  it("9.1 a record that was edited is refused, by pull and by look-up, and nothing is written", async () => {
    const { registry, here, there, record, cell } = await shared();
    const edited = textOf(here, record).toString().replace('"status": "pass"', '"status": "fail"');
    plant(registry, recordTag(record.record_id), record, Buffer.from(edited));
    const before = treeOf(there);
    for (const asked of [
      remoteOn(registry).pull(openStore(there)),
      remoteOn(registry).fetch(openStore(there), [cell]),
    ])
      expect(await refusal(asked)).toMatchObject({ code: "REMOTE_CONTENT", exitCode: 3 });
    expect(treeOf(there)).toBe(before);
  });

  it("9.1 another record under the tag of one is refused", async () => {
    const { registry, there, record } = await shared();
    const elsewhere = makeWorkspace();
    const [other] = await writeRecords(elsewhere, [2], OTHER);
    if (!other) throw new Error("no record");
    plant(registry, recordTag(record.record_id), other, textOf(elsewhere, other));
    expect(await refusal(remoteOn(registry).pull(openStore(there)))).toMatchObject({
      code: "REMOTE_CONTENT",
      message: expect.stringContaining(other.record_id) as string,
    });
  });

  it("9.1 a key that leads to a record of another key proves nothing", async () => {
    const { registry, there, cell } = await shared();
    const elsewhere = makeWorkspace();
    const [other] = await writeRecords(elsewhere, [2], OTHER);
    if (!other) throw new Error("no record");
    await remoteOn(registry).push(openStore(elsewhere));
    const index = registry.manifests.get(keyTag("verdict", other.verdict_key));
    if (index) registry.manifests.set(keyTag("verdict", cell.verdict_key), index);
    registry.manifests.delete(keyTag("build", cell.build_key));
    await remoteOn(registry).fetch(openStore(there), [cell]);
    expect(await openStore(there).findByVerdictKey(cell.verdict_key)).toEqual([]);
  });

  it("9.1 evidence that is missing, short or another one's is refused", async () => {
    const { registry, there, record } = await shared();
    const digests = [...registry.blobs.keys()].filter((digest) => digest !== sha256("{}"));
    const evidence = digests.filter((digest) => JSON.stringify(record.evidence).includes(digest.slice(7)));
    expect(evidence.length).toBeGreaterThan(4);
    for (const digest of evidence) {
      const bytes = registry.blobs.get(digest) ?? Buffer.alloc(0);
      for (const wrong of [undefined, bytes.subarray(1), Buffer.from(bytes.map((byte) => byte ^ 1))]) {
        if (wrong) registry.blobs.set(digest, wrong);
        else registry.blobs.delete(digest);
        const { code } = await refusal(remoteOn(registry).pull(openStore(there)));
        expect(code).toMatch(/^REGISTRY_(CONTENT|NOT_FOUND|UNREACHABLE)$/);
      }
      registry.blobs.set(digest, bytes);
    }
    expect((await openStore(there).list({})).total).toBe(0);
    expect((await remoteOn(registry).pull(openStore(there))).pulled).toHaveLength(1);
  });

  it("9.1 evidence that a record keeps elsewhere is not written there", async () => {
    const { registry, here, there, record } = await shared();
    const evil = JSON.parse(textOf(here, record).toString()) as FactoryRecord;
    const [piece] = Object.values(evil.evidence);
    if (piece) piece.path = "evidence/sha256/../../../../escaped";
    evil.record_id = `${evil.record_id.split("-")[0]}-${contentHash(evil)}`;
    plant(registry, recordTag(evil.record_id), evil, Buffer.from(JSON.stringify(evil)));
    expect((await refusal(remoteOn(registry).pull(openStore(there)))).code).toBe("REMOTE_CONTENT");
    expect(treeOf(there)).not.toContain("escaped");
  });

  it("9.1 an image, garbage and tags of others are no records", async () => {
    const { registry, there, record } = await shared();
    const image = { bytes: Buffer.from('{"schemaVersion":2,"layers":[]}'), mediaType: INDEX_TYPE };
    for (const tag of ["latest", "r-", "r-1", `r-${"9".repeat(60)}`, `v-${"0".repeat(64)}`])
      registry.manifests.set(tag, image);
    expect((await remoteOn(registry).pull(openStore(there))).pulled).toEqual([record.record_id]);
    registry.manifests.set("r-20261121t010203456z-0123456789abcdef", image);
    expect((await refusal(remoteOn(registry).pull(openStore(there)))).code).toBe("REMOTE_CONTENT");
    const cell = { verdict_key: `sha256:${"0".repeat(64)}`, build_key: `sha256:${"1".repeat(64)}` };
    expect(await remoteOn(registry).fetch(openStore(there), [cell])).toBe(0);
  });

  it("9.1 one bad record keeps no good one from travelling", async () => {
    const { registry, here, there, record } = await shared();
    const more = await writeRecords(here, [2, 3]);
    await remoteOn(registry).push(openStore(here));
    plant(registry, recordTag(record.record_id), record, Buffer.from("{}"));
    expect((await refusal(remoteOn(registry).pull(openStore(there)))).code).toBe("REMOTE_CONTENT");
    const { records } = await openStore(there).list({});
    expect(records.map(({ record_id }) => record_id)).toEqual(
      more.map(({ record_id }) => record_id).reverse(),
    );
  });
});

describe("what is wrong here", () => {
  it("9.1 a record that differs from the remote's is pushed over nothing", async () => {
    const { registry, here, record } = await shared();
    const file = join(here, "records", record.manifest_id, `${record.record_id}.json`);
    writeFileSync(file, readFileSync(file, "utf8").replace('"retries": 0', '"retries": 1'));
    const before = registry.manifests.get(recordTag(record.record_id))?.bytes.toString();
    expect((await refusal(remoteOn(registry).push(openStore(here)))).code).toBe("RECORD_CONFLICT");
    expect(registry.manifests.get(recordTag(record.record_id))?.bytes.toString()).toBe(before);
  });

  it("9.1 evidence that was changed or deleted does not travel, and other records do", async () => {
    const registry = await served();
    const here = makeWorkspace();
    const [bad] = await writeRecords(here, [1]);
    const [good] = await writeRecords(here, [2], OTHER);
    const path = bad?.evidence.inputs?.path ?? "";
    writeFileSync(join(here, "records/demo", path), "{}");
    expect((await refusal(remoteOn(registry).push(openStore(here)))).code).toBe("EVIDENCE_LOST");
    expect([...registry.manifests.keys()].filter((tag) => tag.startsWith("r-"))).toEqual([
      recordTag(good?.record_id ?? ""),
    ]);
  });
});

describe("a registry that is not well", () => {
  /** Answers some requests with a fault: `share` of ten, in an order that looks like chance. */
  const failing = (statuses: number[], share = 10) => {
    let state = 7;
    return (_: Got, response: Parameters<typeof refuse>[0]) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      if (Math.floor(state / 65_536) % 10 >= share) return false;
      refuse(response, statuses[state % statuses.length] ?? 500, "UNAVAILABLE", "try again");
      return true;
    };
  };

  it("9.1 loses no record through faults: what is tried again arrives once", async () => {
    const before = failing([500, 429, 503], 3);
    const registry = await serveRegistry({ uploadAt: "/v2/team/app/blobs/uploads/one", before });
    const [here, there] = [makeWorkspace(), makeWorkspace()];
    const records = await writeRecords(here, [1, 2, 3, 4, 5]);
    const ids = records.map(({ record_id }) => record_id);
    const patient = { tries: 20 };
    expect((await remoteOn(registry, patient).push(openStore(here))).pushed).toEqual(ids);
    expect((await remoteOn(registry, patient).pull(openStore(there))).pulled).toEqual(ids);
    expect(await openStore(there).verify()).toMatchObject({ verified: 5, problems: [] });
  });

  it.each([401, 403, 500])(
    "9.1 an answer of %i is no absence: nothing is decided without it",
    async (status) => {
      const { record } = await shared();
      const registry = await serveRegistry({ before: failing([status]) });
      const { code } = await refusal(remoteOn(registry).fetch(openStore(makeWorkspace()), [keysOf(record)]));
      expect(code).toMatch(/^REGISTRY_/);
    },
  );

  it("9.1 plan --reuse ends with 3 where the remote cannot be asked", async () => {
    const registry = await serveRegistry({ before: failing([403]) });
    const root = makeWorkspace({
      "factory.yaml": `schema_version: 1\nrecords: {remote: "oci://${registry.host}/team/app"}\n`,
      "manifests/demo.yaml": `schema_version: 1\nmanifest_id: demo\ntemplate: plain@~0.1\nbase: debian@sha256:${"a".repeat(64)}\nfragments: {core: ~0.1, app: 0.1.0}\n`,
      "control_plane/plans/grid.yaml": null,
    });
    const { status, stdout, stderr } = await factoryAtOnce(root, [
      "plan",
      "--manifest-id",
      "demo",
      "--reuse",
      "--json",
    ]);
    expect([status, JSON.parse(stdout)]).toMatchObject([3, { error: { code: "REGISTRY_DENIED" } }]);
    expect(stderr).not.toContain("at Object");
  });

  it("9.1 writers that go on replacing a list are told, and the record is there all the same", async () => {
    const { here } = await shared();
    const registry: ServedRegistry = await serveRegistry({
      uploadAt: "/v2/team/app/blobs/uploads/one",
      before: ({ method, url }, response) => {
        if (method !== "PUT" || !/manifests\/[vb]-/.test(url)) return false;
        // As if another writer had been faster.
        response.writeHead(201).end();
        return true;
      },
    });
    expect((await refusal(remoteOn(registry).push(openStore(here)))).code).toBe("REMOTE_BUSY");
    expect([...registry.manifests.keys()].some((tag) => tag.startsWith("r-"))).toBe(true);
  });
});
