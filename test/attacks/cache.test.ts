import { describe, expect, it } from "vitest";
import { refuse, serveHttp } from "../unit/oci-server.ts";
import { factoryAtOnce, makeWorkspace, writeFiles } from "../unit/workspace.ts";

describe("settings of caches and retries", () => {
  it.each([
    "{type: local, folder: ../../etc}",
    "{type: local, folder: /etc}",
    '{type: local, folder: "a\\nb"}',
    '{type: local, folder: "a/${HOME}"}',
    '{type: s3, bucket: "b,endpoint_url=https://evil.example", region: r}',
    '{type: s3, bucket: team-cache, region: "r,bucket=other"}',
    '{type: s3, bucket: team-cache, region: r, prefix: "x,name=y"}',
    '{type: s3, bucket: team-cache, region: r, endpoint_url: "https://u:p@evil.example"}',
    '{repository: "r.example/c,ref=r.example/other"}',
  ])("9.3 no value can say more than its own attribute: %s", async (cache) => {
    const root = makeWorkspace({ "factory.yaml": `schema_version: 1\ncache: ${cache}\n` });
    const { status, stdout, stderr } = await factoryAtOnce(root, ["plan", "--manifest-id", "demo", "--json"]);
    expect([status, stdout.includes("cache_to")], stderr).toEqual([2, false]);
    expect(stdout + stderr).not.toContain("u:p@");
  });

  it.each([
    [1, 1],
    [3, 3],
  ])("9.3 a registry that fails for ever is asked as often as is said: %i", async (tries, asked) => {
    const { host, got } = await serveHttp((_, response) => refuse(response, 503, "UNAVAILABLE", "down"));
    const root = makeWorkspace();
    writeFiles(root, { "factory.yaml": `schema_version: 1\nretries: {tries: ${tries}, wait_s: 0}\n` });
    const { status, stderr } = await factoryAtOnce(root, [
      "library",
      "add",
      "company",
      `oci://${host}/team/app:1`,
    ]);
    expect(status).toBe(3);
    expect(stderr).toContain("error REGISTRY_REFUSED");
    expect(got).toHaveLength(asked);
    expect(stderr.match(/^warning: .*trying again in 0 s$/gm) ?? []).toHaveLength(asked - 1);
  });

  it("9.3 a registry cannot hold a command longer than is said", async () => {
    const { host, got } = await serveHttp((_, response) => {
      response.setHeader("retry-after", "86400");
      refuse(response, 429, "TOOMANYREQUESTS", "go away");
    });
    const root = makeWorkspace();
    const { status, stderr } = await factoryAtOnce(root, [
      "library",
      "add",
      "company",
      `oci://${host}/team/app:1`,
    ]);
    expect([status, got.length]).toEqual([3, 1]);
    expect(stderr).toContain("error REGISTRY_LIMITED");
  });
});
