import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { NOT_OF_THE_LAB } from "../reporter.ts";
import { describeEngine, docker, registry, temporaryFolder, uniqueName } from "./engine.ts";
import { factory, imagesIn, imagesOfTest, makeWorkspace } from "./run-workspace.ts";
import { tinyBase } from "./tiny-base.ts";

const CELL = "app.linux-amd64";

interface Cost {
  ref: string;
  digest: string;
  bytes: number;
  layers: number;
  pull_s: number;
}

interface Found {
  with: string;
  original: Cost & { record_id: string };
  repacked: Cost;
  saving: number;
  changes: object[];
  record_id: string | null;
  status: string | null;
  pushed: boolean;
  kept_back: string | null;
}

interface Ran {
  results: {
    record_id: string;
    image?: { digest: string };
    repack?: {
      status: string;
      record_id: string;
      saving: number;
      image: { ref: string; digest: string };
      why: string | null;
    };
  }[];
  summary: { repacks?: object };
}

interface Moved {
  changes: { ref: string; to: string }[];
  kept_back?: { what: string; why: string }[];
}

async function ok<T>(root: string, args: string[], exit = 0): Promise<T> {
  const { exitCode, stdout, stderr } = await factory(root, [...args, "--json"]);
  expect(exitCode, stderr + stdout).toBe(exit);
  return JSON.parse(stdout) as T;
}

const config = (image: string) =>
  (JSON.parse(docker(["image", "inspect", image])) as { Config: object; Architecture: string }[]).map(
    ({ Config, Architecture }) => ({ ...Config, Architecture }),
  );

/** A cell whose image has more than files in its configuration. */
function workspace(repository: string): string {
  const nonce = uniqueName("nonce");
  const root = makeWorkspace(
    {
      fragments: {
        core: {
          "0.1.0": {
            body: `RUN --network=none mkdir -p /data/a /gone && echo ${nonce} > /data/a/x && ln /data/a/x /data/y && ln -s a/x /data/z && touch /gone/x; true`,
          },
        },
        app: {
          "0.1.0": {
            body: 'RUN --network=none echo 2 > /data/a/x2\nENV MODE="a b"\nEXPOSE 8080\nVOLUME /data\nUSER 1000:1000\nWORKDIR /data\nSTOPSIGNAL SIGINT\nENTRYPOINT ["sh", "-c"]\nCMD ["true"]\nHEALTHCHECK CMD true',
          },
        },
      },
      base: tinyBase(),
      manifest: "smoke: [{id: there, file: {path: /data/a/x2, exists: true}}]\n",
    },
    repository,
  );
  return root;
}

const put = (root: string, path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

const product = (more: string, repository = `${registry}/${uniqueName("x")}`) =>
  `schema_version: 1\nproduct_id: app\nmanifest_id: app\nrepository: ${repository}\ntags: ["1"]\n${more}\n`;

/** A docker-repack that forgets the layer with x2. */
const LOSES_A_LAYER = `#!${process.execPath}
const { cpSync, readFileSync, writeFileSync } = require("node:fs");
const { createHash } = require("node:crypto");
if (process.argv.includes("--version")) {
  console.log("docker-repack 0.0.0");
  process.exit(0);
}
const [from, to] = process.argv.slice(-2).map((place) => place.slice("oci://".length));
cpSync(from, to, { recursive: true });
const at = (digest) => to + "/blobs/" + digest.replace(":", "/");
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const write = (document) => {
  const text = JSON.stringify(document);
  const digest = "sha256:" + createHash("sha256").update(text).digest("hex");
  writeFileSync(at(digest), text);
  return { digest, size: text.length };
};
const index = read(to + "/index.json");
const manifest = read(at(index.manifests[0].digest));
const config = read(at(manifest.config.digest));
manifest.layers.splice(2, 1);
config.rootfs.diff_ids.splice(2, 1);
Object.assign(manifest.config, write(config));
Object.assign(index.manifests[0], write(manifest));
writeFileSync(to + "/index.json", JSON.stringify(index));
`;

const programs = ["zstd", "docker-repack"] as const;
const isThere = (program: string) =>
  program === "zstd" || spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;

describeEngine("repack", () => {
  for (const program of programs)
    test(
      `${program}: another image with the same files and configuration, its own tag and record; the canonical one stays`,
      { timeout: 240_000 },
      async (context) => {
        context.skip(!isThere(program), `${NOT_OF_THE_LAB}${program} is not installed`);
        const repository = imagesOfTest(`${registry}/`);
        const root = workspace(repository);
        const published = `${registry}/${uniqueName("x")}`;
        put(
          root,
          "control_plane/products/app.yaml",
          product(`repack: {with: ${program}, target_size: 1MB}`, published),
        );
        // The product asks for it: the run carries the cell through, and records both images.
        const all = ["run", "--manifest-id", "app", "--push"];
        const { results, summary } = await ok<Ran>(root, all);
        expect(summary.repacks).toEqual({ pass: 1, reused: 0, failed: 0, left_out: 0 });
        const { repack } = results[0] ?? {};
        expect(repack).toMatchObject({ status: "pass", with: program, pushed: true, why: null });
        // Another run has nothing to do about either.
        const again = await ok<Ran>(root, [...all, "--reuse"]);
        expect(again.results[0]).toMatchObject({
          status: "reused",
          record_id: results[0]?.record_id,
          repack: { status: "reused", record_id: repack?.record_id, image: repack?.image },
        });

        // Both have a public tag, by the digests that were tested.
        const { changes } = await ok<Moved>(root, ["publish", "--product", "app"]);
        const [image, layers] = [results[0]?.image?.digest, repack?.image.digest];
        expect(changes.map(({ ref, to }) => [ref, to])).toEqual([
          [`${published}:1-repacked`, layers],
          [`${published}:1`, image],
        ]);
        expect(docker(["buildx", "imagetools", "inspect", `${published}:1-repacked`])).toContain(layers);
        // Registries read there what the image is: on the index that was pushed, on its manifest, and on the repacked one.
        const raw = (name: string) =>
          JSON.parse(docker(["buildx", "imagetools", "inspect", "--raw", `${published}${name}`])) as {
            annotations?: object;
            manifests?: { digest: string }[];
          };
        const index = raw(":1");
        const title = { "org.opencontainers.image.title": "app" };
        for (const one of [index, raw(`@${index.manifests?.[0]?.digest}`), raw(":1-repacked")])
          expect(one.annotations).toMatchObject(title);

        const found = await ok<Found>(root, ["repack", CELL, "--with", program, "--target-size", "1MB"]);
        expect(found).toMatchObject({ with: program, changes: [], status: "pass", pushed: false });
        expect(found.saving).toBeCloseTo(repack?.saving ?? 2);
        const { original, repacked } = found;
        expect(repacked.ref).toBe(`${original.ref}-repacked`);
        expect(repacked.digest).not.toBe(original.digest);
        expect(repacked.bytes).toBeLessThan(original.bytes);
        expect(found.saving).toBeCloseTo(1 - repacked.bytes / original.bytes);
        for (const { pull_s } of [original, repacked]) expect(pull_s).toBeGreaterThan(0);

        expect(docker(["image", "inspect", "--format", "{{.Id}}", repacked.ref]).trim()).toBe(
          repacked.digest,
        );
        expect(docker(["image", "inspect", "--format", "{{.Id}}", original.ref]).trim()).toBe(
          original.digest,
        );
        expect(config(repacked.digest)).toEqual(config(original.digest));
        expect(imagesIn(repository, "{{.Repository}}")).toEqual([`${repository}/app`]);
        expect(readdirSync(join(root, ".factory/run"))).toEqual([]);

        // Its record is tied to the original's, and proves nothing of the cell itself.
        const record = await ok<Record<string, unknown>>(root, ["records", "show", found.record_id ?? ""]);
        expect(record).toMatchObject({
          repacked: { record_id: original.record_id, digest: original.digest, with: program },
          image: { ref: repacked.ref, digest: repacked.digest },
        });
        expect(await ok(root, ["records", "verify"])).toMatchObject({ checked: 3, problems: [] });
        const after = await ok<Ran>(root, ["run", "--manifest-id", "app", "--reuse"]);
        expect(after.results).toEqual([
          expect.objectContaining({ status: "reused", record_id: original.record_id }),
        ]);
      },
    );

  test(
    "it is pushed only where it saves what the policy asks for, and by digest as it was tested",
    { timeout: 240_000 },
    async () => {
      const repository = imagesOfTest(`${registry}/`);
      const root = workspace(repository);
      put(root, "control_plane/products/app.yaml", product("policy: release\nrepack: {with: zstd}"));
      const policy = (saving: number) =>
        put(
          root,
          "control_plane/policies/release.yaml",
          `schema_version: 1\npolicy_id: release\nrepack: {min_saving: ${saving}}\n`,
        );
      policy(0.99);
      const { results } = await ok<Ran>(root, ["run", "--manifest-id", "app", "--push"]);
      const told = results[0]?.repack?.why ?? "";
      expect(told).toMatch(/^not pushed: it .* and the policy asks for 99.0 %$/);
      // Another run has nothing to do, nothing is published of it, and nothing is missing.
      const again = await ok<Ran>(root, ["run", "--manifest-id", "app", "--push", "--reuse"]);
      expect(again.results[0]?.repack).toMatchObject({ status: "reused", why: told });
      const moved = await ok<Moved>(root, ["publish", "--product", "app"]);
      expect(moved.changes).toHaveLength(1);
      expect(moved.kept_back?.[0]?.why).toContain("the policy asks for 99.0 %");
      const args = ["repack", CELL, "--with", "zstd", "--push"];
      const back = await ok<Found>(root, args);
      expect(back).toMatchObject({ pushed: false, status: "pass" });
      expect(back.kept_back).toContain("the policy asks for 99.0 %");

      // A program that loses files: nothing of its image is kept.
      const bin = join(temporaryFolder(), "docker-repack");
      writeFileSync(bin, LOSES_A_LAYER, { mode: 0o755 });
      const images = imagesIn(repository);
      const env = { PATH: `${dirname(bin)}:${process.env.PATH}` };
      const lossy = await factory(root, ["repack", CELL, "--with", "docker-repack", "--json"], { env });
      expect(lossy.exitCode, lossy.stderr).toBe(1);
      const lost = JSON.parse(lossy.stdout) as Found;
      expect(lost).toMatchObject({ record_id: null, status: null, pushed: false });
      expect(lost.changes).toContainEqual({ path: "/data/a/x2", how: ["removed"] });
      expect(imagesIn(repository)).toEqual(images);
      expect(await ok(root, ["records", "verify"])).toMatchObject({ checked: 3, problems: [] });

      policy(0);
      const found = await ok<Found>(root, args);
      expect(found).toMatchObject({ pushed: true, kept_back: null });
      const seen = docker(["buildx", "imagetools", "inspect", found.repacked.ref]);
      expect(seen).toContain(found.repacked.digest);
      // From its digest its own record is found, which is that of its cell as the workspace is now.
      const { links } = await ok<{ links: { link: string; status: string; why: string }[] }>(root, [
        "verify",
        `${found.repacked.ref.replace(/:[^:]*$/, "")}@${found.repacked.digest}`,
      ]);
      expect(links.filter(({ status }) => status === "broken")).toEqual([]);
      expect(links).toContainEqual(expect.objectContaining({ link: "manifest", status: "ok" }));
      expect(links.find(({ link }) => link === "record")?.why).toContain(found.record_id);
    },
  );
});
