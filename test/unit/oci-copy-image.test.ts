import { describe, expect, it } from "vitest";
import { copyImage, type CopyOptions } from "../../src/tools/oci/copy-image.ts";
import { createWaits } from "./oci-waits.ts";
import { INDEX, MANIFEST, type Named, putBlob, putDocument, putImage, putReferrer } from "./oci-made.ts";
import { openWith, refuse, refusalOf, serveRegistry, type ServedOptions } from "./oci-server.ts";

const SBOM = "application/x.sbom";
const SIGNATURE = "application/x.signature";

/** Two repositories, of one registry or of two, with an image of two platforms and an attestation in the first one. */
async function served({ hosts = 1, ...options }: ServedOptions & { hosts?: 1 | 2 } = {}) {
  const source = await serveRegistry({ apart: true, ...options });
  const target = hosts === 1 ? source : await serveRegistry({ apart: true, ...options });
  const from = { host: source.host, repository: "team/canary" };
  const to = { host: target.host, repository: "team/stable" };
  const [before, after] = [source.of(from.repository), target.of(to.repository)];
  const platforms = [putImage(before, "shared", "amd64"), putImage(before, "shared", "arm64")];
  const index = putDocument(before, { manifests: platforms, annotations: { by: "us" } }, INDEX);
  const copy = (digest: string, copying: CopyOptions = {}) =>
    copyImage({ from, to, digest }, copying, { open: openWith(), ...createWaits() });
  return { source, target, before, after, platforms, index, copy };
}

const uploads = (got: { method: string; url: string }[]) =>
  got.filter(({ method, url }) => method === "PUT" && url.includes("/blobs/"));

describe("copyImage", () => {
  it("copies an index with all that it names, byte for byte, the index last", async () => {
    const { before, after, index, platforms, target, copy } = await served({ hosts: 2 });
    expect(await copy(index.digest)).toEqual({ manifests: 3, blobs: 5, left: [] });
    for (const { digest } of [index, ...platforms])
      expect(after.manifests.get(digest)).toEqual(before.manifests.get(digest));
    expect(after.blobs).toEqual(before.blobs);
    const last = target.got.filter(({ method }) => method === "PUT").at(-1);
    expect(last?.url).toBe(`/v2/team/stable/manifests/${index.digest}`);
    expect([...after.manifests.keys()].every((ref) => ref.startsWith("sha256:"))).toBe(true);
  });

  it("sends no blob within one registry, which takes them over", async () => {
    const { before, after, index, source, copy } = await served();
    expect(await copy(index.digest)).toEqual({ manifests: 3, blobs: 0, left: [] });
    expect(after).toEqual(before);
    expect(uploads(source.got)).toEqual([]);
  });

  it.each([202, 401, 403, 405, 500])(
    "sends the blobs where a registry answers %i to the wish to take them over",
    async (status) => {
      const { before, after, index, copy } = await served({
        before: ({ method, url }, response) => {
          if (method !== "POST" || !url.includes("mount=") || status === 202) return false;
          refuse(response, status, "DENIED", "no");
          return true;
        },
        // A registry without `apart` takes nothing over.
        ...(status === 202 ? { hosts: 2 as const } : {}),
      });
      expect(await copy(index.digest)).toMatchObject({ blobs: 5 });
      expect(after.blobs).toEqual(before.blobs);
    },
  );

  it("does nothing twice", async () => {
    const { index, target, copy } = await served({ hosts: 2 });
    await copy(index.digest);
    target.got.length = 0;
    expect(await copy(index.digest)).toEqual({ manifests: 0, blobs: 0, left: [] });
    expect(target.got.every(({ method }) => method === "HEAD")).toBe(true);
  });

  it.each([true, false])(
    "takes wanted referrers along, and what refers to those (API: %s)",
    async (referrers) => {
      const { before, after, index, platforms, copy } = await served({ hosts: 2, referrers });
      const sbom = putReferrer(before, platforms[0] as Named, SBOM, "bill");
      const signature = putReferrer(before, sbom, SIGNATURE, "signed");
      const unwanted = putReferrer(before, index, "application/x.unwanted", "planted");
      if (!referrers) {
        for (const [subject, one, artifactType] of [
          [platforms[0], sbom, SBOM],
          [sbom, signature, SIGNATURE],
          [index, unwanted, "application/x.unwanted"],
        ] as const) {
          const list = Buffer.from(JSON.stringify({ manifests: [{ ...one, artifactType }] }));
          before.manifests.set(subject?.digest.replace(":", "-") ?? "", { bytes: list, mediaType: INDEX });
        }
      }
      expect(await copy(index.digest, { referrers: [SBOM, SIGNATURE] })).toMatchObject({ manifests: 5 });
      for (const { digest } of [sbom, signature])
        expect(after.manifests.get(digest)).toEqual(before.manifests.get(digest));
      expect(after.manifests.has(unwanted.digest)).toBe(false);
      expect(await copy(index.digest, { referrers: [SBOM, SIGNATURE] })).toMatchObject({
        manifests: 0,
        blobs: 0,
      });
    },
  );

  it("leaves referrers out that are gone, broken or of something else, and names them", async () => {
    const { before, after, index, platforms, copy } = await served({ hosts: 2 });
    const good = putReferrer(before, index, SBOM, "bill");
    const hollow = putReferrer(before, index, SBOM, "its layer is gone");
    const other = putReferrer(before, platforms[0] as Named, SBOM, "of the platform");
    const gone = { ...good, digest: `sha256:${"0".repeat(64)}` };
    for (const [digest, bytes] of before.blobs)
      if (String(bytes) === "its layer is gone") before.blobs.delete(digest);
    const list = [gone, hollow, other, good].map((one) => ({ ...one, artifactType: SBOM }));
    before.manifests.set(index.digest.replace(":", "-"), {
      bytes: Buffer.from(JSON.stringify({ manifests: list })),
      mediaType: INDEX,
    });
    const { left } = await copy(index.digest, { referrers: [SBOM] });
    expect(left).toEqual([gone.digest, hollow.digest, other.digest]);
    const there = JSON.parse(String(after.manifests.get(index.digest.replace(":", "-"))?.bytes)) as {
      manifests: Named[];
    };
    expect(there.manifests.map(({ digest }) => digest)).toEqual([good.digest]);
  });

  it("reads the type of a referrer where the registry takes that of its empty config for it", async () => {
    const { before, after, index, copy } = await served({ hosts: 2 });
    const sbom = putReferrer(before, index, SBOM, "bill");
    const other = putReferrer(before, index, "application/x.unwanted", "planted");
    const list = [sbom, other].map((one) => ({ ...one, artifactType: "application/vnd.oci.empty.v1+json" }));
    before.manifests.set(index.digest.replace(":", "-"), {
      bytes: Buffer.from(JSON.stringify({ manifests: list })),
      mediaType: INDEX,
    });
    expect(await copy(index.digest, { referrers: [SIGNATURE, SBOM] })).toMatchObject({
      manifests: 4,
      left: [],
    });
    expect(after.manifests.has(sbom.digest)).toBe(true);
    expect(after.manifests.has(other.digest)).toBe(false);
  });

  it("puts nothing under the image's digest if a blob is not there", async () => {
    const { before, after, index, copy } = await served({ hosts: 2 });
    for (const [digest, bytes] of before.blobs) if (String(bytes) === "arm64") before.blobs.delete(digest);
    expect((await refusalOf(copy(index.digest))).code).toBe("REGISTRY_NOT_FOUND");
    expect(after.manifests.has(index.digest)).toBe(false);
  });

  it("takes no blob that is not what its digest says", async () => {
    const { before, after, index, copy } = await served({ hosts: 2 });
    for (const [digest, bytes] of before.blobs)
      if (String(bytes) === "arm64") before.blobs.set(digest, Buffer.from("evil!"));
    expect((await refusalOf(copy(index.digest))).code).toBe("REGISTRY_CONTENT");
    expect(after.manifests.has(index.digest)).toBe(false);
    expect([...after.blobs.values()].map(String)).not.toContain("evil!");
  });

  it("copies an image that names a layer on the web without that layer", async () => {
    const { before, after, copy } = await served({ hosts: 2 });
    const config = putBlob(before, "{}");
    const web = {
      mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
      digest: `sha256:${"1".repeat(64)}`,
      size: 9,
      urls: ["https://web.example/layer"],
    };
    const image = putDocument(before, { config, layers: [web] }, MANIFEST);
    expect(await copy(image.digest)).toEqual({ manifests: 1, blobs: 1, left: [] });
    expect(after.manifests.get(image.digest)).toEqual(before.manifests.get(image.digest));
  });

  it.each([
    ["another kind inside than outside", { mediaType: MANIFEST, manifests: [] }, INDEX],
    ["a kind that is not known", { mediaType: "application/x", layers: [] }, "application/x"],
    ["no layers", { mediaType: MANIFEST, config: null }, MANIFEST],
    ["layers and manifests", { mediaType: INDEX, manifests: [], layers: [] }, INDEX],
    [
      "a layer without a digest",
      { mediaType: MANIFEST, config: { digest: "x", size: 1 }, layers: [] },
      MANIFEST,
    ],
    [
      "a layer without a size",
      { mediaType: INDEX, manifests: [{ digest: `sha256:${"1".repeat(64)}` }] },
      INDEX,
    ],
    ["too many manifests", { mediaType: INDEX, manifests: Array.from({ length: 1001 }, () => ({})) }, INDEX],
  ])("refuses a manifest with %s", async (_, document, mediaType) => {
    const { before, after, copy } = await served({ hosts: 2 });
    const one = putDocument(before, document, mediaType);
    expect((await refusalOf(copy(one.digest))).code).toBe("REGISTRY_CONTENT");
    expect(after.manifests.size).toBe(0);
  });

  it("refuses indexes in indexes without an end", async () => {
    const { before, index, copy } = await served({ hosts: 2 });
    let outer = index;
    for (let depth = 0; depth < 5; depth += 1) outer = putDocument(before, { manifests: [outer] }, INDEX);
    expect((await refusalOf(copy(outer.digest))).shown).toContain("too many in each other");
  });
});
