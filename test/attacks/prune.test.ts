import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { tagMark } from "../../src/publish/tag-mark.ts";
import { INDEX, MANIFEST, type Named, putDocument, putImage, putReferrer } from "../unit/oci-made.ts";
import { refuse, serveRegistry, type ServedOptions } from "../unit/oci-server.ts";
import { factoryAtOnce, makeWorkspace, SMALL } from "../unit/workspace.ts";

interface Said {
  dry_run: boolean;
  pruned: { tag: string; kind: string }[];
  kept: { tag: string; why: string }[];
  moved: string[];
  summary: { pruned: number; left: number };
  error?: { code: string; what: string; fix: string };
}

const OLD = new Date("2020-01-01T00:00:00Z");

/** A registry with the repository of a product, and what `factory prune` makes of it. */
async function published(options: ServedOptions = {}) {
  const registry = await serveRegistry({ referrers: true, ...options });
  const stored = registry.of("team/app");
  const put = (tag: string, image: Named, at: Date | null = OLD): Named => {
    const manifest = stored.manifests.get(image.digest);
    if (!manifest) throw new Error("there is no such image");
    stored.manifests.set(tag, manifest);
    if (at) {
      const bytes = tagMark(tag, image, at);
      stored.manifests.set(sha256(bytes), { bytes, mediaType: MANIFEST });
    }
    return image;
  };
  const index = (...images: Named[]) => putDocument(stored, { manifests: images }, INDEX);
  const root = makeWorkspace({
    ...SMALL,
    "factory.yaml": "schema_version: 1\nrepository: registry.example/team\nretries: {tries: 1}\n",
    "control_plane/products/demo.yaml": `schema_version: 1
product_id: demo
manifest_id: demo
repository: ${registry.host}/team/app
`,
  });
  const call = async (...argv: string[]): Promise<Said & { status: number | null; stderr: string }> => {
    const { status, stdout, stderr } = await factoryAtOnce(root, ["prune", ...argv, "--json"]);
    return { status, stderr, ...(JSON.parse(stdout) as Said) };
  };
  const deleted = () => registry.got.filter(({ method }) => method === "DELETE").length;
  const image = (text: string) => putImage(stored, text);
  return { registry, stored, put, index, image, call, deleted, root };
}

type Published = Awaited<ReturnType<typeof published>>;

/** A release, and three images of pull requests, one of them of today. */
function filled({ put, index, image }: Published) {
  const release = put("1.0", index(image("release")), null);
  put("latest", release, null);
  const first = put("pr-1-0000001", index(image("one"), image("shared")));
  const second = put("pr-2-0000002", index(image("two"), image("shared")));
  put("pr-3-0000003", index(image("three")), new Date());
  put("pr-4-0000004", index(image("four")), null);
  return { release, first, second };
}

describe("images that are cleaned", () => {
  it("9.11 nothing goes without --yes; with it what was said, and the rest stays whole", async () => {
    const one = await published();
    const { release, first } = filled(one);
    const { call, deleted, stored } = one;
    const planned = await call();
    expect(planned.status, planned.stderr).toBe(0);
    expect(planned.pruned.map(({ tag, kind }) => [tag, kind])).toEqual([
      ["pr-1-0000001", "pull_request"],
      ["pr-2-0000002", "pull_request"],
    ]);
    expect(planned.kept.map(({ tag, why }) => [tag, why])).toEqual([
      ["pr-4-0000004", "nothing says when it was written"],
    ]);
    expect([planned.dry_run, deleted()]).toEqual([true, 0]);
    const done = await call("--yes");
    expect(done.status, done.stderr).toBe(0);
    expect(done.pruned).toEqual(planned.pruned);
    expect(stored.manifests.has(first.digest)).toBe(false);
    for (const tag of ["1.0", "latest", "pr-3-0000003", "pr-4-0000004"]) {
      const bytes = stored.manifests.get(tag)?.bytes.toString("utf8") ?? "";
      for (const { digest } of (JSON.parse(bytes) as { manifests: Named[] }).manifests)
        expect(stored.manifests.has(digest), `${tag} ${digest}`).toBe(true);
    }
    expect(stored.manifests.has(release.digest)).toBe(true);
    // Nothing of what went is left, and another time there is nothing to do.
    const texts = [...stored.manifests.values()].map(({ bytes }) => bytes.toString("utf8")).join();
    expect(texts).not.toContain(first.digest);
    const again = await call("--yes");
    expect(again.error).toBe(undefined);
    expect(again).toMatchObject({ status: 0, pruned: [] });
  });

  it("9.11 an image that a tag that stays shares, or names, or refers from, stays", async () => {
    const one = await published();
    const { put, index, image, stored, call } = one;
    const shared = index(image("release"));
    put("1.0", shared, null);
    put("pr-1-0000001", shared);
    const inner = image("inner");
    put("pr-2-0000002", inner);
    put("2.0", index(inner, image("other")), null);
    // Somebody keeps a report about their release: it is an image of a pull request too.
    const report = putReferrer(stored, shared, "application/x.report", "text");
    put("pr-3-0000003", report);
    put("pr-5-0000005", index(image("five")));
    const { pruned, kept, status, stderr } = await call("--yes");
    expect(status, stderr).toBe(0);
    expect(pruned.map(({ tag }) => tag)).toEqual(["pr-5-0000005"]);
    expect(kept.map(({ tag }) => tag)).toEqual(["pr-1-0000001", "pr-2-0000002", "pr-3-0000003"]);
    for (const { digest } of [shared, inner, report]) expect(stored.manifests.has(digest)).toBe(true);
  });

  it.each([
    [
      "an index whose child is gone",
      ({ put, index, image, stored }: Published) => {
        const child = image("gone");
        put("2.0", index(child), null);
        stored.manifests.delete(child.digest);
      },
    ],
    [
      "something that is no manifest",
      ({ stored }: Published) =>
        void stored.manifests.set("2.0", { bytes: Buffer.from("{"), mediaType: MANIFEST }),
    ],
    [
      "an unknown kind of manifest",
      ({ stored }: Published) =>
        void stored.manifests.set("2.0", { bytes: Buffer.from("{}"), mediaType: "application/x.other" }),
    ],
    [
      "an index of nonsense",
      ({ stored }: Published) =>
        void stored.manifests.set("2.0", {
          bytes: Buffer.from('{"manifests":[{"digest":"latest"}]}'),
          mediaType: INDEX,
        }),
    ],
  ])("9.11 nothing goes where there is %s", async (_, spoil) => {
    const one = await published();
    filled(one);
    spoil(one);
    const { status, error } = await one.call("--yes");
    expect([status, error?.code, one.deleted()]).toEqual([3, "PRUNE_UNRESOLVED", 0]);
  });

  it("9.11 nothing goes where too much would, or everything", async () => {
    const one = await published();
    const { put, index, image, call, deleted } = one;
    for (const at of [1, 2, 3]) put(`pr-${at}-000000${at}`, index(image(String(at))));
    expect((await call("--yes", "--max-share", "1")).error?.what).toContain("nothing would be left");
    put("1.0", index(image("release")), null);
    const refused = await call("--yes");
    expect(refused.error).toMatchObject({
      code: "PRUNE_TOO_MUCH",
      fix: expect.stringContaining("--max-share 0.75") as string,
    });
    expect(deleted()).toBe(0);
    expect((await call("--yes", "--max-share", "0.75")).pruned).toHaveLength(3);
  });

  it("9.11 a mark from the future, or of another tag, makes nothing old", async () => {
    const one = await published();
    const { put, index, image, stored, call } = one;
    put("1.0", index(image("release")), null);
    put("pr-1-0000001", index(image("one")), new Date("2999-01-01T00:00:00Z"));
    const other = put("pr-2-0000002", index(image("two")), null);
    const bytes = tagMark("pr-9-0000002", other, OLD);
    stored.manifests.set(sha256(bytes), { bytes, mediaType: MANIFEST });
    const { pruned, kept } = await call("--yes");
    expect([pruned, kept.map(({ why }) => why.split(":")[0])]).toEqual([
      [],
      ["it is from the future", "nothing says when it was written"],
    ]);
  });

  it("9.11 a tag that is moved meanwhile stays", async () => {
    let moves: (() => void) | undefined;
    const one = await published({
      before: ({ method }) => {
        // Right before the first deletion, after everything was looked at.
        if (method === "DELETE") moves?.();
        if (method === "DELETE") moves = undefined;
        return false;
      },
    });
    filled(one);
    const { put, index, image, stored, call } = one;
    const newer = put("0.9", index(image("newer")), null);
    moves = () => void stored.manifests.set("pr-2-0000002", stored.manifests.get(newer.digest) as never);
    const { pruned, moved, status } = await call("--yes");
    expect(status).toBe(0);
    expect(pruned.map(({ tag }) => tag)).toEqual(["pr-1-0000001"]);
    expect(moved[0]).toContain("pr-2-0000002");
    expect(stored.manifests.has(newer.digest)).toBe(true);
  });

  it("9.11 a registry that forbids deletion is told by name, and keeps everything", async () => {
    const one = await published({
      before: ({ method }, response) => {
        if (method !== "DELETE") return false;
        refuse(response, 405, "UNSUPPORTED", "The operation is unsupported.");
        return true;
      },
    });
    filled(one);
    const { status, error } = await one.call("--yes");
    expect([status, error?.code]).toEqual([3, expect.stringMatching(/^REGISTRY_/)]);
    expect((await one.call()).pruned).toHaveLength(2);
  });

  it("9.11 two at once lose nothing that stays", async () => {
    const one = await published();
    filled(one);
    const both = await Promise.all([one.call("--yes", "--wait", "60"), one.call("--yes", "--wait", "60")]);
    for (const { status, stderr } of both) expect(status, stderr).toBe(0);
    expect(one.stored.manifests.has("1.0")).toBe(true);
    expect((await one.call()).pruned).toEqual([]);
  });
});
