import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { attachReferrers } from "../../src/tools/oci/attach-referrers.ts";
import { MOST_REFERRERS } from "../../src/tools/oci/referrers.ts";
import { sleep } from "../../src/tools/sleep.ts";
import { INDEX, MANIFEST, putImage, putReferrer } from "./oci-made.ts";
import { createWaits } from "./oci-waits.ts";
import { clientOf, refusalOf, serveHttp, serveRegistry, type ServedOptions } from "./oci-server.ts";

const RECORD = "application/x.record";
const OTHER = "application/x.other";

const once = createWaits();

/** A manifest that refers to an image, as bytes to send. */
function referring(subject: string, text: string, artifactType = RECORD) {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType,
      config: { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256("{}"), size: 2 },
      layers: [],
      subject: { mediaType: MANIFEST, digest: subject, size: 1 },
      annotations: { text },
    }),
  );
  return { bytes, mediaType: MANIFEST };
}

async function served(options: ServedOptions = {}) {
  const registry = await serveRegistry(options);
  const stored = registry.of("team/app");
  return { ...registry, stored, client: clientOf(registry.host), image: putImage(stored, "layer") };
}

describe.each([
  { referrers: true, world: "a registry with the API for referrers" },
  { referrers: false, world: "a registry without it" },
])("in $world", ({ referrers }) => {
  it("what is attached is found, with its type and annotations", async () => {
    const { client, image } = await served({ referrers });
    const [a, b] = [referring(image.digest, "a"), referring(image.digest, "b", OTHER)];
    expect(await attachReferrers(client, image.digest, [a, b], once)).toBe(2);
    const { found, whole, kept } = await client.referrers(image.digest);
    expect({ whole, kept }).toEqual({ whole: true, kept: referrers });
    expect(found.map(({ artifactType, annotations }) => [artifactType, annotations.text]).sort()).toEqual([
      [OTHER, "b"],
      [RECORD, "a"],
    ]);
    const some = await client.referrers(image.digest, { artifactType: RECORD });
    expect(some.found).toEqual([
      {
        mediaType: MANIFEST,
        digest: sha256(a.bytes),
        size: a.bytes.length,
        artifactType: RECORD,
        annotations: { text: "a" },
      },
    ]);
  });

  it("what is attached again changes nothing", async () => {
    const { client, image, manifests } = await served({ referrers });
    const one = referring(image.digest, "a");
    await attachReferrers(client, image.digest, [one], once);
    const before = new Map(manifests);
    expect(await attachReferrers(client, image.digest, [one], once)).toBe(0);
    expect(manifests).toEqual(before);
  });

  it("an image to which nothing refers has no referrers", async () => {
    const { client, image } = await served({ referrers });
    expect(await client.referrers(image.digest)).toEqual({ found: [], whole: true, kept: referrers });
  });

  it("eight writers at once lose none of their referrers", async () => {
    const { client, image } = await served({ referrers });
    const texts = ["a", "b", "c", "d", "e", "f", "g", "h"];
    await Promise.all(
      texts.map((text) =>
        attachReferrers(client, image.digest, [referring(image.digest, text)], {
          ...once,
          sleep,
          random: Math.random,
        }),
      ),
    );
    const { found } = await client.referrers(image.digest);
    expect(found.map(({ annotations }) => annotations.text).sort()).toEqual(texts);
  });
});

describe("the API for referrers", () => {
  it("is read page by page, and filtered also where the registry does not", async () => {
    const { client, stored, image, got } = await served({
      referrers: true,
      page: 3,
      before: (one) => {
        // As a registry that knows no filter.
        one.url = one.url.replace(/artifactType=[^&]*/, "");
        return false;
      },
    });
    for (let at = 0; at < 8; at += 1) putReferrer(stored, image, at % 2 ? RECORD : OTHER, `text ${at}`);
    const { found, whole } = await client.referrers(image.digest, { artifactType: RECORD });
    expect(whole).toBe(true);
    expect(found).toHaveLength(4);
    expect(new Set(found.map(({ artifactType }) => artifactType))).toEqual(new Set([RECORD]));
    expect(got).toHaveLength(3);
  });

  it.each([400, 404, 405, 406, 501])("is missing where the answer is %i", async (status) => {
    const { client, image } = await served({
      before: ({ url }, response) => {
        if (!url.includes("/referrers/")) return false;
        response.writeHead(status).end();
        return true;
      },
    });
    await attachReferrers(client, image.digest, [referring(image.digest, "a")], once);
    const { found, kept } = await client.referrers(image.digest);
    expect({ found: found.length, kept }).toEqual({ found: 1, kept: false });
  });

  it.each([401, 403, 429, 500, 503])("is not missing where the answer is %i", async (status) => {
    const { client, image } = await served({
      before: ({ url }, response) => {
        if (!url.includes("/referrers/")) return false;
        response.writeHead(status).end();
        return true;
      },
    });
    expect((await refusalOf(client.referrers(image.digest))).status).toBe(status);
  });

  it("is missing where every page is the same friendly one", async () => {
    const { host } = await serveHttp(({ url }, response) => {
      if (!url.includes("/referrers/")) return response.writeHead(404).end();
      response.setHeader("content-type", "text/html");
      response.end("<h1>Welcome</h1>");
    });
    expect((await clientOf(host).referrers(sha256("x"))).kept).toBe(false);
  });

  it("is read no further than a bound, and that is said", async () => {
    const page = JSON.stringify({
      manifests: Array.from({ length: 1000 }, (_, at) => ({
        mediaType: MANIFEST,
        digest: sha256(String(at)),
        size: 1,
        artifactType: RECORD,
      })),
    });
    const { host, got } = await serveHttp(({ url }, response) => {
      response.setHeader("content-type", INDEX);
      response.setHeader("link", `<${url.split("?")[0]}?n=${got.length}>; rel="next"`);
      response.end(page);
    });
    const { found, whole } = await clientOf(host).referrers(sha256("x"));
    expect(whole).toBe(false);
    expect(found).toHaveLength(MOST_REFERRERS);
    expect(got).toHaveLength(MOST_REFERRERS / 1000);
  });

  it.each([
    ["another host", "https://evil.example/v2/x?n=1", 1],
    ["nothing more, again and again", "?n=1", 0],
  ])("does not lead to %s", async (_, link, entries) => {
    const { host, got } = await serveHttp((_got, response) => {
      response.setHeader("content-type", INDEX);
      response.setHeader("link", `<${link}>; rel="next"`);
      const manifests = [{ mediaType: MANIFEST, digest: sha256("x"), size: 1 }].slice(0, entries);
      response.end(JSON.stringify({ manifests }));
    });
    expect((await refusalOf(clientOf(host).referrers(sha256("x")))).code).toBe("REGISTRY_CONTENT");
    expect(got).toHaveLength(1);
  });
});

describe("the tag that stands in for the API", () => {
  it("keeps what others put there, byte for byte and field for field", async () => {
    const { client, image, manifests } = await served();
    const theirs = {
      mediaType: MANIFEST,
      digest: sha256("theirs"),
      size: 5,
      platform: { os: "linux" },
      data: "e30=",
      "x-other": [1],
    };
    const tag = image.digest.replace(":", "-");
    const before = { schemaVersion: 2, mediaType: INDEX, annotations: { by: "other" }, manifests: [theirs] };
    manifests.set(tag, { bytes: Buffer.from(JSON.stringify(before)), mediaType: INDEX });
    await attachReferrers(client, image.digest, [referring(image.digest, "a")], once);
    const after = JSON.parse(String(manifests.get(tag)?.bytes)) as typeof before;
    expect(after).toMatchObject({ annotations: { by: "other" } });
    expect(after.manifests[0]).toEqual(theirs);
    expect(after.manifests).toHaveLength(2);
  });

  it("is not replaced where it is something else", async () => {
    const { client, image, manifests } = await served();
    const tag = image.digest.replace(":", "-");
    const own = { bytes: Buffer.from('{"schemaVersion":2,"layers":[]}'), mediaType: MANIFEST };
    manifests.set(tag, own);
    const attaching = attachReferrers(client, image.digest, [referring(image.digest, "a")], once);
    expect((await refusalOf(attaching)).code).toBe("REGISTRY_CONTENT");
    expect(manifests.get(tag)).toEqual(own);
    expect((await client.referrers(image.digest)).found).toEqual([]);
  });

  it("is given up if others go on replacing it", async () => {
    const { client, image, manifests } = await served({
      before: ({ method, url }) => {
        if (method === "GET" && url.includes("/manifests/sha256-"))
          manifests.delete(url.split("/").at(-1) ?? "");
        if (method === "HEAD" && url.includes("/manifests/sha256-"))
          manifests.delete(url.split("/").at(-1) ?? "");
        return false;
      },
    });
    await expect(
      attachReferrers(client, image.digest, [referring(image.digest, "a")], once),
    ).rejects.toMatchObject({ code: "REMOTE_BUSY" });
  });

  it.each([
    ["no list", { manifests: 1 }],
    ["nothing", null],
    [
      "entries that name nothing",
      {
        manifests: [
          null,
          1,
          {},
          { digest: "latest", mediaType: MANIFEST, size: 1 },
          { digest: sha256("x"), mediaType: MANIFEST, size: -1 },
        ],
      },
    ],
  ])("names no referrer if it has %s", async (_, document) => {
    const { client, image, manifests } = await served();
    manifests.set(image.digest.replace(":", "-"), {
      bytes: Buffer.from(JSON.stringify(document)),
      mediaType: INDEX,
    });
    expect((await client.referrers(image.digest)).found).toEqual([]);
  });
});
