import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { attachedCommits } from "../../src/proof/attached-commits.ts";
import { attachProof } from "../../src/proof/attach-proof.ts";
import { baseLink } from "../../src/proof/base-link.ts";
import { servedDiffIds } from "../../src/proof/diff-ids.ts";
import { verifyImage } from "../../src/proof/verify-image.ts";
import { recordManifest } from "../../src/records/remote/record-artifact.ts";
import { contentHash } from "../../src/records/record-id.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import {
  INDEX,
  MANIFEST,
  type Named,
  putBlob,
  putDocument,
  putImage,
  putReferrer,
} from "../unit/oci-made.ts";
import { clientOf, serveRegistry, type ServedOptions } from "../unit/oci-server.ts";
import { proofDeps, wholeOf, writeProof } from "../unit/proof-made.ts";
import { record as recordOf } from "../unit/records-made.ts";
import { makeWorkspace } from "../unit/workspace.ts";

const ARTIFACT = "application/vnd.factory.record.v2";

/** A registry with an image that has its proof attached. */
async function proven(options: ServedOptions = {}) {
  const registry = await serveRegistry({ referrers: true, ...options });
  const root = makeWorkspace();
  const stored = registry.of("team/app");
  const image = putImage(stored, "amd64");
  const manifests = [{ ...image, platform: { os: "linux", architecture: "amd64" } }];
  const index = putDocument(stored, { manifests }, INDEX);
  const record = await writeProof(root, { ref: `${registry.host}/team/app:1`, digest: image.digest });
  const whole = await wholeOf(root, record.record_id);
  const at = { host: registry.host, repository: "team/app" };
  const attach = (digest: string) => attachProof({ ...at, digest }, [whole], proofDeps());
  await attach(index.digest);
  const client = clientOf(registry.host);
  const verify = async (ref = index.digest, prunedHere: () => string | null = () => null) => {
    const { links, records } = await verifyImage(ref, {
      ...proofDeps(),
      client,
      store: openStore(makeWorkspace()),
      signers: [],
      verify: () => expect.unreachable("nothing is to be asked of cosign"),
      prunedHere,
    });
    const broken = links.filter(({ status }) => status === "broken");
    return { links, records, broken: broken.map(({ link }) => link), why: broken[0]?.why ?? "" };
  };
  return { registry, stored, image, index, record, whole, client, verify };
}

/** Puts an artifact in place of all that is attached to an image. */
function replaceAttached({ manifests }: Awaited<ReturnType<typeof proven>>["stored"]): void {
  for (const [name, { bytes }] of [...manifests])
    if (bytes.toString("utf8").includes('"subject"')) manifests.delete(name);
}

describe.each([true, false])("a proof that is walked (API for referrers: %s)", (referrers) => {
  it("9.8 holds from the index and from the manifest of a platform, by other machines", async () => {
    const { index, image, record, verify } = await proven({ referrers });
    for (const digest of [index.digest, image.digest]) {
      const { broken, records, why } = await verify(digest);
      expect(broken, why).toEqual([]);
      expect(records.map((one) => one.record.record_id)).toEqual([record.record_id]);
    }
  });

  it("9.8 cannot be checked where its evidence was pruned here and is gone there, and is broken where it was not", async () => {
    const { record, stored, verify, index } = await proven({ referrers });
    const { build_log } = record.evidence;
    expect(stored.blobs.delete(`sha256:${build_log?.sha256}`)).toBe(true);
    expect((await verify()).broken).toEqual(["evidence"]);
    const { broken, links, records } = await verify(index.digest, () => "2026-11-20T01:02:03.000Z");
    expect([broken, records]).toEqual([[], []]);
    expect(links.find(({ link }) => link === "evidence")).toMatchObject({
      status: "unchecked",
      why: expect.stringContaining("was pruned on 2026-11-20") as string,
    });
  });

  it("9.8 is not broken by what others attach", async () => {
    const { index, image, stored, record, verify } = await proven({ referrers });
    const add = (subject: Named, type: string, text: string) => {
      const planted = putReferrer(stored, subject, type, text);
      if (referrers) return;
      const tag = subject.digest.replace(":", "-");
      const before = JSON.parse(stored.manifests.get(tag)?.bytes.toString("utf8") ?? "{}") as {
        manifests: object[];
      };
      const manifests = [...before.manifests, { ...planted, artifactType: type }];
      const bytes = Buffer.from(JSON.stringify({ ...before, manifests }));
      stored.manifests.set(tag, { bytes, mediaType: INDEX });
    };
    for (const subject of [index, image])
      for (const text of ["", "{", "null", '{"record_id":"20990101t000000000z-0000000000000000"}'])
        for (const type of [ARTIFACT, "application/vnd.dev.sigstore.bundle.v0.3+json", "text/html"])
          add(subject, type, text);
    const { broken, why, records } = await verify();
    expect(broken, why).toEqual([]);
    expect(records[0]?.record.record_id).toBe(record.record_id);
  });
});

describe("a proof that does not hold", () => {
  it("9.8 a flipped byte of any piece of evidence is named", async () => {
    const { stored, whole, verify } = await proven();
    for (const piece of Object.values(whole.record.evidence)) {
      if (!piece) continue;
      const name = `sha256:${piece.sha256}`;
      const bytes = stored.blobs.get(name);
      if (!bytes) throw new Error(`there is no ${name}`);
      const flipped = Buffer.from(bytes);
      flipped[0] = (flipped[0] ?? 0) ^ 1;
      stored.blobs.set(name, flipped);
      const { broken, why } = await verify();
      expect(broken).toEqual(["evidence"]);
      expect(why).toContain(piece.sha256);
      stored.blobs.delete(name);
      expect((await verify()).broken).toEqual(["evidence"]);
      stored.blobs.set(name, bytes);
    }
    expect((await verify()).broken).toEqual([]);
  });

  it("9.8 an edited record is refused, with its old id, and with a new one that its evidence does not prove", async () => {
    const one = await proven();
    const { stored, whole, index, image, verify } = one;
    const plant = (record: FactoryRecord) => {
      replaceAttached(stored);
      const text = Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
      stored.blobs.set(sha256(text), text);
      for (const subject of [index, image]) {
        const bytes = recordManifest(record, text, subject);
        stored.manifests.set(sha256(bytes), { bytes, mediaType: MANIFEST });
      }
    };
    const { record } = whole;
    plant({ ...record, tests: record.tests.slice(1) });
    expect(await verify()).toMatchObject({ broken: ["record"] });
    const edits: Partial<FactoryRecord>[] = [
      { tests: record.tests.slice(1) },
      { base: { ...record.base, digest: `sha256:${"e".repeat(64)}` } },
      { build_key: `sha256:${"e".repeat(64)}` },
      { platform: "linux/arm64" },
      { args: { port: 9090 } },
    ];
    for (const edit of edits) {
      const edited = { ...record, ...edit };
      const id = `${record.record_id.split("-")[0]}-${contentHash(edited)}`;
      plant({ ...edited, record_id: id });
      expect((await verify()).broken, JSON.stringify(edit)).toContain("evidence");
    }
  });

  it("9.8 a record of another image, of a failure, or of the whole index alone proves nothing", async () => {
    const { stored, verify, whole } = await proven();
    const other = putImage(stored, "other");
    const copy = putDocument(
      stored,
      { manifests: [{ ...other, platform: { os: "linux", architecture: "amd64" } }] },
      INDEX,
    );
    expect(await verify(copy.digest)).toMatchObject({
      broken: ["record"],
      why: "no record is attached to it",
    });
    for (const subject of [copy, other]) {
      const bytes = recordManifest(whole.record, whole.text, subject);
      stored.manifests.set(sha256(bytes), { bytes, mediaType: MANIFEST });
    }
    expect(await verify(copy.digest)).toMatchObject({ broken: ["record"] });
    const failed = recordOf({ result: { status: "fail", stage: "smoke" } });
    const text = Buffer.from(JSON.stringify(failed));
    stored.blobs.set(sha256(text), text);
    const bytes = recordManifest(failed, text, other);
    stored.manifests.set(sha256(bytes), { bytes, mediaType: MANIFEST });
    expect((await verify(copy.digest)).broken).toContain("record");
  });

  it("9.8 an index that calls an image another platform is named, and what is no image too", async () => {
    const { stored, image, verify } = await proven();
    const lying = putDocument(
      stored,
      { manifests: [{ ...image, platform: { os: "linux", architecture: "s390x" } }] },
      INDEX,
    );
    expect((await verify(lying.digest)).broken).toEqual(["image"]);
    for (const manifests of [[], [null], [{ digest: "latest" }], "none"])
      expect((await verify(putDocument(stored, { manifests }, INDEX).digest)).broken).toEqual(["image"]);
  });
});

describe("the commits at which an image was proven", () => {
  it("9.8 are those of the records on it; what is no record, or is gone, is passed over", async () => {
    const { registry, stored, index, record } = await proven();
    const deps = { ...proofDeps(), client: clientOf(registry.host) };
    for (const text of ["", "{", '{"source":{"commit":"0"}}']) putReferrer(stored, index, ARTIFACT, text);
    const store = openStore(makeWorkspace());
    const expected = record.source.commit === null ? [] : [record.source.commit];
    expect(await attachedCommits(deps, index.digest, store)).toEqual(expected);
    expect(await attachedCommits(deps, `sha256:${"0".repeat(64)}`, store)).toEqual([]);
  });
});

describe("the base of an image", () => {
  const base = { ref: "registry.example/base:1", digest: `sha256:${"b".repeat(64)}` };
  const about = recordOf({ base });
  const link = (own: string[] | null, layers: string[] | null, now?: string | null) =>
    baseLink(about, { own, diffIdsOf: () => Promise.resolve(layers), now });

  it("9.8 is what the image begins with, layer by layer, or it is said that nobody knows", async () => {
    expect(await link(["a", "b", "c"], ["a", "b"])).toMatchObject({ status: "ok" });
    for (const [own, layers] of [
      [["a"], ["a", "b"]],
      [
        ["b", "a"],
        ["a", "b"],
      ],
      [[], ["a"]],
    ] as const)
      expect(await link([...own], [...layers])).toMatchObject({ status: "broken" });
    expect(await link(null, ["a"])).toMatchObject({ status: "unchecked" });
    expect(await link(["a"], null)).toMatchObject({ status: "unchecked" });
    expect(await link(["a"], ["a"], base.digest)).toMatchObject({ status: "ok" });
    expect(await link(["a"], ["a"], null)).toMatchObject({ status: "unchecked" });
    expect(await link(["a"], ["a"], `sha256:${"c".repeat(64)}`)).toMatchObject({ status: "broken" });
  });

  it("9.8 is read from the configuration of its platform's image, which may be nonsense", async () => {
    const registry = await serveRegistry();
    const stored = registry.of("team/app");
    const deps = { ...proofDeps(), client: clientOf(registry.host) };
    const image = (config: string) =>
      putDocument(stored, { config: putBlob(stored, config), layers: [] }, MANIFEST);
    const good = image(JSON.stringify({ rootfs: { diff_ids: ["a", "b"] } }));
    const index = putDocument(
      stored,
      {
        manifests: [
          { ...image("{}"), platform: { os: "linux", architecture: "amd64" } },
          { ...good, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
        ],
      },
      INDEX,
    );
    expect(await servedDiffIds(deps, good.digest, "linux/amd64")).toEqual(["a", "b"]);
    expect(await servedDiffIds(deps, index.digest, "linux/arm64")).toEqual(["a", "b"]);
    expect(await servedDiffIds(deps, index.digest, "linux/s390x")).toBe(null);
    for (const config of ["", "[]", "null", '{"rootfs":null}', '{"rootfs":{"diff_ids":[1]}}'])
      expect(await servedDiffIds(deps, image(config).digest, "linux/amd64")).toBe(null);
  });
});
