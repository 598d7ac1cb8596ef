import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { planChanges } from "../../src/publish/tag-changes.ts";
import { join, type ServedImage } from "../../src/publish/joined.ts";
import { moveTags } from "../../src/publish/move-tags.ts";
import { askedBy, promotionChecks } from "../../src/publish/promotion.ts";
import type { FactoryRecord, Product } from "../../src/schemas/types.ts";
import { type Got, refuse, serveRegistry, type ServedOptions } from "../unit/oci-server.ts";
import { INDEX, MANIFEST, pushedImage, registryDeps, servedAs, storeImage } from "../unit/publish-made.ts";

const why = (images: ServedImage[]): string => {
  const joined = join(images);
  return "why" in joined ? joined.why : expect.unreachable("they were joined");
};

const prove = () => Promise.resolve();
const unwatched = { prove, onMoved: () => undefined };

/** A registry with the images of two platforms, and what their tags would be. */
async function proven(options: ServedOptions = {}) {
  const registry = await serveRegistry(options);
  const records = ["linux/amd64", "linux/arm64"].map((platform) => storeImage(registry, platform, "one"));
  const recordOf = (id: string) =>
    Promise.resolve(records.find(({ record_id }) => record_id === id) ?? expect.unreachable(id));
  const record_ids = records.map(({ record_id }) => record_id);
  const wanted = ["1.0", "1", "latest"].map((tag) => ({
    ref: `${registry.host}/team/app:${tag}`,
    record_ids,
  }));
  const deps = registryDeps();
  return { ...registry, deps, records, wanted, plan: () => planChanges(wanted, recordOf, deps) };
}

const OTHER = servedAs(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests: [] });

describe("what is joined", () => {
  it("9.5 what a registry has in place of the proven image is refused", () => {
    const amd = pushedImage("linux/amd64");
    const other = { digest: sha256("other") };
    const arm = (change: Parameters<typeof pushedImage>[1]) => [pushedImage("linux/arm64", change), amd];
    expect(why(arm({ manifest: other }))).toContain("other images in it");
    expect(why(arm({ more: [{ mediaType: MANIFEST, size: 1, ...other }] }))).toContain("other images in it");
    const platform = { platform: { os: "linux", architecture: "riscv64" } };
    expect(why(arm({ manifest: platform }))).toContain("other images in it");
    const annotations = { "vnd.docker.reference.digest": sha256("another image") };
    expect(why(arm({ annotations }))).toContain("attestations of another image");
    for (const value of [
      null,
      [],
      {},
      { manifests: {} },
      { manifests: [null] },
      { manifests: [{ digest: "x" }] },
    ])
      expect(why([{ ...amd, served: servedAs(INDEX, value) }]), JSON.stringify(value)).not.toBe("");
    expect(why([{ ...amd, served: servedAs("text/html", {}) }])).toContain("neither an image nor an index");
    expect(why([{ ...amd, served: servedAs(MANIFEST, {}) }])).toContain("another image than");
  });

  it("9.5 an image that is gone, that was never pushed or that is no pass is missing; an error is no absence", async () => {
    const { manifests, records, plan } = await proven();
    const [amd, arm] = records as [FactoryRecord, FactoryRecord];
    const image = amd.image ?? expect.unreachable();
    const told = async () => (await plan()).missing.map(({ why }) => why)[0] ?? "";
    expect(await told()).toBe("");
    image.pushed = false;
    expect(await told()).toContain("was not pushed");
    image.pushed = true;
    arm.result = { ...arm.result, status: "fail" };
    expect(await told()).toContain("is no pass");
    arm.result = { ...arm.result, status: "pass" };
    manifests.delete(image.digest);
    expect(await told()).toContain("no longer has");

    const failing = await proven({
      before: ({ url }, response) => {
        if (!url.includes("/manifests/sha256:")) return false;
        refuse(response, 500, "UNKNOWN", "out of order");
        return true;
      },
    });
    await expect(failing.plan()).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
  });

  it("9.5 a registry that does not answer is asked once for all tags", async () => {
    const { plan, got } = await proven({
      before: (_, response) => {
        refuse(response, 503, "UNAVAILABLE", "down");
        return true;
      },
    });
    await expect(plan()).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
    expect(got).toHaveLength(1);
  });

  it("9.5 an image is copied whole, its manifest last, and never with another content", async () => {
    const from = await serveRegistry();
    const { image } = storeImage(from, "linux/amd64", "one");
    const digest = image?.digest ?? expect.unreachable();
    const name = (host: string) => ({ host, repository: "team/app" });
    const copyTo = async (options: ServedOptions = {}) => {
      const to = await serveRegistry(options);
      await registryDeps().copy(digest, { from: name(from.host), to: name(to.host) });
      return to;
    };
    const whole = await copyTo();
    expect([...whole.blobs.keys()].sort()).toEqual([...from.blobs.keys()].sort());
    expect([...whole.manifests.keys()].sort()).toEqual([...from.manifests.keys()].sort());
    const puts = whole.got.filter(({ method }) => method === "PUT").map(({ url }) => url.split("/").at(-1));
    expect(puts.at(-1)).toBe(digest);

    // A layer whose bytes are not what its digest says: nothing that names it is stored.
    const [layer = "", bytes = Buffer.alloc(0)] =
      [...from.blobs].find(([, text]) => text.toString() === "one on linux/amd64") ?? [];
    from.blobs.set(layer, Buffer.from(bytes.toString().replace("one", "two")));
    const target = await serveRegistry();
    await expect(
      registryDeps().copy(digest, { from: name(from.host), to: name(target.host) }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^REGISTRY_/) as string });
    expect(target.manifests.size).toBe(0);
  });

  it("9.5 an index that names itself without end, or what is no digest, ends in an error", async () => {
    const from = await serveRegistry();
    const to = await serveRegistry();
    const name = (host: string) => ({ host, repository: "team/app" });
    const copy = (digest: string) =>
      registryDeps().copy(digest, { from: name(from.host), to: name(to.host) });
    let below = servedAs(INDEX, { manifests: [] });
    for (let depth = 0; depth < 6; depth += 1) {
      from.manifests.set(below.digest, below);
      below = servedAs(INDEX, { manifests: [{ digest: below.digest, size: 1, mediaType: INDEX }] });
    }
    from.manifests.set(below.digest, below);
    await expect(copy(below.digest)).rejects.toMatchObject({
      message: expect.stringContaining("too many") as string,
    });
    for (const value of [
      { manifests: [{ digest: "../../x", size: 1 }] },
      { config: null },
      { layers: [5] },
    ]) {
      const odd = servedAs(INDEX, value);
      from.manifests.set(odd.digest, odd);
      await expect(copy(odd.digest)).rejects.toMatchObject({ code: "REGISTRY_CONTENT" });
    }
    expect(to.manifests.size).toBe(0);
  });
});

describe("tags that are moved", () => {
  it("9.6 a tag that somebody else moved meanwhile stays there and is named; the others are moved", async () => {
    const { manifests, deps, wanted, plan } = await proven();
    const planned = await plan();
    manifests.set("1", OTHER);
    const moved: string[] = [];
    const { changes, missing } = await moveTags(planned.changes, deps, {
      prove,
      onMoved: ({ ref }) => moved.push(ref),
    });
    expect(changes.map(({ ref }) => ref)).toEqual([wanted[0]?.ref, wanted[2]?.ref]);
    expect(moved).toEqual(changes.map(({ ref }) => ref));
    expect(missing).toEqual([
      { what: wanted[1]?.ref, why: expect.stringContaining(`to ${OTHER.digest} meanwhile`) as string },
    ]);
    expect(manifests.get("1")).toEqual(OTHER);
    expect(await plan()).toMatchObject({ unchanged: [wanted[0]?.ref, wanted[2]?.ref] });
  });

  it("9.6 a tag that somebody else moved right after is named as well", async () => {
    let latest: Buffer | undefined;
    const { deps, wanted, plan, manifests } = await proven({
      before: ({ method, url, body }: Got) => {
        if (method === "PUT" && url.endsWith("/manifests/latest")) latest = body;
        else if (latest && url.endsWith("/manifests/latest")) manifests.set("latest", OTHER);
        return false;
      },
    });
    const { changes, missing } = await moveTags((await plan()).changes, deps, unwatched);
    expect(changes.map(({ ref }) => ref)).toEqual([wanted[0]?.ref, wanted[1]?.ref]);
    expect(missing[0]).toMatchObject({
      what: wanted[2]?.ref,
      why: expect.stringContaining("right after") as string,
    });
  });

  it("9.6 an image has its proof before a tag names it, and without it no tag does", async () => {
    const { deps, plan, manifests } = await proven();
    const { changes } = await plan();
    const seen: boolean[] = [];
    const fails = async () => {
      seen.push(manifests.has(changes[0]?.to ?? ""), manifests.has("1.0"));
      await Promise.reject(new Error("no proof"));
    };
    await expect(moveTags(changes, deps, { prove: fails, onMoved: () => undefined })).rejects.toThrow(
      "no proof",
    );
    expect(seen).toEqual([true, false]);
    expect((await plan()).changes).toHaveLength(changes.length);
  });

  it("9.6 where the registry refuses, no tag is left half-moved, and those before stay moved", async () => {
    const { deps, plan, manifests } = await proven({
      before: ({ method, url }, response) => {
        if (method !== "PUT" || !url.endsWith("/manifests/1")) return false;
        refuse(response, 403, "DENIED", "no");
        return true;
      },
    });
    const planned = await plan();
    await expect(moveTags(planned.changes, deps, unwatched)).rejects.toMatchObject({
      code: "REGISTRY_DENIED",
    });
    expect(manifests.has("1.0")).toBe(true);
    expect(manifests.has("1") || manifests.has("latest")).toBe(false);
    expect((await plan()).changes.map(({ tag }) => tag.tag)).toEqual(["1", "latest"]);
  });
});

describe("promotions", () => {
  const product = (more: Partial<Product> = {}): Product => ({
    schema_version: 1,
    product_id: "demo",
    manifest_id: "demo",
    repository: "registry.example/demo",
    ...more,
  });

  it("9.6 a record from the future, an old one, a moved base and missing evidence are each named", async () => {
    const registry = await serveRegistry();
    const base = { ref: "debian:bookworm-slim", digest: sha256("base") };
    const record = { ...storeImage(registry, "linux/amd64", "one"), base };
    const tested = Date.parse(record.result.tested_at);
    const asked = askedBy(product(), "stable", () => undefined);
    const evidence = Object.fromEntries(
      ["smoke_report", "sbom", "provenance"].map((kind) => [
        kind,
        { path: "x", sha256: "0".repeat(64), bytes: 1, media_type: "text/plain" },
      ]),
    );
    const day = 24 * 3600 * 1000;
    type Known = Parameters<typeof promotionChecks>[2];
    const fine: Known = { now: tested + day, baseNow: base.digest };
    const lacks = (change: Partial<FactoryRecord>, known = fine) =>
      promotionChecks({ ...record, evidence, ...change }, asked, known)
        .filter(({ ok }) => !ok)
        .map(({ link }) => link);
    expect(lacks({})).toEqual([]);
    expect(lacks({}, { now: tested - day, baseNow: base.digest })).toEqual(["age"]);
    expect(lacks({}, { now: tested + 31 * day, baseNow: base.digest })).toEqual(["age"]);
    expect(lacks({}, { now: tested, baseNow: sha256("moved") })).toEqual(["base"]);
    expect(lacks({}, { now: tested, baseNow: null })).toEqual(["base"]);
    expect(lacks({ result: { ...record.result, tested_at: "never" } })).toEqual(["age"]);
    expect(lacks({ evidence: {} })).toEqual(["smoke", "sbom", "provenance"]);
  });

  it("9.6 what a product says of itself does not weaken the policy of a channel", () => {
    const policies: Record<string, object> = { strict: { max_age_days: 1 }, plain: { max_age_days: 9 } };
    const says = (id: string) => policies[id];
    const own = product({
      policy: "plain",
      promotion: { max_age_days: 300, fresh_base: false },
      channels: { stable: { policy: "strict" }, other: {} },
    });
    expect(askedBy(own, "stable", says)).toMatchObject({ max_age_days: 1, fresh_base: true });
    expect(askedBy(own, "other", says)).toMatchObject({ max_age_days: 300, fresh_base: false });
    expect(askedBy(product({ policy: "plain" }), "other", says)).toMatchObject({ max_age_days: 9 });
  });
});
