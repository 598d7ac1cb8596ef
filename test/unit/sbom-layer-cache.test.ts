import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Node, ReadLayer } from "../../src/sbom/layer.ts";
import { openLayerCache } from "../../src/sbom/layer-cache.ts";
import { packLayer, unpackLayer } from "../../src/sbom/pack-layer.ts";
import { createPathSet } from "../../src/sbom/paths.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "factory-cache-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const digest = `sha256:${"a".repeat(64)}`;

function pathSet(paths: readonly string[]) {
  const set = createPathSet();
  for (const path of paths) set.add(path);
  return set;
}

function layerOf(nodes: readonly (readonly [string, Node])[] = [], bytes = 10): ReadLayer {
  const paths = nodes.map(([path]) => path);
  const layer = {
    nodes: new Map(nodes),
    removed: new Set(["gone"]),
    opaque: new Set([""]),
    folders: pathSet(["usr"]),
    others: pathSet(paths),
  };
  return { layer, notes: [{ what: "w", where: "", count: 2 }], spent: { bytes, entries: 3 } };
}

/** A layer in a form that two of them can be compared by. */
const plain = ({ layer, notes, spent }: ReadLayer) => ({
  notes,
  spent,
  nodes: [...layer.nodes].map(([path, node]) => [
    path,
    node.kind,
    "bytes" in node ? node.bytes.toString("hex") : node.target,
  ]),
  removed: [...layer.removed],
  opaque: [...layer.opaque],
  folders: [...layer.folders.hashes()],
  others: [...layer.others.hashes()],
});

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "", "a\nb", "\ud800"));
const node: fc.Arbitrary<Node> = fc.oneof(
  fc.record({
    kind: fc.constant("file" as const),
    bytes: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({ kind: fc.constantFrom("symlink" as const, "hardlink" as const), target: text }),
);
const anyLayer: fc.Arbitrary<ReadLayer> = fc
  .record({
    nodes: fc.array(fc.tuple(text, node)),
    removed: fc.array(text),
    opaque: fc.array(text),
    folders: fc.array(text),
    others: fc.array(text),
    notes: fc.array(fc.record({ what: text, where: text, count: fc.nat() })),
    spent: fc.record({ bytes: fc.nat(), entries: fc.nat() }),
  })
  .map(({ notes, spent, ...parts }) => ({
    layer: {
      nodes: new Map(parts.nodes),
      removed: new Set(parts.removed),
      opaque: new Set(parts.opaque),
      folders: pathSet(parts.folders),
      others: pathSet(parts.others),
    },
    notes,
    spent,
  }));

describe("a packed layer", () => {
  test("is unpacked as it was", () => {
    fc.assert(
      fc.property(anyLayer, text, (layer, path) => {
        const unpacked = unpackLayer(packLayer(layer, digest, "1"), digest, "1");
        expect(unpacked && plain(unpacked)).toEqual(plain(layer));
        expect(unpacked?.layer.others.has(path)).toBe(layer.layer.others.has(path));
      }),
    );
  });

  test("is nothing to another version, for another layer, cut off, or with any other byte", () => {
    const packed = packLayer(layerOf([["a", { kind: "file", bytes: Buffer.from("text") }]]), digest, "1");
    expect(unpackLayer(packed, digest, "1")).not.toBeNull();
    expect(unpackLayer(packed, digest, "2")).toBeNull();
    expect(unpackLayer(packed, `sha256:${"b".repeat(64)}`, "1")).toBeNull();
    for (let at = 0; at < packed.length; at += 1) {
      expect(unpackLayer(packed.subarray(0, at), digest, "1"), `cut at ${at}`).toBeNull();
      const wrong = Buffer.from(packed);
      wrong[at] = (packed[at] ?? 0) ^ 1;
      expect(unpackLayer(wrong, digest, "1"), `changed at ${at}`).toBeNull();
    }
  });
});

describe("the layer cache", () => {
  const never = () => Promise.reject(new Error("read again"));

  test("gives what was read, from memory and then from the disk", async () => {
    const folder = temporaryFolder();
    const made = layerOf([["a", { kind: "symlink", target: "b" }]]);
    const cache = openLayerCache(folder, "1");
    expect(await cache.layer(digest, () => Promise.resolve(made))).toBe(made);
    expect(await cache.layer(digest, never)).toBe(made);
    const again = await openLayerCache(folder, "1").layer(digest, never);
    expect(plain(again)).toEqual(plain(made));
    await expect(openLayerCache(folder, "2").layer(digest, never)).rejects.toThrow("read again");
  });

  test("marks a file as used", async () => {
    const folder = temporaryFolder();
    await openLayerCache(folder, "1").layer(digest, () => Promise.resolve(layerOf()));
    const file = join(folder, `${"a".repeat(64)}.layer`);
    utimesSync(file, 0, 0);
    await openLayerCache(folder, "1").layer(digest, never);
    expect(statSync(file).mtimeMs).toBeGreaterThan(1e12);
  });

  test("ignores a file that is not its own, and writes it anew", async () => {
    const folder = temporaryFolder();
    const file = join(folder, `${"a".repeat(64)}.layer`);
    writeFileSync(file, "alien");
    await openLayerCache(folder, "1").layer(digest, () => Promise.resolve(layerOf()));
    expect(unpackLayer(readFileSync(file), digest, "1")).not.toBeNull();
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("works without a folder that can be written", async () => {
    const folder = join(temporaryFolder(), "file");
    writeFileSync(folder, "");
    const cache = openLayerCache(join(folder, "below"), "1");
    const made = layerOf();
    expect(await cache.layer(digest, () => Promise.resolve(made))).toBe(made);
  });

  test("has a layer read once, however many ask for it at once", async () => {
    const cache = openLayerCache(temporaryFolder(), "1");
    let reads = 0;
    const read = () => {
      reads += 1;
      return Promise.resolve(layerOf());
    };
    const all = await Promise.all(Array.from({ length: 5 }, () => cache.layer(digest, read)));
    expect(reads).toBe(1);
    expect(new Set(all).size).toBe(1);
  });

  test("lets each reader's failure be its own", async () => {
    const cache = openLayerCache(temporaryFolder(), "1");
    const made = layerOf();
    const asked = [
      cache.layer(digest, () => Promise.reject(new Error("first"))),
      cache.layer(digest, () => Promise.reject(new Error("second"))),
      cache.layer(digest, () => Promise.resolve(made)),
      cache.layer(digest, never),
    ];
    const outcomes = await Promise.allSettled(asked);
    const words = outcomes.map((one) =>
      one.status === "fulfilled" ? one.value === made : (one.reason as Error).message,
    );
    expect(words).toEqual(["first", "second", true, true]);
  });

  test("does not keep a layer of which more than 32 MiB is kept", async () => {
    const folder = temporaryFolder();
    const cache = openLayerCache(folder, "1");
    await cache.layer(digest, () => Promise.resolve(layerOf([], (32 << 20) + 1)));
    await expect(cache.layer(digest, never)).rejects.toThrow("read again");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("holds at most 64 MiB in memory, what was used last, and finds the rest on the disk", async () => {
    const folder = temporaryFolder();
    const cache = openLayerCache(folder, "1");
    const digests = ["b", "c", "d"].map((letter) => `sha256:${letter.repeat(64)}`);
    const made = digests.map(() => layerOf([], 30 << 20));
    const ask = (at: number) => cache.layer(digests[at] ?? "", () => Promise.resolve(made[at] ?? layerOf()));
    for (const at of [0, 1, 0, 2]) await ask(at);
    expect(await ask(0)).toBe(made[0]);
    expect(await ask(2)).toBe(made[2]);
    const back = await ask(1);
    expect(back).not.toBe(made[1]);
    expect(plain(back)).toEqual(plain(made[1] ?? layerOf()));
  });
});
