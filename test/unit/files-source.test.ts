import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { hashFile } from "../../src/files/hash-file.ts";
import { openHashCache } from "../../src/files/hash-cache.ts";
import { listed } from "../../src/files/listing.ts";
import { readTree, type Tree, type TreeRules } from "../../src/files/read-tree.ts";
import { openSnapshots } from "../../src/files/snapshot.ts";
import { errorFrom, sha256, temporaryFolder, treeOf, writeFiles } from "./workspace.ts";

const NOTHING_LEFT_OUT: TreeRules = { ignores: () => false, within: () => NOTHING_LEFT_OUT };

const ODD = [
  "[slug].tsx",
  "with space",
  "trail ",
  "#hash",
  "!bang",
  "q'u\"o",
  "back\\slash",
  "new\nline",
  "é",
  "\t",
];

function read(root: string, path: string, more: Partial<Parameters<typeof readTree>[0]> = {}): Tree {
  return readTree({
    root,
    path,
    rules: NOTHING_LEFT_OUT,
    cache: join(root, ".cache"),
    where: { file: "manifests/demo.yaml" },
    onProgress: () => undefined,
    ...more,
  });
}

/** What `work` gives, while each look at the clock is two seconds after the last. */
function fastClock<T>(work: () => T): T {
  let time = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (time += 2000));
  try {
    return work();
  } finally {
    clock.mockRestore();
  }
}

/** A folder `app` with odd names, a link and an empty folder. */
function world() {
  const root = temporaryFolder();
  writeFiles(root, Object.fromEntries(ODD.map((name) => [`app/sub/${name}`, `${name}\n`])));
  mkdirSync(join(root, "app/empty"), { mode: 0o755 });
  symlinkSync("sub/with space", join(root, "app/link"));
  return { root, tree: read(root, "app"), folder: join(temporaryFolder(), "snapshots") };
}

const sourceOf = (tree: Tree) => ({ ...tree, path: "app" });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => (error instanceof FactoryError ? `${error.code} ${error.message}` : error),
  );

describe("a tree", () => {
  it("is listed with each name as it is, and the listing says so on any machine", () => {
    const { tree } = world();
    const files = [...listed("app", tree)];
    expect(files.map(({ path }) => path)).toEqual([
      "app/",
      "app/empty/",
      "app/link",
      "app/sub/",
      ...[...ODD].sort().map((name) => `app/sub/${name}`),
    ]);
    expect(files.find(({ path }) => path.endsWith("[slug].tsx"))?.sha256).toBe(
      `sha256:${sha256("[slug].tsx\n")}`,
    );
    expect(tree.entries).toBe(files.length);
    expect(tree.sha256).toBe(`sha256:${sha256(Buffer.concat(tree.pieces))}`);
    expect([...listed(".", tree)].map(({ path }) => path)).toContain("sub/with space");
  });

  it("may be changed while it is read: that is an error, and no hash", () => {
    const root = temporaryFolder();
    writeFileSync(join(root, "a"), "one");
    const before = lstatSync(join(root, "a"));
    expect(hashFile(join(root, "a"), before)).toBe(sha256("one"));
    utimesSync(join(root, "a"), 1e9, 1e9);
    expect(hashFile(join(root, "a"), before)).toBeUndefined();
    writeFileSync(join(root, "a"), "four");
    expect(hashFile(join(root, "a"), before)).toBeUndefined();

    mkdirSync(join(root, "app"));
    writeFileSync(join(root, "app/a"), "a");
    writeFileSync(join(root, "app/b"), "b");
    // What is asked of a name comes between the listing of its folder and reading it.
    const meanwhile = (change: (path: string) => void): TreeRules => {
      const rules: TreeRules = {
        ignores: (path) => {
          if (path === "app/b") change(join(root, path));
          return false;
        },
        within: () => rules,
      };
      return rules;
    };
    const error = errorFrom(() => read(root, "app", { rules: meanwhile((path) => rmSync(path)) }));
    expect(error).toMatchObject({ code: "FILE_CHANGED", exitCode: 3, where: { file: "app/b" } });
    for (const [change, told] of [
      [(path: string) => symlinkSync("a", path), "became a link"],
      [(path: string) => execFileSync("mkfifo", [path]), "is a device, pipe or socket"],
    ] as const) {
      rmSync(join(root, "app/b"), { force: true });
      writeFileSync(join(root, "app/b"), "b");
      const rules = meanwhile((path) => [rmSync(path), change(path)]);
      expect(errorFrom(() => read(root, "app", { rules })).message).toContain(told);
    }
  });

  it("says after a second how far it is, and counts what is left out", () => {
    const root = temporaryFolder();
    mkdirSync(join(root, "app"));
    for (let at = 0; at < 300; at += 1) writeFileSync(join(root, "app", String(at)), "");
    const said: string[] = [];
    fastClock(() => read(root, "app", { onProgress: (text) => void said.push(text) }));
    expect(said[0]).toMatch(/^reading app: \d+ files, 0 B$/);
    // In the middle of a large file too.
    writeFileSync(join(root, "large"), Buffer.alloc(3 << 20));
    said.length = 0;
    const large = fastClock(() => read(root, "large", { onProgress: (text) => void said.push(text) }));
    expect(said).toEqual([
      "reading large: 0 files, 1.0 MB",
      "reading large: 0 files, 2.1 MB",
      "reading large: 0 files, 3.1 MB",
    ]);
    expect(large.bytes).toBe(3 << 20);
    const many: TreeRules = { ignores: () => true, within: () => many };
    const tree = read(root, "app", { rules: many });
    expect([tree.entries, tree.ignored.length]).toEqual([1, 300]);
  });

  it("may have so many entries and no more, with those that are left out", () => {
    const { root } = world();
    const most = 3 + ODD.length;
    const leftOut: TreeRules = { ignores: (path) => path === "app/link", within: () => leftOut };
    for (const rules of [NOTHING_LEFT_OUT, leftOut]) {
      expect(read(root, "app", { rules, mostEntries: most }).bytes).toBeGreaterThan(0);
      const error = errorFrom(() => read(root, "app", { rules, mostEntries: most - 1 }));
      expect([error.code, error.message]).toEqual([
        "FILE_TOO_LARGE",
        `\`app\` has more than ${most - 1} files, folders and links`,
      ]);
    }
  });
});

describe("the snapshot of a source", () => {
  it("holds exactly its files, links and folders, under their names", async () => {
    const { root, tree, folder } = world();
    const base = await openSnapshots(root, folder).of([], [sourceOf(tree)]);
    writeFileSync(join(root, "beside"), "");
    rmSync(join(root, "beside"));
    expect(treeOf(join(base, "app"))).toBe(treeOf(join(root, "app")));
    expect(readlinkSync(join(base, "app/link"))).toBe("sub/with space");
    for (const path of ["app/link", "app/sub", "app/sub/é"])
      expect(lstatSync(join(base, path)).mtime).toEqual(lstatSync(join(root, path)).mtime);
  });

  it("is copied once for all builds that have it, and never shares a file with the workspace", async () => {
    const { root, tree, folder } = world();
    writeFiles(root, { "fragments/a": "a", "app/sub/[slug].tsx": "[slug].tsx\n" });
    const snapshots = openSnapshots(root, folder);
    const file = { path: "fragments/a", mode: "0644", sha256: `sha256:${sha256("a")}` };
    const own = { path: "app/sub/with space", mode: "0644", sha256: `sha256:${sha256("with space\n")}` };
    const first = await snapshots.of([], [sourceOf(read(root, "app"))]);
    const second = await snapshots.of([file, own], [sourceOf(tree)]);
    const third = await snapshots.of([file], [sourceOf(tree)]);
    const inode = (base: string) => statSync(join(base, "app/sub/with space")).ino;
    expect(inode(third)).toBe(inode(second));
    expect(inode(first)).not.toBe(inode(root));
    expect(existsSync(join(second, "fragments/a"))).toBe(true);
    writeFileSync(join(root, "app/sub/with space"), "changed in place");
    expect(readFileSync(join(second, "app/sub/with space"), "utf8")).toBe("with space\n");
  });

  it.each<[string, (app: string) => void, string]>([
    ["a file", (app) => writeFileSync(join(app, "sub/é"), "È\n"), "`app/sub/é`? changed"],
    ["a mode", (app) => chmodSync(join(app, "sub/é"), 0o755), "changed its mode"],
    [
      "a link",
      (app) => [rmSync(join(app, "link")), symlinkSync("sub", join(app, "link"))],
      "leads elsewhere",
    ],
    ["a file that is gone", (app) => rmSync(join(app, "sub/é")), "was deleted"],
    ["a link that is gone", (app) => rmSync(join(app, "link")), "was deleted"],
    [
      "a pipe in its place",
      (app) => [rmSync(join(app, "sub/é")), execFileSync("mkfifo", [join(app, "sub/é")])],
      "regular",
    ],
  ])("is refused where %s changed since, and nothing of it stays", async (_, change, told) => {
    const { root, tree, folder } = world();
    change(join(root, "app"));
    const code = await codeOf(openSnapshots(root, folder).of([], [sourceOf(tree)]));
    expect(code).toMatch(new RegExp(`^FILE_CHANGED .*${told.replace("`app/sub/é`?", "")}`));
    expect(execFileSync("ls", ["-A", folder], { encoding: "utf8" })).toBe("");
  });
});

describe("the snapshot of a large source", () => {
  /** 1,000 files and what is asked about their copy. */
  function large() {
    const root = temporaryFolder();
    mkdirSync(join(root, "app"));
    for (let at = 0; at < 1000; at += 1) writeFileSync(join(root, "app", `f${at}`), String(at));
    return { root, source: sourceOf(read(root, "app")), folder: join(temporaryFolder(), "snapshots") };
  }

  it("says about once a second how far it is", async () => {
    const { root, source, folder } = large();
    const said: [number, number][] = [];
    let time = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (time += 400));
    try {
      await openSnapshots(root, folder).of([], [source], (done, total) => void said.push([done, total]));
    } finally {
      clock.mockRestore();
    }
    // Each turn of 128 files takes 0.4 s.
    expect(said).toEqual([
      [384, 1001],
      [768, 1001],
    ]);
  });

  it.each([
    ["many files", (root: string) => read(root, "app"), "app"],
    ["one large file", (root: string) => read(root, "large"), "large"],
  ])("ends soon after it is interrupted, and leaves nothing: %s", async (_, readOne, path) => {
    const { root, folder } = large();
    writeFileSync(join(root, "large"), Buffer.alloc(40 << 20));
    const source = { ...readOne(root), path };
    const interrupt = new AbortController();
    const snapshots = openSnapshots(root, folder, interrupt.signal);
    const taken = codeOf(snapshots.of([], [source]));
    interrupt.abort();
    expect(await taken).toMatch(/^INTERRUPTED /);
    expect(execFileSync("ls", ["-A", folder], { encoding: "utf8" })).toBe("");
  });
});

describe("the cache of hashes by itself", () => {
  const OLD = 1e9;

  /** Three old files in the order of a walk, with a cache of them. */
  function cached() {
    const root = temporaryFolder();
    const names = ["a/x", "a.b", "b"];
    writeFiles(root, Object.fromEntries(names.map((name) => [name, name])));
    const file = join(root, ".factory/hashes/one");
    const stats = () => names.map((name) => lstatSync(join(root, name)));
    const keepAll = () => {
      const cache = openHashCache(file);
      for (const [at, name] of names.entries()) {
        const own = stats()[at];
        if (own && cache.known(name, own) === undefined) cache.keep(name, own, sha256(name));
      }
      cache.save();
    };
    const knownNow = () => {
      const cache = openHashCache(file);
      return names.map((name, at) => cache.known(name, stats()[at] ?? lstatSync(root)) !== undefined);
    };
    return { root, names, file, stats, keepAll, knownNow };
  }

  it("does not trust what changed within the tick in which it was hashed, until it is older", () => {
    const { keepAll, knownNow, file } = cached();
    keepAll();
    expect(existsSync(file)).toBe(true);
    // The files are as new as the cache.
    expect(knownNow()).toEqual([false, false, false]);
  });

  it("knows the files of a walk, whatever was added, changed or removed between them", () => {
    const { root, names, keepAll, knownNow, file } = cached();
    keepAll();
    // Another clock tells that the files are old by now.
    const text = readFileSync(file, "utf8");
    const lines = text.split("\n").slice(0, names.length).join("\n") + "\n";
    const later = Math.floor(Date.now()) + 60_000;
    const form = "factory/hashes/1";
    writeFileSync(file, `${lines}${form} ${later} ${sha256(`${later} ${sha256(lines)}`)}\n`);
    expect(knownNow()).toEqual([true, true, true]);
    utimesSync(join(root, "a.b"), OLD, OLD);
    expect(knownNow()).toEqual([true, false, true]);
    writeFiles(root, { "a.b": null });
    const cache = openHashCache(file);
    expect(cache.known("a/x", lstatSync(join(root, "a/x")))).toBe(sha256("a/x"));
    expect(cache.known("aa", lstatSync(join(root, "b")))).toBeUndefined();
    cache.keep("aa", lstatSync(join(root, "b")), sha256("aa"));
    expect(cache.known("b", lstatSync(join(root, "b")))).toBe(sha256("b"));
    cache.save();
    const saved = readFileSync(file, "utf8").split("\n");
    expect(saved.slice(0, -2).map((one) => one.split("\t", 1)[0])).toEqual(['"a/x"', '"aa"', '"b"']);
  });

  it("is not copied in memory where one file of many has changed", () => {
    const root = temporaryFolder();
    const file = join(root, ".factory/hashes/one");
    writeFileSync(join(root, "a"), "a");
    const stats = lstatSync(join(root, "a"));
    const stamp = `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.ino}`;
    const names = Array.from({ length: 20_000 }, (_, at) => `module-${String(at).padStart(5, "0")}`);
    const lines = names.map((name) => `"${name}"\t${sha256(name)}\t${stamp}\n`);
    const write = (text: string) => {
      const later = Math.floor(Date.now()) + 60_000;
      writeFiles(root, {
        ".factory/hashes/one": `${text}factory/hashes/1 ${later} ${sha256(`${later} ${sha256(text)}`)}\n`,
      });
      return text.length;
    };
    const size = write(lines.join(""));
    const cache = openHashCache(file);
    const before = process.memoryUsage().arrayBuffers;
    for (const [at, name] of names.entries()) {
      if (at !== 10_000) expect(cache.known(name, stats)).toBe(sha256(name));
      else {
        expect(cache.known(name, lstatSync(root))).toBeUndefined();
        cache.keep(name, stats, sha256("new"));
      }
    }
    cache.save();
    const more = process.memoryUsage().arrayBuffers - before;
    lines[10_000] = (lines[10_000] as string).replace(sha256("module-10000"), sha256("new"));
    const saved = readFileSync(file, "utf8");
    expect(saved.slice(0, saved.lastIndexOf("\n", saved.length - 2) + 1)).toBe(lines.join(""));
    expect(more).toBeLessThan(size / 4);
  });
});
