import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { join } from "../../src/publish/joined.ts";
import { FROM, MANIFEST, pushedImage as image, servedAs } from "./publish-made.ts";

interface Read {
  manifests: { digest: string; annotations?: Record<string, string> }[];
  annotations?: Record<string, string>;
}

const read = (joined: ReturnType<typeof join>): Read => {
  if ("why" in joined) return expect.unreachable(joined.why);
  return JSON.parse(Buffer.from(joined.bytes).toString()) as Read;
};

describe("join", () => {
  it("takes the image of one platform as it was pushed", () => {
    const one = image("linux/amd64");
    expect(join([one])).toEqual({ ...one.served, members: [{ digest: one.digest, from: FROM }] });
    const plain = servedAs(MANIFEST, { schemaVersion: 2, config: {}, layers: [] });
    const alone = { ...one, served: plain, digest: plain.digest, manifest_digest: plain.digest };
    expect(join([alone])).toMatchObject({ digest: plain.digest, mediaType: MANIFEST });
  });

  it("gives the same bytes for the same images in any order, with every attestation behind the images", () => {
    const platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x", "windows/amd64"];
    fc.assert(
      fc.property(fc.shuffledSubarray(platforms, { minLength: 2 }), (chosen) => {
        const joined = join(chosen.map((platform) => image(platform)));
        const again = join([...chosen].sort().map((platform) => image(platform)));
        expect(joined).toEqual(again);
        const { manifests, annotations } = read(joined);
        const sorted = [...chosen].sort();
        expect(manifests.map(({ digest }) => digest)).toEqual([
          ...sorted.map((platform) => sha256(`manifest of ${platform}`)),
          ...sorted.map((platform) => sha256(`attestation of ${platform}`)),
        ]);
        // What is not the same on all platforms, and what is no name of OCI or Factory, is said of none.
        expect(annotations).toEqual({ "org.opencontainers.image.title": "app" });
        if ("why" in joined) return;
        expect(joined.digest).toBe(sha256(joined.bytes));
        const digests = (list: readonly { digest: string }[]) => list.map(({ digest }) => digest).sort();
        expect(digests(joined.members)).toEqual(digests(manifests));
      }),
    );
  });

  it("names the platform of an image that was pushed without an index", () => {
    const plain = servedAs(MANIFEST, { schemaVersion: 2, config: {}, layers: [] });
    const one = image("linux/arm64/v8");
    const alone = { ...one, served: plain, digest: plain.digest, manifest_digest: plain.digest };
    expect(read(join([alone, image("linux/amd64")])).manifests[1]).toMatchObject({
      digest: plain.digest,
      size: plain.bytes.length,
      platform: { os: "linux", architecture: "arm64", variant: "v8" },
    });
  });
});
