import { describe, expect, it } from "vitest";
import { createMask } from "../../src/model/mask.ts";
import { sha256 } from "../../src/model/digest.ts";
import { moveTag } from "../../src/tools/oci/move-tag.ts";
import { createRegistry } from "../../src/tools/oci/repository-client.ts";
import { refuse, serveRegistry, type ServedOptions } from "./oci-server.ts";

const MEDIA = "application/vnd.oci.image.index.v1+json";
const bytes = Buffer.from('{"schemaVersion":2,"manifests":[]}');
const digest = sha256(bytes);

async function served(options: ServedOptions = {}) {
  const registry = await serveRegistry(options);
  registry.manifests.set(digest, { bytes, mediaType: MEDIA });
  const open = createRegistry({
    credentialsOf: () => Promise.resolve(null),
    now: Date.now,
    mask: createMask(),
  });
  const move = (wanted: string) => moveTag(`${registry.host}/team/app:new`, wanted, open);
  return { ...registry, open, move };
}

describe("moveTag", () => {
  it("has a tag name what is there, as it is, and sends it once", async () => {
    const { move, manifests, got } = await served();
    expect(await move(digest)).toBe(true);
    expect(manifests.get("new")).toEqual({ bytes, mediaType: MEDIA });
    expect(await move(digest)).toBe(true);
    expect(got.filter(({ method }) => method === "PUT")).toHaveLength(1);
    expect(got.some(({ url }) => url.includes("/blobs/"))).toBe(false);
  });

  it("leaves a tag alone where the manifest is not there", async () => {
    const { move, manifests } = await served();
    expect(await move(`sha256:${"0".repeat(64)}`)).toBe(false);
    expect(manifests.has("new")).toBe(false);
  });

  it.each([403, 500])("is no error where the registry answers %i: there is another way", async (status) => {
    const { move } = await served({
      before: ({ method }, response) => {
        if (method !== "PUT") return false;
        refuse(response, status, "DENIED", "no");
        return true;
      },
    });
    expect(await move(digest)).toBe(false);
  });

  it("asks no registry for a name without a host", async () => {
    const { open, got } = await served();
    expect(await moveTag("team/app:new", digest, open)).toBe(false);
    expect(got).toEqual([]);
  });
});
