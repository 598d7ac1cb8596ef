import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { pretendHost, serveGithub, TOKEN } from "../unit/github-server.ts";
import { refuse, serveRegistry, type ServedOptions } from "../unit/oci-server.ts";
import { factoryAtOnce, makeWorkspace } from "../unit/workspace.ts";

interface Pruned {
  pruned: { tag: string; why: string }[];
  moved: string[];
  summary: { kept: number };
  error?: { code: string; what: string; fix: string };
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** A manifest as BuildKit writes it for a cache, made so long ago. */
function cacheOf(name: string, made: string) {
  const digest = sha256(name);
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: "application/vnd.buildkit.cacheconfig.v0", digest, size: 2 },
      layers: [{ digest, size: 1000, annotations: { "buildkit/createdat": made } }],
    }),
  );
  return { bytes, mediaType: MANIFEST };
}

/** A workspace whose cache is in a registry with some refs, and what `cache prune` makes of it. */
async function cached(
  refs: Record<string, { bytes: Buffer; mediaType: string }>,
  options: ServedOptions = {},
  more: (host: string) => NodeJS.ProcessEnv = () => ({}),
) {
  const registry = await serveRegistry(options);
  for (const [tag, manifest] of Object.entries(refs))
    registry.manifests.set(tag, manifest).set(sha256(manifest.bytes), manifest);
  const root = makeWorkspace({
    "factory.yaml": `schema_version: 1\nrepository: registry.example/team\nretries: {tries: 1}\n`,
  });
  const env = { FACTORY_CACHE_REPOSITORY: `${registry.host}/team/app`, ...more(registry.host) };
  const call = async (argv: readonly string[]): Promise<Pruned & { status: number | null }> => {
    const { status, stdout } = await factoryAtOnce(root, ["cache", ...argv, "--json"], env);
    return { status, ...(JSON.parse(stdout) as Pruned) };
  };
  const deleted = () => registry.got.filter(({ method }) => method === "DELETE").length;
  return { ...registry, call, deleted };
}

const OLD = "2020-01-01T00:00:00Z";
const tagOf = (fragment: string, at: number) => `${fragment}-0.1.0-${String(at).repeat(12)}-linux-amd64`;
const refs = () =>
  Object.fromEntries(
    [1, 2, 3].map((at) => [tagOf("core", at), cacheOf(`c${at}`, `202${at}-01-01T00:00:00Z`)]),
  );

describe("a cache that is cleaned", () => {
  it("9.2 loses nothing without --yes, and with it what was said; the rest stays whole", async () => {
    const { call, deleted, manifests } = await cached(refs());
    const planned = await call(["prune", "--keep", "1"]);
    expect(planned.pruned.map(({ tag, why }) => [tag, why])).toEqual([
      [tagOf("core", 2), "count"],
      [tagOf("core", 1), "count"],
    ]);
    expect(deleted()).toBe(0);
    const done = await call(["prune", "--keep", "1", "--yes"]);
    expect(done).toMatchObject({ status: 0, pruned: planned.pruned, moved: [] });
    expect(deleted()).toBe(2);
    expect(manifests.has(tagOf("core", 3))).toBe(true);
  });

  it("9.2 keeps a ref that another run wrote between the look and the deletion", async () => {
    const other = cacheOf("other", "2026-01-01T00:00:00Z");
    let heads = 0;
    const { call, manifests, deleted } = await cached(refs(), {
      before: ({ method, url }) => {
        if (method === "HEAD" && url.endsWith(tagOf("core", 1)) && (heads += 1) === 1)
          manifests.set(tagOf("core", 1), other);
        return false;
      },
    });
    const done = await call(["prune", "--keep", "1", "--yes"]);
    expect(done).toMatchObject({ status: 0, moved: [tagOf("core", 1)] });
    expect(done.pruned.map(({ tag }) => tag)).toEqual([tagOf("core", 2)]);
    expect(deleted()).toBe(1);
    expect(manifests.get(tagOf("core", 1))).toEqual(other);
  });

  it("9.2 loses nothing where a tag cannot be read, or where nothing would be left", async () => {
    const failing = await cached(refs(), {
      before: ({ method, url }, response) => {
        if (method !== "GET" || !url.endsWith(tagOf("core", 3))) return false;
        refuse(response, 500, "UNKNOWN", "out of order");
        return true;
      },
    });
    const unresolved = await failing.call(["prune", "--keep", "0", "--yes"]);
    expect(unresolved).toMatchObject({ status: 3, error: { code: "CACHE_UNRESOLVED" } });
    expect(unresolved.error?.what).toContain(tagOf("core", 3));
    const whole = await cached(refs());
    const all = await whole.call(["prune", "--older-than", "1h", "--yes"]);
    expect(all).toMatchObject({ status: 2, error: { code: "PRUNE_TOO_MUCH" } });
    expect([failing.deleted(), whole.deleted()]).toEqual([0, 0]);
    const empty = await (await cached({})).call(["prune", "--keep", "1", "--yes"]);
    expect(empty).toMatchObject({ status: 0, pruned: [] });
  });

  it("9.2 is not believed where it says that it was made in the future, and an image in it is no cache", async () => {
    const image = {
      bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, layers: [] })),
      mediaType: MANIFEST,
    };
    const { call } = await cached({
      [tagOf("core", 1)]: cacheOf("a", "2999-01-01T00:00:00Z"),
      [tagOf("core", 2)]: cacheOf("b", OLD),
      latest: image,
    });
    const planned = await call(["prune", "--older-than", "1h"]);
    expect(planned.pruned.map(({ tag }) => tag)).toEqual([tagOf("core", 2)]);
  });

  it("9.2 says so where the registry does not let anything be deleted", async () => {
    const { call, manifests } = await cached(refs(), {
      before: ({ method }, response) => {
        if (method !== "DELETE") return false;
        refuse(response, 405, "UNSUPPORTED", "the operation is unsupported");
        return true;
      },
    });
    const { error, status } = await call(["prune", "--keep", "1", "--yes"]);
    expect([status, error?.code]).toEqual([3, "REGISTRY_REFUSED"]);
    expect(error?.fix).toContain("ask those who run it");
    expect(manifests.has(tagOf("core", 1))).toBe(true);
  });

  it("9.2 on ghcr.io, GitHub's API deletes it, and a ref that somebody tags right before stays", async () => {
    const all = refs();
    const versions = Object.entries(all).map(([tag, { bytes }], at) => ({
      id: at + 1,
      name: sha256(bytes),
      tags: [tag],
    }));
    const github = await serveGithub(versions, {
      onVersion: ({ id, tags }) => void (id === 1 && tags.push("mine")),
    });
    const { call, deleted } = await cached(all, {}, (host) => ({
      FACTORY_CACHE_REPOSITORY: "ghcr.io/owner/team/app",
      GITHUB_API_URL: github.base,
      GITHUB_TOKEN: TOKEN,
      ...pretendHost("https://ghcr.io", host),
    }));
    const done = await call(["prune", "--keep", "1", "--yes"]);
    expect(done).toMatchObject({ status: 0, moved: [tagOf("core", 1)] });
    expect(done.pruned.map(({ tag }) => tag)).toEqual([tagOf("core", 2)]);
    expect([github.versions.map(({ id }) => id), deleted()]).toEqual([[1, 3], 0]);
  });
});
