import { execFileSync } from "node:child_process";
import { chmodSync, utimesSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { libraryContent } from "../../src/catalog/library-content.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { listed } from "../../src/files/listing.ts";
import { replaceFolder } from "../../src/files/replace-folder.ts";
import { packLibrary } from "../../src/library/artifact.ts";
import { libraryChanges } from "../../src/library/changes.ts";
import { unpackLibrary } from "../../src/library/unpack.ts";
import { factory, type Files, makeWorkspace, temporaryFolder, writeFiles } from "./workspace.ts";
import { lockLibraries, SHARED_MANIFEST, DECLARED, libraryIn } from "./library-made.ts";

const read = (root: string) => libraryContent(root, ".", { file: "factory.yaml" }, () => undefined);

/** Every file of a library with its mode and hash. */
const linesOf = (root: string) =>
  [...read(root).trees].flatMap(([name, tree]) =>
    [...listed(name, tree)].map((one) => Object.values(one).join(" ")),
  );

describe("an artifact", () => {
  it("holds what the library holds, whatever the files are", async () => {
    const part = fc.constantFrom("a", "b c", "é", "[slug].tsx", "-x", "x".repeat(120), "Dockerfile.hbs");
    const path = fc
      .array(part, { minLength: 1, maxLength: 3 })
      .map((parts) => `fragments/core/1.0.0/${parts.join("/")}`);
    const file = fc.tuple(path, fc.uint8Array({ maxLength: 40 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 6 }), async (files) => {
        const tree = new Map(files.map(([at, bytes, executable]) => [at, { bytes, executable }] as const));
        for (const at of tree.keys())
          for (const other of [...tree.keys()]) if (other.startsWith(`${at}/`)) tree.delete(at);
        const [from, to] = [temporaryFolder(), temporaryFolder()];
        replaceFolder(join(from, "lib"), tree);
        const { layer, digest } = await packLibrary(join(from, "lib"), read(join(from, "lib")));
        replaceFolder(join(to, "lib"), await unpackLibrary(layer));
        expect(linesOf(join(to, "lib"))).toEqual(linesOf(join(from, "lib")));
        expect((await packLibrary(join(to, "lib"), read(join(to, "lib")))).digest).toBe(digest);
      }),
      { numRuns: 30 },
    );
  });

  it("has one digest, whoever packs it and when", async () => {
    const [one, other] = [makeWorkspace(), makeWorkspace()];
    for (const path of ["fragments/app/0.1.0/server.py", "fragments/app/0.1.0"])
      utimesSync(join(other, path), 1e9, 1e9);
    chmodSync(join(other, "fragments/app/0.1.0/server.py"), 0o600);
    writeFiles(other, { "manifests/more.yaml": "x", "README.md": "x" });
    const digests = await Promise.all(
      [one, other].map(async (root) => (await packLibrary(root, read(root))).digest),
    );
    expect(digests[0]).toBe(digests[1]);
    expect(digests[0]).toBe("sha256:c6d3974e320148c0d97a476c267a89154d7f5adba107b78f1810c3463ad18627");
  });

  it("is not packed if a file changes meanwhile", async () => {
    const root = makeWorkspace();
    const content = read(root);
    writeFiles(root, { "fragments/app/0.1.0/server.py": "print('evil!')\n" });
    await expect(packLibrary(root, content)).rejects.toMatchObject({ code: "FILE_CHANGED" });
  });
});

describe("what differs between two states of a library", () => {
  const states = (changes: Files) => {
    const [before, after] = [makeWorkspace(), makeWorkspace(changes)];
    return libraryChanges(read(before), read(after)).map(
      ({ folder, name, version, change }) => `${change} ${folder} ${name} ${version}`,
    );
  };

  it("is told by version", () => {
    expect(states({})).toEqual([]);
    expect(
      states({
        "fragments/app/0.1.0/data/b.txt": null,
        "fragments/core/0.3.0/fragment.yaml": "x",
        "fragments/extra": null,
        "templates/plain/0.1.0/Dockerfile.hbs": "x",
      }),
    ).toEqual([
      "changed fragments app 0.1.0",
      "added fragments core 0.3.0",
      "removed fragments extra 0.1.0",
      "changed templates plain 0.1.0",
    ]);
  });

  it("a body that versions share changes all of them", () => {
    expect(states({ "fragments/core/common.hbs": "x" })).toEqual(
      ["0.1.0", "0.1.1", "0.2.0"].map((version) => `changed fragments core ${version}`),
    );
  });
});

describe("plan --since", () => {
  const since = (root: string) => {
    const { status, stdout, stderr } = factory(root, [
      "plan",
      "--manifest-id",
      "shared",
      "--since",
      "HEAD",
      "--json",
    ]);
    expect(status, stderr).toBe(0);
    const { cells } = JSON.parse(stdout) as { cells: { cell_id: string; reason: string }[] };
    return [...cells.map(({ reason }) => reason), ...(/held something else then/.exec(stderr) ?? [])];
  };
  const commit = (root: string) => {
    const own = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgSign=false"];
    for (const argv of [
      ["init", "-q"],
      ["add", "-A"],
      ["commit", "-qm", "first"],
    ])
      execFileSync("git", ["-C", root, ...own, ...argv], { stdio: "ignore" });
  };
  const workspace = (folder: string, more: Files = {}) => {
    const root = makeWorkspace({
      "factory.yaml": DECLARED.replace("vendor/company", folder),
      "manifests/shared.yaml": SHARED_MANIFEST,
      ...libraryIn(folder),
      ...more,
    });
    lockLibraries(root);
    commit(root);
    return root;
  };

  it.each([
    ["in version control", "vendor/company", {}],
    ["that is installed", "node_modules/company", { ".gitignore": "node_modules/\n" }],
  ])("sees what changed in a library %s", (_, folder, more) => {
    const root = workspace(folder, more);
    expect(since(root)).toEqual([]);
    // Of another version than the one that is used.
    writeFiles(root, { [`${folder}/fragments/core/0.2.0/Dockerfile.hbs`]: "RUN other\n" });
    lockLibraries(root);
    // What it was is nowhere: then every cell counts.
    const unknown = ["NOT_ASKED", "held something else then"];
    const isKept = folder.startsWith("vendor");
    expect(since(root)).toEqual(isKept ? [] : unknown);
    writeFiles(root, { [`${folder}/fragments/core/0.1.1/Dockerfile.hbs`]: "RUN other\n" });
    lockLibraries(root);
    expect(since(root)).toEqual(isKept ? ["FILES"] : unknown);
    expect(openCatalog(root).fragmentNames()).toContain("company.core");
  });
});
