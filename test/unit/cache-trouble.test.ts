import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cacheTrouble } from "../../src/cache-trouble.ts";
import type { CachePlace } from "../../src/model/cache-place.ts";
import { createMask } from "../../src/model/mask.ts";
import { serveHttp } from "./oci-server.ts";
import { temporaryFolder } from "./workspace.ts";

const S3: CachePlace = {
  type: "s3",
  bucket: "team-cache",
  region: "eu-west-1",
  prefix: "",
  endpoint_url: null,
  use_path_style: false,
};

/** What is known against a cache. */
async function trouble(
  place: CachePlace,
  {
    env = {},
    driver = "docker",
    root = "/nowhere",
    local = true,
  }: Partial<{
    env: NodeJS.ProcessEnv;
    driver: string;
    root: string;
    local: boolean;
  }> = {},
) {
  const mask = createMask();
  const about = {
    env,
    root,
    mask,
    docker: { isLocal: () => local },
    buildx: { driver: () => Promise.resolve(driver) },
  };
  return { said: await cacheTrouble(about)(place), mask };
}

describe("what is known against a cache", () => {
  it("is that its registry does not answer, where this process sees the same one as the engine", async () => {
    const { host } = await serveHttp((_, response) => response.writeHead(401).end());
    const away: CachePlace = { type: "registry", repository: "127.0.0.1:1/cache" };
    expect((await trouble({ ...away, repository: `${host}/cache` })).said).toBeNull();
    expect((await trouble(away)).said).toBe("the cache registry 127.0.0.1:1/cache does not answer");
    expect((await trouble(away, { local: false })).said).toBeNull();
  });

  it("is that a builder has none of its type", async () => {
    expect((await trouble(S3)).said).toContain("the builder's driver `docker` has no cache of the type s3");
    expect((await trouble(S3, { driver: "docker-container" })).said).toBeNull();
  });

  it("is that a job of GitHub Actions does not pass on what buildx needs", async () => {
    const token = { ACTIONS_RUNTIME_TOKEN: "a-token-of-the-job" };
    for (const env of [{}, token, { ACTIONS_RESULTS_URL: "https://x.example" }])
      expect((await trouble({ type: "gha" }, { env })).said).toContain("ACTIONS_RUNTIME_TOKEN");
    for (const url of ["ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL"])
      expect(
        (await trouble({ type: "gha" }, { env: { ...token, [url]: "https://x.example" } })).said,
      ).toBeNull();
  });

  it("never holds what buildx logs in with, which no log shows", async () => {
    const env = {
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      AWS_SESSION_TOKEN: "a-token-of-a-session",
      ACTIONS_RUNTIME_TOKEN: "a-token-of-the-job",
    };
    const { mask } = await trouble(S3, { env });
    const shown = mask(Object.values(env).join(" "));
    expect(shown).toBe("*** *** *** a-token-of-the-job");
    expect((await trouble({ type: "gha" }, { env })).mask("x a-token-of-the-job")).toBe("x ***");
  });

  it("is an error where a folder, or a ref in it, leads out of the workspace", async () => {
    const place: CachePlace = { type: "local", folder: "a/b" };
    const [root, outside] = [temporaryFolder(), temporaryFolder()];
    expect((await trouble(place, { root })).said).toBeNull();
    mkdirSync(join(root, "a/b/core-1"), { recursive: true });
    expect((await trouble(place, { root })).said).toBeNull();
    symlinkSync(outside, join(root, "a/b/core-2"));
    await expect(trouble(place, { root })).rejects.toMatchObject({ code: "FILE_OUTSIDE" });
    await expect(trouble({ type: "local", folder: "a/b/core-2/x" }, { root })).rejects.toMatchObject({
      code: "FILE_OUTSIDE",
    });
  });
});
