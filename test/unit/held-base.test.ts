import { describe, expect, it } from "vitest";
import { resolveBases } from "../../src/builder/base.ts";
import { heldBase } from "../../src/builder/held-base.ts";
import { FactoryError } from "../../src/errors.ts";
import type { BakeOptions } from "../../src/tools/buildx.ts";
import type { ImageInspect } from "../../src/tools/docker.ts";

const ID = `sha256:${"1".repeat(64)}`;
const IMAGE: ImageInspect = {
  Id: ID,
  RepoDigests: [`mirror/debian@sha256:${"2".repeat(64)}`, `debian@${ID}`],
  Architecture: "amd64",
  Os: "linux",
  Size: 1,
};
const base = { ref: "debian:x", platform: "linux/amd64" };

const missing = () => {
  throw new FactoryError("IMAGE_NOT_FOUND", "no such image");
};

function engine({
  image = () => IMAGE,
  driver = "docker",
}: { image?: (platform: string | undefined) => ImageInspect; driver?: string } = {}) {
  const asked: (string | undefined)[] = [];
  const baked: BakeOptions[] = [];
  return {
    asked,
    baked,
    buildx: {
      driver: () => Promise.resolve(driver),
      bake: (options: BakeOptions) => {
        baked.push(options);
        options.onLine("ERROR: failed to solve: asked the builder");
        return Promise.resolve({ exitCode: 1, stdout: "", stderr: "", timedOut: false, aborted: false });
      },
    },
    docker: {
      inspectImage: async (ref: string, options: { platform?: string } = {}) => {
        await Promise.resolve();
        asked.push(`${ref} ${options.platform}`);
        return image(options.platform);
      },
    },
  };
}

describe("a base that the engine holds", () => {
  it("has the digest of what its tag stands for, where that has its platform", async () => {
    const world = engine();
    expect(await heldBase(base, world)).toBe(ID);
    expect(world.asked.sort()).toEqual(["debian:x linux/amd64", "debian:x undefined"]);
  });

  it.each([
    ["another builder builds", engine({ driver: "docker-container" })],
    ["the engine does not hold it", engine({ image: missing })],
    [
      "an old image store knows it by its configuration",
      engine({ image: () => ({ ...IMAGE, Id: `sha256:${"3".repeat(64)}` }) }),
    ],
    ["no registry's name is known", engine({ image: () => ({ ...IMAGE, RepoDigests: null }) })],
  ])("is unknown where %s", async (_, world) => {
    expect(await heldBase(base, world)).toBeUndefined();
  });

  it("is not asked for any more after an interruption", async () => {
    const interrupted = () => {
      throw new FactoryError("INTERRUPTED", "interrupted");
    };
    await expect(heldBase(base, engine({ image: interrupted }))).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
  });

  const layers = (holds: boolean) => ({
    lend: () => 0,
    keep: () => 0,
    holds: (digest: string) => holds && digest === ID,
  });

  it("costs no bake, where its layers are known too", async () => {
    for (const more of [{}, { layers: null }, { layers: layers(true) }]) {
      const world = engine();
      const resolved = await resolveBases([base, base], { ...world, ...more });
      expect([...resolved]).toEqual([["debian:x linux/amd64", { digest: ID, pinnable: true }]]);
      expect(world.baked).toEqual([]);
    }
  });

  it("is asked of the builder where its layers are not known, or its tag may have moved", async () => {
    const cold = engine();
    await resolveBases([base], { ...cold, layers: layers(false) });
    expect(cold.baked).not.toEqual([]);
    const pulled = engine();
    await resolveBases([base], pulled, { pull: true });
    expect(pulled.baked).not.toEqual([]);
  });

  it("does not hide one beside it that is unknown", async () => {
    const world = engine();
    const { inspectImage } = world.docker;
    world.docker.inspectImage = (ref, options) =>
      ref === "debian:x" ? inspectImage(ref, options) : missing();
    const other = { ...base, ref: "other:1" };
    const resolved = await resolveBases([other, base], world);
    expect(resolved.get("debian:x linux/amd64")).toEqual({ digest: ID, pinnable: true });
    expect(resolved.get("other:1 linux/amd64")).toMatchObject({ digest: null });
    expect(world.baked.map(({ targets }) => targets.length)).toEqual([1]);
  });
});
