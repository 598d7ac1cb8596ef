import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLayerStore } from "../../src/sbom/layer-store.ts";
import { savedImage, writeLayout } from "../fixtures/sbom/image.ts";
import { temporaryFolder } from "./workspace.ts";

const DAY = 86_400_000;

async function layoutIn(folder: string, ...texts: string[]) {
  const layers = texts.map((text) => [{ name: "etc/os-release", text }]);
  const { files, digests } = await savedImage({ "linux/amd64": layers }, { attested: true });
  writeLayout(folder, files);
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as {
    manifests: { digest: string }[];
  };
  return { layout: folder, manifest: digests["linux/amd64"] ?? "", index: index.manifests[0]?.digest ?? "" };
}

const blobsIn = (layout: string) => readdirSync(join(layout, "blobs", "sha256")).sort();

describe("the layer store", () => {
  test("lends what it kept: the same files, without a copy", async () => {
    const folder = join(temporaryFolder(), "layers");
    const store = openLayerStore(folder);
    const { layout, manifest } = await layoutIn(temporaryFolder(), "ID=a", "ID=b");
    expect(store.keep(layout, manifest)).toBe(2);
    expect(store.keep(layout, manifest)).toBe(2);
    const next = join(temporaryFolder(), "next");
    expect(store.lend(next)).toBe(2);
    expect(store.lend(next)).toBe(2);
    expect(JSON.parse(readFileSync(join(next, "oci-layout"), "utf8"))).toEqual({
      imageLayoutVersion: "1.0.0",
    });
    for (const name of blobsIn(next)) {
      const inode = (base: string) => statSync(join(base, "blobs", "sha256", name)).ino;
      expect(inode(next)).toBe(inode(layout));
    }
    rmSync(layout, { recursive: true });
    expect(blobsIn(next).map((name) => readFileSync(join(next, "blobs", "sha256", name)).length > 0)).toEqual(
      [true, true],
    );
  });

  test("keeps the layers below an index, and none of an attestation", async () => {
    const folder = temporaryFolder();
    const { layout, index } = await layoutIn(temporaryFolder(), "ID=a");
    expect(openLayerStore(folder).keep(layout, index)).toBe(1);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("keeps and lends nothing of what is not there, not in one piece, or no plain file", async () => {
    const folder = temporaryFolder();
    const store = openLayerStore(folder);
    const { layout, manifest } = await layoutIn(temporaryFolder(), "ID=a");
    expect(store.keep(layout, `sha256:${"0".repeat(64)}`)).toBe(0);
    expect(store.keep(join(layout, "none"), manifest)).toBe(0);
    writeFileSync(join(layout, "blobs", manifest.replace(":", "/")), "{}");
    expect(store.keep(layout, manifest)).toBe(0);
    mkdirSync(join(folder, `${"a".repeat(64)}.blob`));
    symlinkSync("/etc/passwd", join(folder, `${"b".repeat(64)}.blob`));
    writeFileSync(join(folder, "notes.blob"), "");
    expect(store.lend(join(layout, "next"))).toBe(0);
    expect(blobsIn(join(layout, "next"))).toEqual([]);
  });

  test("a layer named by a path is not kept", async () => {
    const folder = temporaryFolder();
    const outside = join(temporaryFolder(), "secret");
    writeFileSync(outside, "x");
    const files = await savedImage({ "linux/amd64": [] });
    const layout = temporaryFolder();
    writeLayout(layout, files.files);
    const { createHash } = await import("node:crypto");
    const manifest = JSON.stringify({ layers: [{ digest: `../../../..${outside}` }], config: {} });
    const hex = createHash("sha256").update(manifest).digest("hex");
    writeFileSync(join(layout, "blobs", "sha256", hex), manifest);
    expect(openLayerStore(folder).keep(layout, `sha256:${hex}`)).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("sweeps what was not used for long, and nothing that is not its own", async () => {
    const folder = temporaryFolder();
    const store = openLayerStore(folder);
    const { layout, manifest } = await layoutIn(temporaryFolder(), "ID=a", "ID=b");
    store.keep(layout, manifest);
    const [old = "", used = ""] = readdirSync(folder);
    const now = Date.now();
    const aged = (name: string) =>
      utimesSync(join(folder, name), (now - 8 * DAY) / 1000, (now - 8 * DAY) / 1000);
    const hex = "c".repeat(64);
    for (const name of [`${hex}.layer`, `${hex}.layer.1234`, "README", `${hex}.other`]) {
      writeFileSync(join(folder, name), "");
      aged(name);
    }
    aged(old);
    expect(store.sweep(now, 7 * DAY)).toBe(3);
    expect(readdirSync(folder).sort()).toEqual([used, "README", `${hex}.other`].sort());
    expect(existsSync(join(layout, "blobs", "sha256", old.replace(".blob", "")))).toBe(true);
  });

  test("knows a base by its digest for as long as it has all of its layers", async () => {
    const folder = temporaryFolder();
    const store = openLayerStore(folder);
    const { layout, manifest } = await layoutIn(temporaryFolder(), "ID=a", "ID=b");
    const base = `sha256:${"c".repeat(64)}`;
    expect(store.holds(base)).toBe(false);
    store.keep(layout, manifest);
    expect(store.holds(manifest)).toBe(false);
    store.keep(layout, `sha256:${"0".repeat(64)}`, base);
    expect(store.holds(base)).toBe(false);
    store.keep(layout, manifest, base);
    expect(store.holds(base)).toBe(true);
    store.drop(
      `sha256:${readdirSync(folder)
        .find((name) => name.endsWith(".blob"))
        ?.replace(".blob", "")}`,
    );
    expect(store.holds(base)).toBe(false);
    // What others wrote there leads nowhere.
    writeFileSync(join(folder, `${"c".repeat(64)}.base`), "sha256:../../etc/passwd");
    expect(store.holds(base)).toBe(false);
    for (const name of readdirSync(folder)) utimesSync(join(folder, name), 0, 0);
    store.sweep(Date.now(), DAY);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("what a build uses again is not swept", async () => {
    const folder = temporaryFolder();
    const store = openLayerStore(folder);
    const { layout, manifest } = await layoutIn(temporaryFolder(), "ID=a");
    store.keep(layout, manifest);
    for (const name of readdirSync(folder)) utimesSync(join(folder, name), 0, 0);
    store.keep(layout, manifest);
    expect(store.sweep(Date.now(), DAY)).toBe(0);
  });

  test("drops a blob, and is at peace with a folder that is not there", async () => {
    const folder = temporaryFolder();
    const store = openLayerStore(folder);
    const { layout, manifest } = await layoutIn(temporaryFolder(), "ID=a");
    store.keep(layout, manifest);
    const digest = `sha256:${readdirSync(folder)[0]?.replace(".blob", "")}`;
    store.drop(digest);
    store.drop(digest);
    expect(readdirSync(folder)).toEqual([]);
    const missing = openLayerStore(join(folder, "none"));
    expect([missing.sweep(0, 0), missing.lend(join(folder, "layout"))]).toEqual([0, 0]);
    missing.drop(digest);
  });
});
