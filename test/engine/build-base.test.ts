import { expect, it } from "vitest";
import { resolveBases } from "../../src/builder/base.ts";
import { createBuildx } from "../../src/tools/buildx.ts";
import { exec } from "../../src/tools/exec.ts";
import { describeEngine, docker, engineOf, registry, removeImageAfterwards, uniqueName } from "./engine.ts";

const buildx = createBuildx(exec);
const deps = { buildx, docker: engineOf() };
const arch = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch;
const platform = `linux/${arch}`;

function build(dockerfile: string, argv: string[]): string {
  return docker(["buildx", "build", "--quiet", ...argv, "-"], dockerfile).trim();
}

describeEngine("the builder", () => {
  it("tells its versions, its driver and its platforms", async () => {
    const version = await buildx.version();
    expect(version.docker).toMatch(/^\d+\.\d+/);
    expect(version.buildx).toMatch(/^\d+\.\d+/);
    expect(await buildx.platforms()).toContain(platform);
    expect(await buildx.driver()).toMatch(/^[a-z-]+$/);
  });
});

describeEngine("resolveBases on the real engine", () => {
  it("gives digests that can be pinned, of a registry's image and of one that is in the engine alone", async () => {
    const local = `${uniqueName("factory-base")}:1`;
    removeImageAfterwards(local);
    const digest = build(`FROM debian:bookworm-slim\nLABEL name=${local}\n`, ["--load", "-t", local]);
    const refs = ["debian:bookworm-slim", local, "scratch"].map((ref) => ({ ref, platform }));
    const bases = await resolveBases([...refs, ...refs], deps);

    expect(bases.size).toBe(3);
    const debian = bases.get(`debian:bookworm-slim ${platform}`);
    expect(debian).toEqual({
      digest: expect.stringMatching(/^sha256:[a-f0-9]{64}$/) as string,
      pinnable: true,
    });
    expect(bases.get(`${local} ${platform}`)).toEqual({ digest, pinnable: true });
    expect(bases.get(`scratch ${platform}`)).toEqual({ digest: null, pinnable: false });
    for (const pinned of [`debian:bookworm-slim@${debian?.digest}`, `${local}@${digest}`]) {
      expect(() => build(`FROM ${pinned}\n`, ["--output", "type=cacheonly"])).not.toThrow();
    }
  });

  it("gives the image that the engine holds, as its builder takes it, and with `pull` the registry's", async () => {
    const ref = `${registry}/${uniqueName("factory-base")}:1`;
    removeImageAfterwards(ref);
    const imageOf = (name: string) =>
      build(`FROM debian:bookworm-slim\nLABEL name=${name}\n`, ["--load", "-t", ref]);
    const pushed = imageOf("pushed");
    docker(["image", "push", "--quiet", ref]);
    const held = imageOf("held");
    expect(held).not.toBe(pushed);
    const base = { ref, platform };
    const resolve = async (more: Partial<typeof deps>, pull = false) =>
      (await resolveBases([base], { ...deps, ...more }, { pull })).get(`${ref} ${platform}`)?.digest;
    const neverBakes = { ...buildx, bake: () => Promise.reject(new Error("no bake is needed")) };
    const another = { ...buildx, driver: () => Promise.resolve("another, so that it has to be asked") };
    expect(await resolve({ buildx: neverBakes })).toBe(held);
    expect(await resolve({ buildx: another })).toBe(held);
    expect(await resolve({}, true)).toBe(pushed);
  });

  it("lets no bad base hide a good one", async () => {
    const refs = ["debian:no-such-tag", "debian:bookworm-slim", "127.0.0.1:9/none:1"].map((ref) => ({
      ref,
      platform,
    }));
    const bases = await resolveBases(refs, deps);
    expect(bases.get(`debian:no-such-tag ${platform}`)).toMatchObject({
      digest: null,
      error: { class: "base" },
    });
    expect(bases.get(`127.0.0.1:9/none:1 ${platform}`)).toMatchObject({
      error: { class: "registry-unavailable" },
    });
    expect(bases.get(`debian:bookworm-slim ${platform}`)).toMatchObject({ pinnable: true });
    expect(bases.get(`debian:bookworm-slim ${platform}`)).not.toHaveProperty("error");
  });

  it("stops when it is interrupted", async () => {
    const signal = AbortSignal.abort();
    const refs = [{ ref: "debian:bookworm-slim", platform }];
    await expect(resolveBases(refs, deps, { signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});
