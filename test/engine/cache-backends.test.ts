import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it, test } from "vitest";
import { readAttributes } from "../../src/model/attributes.ts";
import type { CachePlace } from "../../src/model/cache-place.ts";
import { fromEntry, toEntry } from "../../src/plan/cache-entries.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { describeEngine, temporaryFolder, uniqueName } from "./engine.ts";
import { factory, makeWorkspace } from "./run-workspace.ts";
import { canStartEngine, startEmptyEngine } from "./second-engine.ts";

/** What bake makes of entries, by target. */
function printed(entries: readonly { from: string; to: string }[]) {
  const root = temporaryFolder();
  const target = Object.fromEntries(
    entries.map(({ from, to }, at) => [`t${at}`, { "cache-from": [from], "cache-to": [to] }]),
  );
  writeFileSync(join(root, "b.json"), JSON.stringify({ target }));
  const argv = ["buildx", "bake", "--file", "b.json", "--print", ...Object.keys(target)];
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "a-secret-of-s3",
  };
  const text = execFileSync("docker", argv, {
    cwd: root,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(text).not.toContain("a-secret-of-s3");
  const all = JSON.parse(text) as {
    target: Record<string, { "cache-from": Record<string, string>[]; "cache-to": Record<string, string>[] }>;
  };
  return entries.map((_, at) => ({
    from: all.target[`t${at}`]?.["cache-from"][0],
    to: all.target[`t${at}`]?.["cache-to"][0],
  }));
}

const both = (place: CachePlace) => ({ from: fromEntry(place, "t"), to: toEntry(place, "t") });

describeEngine("caches elsewhere than in a registry", () => {
  it("are what bake reads of their entries", () => {
    const s3 = {
      type: "s3",
      bucket: "team-cache",
      region: "eu-west-1",
      prefix: "f/",
      use_path_style: true,
    } as const;
    const places: CachePlace[] = [
      { type: "gha" },
      { ...s3, endpoint_url: "https://minio.example:9000" },
      { type: "local", folder: ".factory/cache" },
    ];
    expect(printed(places.map(both))).toEqual([
      {
        from: { type: "gha", scope: "t" },
        to: { type: "gha", scope: "t", mode: "max", "ignore-error": "true" },
      },
      {
        from: {
          type: "s3",
          bucket: "team-cache",
          region: "eu-west-1",
          prefix: "f/",
          endpoint_url: "https://minio.example:9000",
          use_path_style: "true",
          name: "t",
        },
        to: {
          type: "s3",
          bucket: "team-cache",
          region: "eu-west-1",
          prefix: "f/",
          endpoint_url: "https://minio.example:9000",
          use_path_style: "true",
          name: "t",
          mode: "max",
          "ignore-error": "true",
        },
      },
      {
        from: { type: "local", src: ".factory/cache/t" },
        to: {
          type: "local",
          dest: ".factory/cache/t",
          mode: "max",
          "oci-mediatypes": "true",
          "image-manifest": "true",
          "ignore-error": "true",
        },
      },
    ]);
  });

  it("can be in folders of any name that factory.yaml may say", () => {
    const part = fc.stringMatching(/^[a-z",= '.;:äß-]{1,8}$/).filter((one) => !/^[\s.]|[\s.]$/.test(one));
    fc.assert(
      fc.property(
        fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 30 }),
        (all) => {
          const entries = all.map((parts) => both({ type: "local", folder: parts.join("/") }));
          expect(printed(entries)).toEqual(
            entries.map(({ from, to }) => ({
              from: Object.fromEntries(readAttributes(from)),
              to: Object.fromEntries(readAttributes(to)),
            })),
          );
          expect(printed(entries).map(({ from }) => from?.src)).toEqual(
            all.map((parts) => `${parts.join("/")}/t`),
          );
        },
      ),
      { numRuns: 5 },
    );
  });

  const withCache = (root: string, cache: string) => {
    const file = join(root, "factory.yaml");
    writeFileSync(file, `${readFileSync(file, "utf8")}cache: ${cache}\n`);
  };

  /** Two fragments that no engine has built. */
  const made = () => {
    const nonce = uniqueName("nonce");
    const body = (name: string) => ({ body: `RUN --network=none echo ${name} ${nonce} > /${name}` });
    return makeWorkspace({ fragments: { core: { "0.1.0": body("core") }, top: { "0.1.0": body("top") } } });
  };

  const record = (root: string, stdout: string) => {
    const { results } = JSON.parse(stdout) as { results: { record: string }[] };
    return JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
  };

  test.skipIf(!canStartEngine)(
    "a folder of the workspace fills an empty builder; the driver docker is enough",
    { timeout: 600_000 },
    async () => {
      const root = made();
      withCache(root, '{type: local, folder: ".factory/a cache, b"}');
      const first = await factory(root, ["run", "--manifest-id", "app", "--json"]);
      expect(first.exitCode, first.stderr).toBe(0);
      const refs = readdirSync(join(root, ".factory/a cache, b")).sort();
      expect(refs.map((ref) => ref.replace(/[a-f0-9]{12}/, "ID"))).toEqual([
        "core-0.1.0-ID-linux-amd64",
        "top-0.1.0-ID-linux-amd64",
      ]);
      for (const ref of refs)
        expect(readdirSync(join(root, ".factory/a cache, b", ref))).toContain("index.json");

      const env = { DOCKER_HOST: await startEmptyEngine() };
      const again = await factory(root, ["run", "--manifest-id", "app", "--json"], { env });
      expect(again.exitCode, again.stderr + again.stdout).toBe(0);
      expect(record(root, again.stdout).cache).toEqual({ hits: 2, total: 2 });
    },
  );

  it("is read and not written by a run that does not push, where only those write", async () => {
    const root = made();
    withCache(root, "{type: local, write: pushes}");
    const { exitCode, stderr } = await factory(root, ["run", "--manifest-id", "app"]);
    expect(exitCode, stderr).toBe(0);
    const written = readdirSync(join(root, ".factory"), { recursive: true, encoding: "utf8" });
    expect(written.filter((path) => path.includes("cache") && path.endsWith("index.json"))).toEqual([]);
  });

  it("is left out with a note where the builder has no such cache, or the job does not pass it on", async () => {
    for (const [cache, note] of [
      [
        "{type: s3, bucket: team-cache, region: eu-west-1}",
        "the builder's driver `docker` has no cache of the type s3",
      ],
      ["{type: gha}", "the cache of GitHub Actions cannot be reached"],
    ] as const) {
      const root = made();
      withCache(root, cache);
      const env = { ACTIONS_RUNTIME_TOKEN: "", ACTIONS_RESULTS_URL: "", ACTIONS_CACHE_URL: "" };
      const { exitCode, stderr } = await factory(root, ["run", "--manifest-id", "app"], { env });
      expect(exitCode, stderr).toBe(0);
      expect(stderr).toContain(note);
    }
  });

  it("never is a folder that leads out of the workspace", async () => {
    const root = made();
    const outside = temporaryFolder();
    withCache(root, "{type: local}");
    mkdirSync(join(root, ".factory"), { recursive: true });
    symlinkSync(outside, join(root, ".factory/cache"));
    const { exitCode, stderr } = await factory(root, ["run", "--manifest-id", "app"]);
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain("error FILE_OUTSIDE: .factory/cache leads out of the workspace");
    expect(readdirSync(outside)).toEqual([]);
  });
});
