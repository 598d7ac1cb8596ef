import { setMaxListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { deleteImages } from "../../src/cleanup/delete-images.ts";
import { chooseImages, type TaggedImage } from "../../src/cleanup/image-graph.ts";
import { readImages } from "../../src/cleanup/image-repository.ts";
import { INDEX, type Named, putBlob, putDocument, putImage, putReferrer } from "../unit/oci-made.ts";
import { clientOf, serveRegistry, type ServedOptions } from "../unit/oci-server.ts";

/** A registry with one repository. */
async function served(options: ServedOptions = {}) {
  const registry = await serveRegistry({ referrers: true, ...options });
  const stored = registry.of("team/app");
  return {
    ...registry,
    stored,
    put: (tag: string, image: Named): Named => {
      const manifest = stored.manifests.get(image.digest);
      if (!manifest) throw new Error("there is no such image");
      stored.manifests.set(tag, manifest);
      return image;
    },
    index: (...images: Named[]) => putDocument(stored, { manifests: images }, INDEX),
    image: (text: string) => putImage(stored, text),
  };
}

type Served = Awaited<ReturnType<typeof served>>;

/** A release, and two images of pull requests. */
function filled({ put, index, image }: Served) {
  const release = put("1.0", index(image("release")));
  const first = put("pr-1-0000001", index(image("one"), image("shared")));
  const second = put("pr-2-0000002", index(image("two"), image("shared")));
  return { release, first, second };
}

/** Deletes the images of pull requests. @param kept digests that records name */
async function clean({ host }: Served, kept: string[] = []) {
  const client = clientOf(host);
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const deps = { client, signal, again: <T>(work: () => Promise<T>) => work() };
  const content = await readImages(deps, kept);
  const isOld = ({ tag }: TaggedImage) => tag.startsWith("pr-");
  return deleteImages(content, chooseImages(content, isOld, kept).tags, kept, {
    ...deps,
    drop: (digest) => client.deleteManifest(digest),
    onDeleted: () => undefined,
  });
}

/** All that names something as its subject. */
const attachedTo = ({ manifests }: Served["stored"], about: Named): Named[] =>
  [...manifests].flatMap(([digest, { bytes, mediaType }]) => {
    const { subject } = JSON.parse(bytes.toString("utf8")) as { subject?: Named };
    return digest.startsWith("sha256:") && subject?.digest === about.digest
      ? [{ mediaType, digest, size: bytes.length }]
      : [];
  });

/** What somebody does while images are deleted: once, before the `at`-th deletion is answered. */
async function meanwhile(at: number, act: (one: Served) => void, options: ServedOptions = {}) {
  let left = at;
  const own: Served = await served({
    ...options,
    before: ({ method }) => {
      if (method === "DELETE" && (left -= 1) === 0) act(own);
      return false;
    },
  });
  return own;
}
const wholeOf = ({ stored }: Served, tag: string) => {
  const { bytes } = stored.manifests.get(tag) ?? {};
  if (!bytes) return [tag];
  const { manifests } = JSON.parse(bytes.toString("utf8")) as { manifests: Named[] };
  return manifests.filter(({ digest }) => !stored.manifests.has(digest)).map(({ digest }) => digest);
};

describe("what happens to a repository while it is cleaned", () => {
  it.each([
    ["the very image", ({ stored }: Served, second: Named) => stored.manifests.get(second.digest)],
    [
      "an index that lists a part of it",
      ({ stored, index, image }: Served) => stored.manifests.get(index(image("two")).digest),
    ],
    [
      "a report about it",
      ({ stored }: Served, second: Named) =>
        stored.manifests.get(putReferrer(stored, second, "application/x.report", "text").digest),
    ],
  ])("9.11 what somebody tags after the first deletion stays whole: %s", async (what, make) => {
    const one = await meanwhile(1, (own) => {
      const made = make(own, own.put("pr-2-0000002", own.index(own.image("two"), own.image("shared"))));
      if (made) own.stored.manifests.set("keep", made);
    });
    const { second } = filled(one);
    const { pruned, moved } = await clean(one);
    const isHeld = !what.startsWith("an index");
    expect(pruned).toEqual(isHeld ? ["pr-1-0000001"] : ["pr-1-0000001", "pr-2-0000002"]);
    expect(moved).toEqual(isHeld ? ["pr-2-0000002"] : []);
    if (what.startsWith("a report")) expect(one.stored.manifests.has(second.digest)).toBe(true);
    else expect(wholeOf(one, "keep")).toEqual([]);
    expect(wholeOf(one, "1.0")).toEqual([]);
  });

  it("9.11 a part of an image that has begun to go stays if somebody tags it then", async () => {
    const one = await meanwhile(1, (own) => {
      own.stored.manifests.set("keep", own.stored.manifests.get(own.index(own.image("one")).digest) as never);
    });
    filled(one);
    await clean(one);
    expect(wholeOf(one, "keep")).toEqual([]);
    expect(one.stored.manifests.has("keep")).toBe(true);
  });

  it("9.11 somebody who moves tags all the time ends it", async () => {
    let at = 0;
    const one = await served({
      before: ({ method, url }) => {
        const { manifests } = one.stored;
        if (method === "GET" && url.includes("/tags/list"))
          manifests.set(`other-${(at += 1)}`, manifests.get("1.0") as never);
        return false;
      },
    });
    filled(one);
    await expect(clean(one)).rejects.toMatchObject({ code: "PRUNE_UNRESOLVED" });
    expect(wholeOf(one, "1.0")).toEqual([]);
  });

  it("9.11 what is attached to what is attached, and what cosign tagged, goes too; with the API for referrers and without", async () => {
    for (const referrers of [true, false]) {
      const one = await served({ referrers });
      const { stored, image, index, put } = one;
      const release = put("1.0", index(image("release")));
      const old = put("pr-1-0000001", index(image("one")));
      put("2.0", index(image("other")));
      const report = putReferrer(stored, old, "application/x.report", "text");
      const signature = putReferrer(stored, report, "application/x.signature", "of the report");
      const signed = [old, release].map((about) => {
        const made = image(`signature of ${about.digest}`);
        put(`${about.digest.replace(":", "-")}.sig`, made);
        return made;
      });
      if (!referrers) {
        put(old.digest.replace(":", "-"), index(...attachedTo(stored, old)));
        put(report.digest.replace(":", "-"), index(signature));
      }
      const { pruned } = await clean(one);
      expect(pruned).toEqual(["pr-1-0000001"]);
      const isThere = [old, report, signature, ...signed].map(({ digest }) => stored.manifests.has(digest));
      expect([referrers, isThere]).toEqual([referrers, [false, false, false, false, true]]);
      const names = [...stored.manifests.keys()].filter((name) => !name.startsWith("sha256:"));
      expect(names.sort()).toEqual(["1.0", "2.0", `${release.digest.replace(":", "-")}.sig`]);
    }
  });

  it("9.11 an attached index that lists what it is attached to ends nothing but itself", async () => {
    const one = await served();
    const { release, first } = filled(one);
    const { stored, index, image } = one;
    for (const about of [release, first])
      putDocument(stored, { manifests: [about, index(image("planted"))], subject: about }, INDEX);
    const { pruned } = await clean(one);
    expect(pruned).toEqual(["pr-1-0000001", "pr-2-0000002"]);
    expect(wholeOf(one, "1.0")).toEqual([]);
  });

  it("9.11 a cache of BuildKit in the same repository stays, and hinders nothing", async () => {
    const one = await served();
    filled(one);
    const layer = putBlob(one.stored, "layer", "application/vnd.oci.image.layer.v1.tar+gzip");
    const config = putBlob(one.stored, "{}", "application/vnd.buildkit.cacheconfig.v0");
    one.put("cache", putDocument(one.stored, { manifests: [layer, config] }, INDEX));
    const { pruned } = await clean(one);
    expect([pruned.length, one.stored.manifests.has("cache")]).toEqual([2, true]);
  });

  it("9.11 what the image of a record needs stays, though no tag leads there any more", async () => {
    const one = await served();
    const { first } = filled(one);
    const recorded = one.index(one.image("one"), one.image("recorded"));
    const gone = `sha256:${"0".repeat(64)}`;
    const { pruned } = await clean(one, [recorded.digest, gone]);
    expect(pruned).toEqual(["pr-1-0000001", "pr-2-0000002"]);
    expect(one.stored.manifests.has(first.digest)).toBe(false);
    for (const text of ["one", "recorded"])
      expect(one.stored.manifests.has(one.image(text).digest), text).toBe(true);
  });

  it("9.11 what was pruned and is made again meanwhile stays", async () => {
    const one = await meanwhile(2, (own) => own.put("pr-1-0000001", own.index(own.image("two"))));
    filled(one);
    const { pruned } = await clean(one);
    expect(pruned).toEqual(["pr-1-0000001", "pr-2-0000002"]);
    expect(wholeOf(one, "pr-1-0000001")).toEqual([]);
  });
});
