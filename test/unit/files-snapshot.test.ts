import fc from "fast-check";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSnapshots } from "../../src/files/snapshot.ts";
import { FactoryError } from "../../src/errors.ts";
import type { ReadFile } from "../../src/model/inputs.ts";
import { filesBelow, sha256, temporaryFolder, treeOf, writeFiles } from "./workspace.ts";

const declared = (path: string, contents: string | null, mode = "0644"): ReadFile => ({
  path,
  mode,
  sha256: `sha256:${sha256(contents ?? "")}`,
});

function world() {
  const root = temporaryFolder();
  writeFiles(root, { "a/one": "1\n", "a/b/two": "2\n" }, (path) => path === "a/b/two");
  const files = [
    declared("a/", null, "0755"),
    declared("a/b/", null, "0755"),
    declared("a/b/two", "2\n", "0755"),
    declared("a/one", "1\n"),
  ];
  return { root, files, folder: join(temporaryFolder(), "deep/files") };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => (error instanceof FactoryError ? `${error.code} ${error.where?.file}` : error),
  );

describe("a snapshot", () => {
  it("holds the declared files and no other, with git's two modes and the times of the workspace", async () => {
    const { root, files, folder } = world();
    writeFileSync(join(root, "a/other"), "");
    chmodSync(join(root, "a/one"), 0o600);
    chmodSync(join(root, "a"), 0o700);
    utimesSync(join(root, "a/one"), 1e9, 1e9);
    utimesSync(join(root, "a"), 1e9, 1e9);
    const before = process.umask(0o077);
    try {
      const base = await openSnapshots(root, folder).of(files);
      expect(filesBelow(base)).toEqual({ "a/one": "1\n", "a/b/two": "2\n" });
      const modes = ["a", "a/b", "a/b/two", "a/one"].map((path) =>
        (statSync(join(base, path)).mode & 0o7777).toString(8),
      );
      expect(modes).toEqual(["755", "755", "755", "644"]);
      expect(statSync(join(base, "a/one")).mtimeMs).toBe(1e12);
      expect(statSync(join(base, "a")).mtimeMs).toBe(1e12);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  it("is shared by those with the same files, and shares what two have in common", async () => {
    const { root, files, folder } = world();
    const snapshots = openSnapshots(root, folder);
    const [one, same, other] = await Promise.all([
      snapshots.of(files),
      snapshots.of([...files]),
      snapshots.of(files.slice(3)),
    ]);
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    expect(statSync(join(other, "a/one")).ino).toBe(statSync(join(one, "a/one")).ino);
    // Even when the workspace has changed since: the first copy is the one that was declared.
    writeFileSync(join(root, "a/one"), "other\n");
    expect(filesBelow(await snapshots.of([files[3] as ReadFile, files[2] as ReadFile]))["a/one"]).toBe("1\n");
  });

  it("is named by what it holds", async () => {
    const { root, files, folder } = world();
    const last = (path: string) => path.split("/").at(-1);
    const first = last(await openSnapshots(root, folder).of(files));
    writeFileSync(join(root, "a/one"), "3\n");
    const changed = files.map((file) => (file.path === "a/one" ? declared("a/one", "3\n") : file));
    expect(last(await openSnapshots(root, `${folder}2`).of(changed))).not.toBe(first);
  });

  it.each<[string, (root: string) => void]>([
    ["another content", (root) => writeFileSync(join(root, "a/one"), "x\n")],
    ["a longer content", (root) => writeFileSync(join(root, "a/one"), "1\n1\n")],
    ["another mode", (root) => chmodSync(join(root, "a/one"), 0o755)],
    ["no file", (root) => rmSync(join(root, "a/one"))],
    [
      "a link to the same",
      (root) => {
        rmSync(join(root, "a/one"));
        writeFileSync(join(root, "kept"), "1\n");
        symlinkSync("../kept", join(root, "a/one"));
      },
    ],
    [
      "a folder",
      (root) => {
        rmSync(join(root, "a/one"));
        mkdirSync(join(root, "a/one"));
      },
    ],
    [
      "an endless link",
      (root) => {
        rmSync(join(root, "a/one"));
        symlinkSync("/dev/zero", join(root, "a/one"));
      },
    ],
  ])("is refused by name where a file has become %s, and leaves nothing behind", async (_, change) => {
    const { root, files, folder } = world();
    change(root);
    const snapshots = openSnapshots(root, folder);
    expect(await codeOf(snapshots.of(files))).toBe("FILE_CHANGED a/one");
    expect(treeOf(folder)).toBe(treeOf(folder).split("\n")[0]);
    rmSync(join(root, "a/one"), { recursive: true, force: true });
    writeFiles(root, { "a/one": "1\n" });
    expect(filesBelow(await snapshots.of(files))["a/one"]).toBe("1\n");
  });

  it("copies files of any size, several at once", async () => {
    const root = temporaryFolder();
    const piece = 1 << 20;
    const sizes = [0, 1, piece - 1, piece, piece + 1, 2 * piece, 16 * piece, 16 * piece + 1];
    const files = sizes.map((size, at) => {
      const data = Buffer.alloc(size, `${at} of many`);
      writeFileSync(join(root, `f${at}`), data);
      chmodSync(join(root, `f${at}`), 0o644);
      return { path: `f${at}`, mode: "0644", sha256: `sha256:${sha256(data)}` };
    });
    // None of them shares a copy with another: each has a folder of its own.
    const bases = await Promise.all(
      [files, [...files].reverse()].map((some, at) => openSnapshots(root, join(root, `out${at}`)).of(some)),
    );
    for (const base of bases)
      for (const { path } of files)
        expect(readFileSync(join(base, path)).equals(readFileSync(join(root, path))), path).toBe(true);
  });

  it("copies any bytes", async () => {
    const all = temporaryFolder();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3 << 10 }),
        fc.constantFrom(1, 700),
        async (bytes, times) => {
          const root = join(all, String((count += 1)));
          mkdirSync(root);
          const data = Buffer.concat(Array.from({ length: times }, () => Buffer.from(bytes)));
          writeFileSync(join(root, "f"), data);
          chmodSync(join(root, "f"), 0o644);
          const base = await openSnapshots(root, join(root, "out")).of([
            { path: "f", mode: "0644", sha256: `sha256:${sha256(data)}` },
          ]);
          expect(readFileSync(join(base, "f")).equals(data)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });
});
