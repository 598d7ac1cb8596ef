import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareTrees, readTree } from "../../src/compare/file-tree.ts";
import { openBlobFolder } from "../../src/files/blob-folder.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { sha256 } from "../../src/model/digest.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { assemble, bareImage } from "../../src/repack/assemble.ts";
import { plainLayers } from "../../src/repack/plain-layers.ts";
import { writeMarks } from "../../src/repack/layout-marks.ts";
import { pullSeconds, type PulledLayer } from "../../src/repack/pull-time.ts";
import { openDocuments } from "../../src/sbom/layout.ts";
import { manifestsIn } from "../../src/sbom/manifest.ts";
import { dockerRepack } from "../../src/tools/docker-repack.ts";
import { dockerfileOf } from "../../src/stitch/finish.ts";
import { imageOf, type Made, tarOf } from "./compare-made.ts";
import { INPUTS, provenDraft, START } from "./records-made.ts";
import { temporaryFolder } from "./workspace.ts";

const options = { signal: new AbortController().signal, onBytes: () => undefined };

/** The files that a container sees of layers. */
async function treeOf(...layers: Made[][]) {
  return readTree(imageOf(await Promise.all(layers.map(tarOf))), options);
}

const dir = (name: string): Made => ({ name, type: "directory" });
const link = (name: string, linkname: string): Made => ({ name, type: "link", linkname });

describe("the files of an image", () => {
  it("are the same in any number of layers", async () => {
    const file = fc.record({ name: fc.stringMatching(/^[a-d]\/[a-d]$/), text: fc.string({ maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 12 }), fc.nat(), async (files, seed) => {
        const last = [...new Map(files.map((one) => [one.name, one])).values()];
        const cut = seed % (files.length + 1);
        const unique = (some: typeof files) => [...new Map(some.map((one) => [one.name, one])).values()];
        const two = await treeOf(unique(files.slice(0, cut)), unique(files.slice(cut)));
        expect(compareTrees(await treeOf(last), two).changes).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it("lose what a whiteout, an opaque folder, or another kind of file takes away", async () => {
    const base = [
      dir("a"),
      { name: "a/x" },
      { name: "a/y" },
      dir("b"),
      { name: "b/x" },
      dir("c"),
      { name: "c/x" },
    ];
    const top = [
      { name: "a/.wh.x" },
      { name: "b/.wh..wh..opq" },
      { name: "b/new" },
      { name: "c", text: "file" },
    ];
    const flat = [dir("a"), { name: "a/y" }, dir("b"), { name: "b/new" }, { name: "c", text: "file" }];
    expect(compareTrees(await treeOf(flat), await treeOf(base, top)).changes).toEqual([]);
    expect(compareTrees(await treeOf(base), await treeOf(base, top)).changes).toEqual([
      { path: "/a/x", how: ["removed"] },
      { path: "/b/new", how: ["added"] },
      { path: "/b/x", how: ["removed"] },
      { path: "/c", how: ["type"] },
      { path: "/c/x", how: ["removed"] },
    ]);
    // A whiteout of a folder takes what is in it, and nothing that only begins like it.
    const gone = await treeOf([dir("a"), { name: "a/x" }, { name: "ab" }], [{ name: ".wh.a" }]);
    expect([...gone.entries.keys()]).toEqual(["ab"]);
  });

  it("have the last of what a layer names twice, in whichever way", async () => {
    const twice = await treeOf([
      { name: "./a", text: "1" },
      { name: "a", text: "2" },
    ]);
    expect(compareTrees(await treeOf([{ name: "a", text: "2" }]), twice).changes).toEqual([]);
    expect(compareTrees(await treeOf([{ name: "a", text: "1" }]), twice).changes).toHaveLength(1);
  });

  it("follow hard links, whichever of the names has the bytes", async () => {
    const one = await treeOf([{ name: "a", text: "1" }, link("b", "a"), link("c", "/b")]);
    const two = await treeOf([{ name: "c", text: "1" }, link("a", "c"), link("b", "./c")]);
    expect(compareTrees(one, two).changes).toEqual([]);
    const three = await treeOf([{ name: "c", text: "1" }], [{ name: "a", text: "2" }, link("b", "c")]);
    expect(compareTrees(one, three).changes).toEqual([{ path: "/a", how: ["content"] }]);
    // What leads nowhere, out, or in a circle, stays a link.
    const odd = await treeOf([link("a", "b"), link("b", "a"), link("c", "../../x"), link("d", "gone")]);
    expect([...odd.entries.values()].every((entry) => entry.startsWith("link "))).toBe(true);
  });
});

describe("a repacked image", () => {
  const config = {
    variant: "v8",
    created: "2026-01-01T00:00:00Z",
    config: {
      Env: ["A=b"],
      OnBuild: ["RUN false"],
      Healthcheck: { Test: ["CMD", "true"] },
      StopSignal: "SIGINT",
    },
  };

  it("has all of the configuration, whatever the program made of it, with a history for its layers", async () => {
    const [one, two] = [await tarOf([{ name: "a" }]), await tarOf([{ name: "b" }])] as const;
    const original = imageOf([one, two], { config, history: [{ created_by: "x" }, { created_by: "y" }] });
    const made = imageOf([await tarOf([{ name: "a" }, { name: "b" }])]);
    const blobs = openBlobFolder(temporaryFolder());
    const { image, manifest } = await assemble(original, made, { blobs, by: "program" });
    expect(image.config).toMatchObject({ ...config, os: "linux", architecture: "amd64" });
    expect(image.config.rootfs).toEqual({ type: "layers", diff_ids: made.diffIds });
    expect(image.history).toEqual([{ created_by: "program", empty: false }]);
    expect(blobs.has(manifest.digest)).toBe(true);
    const same = await assemble(original, original, { blobs, by: "zstd" });
    expect(same.image.config).toEqual(original.config);
  });

  it("is made from one that has nothing to run, in a layout that names it alone", async () => {
    const original = imageOf([await tarOf([{ name: "a" }])], { config });
    const folder = temporaryFolder();
    const blobs = openBlobFolder(folder);
    const manifest = await bareImage(original, original, blobs);
    writeMarks(folder, manifest, "linux/arm64/v8");
    const { config: about } = JSON.parse(blobs.read(manifest.digest).toString()) as {
      config: { digest: string };
    };
    expect(JSON.parse(blobs.read(about.digest).toString())).toMatchObject({
      os: "linux",
      variant: "v8",
      config: {},
      rootfs: { diff_ids: original.diffIds },
    });
    expect(JSON.parse(readFileSync(join(folder, "index.json"), "utf8"))).toMatchObject({
      manifests: [
        { digest: manifest.digest, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
      ],
    });
    expect(manifestsIn(openDocuments(folder))).toMatchObject([{ digest: manifest.digest }]);
  });
});

describe("layers with names in several spellings", () => {
  it("are written anew with one, and have the same files", async () => {
    const long = `./${"d/".repeat(60)}${"x".repeat(100)}`;
    const files: Made[] = [
      { name: "./", type: "directory" },
      { name: "./a/", type: "directory", mode: 0o2755 },
      { name: "./a/x", text: "1".repeat(2000), uid: 7, mtime: new Date(7000) },
      { name: long, text: "", mode: 0o4755 },
      { name: "./link", type: "symlink", linkname: "./a/x" },
      { name: "./hard", type: "link", linkname: "./a/x" },
      { name: "./device", type: "character-device", devmajor: 1, devminor: 3 },
      { name: "./cap", text: "c", pax: { "SCHILY.xattr.user.x": "y" } },
      { name: ".wh.gone" },
    ];
    const image = imageOf([await tarOf(files), await tarOf([{ name: "b" }])]);
    const before = await readTree(image, options);
    expect(before.oddlyNamed).toEqual([0]);
    const blobs = openBlobFolder(temporaryFolder());
    const { layers, diffIds } = await plainLayers(image, before.oddlyNamed, {
      blobs,
      signal: options.signal,
    });
    expect(layers[1]).toEqual(image.layers[1]);
    const both = {
      read: blobs.read,
      pieces: (digest: string) => (blobs.has(digest) ? blobs : image.blobs).pieces(digest),
    };
    const after = await readTree({ ...image, layers, diffIds, blobs: both }, options);
    expect(after.oddlyNamed).toEqual([]);
    expect(compareTrees(before, after)).toEqual({ changes: [], times: 0 });
    expect(after.entries.size).toBe(8);
  });
});

describe("the time of a pull", () => {
  const layer = (packed: number, unpacked = 0, mediaType = "x+gzip"): PulledLayer => ({
    packed,
    unpacked,
    mediaType,
  });
  const model = { bandwidth: 80e6, parallel: 2 };

  it("is that of all bytes over the line, and of unpacking what comes last", () => {
    expect(pullSeconds([], model)).toBe(0);
    expect(pullSeconds([layer(10e6)], model)).toBeCloseTo(1);
    expect(pullSeconds([layer(10e6), layer(10e6), layer(10e6)], model)).toBeCloseTo(3);
    expect(pullSeconds([layer(10e6, 140e6)], model)).toBeCloseTo(2);
    expect(pullSeconds([layer(10e6, 700e6, "x+zstd")], model)).toBeCloseTo(2);
    // Two that share the line arrive at 2 s; the first one is unpacked, then the second.
    expect(pullSeconds([layer(10e6, 140e6), layer(10e6, 140e6)], model)).toBeCloseTo(4);
    // One at a time, the first is unpacked while the second comes.
    expect(pullSeconds([layer(10e6, 140e6), layer(10e6, 140e6)], { ...model, parallel: 1 })).toBeCloseTo(3);
  });

  it("is never less than the bytes need, nor more than all of it one after the other", () => {
    const layers = fc.array(fc.tuple(fc.nat(1e8), fc.nat(1e9)), { maxLength: 20 });
    fc.assert(
      fc.property(layers, fc.integer({ min: 1, max: 8 }), (sizes, parallel) => {
        const all = sizes.map(([packed, unpacked]) => layer(packed, unpacked));
        const bytes = sizes.reduce((sum, [packed]) => sum + packed, 0) / 10e6;
        const unpacking = sizes.reduce((sum, [, unpacked]) => sum + unpacked, 0) / 140e6;
        const seconds = pullSeconds(all, { ...model, parallel });
        expect(seconds).toBeGreaterThanOrEqual(Math.max(bytes, unpacking) - 1e-3);
        expect(seconds).toBeLessThanOrEqual(bytes + unpacking + 1e-3);
      }),
    );
  });
});

const TIE = {
  record_id: "20261121t010203456z-0000000000000001",
  digest: sha256("1"),
  manifest_digest: sha256("1"),
  with: "zstd",
} as const;

describe("its record", () => {
  it("has a verdict of its own, for the same bits and the same Dockerfile", () => {
    const [before, after] = [keysOf(INPUTS), keysOf({ ...INPUTS, repacked: TIE })];
    expect(after).toEqual({ ...before, verdict_key: after.verdict_key });
    expect(after.verdict_key).not.toBe(before.verdict_key);
    expect(dockerfileOf({ ...INPUTS, repacked: TIE })).toBe(dockerfileOf(INPUTS));
  });

  it("proves nothing of the cell, and hides nothing that does", async () => {
    const root = temporaryFolder();
    const store = openStore(root);
    const original = await store.put(await provenDraft(store), START);
    const tie = { ...TIE, record_id: original.record_id };
    const later = new Date(START.getTime() + 1000);
    const draft = await provenDraft(store, { repacked: tie }, later);
    const own = await store.put({ ...draft, repacked: tie }, later);
    const attempts = await store.attempts({});
    const ids = (some: Iterable<{ record_id: string }>) => [...some].map(({ record_id }) => record_id);
    expect(ids(attempts.withBuildKey(original.build_key))).toEqual([original.record_id]);
    expect(ids(attempts.withVerdictKey(own.verdict_key))).toEqual([]);
    expect(ids(attempts.ofCell("demo", own.cell_id))).toEqual([original.record_id]);
    expect(ids(attempts.ofManifest("demo"))).toEqual([original.record_id]);
    expect((await store.list({})).total).toBe(2);
  });
});

describe("docker-repack", () => {
  const ended = { stdout: "", stderr: "", timedOut: false, aborted: false };

  it("gets sizes in bytes, and paths behind its options", async () => {
    const calls: (readonly string[])[] = [];
    const tool = dockerRepack((file, argv) => {
      calls.push([file, ...argv]);
      return Promise.resolve({ ...ended, exitCode: 0, stdout: "docker-repack 0.5.0\n" });
    });
    expect(await tool.version()).toBe("0.5.0");
    await tool.repack({ from: "/a", to: "/b", platform: "linux/amd64", targetSize: 50e6 });
    expect(calls[1]).toEqual([
      "docker-repack",
      "--target-size",
      "50000000B",
      "--platform",
      "linux/amd64",
      "oci:///a",
      "oci:///b",
    ]);
  });

  it("fails with its own last words", async () => {
    const tool = dockerRepack(() => Promise.resolve({ ...ended, exitCode: 101, stderr: "x\nit broke\n" }));
    await expect(tool.repack({ from: "/a", to: "/b", platform: "x", targetSize: 1 })).rejects.toMatchObject({
      code: "TOOL_FAILED",
      message: "docker-repack ended with 101: it broke",
    });
  });
});
