import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { openLayerCache } from "../../src/sbom/layer-cache.ts";
import { makeSbom, type SbomDeps, type SbomImage } from "../../src/sbom/sbom.ts";
import { digestOf, engineWith, savedImage, writeLayout, type TarEntry } from "../fixtures/sbom/image.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "factory-sbom-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An engine that must not be asked. */
const noEngine: SbomDeps["docker"] = {
  inspectImage: () => Promise.reject(new Error("docker image inspect was called")),
  saveImage: () => Promise.reject(new Error("docker image save was called")),
};

const depsOf = (docker: SbomDeps["docker"], extra: Partial<SbomDeps> = {}): SbomDeps => ({
  docker,
  now: () => null,
  clock: () => 0,
  toolVersion: "0.1.0",
  ...extra,
});

const layers: TarEntry[][] = [
  [
    { name: "etc/os-release", text: "ID=debian\nVERSION_ID=12\n" },
    { name: "var/lib/dpkg/status", text: "Package: a\nVersion: 1\nArchitecture: all\n" },
    { name: "usr/share/doc/a/copyright", text: "see /usr/share/common-licenses/GPL-2" },
  ],
  [
    { name: "app/node_modules/x/package.json", text: '{"name":"x","version":"1.0.0"}' },
    { name: "../outside", text: "skipped, with a warning" },
  ],
];

async function imageIn(folder: string, images: Parameters<typeof savedImage>[0], attested = false) {
  const saved = await savedImage(images, { attested });
  writeLayout(folder, saved.files);
  const platform = Object.keys(images)[0] ?? "";
  const digest = saved.digests[platform] ?? "";
  const image: SbomImage = { ref: "demo:1", digest, platform, name: "demo", layout: folder };
  return { ...saved, image, digest };
}

describe("makeSbom with a layout", () => {
  test("gives the bytes that the engine's archive gives, without asking the engine", async () => {
    const { tar, image } = await imageIn(temporaryFolder(), { "linux/amd64": layers });
    const fromLayout = await makeSbom(image, depsOf(noEngine));
    const fromArchive = await makeSbom({ ...image, layout: undefined }, depsOf(engineWith(tar)));
    expect(fromLayout).toEqual(fromArchive);
    expect(fromLayout).toMatchObject({ counts: { deb: 1, npm: 1 }, warnings: [expect.any(String)] });
  });

  test("finds the image of a platform below the index that is asked for, beside attestations", async () => {
    const images = { "linux/amd64": layers, "linux/arm64/v8": [[], ...layers] };
    const { image, files, digests } = await imageIn(temporaryFolder(), images, true);
    const index = digestOf(files.find(({ text }) => String(text).includes('"manifests"'))?.text ?? "");
    const sbom = await makeSbom({ ...image, digest: index, platform: "linux/arm64" }, depsOf(noEngine));
    expect(sbom.json).toContain(digests["linux/arm64/v8"]);
  });

  test("takes the image with the digest, where the layout holds others", async () => {
    const folder = temporaryFolder();
    const other = await imageIn(folder, { "linux/amd64": [] });
    const { image, digest } = await imageIn(folder, { "linux/amd64": layers });
    const manifests = [other.digest, digest].map((one) => ({ digest: one }));
    writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
    expect((await makeSbom(image, depsOf(noEngine))).components).toBe(3);
  });

  test("asks the engine to save the image where the layout lacks any part of it", async () => {
    const folder = temporaryFolder();
    const { tar, image, files } = await imageIn(folder, { "linux/amd64": layers });
    const whole = await makeSbom(image, depsOf(noEngine));
    for (const { name, text } of files) {
      rmSync(join(folder, name));
      await expect(makeSbom(image, depsOf(noEngine)), name).rejects.toThrow("docker image save was called");
      expect(await makeSbom(image, depsOf(engineWith(tar))), name).toEqual(whole);
      writeFileSync(join(folder, name), text);
    }
    const elsewhere = { ...image, layout: join(folder, "none") };
    expect(await makeSbom(elsewhere, depsOf(engineWith(tar)))).toEqual(whole);
    const unknown = { ...image, digest: `sha256:${"0".repeat(64)}` };
    await expect(makeSbom(unknown, depsOf(noEngine))).rejects.toThrow("docker image save was called");
  });

  test("any other byte in any blob is IMAGE_UNREADABLE, and the layer is named", async () => {
    const folder = temporaryFolder();
    const { image, files } = await imageIn(folder, { "linux/amd64": layers });
    const blobs = files.filter(({ name }) => name !== "index.json");
    const isLayer = (bytes: Buffer) => bytes[0] === 0x1f;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...blobs),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (blob, at, bit) => {
          const bytes = Buffer.from(blob.text);
          const place = at % bytes.length;
          const wrong = Buffer.from(bytes);
          wrong[place] = (bytes[place] ?? 0) ^ bit;
          writeFileSync(join(folder, blob.name), wrong);
          const told: string[] = [];
          const onUnreadable = (digest: string) => void told.push(digest);
          const making = makeSbom(image, depsOf(noEngine, { onUnreadable }));
          await expect(making).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
          expect(told).toEqual(isLayer(bytes) ? [digestOf(bytes)] : []);
          writeFileSync(join(folder, blob.name), bytes);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a layer with bytes after its end is IMAGE_UNREADABLE", async () => {
    const folder = temporaryFolder();
    const { image, files } = await imageIn(folder, { "linux/amd64": layers });
    const layer = files.find(({ text }) => text[0] === 0x1f);
    appendFileSync(join(folder, layer?.name ?? ""), "more");
    await expect(makeSbom(image, depsOf(noEngine))).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
  });

  test("a tar of several pieces is hashed to its end: the padding, and the bytes of a file that is not kept", async () => {
    const folder = temporaryFolder();
    const big = { name: "opt/big", text: Buffer.alloc(3 << 20) };
    const compress = (tar: Buffer) => Buffer.concat([tar, Buffer.alloc(2 << 20)]);
    const { files, digests } = await savedImage({ "linux/amd64": [...layers, [big]] }, { compress });
    writeLayout(folder, files);
    const digest = digests["linux/amd64"] ?? "";
    const image = { ref: "demo:1", digest, platform: "linux/amd64", name: "demo", layout: folder };
    expect((await makeSbom(image, depsOf(noEngine))).counts.deb).toBe(1);
    const blob = files.find(({ text }) => text.length > 4 << 20);
    const wrong = Buffer.from(blob?.text ?? "");
    wrong[2 << 20] = 1;
    writeFileSync(join(folder, blob?.name ?? ""), wrong);
    await expect(makeSbom(image, depsOf(noEngine))).rejects.toThrow(/do not have its digest/);
  });

  test("a digest that is a path does not lead out of the layout", async () => {
    const folder = temporaryFolder();
    const { image } = await imageIn(folder, { "linux/amd64": layers });
    const digest = "../../index.json:";
    const index = { schemaVersion: 2, manifests: [{ digest }, { digest: "sha256:../../index.json" }] };
    writeFileSync(join(folder, "index.json"), JSON.stringify(index));
    const making = makeSbom({ ...image, digest: null }, depsOf(noEngine));
    await expect(making).rejects.toThrow("docker image save was called");
  });

  test("reads once more for a hard link into another layer, with and without a cache", async () => {
    const stored: TarEntry[][] = [
      [{ name: "store/0123", text: '{"name":"linked","version":"4.0.0"}' }],
      [{ name: "app/node_modules/linked/package.json", hardlink: "store/0123" }],
    ];
    const { image } = await imageIn(temporaryFolder(), { "linux/amd64": stored });
    const plain = await makeSbom(image, depsOf(noEngine));
    expect(plain.json).toContain("pkg:npm/linked@4.0.0");
    const folder = temporaryFolder();
    for (const cache of [openLayerCache(folder, "1"), openLayerCache(folder, "1")]) {
      expect(await makeSbom(image, depsOf(noEngine, { cache }))).toEqual(plain);
      expect(await makeSbom(image, depsOf(noEngine, { cache }))).toEqual(plain);
    }
  });

  test("is INTERRUPTED by its signal", async () => {
    const { image } = await imageIn(temporaryFolder(), { "linux/amd64": layers });
    const signal = AbortSignal.abort();
    await expect(makeSbom(image, depsOf(noEngine, { signal }))).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
  });

  test("reads a blob that stands in a manifest twice once, and lays it over twice", async () => {
    const twice = [layers[0] ?? [], [{ name: "var/lib/dpkg/.wh.status", text: "" }], layers[0] ?? []];
    const { tar, image } = await imageIn(temporaryFolder(), { "linux/amd64": twice });
    const sbom = await makeSbom(image, depsOf(noEngine));
    expect(sbom.counts.deb).toBe(1);
    expect(sbom).toEqual(await makeSbom({ ...image, layout: undefined }, depsOf(engineWith(tar))));
  });
});

const NAMES = [
  "etc/os-release",
  "var/lib/dpkg/status",
  "var/lib/dpkg/status.d/b",
  "usr/share/doc/a/copyright",
  "usr/share/doc/a",
  "usr/share/doc",
  "app/node_modules/x/package.json",
  "app/node_modules/.package-lock.json",
  "app",
  "lib/apk/db/installed",
  "store/1",
  "site/Ä.dist-info/METADATA",
  "../outside",
];
const TEXTS = [
  "ID=debian\nVERSION_ID=12\n",
  "Package: a\nVersion: 1\nArchitecture: all\n\nPackage: b\nVersion: 2\nDepends: a\n",
  '{"name":"x","version":"1.0.0","license":"MIT"}',
  "P:a\nV:1\nL:MIT\n",
  "Name: S\nVersion: 3\n",
  "GPL: /usr/share/common-licenses/GPL-2\n",
  "",
];
const name = fc.constantFrom(...NAMES);
const inFolder = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);
const entry: fc.Arbitrary<TarEntry> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ name, text: fc.constantFrom(...TEXTS) }) },
  fc.record({ name, symlink: fc.constantFrom(...NAMES.map((one) => `/${one}`), "a") }),
  fc.record({ name, hardlink: name }),
  fc.record({ name, folder: fc.constant(true as const) }),
  name.map((path) => ({ name: `${inFolder(path)}.wh.${path.slice(inFolder(path).length)}`, text: "" })),
  name.map((path) => ({ name: `${inFolder(path)}.wh..wh..opq`, text: "" })),
);

test("an SBOM is the same from the archive, from the layout, and with layers from memory or from the disk", async () => {
  const base = temporaryFolder();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(entry, { maxLength: 6 }), { maxLength: 4 }), async (random) => {
      const folder = join(base, String((run += 1)));
      const { tar, image } = await imageIn(folder, { "linux/amd64": random });
      const sorted = (sbom: Awaited<ReturnType<typeof makeSbom>>) => ({
        ...sbom,
        warnings: sbom.warnings.toSorted(),
      });
      const archived = await makeSbom({ ...image, layout: undefined }, depsOf(engineWith(tar)));
      const plain = await makeSbom(image, depsOf(noEngine));
      // The archive has its blobs in another order, and so its warnings.
      expect(sorted(plain)).toEqual(sorted(archived));
      for (const cache of [
        openLayerCache(join(base, "cache"), "1"),
        openLayerCache(join(base, "cache"), "1"),
      ]) {
        expect(await makeSbom(image, depsOf(noEngine, { cache }))).toEqual(plain);
        expect(await makeSbom(image, depsOf(noEngine, { cache }))).toEqual(plain);
      }
    }),
    { numRuns: 60 },
  );
});

test("layers from the cache are not read again", async () => {
  const folder = temporaryFolder();
  const { image, files } = await imageIn(folder, { "linux/amd64": layers });
  const cached = temporaryFolder();
  const first = await makeSbom(image, depsOf(noEngine, { cache: openLayerCache(cached, "1") }));
  for (const { name: file, text } of files) if (text[0] === 0x1f) rmSync(join(folder, file));
  expect(await makeSbom(image, depsOf(noEngine, { cache: openLayerCache(cached, "1") }))).toEqual(first);
  const other = depsOf(noEngine, { cache: openLayerCache(cached, "2") });
  await expect(makeSbom(image, other)).rejects.toThrow("docker image save was called");
  expect(readFileSync(join(folder, "index.json"), "utf8")).toContain(image.digest);
});
