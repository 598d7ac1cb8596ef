import { describe, expect, it } from "vitest";
import { openStore } from "../../src/pipeline/open-store.ts";
import { attachProof } from "../../src/proof/attach-proof.ts";
import { attachRecords } from "../../src/proof/attach-records.ts";
import { evidenceOf } from "../../src/records/evidence.ts";
import { RECORD_ARTIFACT } from "../../src/records/remote/record-artifact.ts";
import { INDEX, putDocument, putImage, putReferrer } from "./oci-made.ts";
import { clientOf, refuse, serveRegistry, type ServedOptions } from "./oci-server.ts";
import { proofDeps, wholeOf, writeProof } from "./proof-made.ts";
import { factoryAtOnce, makeWorkspace } from "./workspace.ts";

const TYPES = ["application/vnd.cyclonedx+json", RECORD_ARTIFACT, "application/vnd.in-toto+json"].sort();

const platformOf = (architecture: string) => ({ os: "linux", architecture });

/** A registry with an image of two platforms and its attestation, and a workspace with the records of both. */
async function published(options: ServedOptions = {}) {
  const registry = await serveRegistry(options);
  const root = makeWorkspace();
  const stored = registry.of("team/app");
  const images = [putImage(stored, "amd64"), putImage(stored, "arm64")] as const;
  const attestation = {
    ...putImage(stored, "provenance"),
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.type": "attestation-manifest" },
  };
  const manifests = [
    { ...images[0], platform: platformOf("amd64") },
    { ...images[1], platform: platformOf("arm64") },
    attestation,
  ];
  const index = putDocument(stored, { manifests }, INDEX);
  const ref = `${registry.host}/team/app:1`;
  const records = [
    await writeProof(root, { ref, digest: images[0].digest }),
    await writeProof(
      root,
      { ref, digest: images[1].digest },
      { inputs: { platform: "linux/arm64", cell_id: "demo.linux-arm64" } },
    ),
  ];
  const whole = await Promise.all(records.map(({ record_id }) => wholeOf(root, record_id)));
  const at = { host: registry.host, repository: "team/app" };
  const attach = (digest: string, some = whole) => attachProof({ ...at, digest }, some, proofDeps());
  return { registry, root, stored, images, index, records, whole, attach, client: clientOf(registry.host) };
}

describe.each([true, false])("attachProof (API for referrers: %s)", (referrers) => {
  it("attaches records, SBOMs and provenances to each platform and to the index", async () => {
    const { index, images, records, attach, client } = await published({ referrers });
    expect(await attach(index.digest)).toBe(12);
    for (const [at, { digest }] of images.entries()) {
      const { found } = await client.referrers(digest);
      expect(found.map(({ artifactType }) => artifactType).sort()).toEqual(TYPES);
      for (const { annotations } of found)
        expect(annotations["io.factory.record-id"]).toBe(records[at]?.record_id);
    }
    expect((await client.referrers(index.digest)).found).toHaveLength(6);
  });

  it("sends nothing again", async () => {
    const { index, registry, attach } = await published({ referrers });
    await attach(index.digest);
    registry.got.length = 0;
    expect(await attach(index.digest)).toBe(0);
    expect(registry.got.every(({ method }) => method === "GET" || method === "HEAD")).toBe(true);
  });

  it("attaches what was attached and is not found from the image any more", async () => {
    const { index, images, attach, registry, client } = await published({ referrers });
    await attach(index.digest);
    const [{ digest }] = images;
    if (referrers)
      for (const { digest: one } of (await client.referrers(digest)).found) registry.manifests.delete(one);
    else registry.manifests.delete(digest.replace(":", "-"));
    expect((await client.referrers(digest)).found).toEqual([]);
    await attach(index.digest);
    expect((await client.referrers(digest)).found).toHaveLength(3);
  });
});

describe("attachProof", () => {
  it("stores the record and its evidence byte for byte", async () => {
    const { images, whole, stored, attach } = await published();
    const [one] = whole;
    if (!one) throw new Error("no record");
    expect(await attach(images[0].digest, [one])).toBe(3);
    for (const piece of evidenceOf(one.record))
      expect(stored.blobs.get(`sha256:${piece.sha256}`)).toEqual(one.evidence(piece));
    expect([...stored.blobs.values()].some((bytes) => bytes.equals(one.text))).toBe(true);
  });

  it("attaches nothing where the image is not there", async () => {
    const { attach, registry } = await published();
    expect(await attach(`sha256:${"0".repeat(64)}`)).toBe(null);
    expect(registry.got.some(({ method }) => method === "PUT" || method === "POST")).toBe(false);
  });

  it.each(["another image", "no image"])("attaches nothing to %s", async (what) => {
    const { stored, attach, registry } = await published();
    const other =
      what === "no image"
        ? putDocument(stored, { manifests: [{ digest: "latest" }] }, INDEX)
        : putImage(stored, "other");
    await expect(attach(other.digest)).rejects.toMatchObject({ code: "PROOF_MISMATCH", exitCode: 3 });
    expect(registry.got.some(({ method }) => method === "PUT" || method === "POST")).toBe(false);
  });

  it("leaves alone what others attached", async () => {
    const { stored, images, attach, client } = await published({ referrers: true });
    const theirs = putReferrer(stored, images[0], "application/x.theirs", "text");
    await attach(images[0].digest, (await published()).whole.slice(0, 0));
    expect((await client.referrers(images[0].digest)).found.map(({ digest }) => digest)).toEqual([
      theirs.digest,
    ]);
  });
});

describe("attachRecords", () => {
  it("attaches records to images that were pushed and are there, and counts those", async () => {
    const { root, registry, images } = await published();
    const ref = `${registry.host}/team/app:2`;
    const [{ digest }] = images;
    await writeProof(
      root,
      { ref, digest: `sha256:${"2".repeat(64)}` },
      { start: new Date("2026-11-22T00:00:00Z") },
    );
    await writeProof(root, { ref: "local:1", digest }, { start: new Date("2026-11-23T00:00:00Z") });
    const attached = await attachRecords(
      openStore(root),
      {},
      (image, records) => attachProof(image, records, proofDeps()),
      new AbortController().signal,
    );
    expect(attached).toBe(2);
  });

  it("is what `records push` does, beside the remote; and that it may not is no error there", async () => {
    const { root, registry, client, images } = await published({ referrers: true });
    const remote = { FACTORY_RECORDS_REMOTE: `oci://${registry.host}/team/records` };
    const pushed = await factoryAtOnce(root, ["records", "push", "--json"], remote);
    expect(pushed.status, pushed.stderr).toBe(0);
    expect(JSON.parse(pushed.stdout)).toMatchObject({ attached: 2 });
    expect((await client.referrers(images[0].digest)).found).toHaveLength(3);

    const closed = await published({
      before: ({ url, method }, response) => {
        if (!url.includes("/team/app/") || method === "GET" || method === "HEAD") return false;
        refuse(response, 403, "DENIED", "requested access to the resource is denied");
        return true;
      },
    });
    const env = { FACTORY_RECORDS_REMOTE: `oci://${closed.registry.host}/team/records` };
    const refused = await factoryAtOnce(closed.root, ["records", "push", "--json"], env);
    expect(refused.status, refused.stderr).toBe(0);
    expect(refused.stderr).toContain("warning: records are not attached to their images");
    expect(JSON.parse(refused.stdout)).toMatchObject({ attached: 0 });
  });
});
