import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { readArchive } from "../../src/sbom/archive.ts";
import { createBudget } from "../../src/sbom/budget.ts";
import { chooseManifest } from "../../src/sbom/manifest.ts";
import type { ImageFiles } from "../../src/sbom/image-files.ts";
import { mergeLayers } from "../../src/sbom/merge.ts";
import { createNotes } from "../../src/sbom/notes.ts";
import { noPause, savedImage, tarOf, type TarEntry } from "../fixtures/sbom/image.ts";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/sbom/${name}`, import.meta.url));

async function open(tar: Buffer, limits?: { bytes: number; entries: number }) {
  const notes = createNotes();
  const options = {
    budget: createBudget(limits),
    wanted: new Set<string>(),
    notes,
  };
  const archive = await readArchive(Readable.from([tar]), options);
  return { archive, warnings: notes.lines() };
}

async function filesOf(...layers: (readonly TarEntry[] | Buffer)[]): Promise<ImageFiles> {
  const { tar } = await savedImage({ "linux/amd64": layers });
  const { archive } = await open(tar);
  return mergeLayers(chooseManifest(archive, "linux/amd64").layers, noPause);
}

const codeOf = (run: Promise<unknown>) =>
  run.then(
    () => "none",
    (error: unknown) => (error instanceof FactoryError ? error.code : String(error)),
  );

const npm = (folder: string, version = "1.0.0"): TarEntry => ({
  name: `${folder}/package.json`,
  text: JSON.stringify({ name: folder.slice(folder.lastIndexOf("/") + 1), version }),
});

describe("layers", () => {
  test("keep interesting files only, with or without ./ before their names", async () => {
    const files = await filesOf([
      { name: "./var/lib/dpkg/status", text: "Package: a\n" },
      { name: "bin/sh", text: "elf" },
      npm("app/node_modules/x"),
      { name: "app/node_modules/x/lib/package.json", text: "{}" },
    ]);
    expect(files.paths).toEqual(["app/node_modules/x/package.json", "var/lib/dpkg/status"]);
  });

  test("a whiteout hides a file and a folder of the layers below, not of its own", async () => {
    const files = await filesOf(
      [
        npm("app/node_modules/a"),
        npm("app/node_modules/b"),
        npm("app/node_modules/c"),
        npm("app/node_modules/cc"),
      ],
      [
        { name: "app/node_modules/a/.wh.package.json", text: "" },
        { name: "app/node_modules/.wh.b", text: "" },
        { name: "app/node_modules/.wh.c", text: "" },
        npm("app/node_modules/c", "2.0.0"),
      ],
    );
    expect(files.paths).toEqual(["app/node_modules/c/package.json", "app/node_modules/cc/package.json"]);
    expect(files.read("app/node_modules/c/package.json")?.toString()).toContain("2.0.0");
  });

  test("an opaque folder hides what is below it, in whatever place its marker stands", async () => {
    const files = await filesOf(
      [npm("app/node_modules/a"), npm("opt/node_modules/z")],
      [npm("app/node_modules/b"), { name: "app/.wh..wh..opq", text: "" }],
    );
    expect(files.paths).toEqual(["app/node_modules/b/package.json", "opt/node_modules/z/package.json"]);
  });

  test("a file, a link or a device in the place of a folder hides what the folder had", async () => {
    const below = [
      npm("a/node_modules/x"),
      npm("b/node_modules/x"),
      npm("c/node_modules/x"),
      npm("d/node_modules/x"),
    ];
    const files = await filesOf(below, [
      { name: "a", text: "" },
      { name: "b", symlink: "/d" },
      { name: "c", device: true },
    ]);
    expect(files.paths).toEqual(["d/node_modules/x/package.json"]);
    expect(files.resolve("b/node_modules/x/package.json")).toBe("d/node_modules/x/package.json");
  });

  test("a folder in the place of a symlink replaces it", async () => {
    const files = await filesOf(
      [{ name: "lib", symlink: "usr/lib" }],
      [
        { name: "lib", folder: true },
        { name: "lib/apk/db/installed", text: "P:a" },
      ],
    );
    expect(files.paths).toEqual(["lib/apk/db/installed"]);
  });

  test("a name below a symlinked folder of a lower layer lands where the symlink leads", async () => {
    const files = await filesOf(
      [{ name: "lib", symlink: "usr/lib" }],
      [{ name: "lib/apk/db/installed", text: "P:a" }],
    );
    expect(files.paths).toEqual(["usr/lib/apk/db/installed"]);
    expect(files.read("lib/apk/db/installed")?.toString()).toBe("P:a");
  });

  test("symlinks are followed within the image: relative, absolute, through folders, above the root", async () => {
    const files = await filesOf([
      { name: "usr/lib/os-release", text: "ID=x" },
      { name: "etc/os-release", symlink: "../usr/lib/os-release" },
      { name: "usr/share/doc/a/copyright", text: "free" },
      { name: "usr/share/doc/b", symlink: "a" },
      { name: "usr/share/doc/c", symlink: "/usr/share/doc/b" },
      { name: "usr/share/doc/d", symlink: "../../../../../../usr/share/doc/a" },
    ]);
    expect(files.read("etc/os-release")?.toString()).toBe("ID=x");
    for (const name of ["b", "c", "d"])
      expect(files.read(`usr/share/doc/${name}/copyright`)?.toString()).toBe("free");
  });

  test("symlinks that loop, or grow without end, lead nowhere", async () => {
    const files = await filesOf([
      { name: "etc/os-release", symlink: "os-release" },
      { name: "usr/share/doc/a", symlink: "b" },
      { name: "usr/share/doc/b", symlink: "a" },
      { name: "usr/share/doc/g", symlink: "g/".repeat(90) + "g" },
    ]);
    expect(files.read("etc/os-release")).toBeNull();
    expect(files.read("usr/share/doc/a/copyright")).toBeNull();
    expect(files.read("usr/share/doc/g/copyright")).toBeNull();
  });

  test("a hard link has the bytes of its target; one to a file that was not kept is told apart", async () => {
    const files = await filesOf([
      npm("app/node_modules/a"),
      { name: "app/node_modules/b/package.json", hardlink: "./app/node_modules/a/package.json" },
      { name: "app/node_modules/c/package.json", hardlink: "store/0123" },
    ]);
    expect(files.read("app/node_modules/b/package.json")?.toString()).toContain("1.0.0");
    expect(files.missing).toEqual(["store/0123"]);
  });

  test("names that leave the image are skipped with a warning", async () => {
    const { tar } = await savedImage({
      "linux/amd64": [
        [
          { name: "../../etc/os-release", text: "ID=evil" },
          { name: "/etc/os-release", text: "ID=good" },
        ],
      ],
    });
    const { archive, warnings } = await open(tar);
    const files = await mergeLayers(chooseManifest(archive, "linux/amd64").layers, noPause);
    expect(files.paths).toEqual(["etc/os-release"]);
    expect(files.read("etc/os-release")?.toString()).toBe("ID=good");
    expect(warnings).toHaveLength(1);
  });
});

describe("compression", () => {
  const entries: TarEntry[] = [{ name: "etc/os-release", text: "ID=plain" }];

  test("a layer may be a plain tar, and an empty one", async () => {
    const { tar } = await savedImage({ "linux/amd64": [entries, []] }, { compress: (bytes) => bytes });
    const { archive } = await open(tar);
    expect((await mergeLayers(chooseManifest(archive, "linux/amd64").layers, noPause)).paths).toEqual([
      "etc/os-release",
    ]);
  });

  test("a layer may be zstd, in several frames with a skippable one between", async () => {
    const layers = [fixture("layer.tar.zst")];
    const { tar } = await savedImage({ "linux/amd64": layers }, { compress: (bytes) => bytes });
    const { archive } = await open(tar);
    const files = await mergeLayers(chooseManifest(archive, "linux/amd64").layers, noPause);
    expect(files.read("etc/os-release")?.toString()).toBe("ID=zstd\n");
    expect(files.read("usr/share/doc/big/copyright")?.length).toBe(300_000);
  });

  test.each(["gzip", "zstd", "tar"])("a %s layer that is cut off is IMAGE_UNREADABLE", async (kind) => {
    const whole =
      kind === "zstd" ? fixture("layer.tar.zst") : await tarOf([{ name: "a", text: "x".repeat(5000) }]);
    const { gzipSync } = await import("node:zlib");
    const bytes = kind === "gzip" ? gzipSync(whole) : whole;
    const cut = bytes.subarray(0, Math.floor(bytes.length / 2));
    const { tar } = await savedImage({ "linux/amd64": [cut] }, { compress: (layer) => layer });
    expect(await codeOf(open(tar))).toBe("IMAGE_UNREADABLE");
  });
});

describe("manifests", () => {
  const images = {
    "linux/amd64": [[{ name: "etc/os-release", text: "ID=amd" }]],
    "linux/arm64/v8": [[{ name: "etc/os-release", text: "ID=arm" }]],
  };

  test.each([
    ["linux/amd64", "ID=amd"],
    ["linux/arm64", "ID=arm"],
    ["linux/arm64/v8", "ID=arm"],
  ])("%s is found in an image index beside attestations", async (platform, text) => {
    const { tar } = await savedImage(images, { attested: true });
    const { archive } = await open(tar);
    const chosen = chooseManifest(archive, platform);
    expect((await mergeLayers(chosen.layers, noPause)).read("etc/os-release")?.toString()).toBe(text);
    expect(chosen.digests).toHaveLength(2);
  });

  test("a platform that is not there is named, beside those that are", async () => {
    const { archive } = await open((await savedImage(images)).tar);
    expect(() => chooseManifest(archive, "linux/s390x")).toThrow(
      /linux\/amd64, linux\/arm64\/v8, not for linux\/s390x/,
    );
  });

  test("a layer that is missing, or is no layer, is IMAGE_UNREADABLE", async () => {
    const { tar } = await savedImage(
      { "linux/amd64": [Buffer.from("hello")] },
      { compress: (bytes) => bytes },
    );
    const { archive } = await open(tar);
    expect(() => chooseManifest(archive, "linux/amd64")).toThrow(/is not in the saved image/);
  });

  test("an archive without an index is read by its manifest.json", async () => {
    const layer = await tarOf([{ name: "etc/os-release", text: "ID=old" }]);
    const tar = await tarOf([
      { name: "abc/layer.tar", text: layer },
      { name: "config.json", text: JSON.stringify({ os: "linux", architecture: "amd64" }) },
      { name: "manifest.json", text: JSON.stringify([{ Config: "config.json", Layers: ["abc/layer.tar"] }]) },
    ]);
    const chosen = chooseManifest((await open(tar)).archive, "linux/amd64");
    expect((await mergeLayers(chosen.layers, noPause)).read("etc/os-release")?.toString()).toBe("ID=old");
  });

  test.each(["", "not a tar at all", "x".repeat(2000)])(
    "an archive of %j is IMAGE_UNREADABLE",
    async (text) => {
      const read = open(Buffer.from(text)).then(({ archive }) => chooseManifest(archive, "linux/amd64"));
      expect(await codeOf(read)).toBe("IMAGE_UNREADABLE");
    },
  );
});

describe("limits", () => {
  const layer = Array.from({ length: 50 }, (_, at) => npm(`app/node_modules/p${at}`));

  test("too many bytes, too many files, too large a database: IMAGE_UNREADABLE", async () => {
    const { tar } = await savedImage({ "linux/amd64": [layer] });
    expect(await codeOf(open(tar, { bytes: 10_000, entries: 1000 }))).toBe("none");
    expect(await codeOf(open(tar, { bytes: 1500, entries: 1000 }))).toBe("IMAGE_UNREADABLE");
    expect(await codeOf(open(tar, { bytes: 10_000, entries: 49 }))).toBe("IMAGE_UNREADABLE");
    const release = await savedImage({
      "linux/amd64": [[{ name: "etc/os-release", text: "x".repeat(70_000) }]],
    });
    expect(await codeOf(open(release.tar))).toBe("IMAGE_UNREADABLE");
  });

  test("of a METADATA its fields are kept, of a list of files the lines that matter", async () => {
    const files = await filesOf([
      { name: "site/a.dist-info/METADATA", text: "Name: a\nVersion: 1\n\nA description.\n" },
      {
        name: "var/lib/dpkg/info/node-a.list",
        text: "/.\n/usr/share/nodejs/a\n/usr/share/nodejs/a/package.json\n/usr/share/nodejs/a/index.js\n",
      },
    ]);
    expect(files.read("site/a.dist-info/METADATA")?.toString()).toBe("Name: a\nVersion: 1\n");
    expect(files.read("var/lib/dpkg/info/node-a.list")?.toString()).toBe("/usr/share/nodejs/a/package.json");
  });

  test("a document that is too large is left out with a warning, a long METADATA is cut", async () => {
    const { tar } = await savedImage({
      "linux/amd64": [
        [
          { name: "app/node_modules/x/package.json", text: "x".repeat((1 << 20) + 1) },
          { name: "site/a.dist-info/METADATA", text: "x".repeat(300_000) },
        ],
      ],
    });
    const { archive, warnings } = await open(tar);
    const files = await mergeLayers(chooseManifest(archive, "linux/amd64").layers, noPause);
    expect(files.paths).toEqual(["site/a.dist-info/METADATA"]);
    expect(files.read("site/a.dist-info/METADATA")?.length).toBe(256 << 10);
    expect(warnings).toEqual([
      "left out files that are too large: /app/node_modules/x/package.json (1048577 bytes)",
    ]);
  });
});
