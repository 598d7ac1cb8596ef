import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareLayers } from "../../src/compare/compare-images.ts";
import { readEntries } from "../../src/compare/layer-entries.ts";
import type { FactoryError } from "../../src/errors.ts";
import { recoverFiles } from "../../src/files/recover-files.ts";
import type { Inputs, ReadFile } from "../../src/model/inputs.ts";
import { sha256 } from "../../src/model/digest.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { readRecorded } from "../../src/reproduce/recorded.ts";
import { reproduce, type ReproduceDeps } from "../../src/reproduce/reproduce.ts";
import { imageOf, tarOf } from "../unit/compare-made.ts";
import { provenDraft, START } from "../unit/records-made.ts";
import { factory, makeWorkspace, temporaryFolder } from "../unit/workspace.ts";
import { editRecord, forgeRecord, swapEvidence } from "./records-forge.ts";

const { signal } = new AbortController();
const options = { signal, onBytes: () => undefined };

/** A workspace with the record of a pass. */
async function recorded(change: Partial<Inputs> = {}) {
  const root = makeWorkspace();
  const store = openStore(root);
  const record = await store.put(await provenDraft(store, change), START);
  return { root, store, record, path: `records/demo/${record.record_id}.json` };
}

/** `factory reproduce` where there is no engine: whoever came to build would say so, with 3. */
function refused(root: string, recordId: string): { code: string; what: string } {
  const { status, stdout } = factory(root, ["reproduce", recordId, "--json"], { PATH: "/nonexistent" });
  expect(status).toBe(2);
  return (JSON.parse(stdout) as { error: { code: string; what: string } }).error;
}

describe("a record that is built again", () => {
  it("9.12 is refused before anything is built if it was edited, or its evidence was", async () => {
    const edited = await recorded();
    editRecord(edited.root, edited.path, (record) => (record.platform = "linux/arm64"));
    expect(refused(edited.root, edited.record.record_id).code).toBe("EVIDENCE_MISMATCH");

    const changed = await recorded();
    const { dockerfile } = changed.record.evidence;
    const file = join(changed.root, "records/demo", dockerfile?.path ?? "");
    writeFileSync(file, readFileSync(file, "utf8").replace("RUN true", "RUN evil"));
    expect(refused(changed.root, changed.record.record_id).what).toContain("dockerfile");
  });

  it("9.12 is refused with another Dockerfile, whoever wrote record, id and ledger for it", async () => {
    const { root, path } = await recorded();
    const forged = forgeRecord(root, path, swapEvidence(root, "dockerfile", "FROM debian\nRUN evil\n"));
    const [, , name = ""] = forged.split("/");
    expect(refused(root, name.replace(".json", ""))).toMatchObject({ code: "EVIDENCE_MISMATCH" });
  });

  it("9.12 is refused without its inputs, and without an image", async () => {
    const { root, record } = await recorded();
    rmSync(join(root, "records/demo", record.evidence.inputs?.path ?? ""));
    expect(refused(root, record.record_id)).toMatchObject({ code: "RECORD_INCOMPLETE" });

    const failed = makeWorkspace();
    const store = openStore(failed);
    const draft = await provenDraft(store);
    const { inputs, dockerfile, bake_file, build_log } = draft.evidence;
    const ended = await store.put(
      {
        ...draft,
        image: null,
        tests: [],
        result: { ...draft.result, status: "fail", stage: "build", class: "step", expected: false },
        evidence: { inputs, dockerfile, bake_file, build_log } as typeof draft.evidence,
      },
      START,
    );
    expect(refused(failed, ended.record_id).what).toContain("it ended in build (step)");
  });

  it("9.12 says which evidence is gone where its build needs none of that", async () => {
    const { root, store, record } = await recorded();
    for (const kind of ["smoke_report", "sbom"])
      rmSync(join(root, "records/demo", record.evidence[kind]?.path ?? ""));
    const found = await readRecorded(record.record_id, store, signal);
    expect(found.sbom).toBeNull();
    expect(found.missing.map(({ why }) => why).join()).toMatch(/smoke_report.*sbom|sbom.*smoke_report/);
  });

  it("9.12 leads git nowhere by its paths or its commit", async () => {
    const { root, path } = await recorded({ files: [{ path: "../x", mode: "0644", sha256: sha256("x") }] });
    const deps = (store: ReturnType<typeof openStore>): ReproduceDeps => {
      const exportCommit = () => Promise.reject(new Error("git was asked"));
      const buildx = { platforms: () => Promise.resolve(["linux/amd64"]) };
      const own = { buildx, exportCommit, store, root, signal, folder: temporaryFolder() };
      return own as unknown as ReproduceDeps;
    };
    const idOf = (file: string) => file.split("/").at(-1)?.replace(".json", "") ?? "";
    const outside = reproduce(idOf(path), { update: false }, deps(openStore(root)));
    await expect(outside).rejects.toMatchObject({ code: "FILE_OUTSIDE" });

    const other = await recorded();
    const forged = forgeRecord(
      other.root,
      other.path,
      (record) => (record.source.commit = "--output=/tmp/x"),
    );
    const found = await reproduce(
      idOf(forged),
      { update: false },
      { ...deps(openStore(other.root)), root: other.root },
    );
    expect(found.missing).toEqual([
      {
        what: "fragments/core/0.1.0/run.sh",
        why: "the workspace does not have it as it was, and the record names no commit",
      },
    ]);
  });

  it("9.12 gives the builder no variable of its own", async () => {
    const environment = { DOCKER_HOST: "tcp://evil.example", SOURCE_DATE_EPOCH: "1" };
    const { root, store, record } = await recorded({ files: [], environment });
    const buildx = { platforms: () => Promise.resolve(["linux/amd64"]) };
    const deps = { buildx, store, root, signal, folder: temporaryFolder() } as unknown as ReproduceDeps;
    const found = await reproduce(record.record_id, { update: false }, deps);
    expect(found.missing).toEqual([
      { what: "the environment `DOCKER_HOST`", why: "no run passes that to a build" },
    ]);
  });

  it("9.12 gets no secret unasked, since records travel", async () => {
    const dockerfile =
      "FROM debian:bookworm-slim AS base\n\nFROM base AS core\nRUN --mount=type=secret,id=token cat /run/secrets/token\n\nFROM core AS image\n";
    const { root, store, record } = await recorded({ dockerfile, files: [] });
    const never = () => Promise.reject(new Error("it was asked"));
    const deps = {
      buildx: { bake: never, platforms: () => Promise.resolve(["linux/amd64"]) },
      secrets: { handOver: never, network: never },
      exportCommit: never,
      store,
      root,
      signal,
      folder: temporaryFolder(),
      mayUseSecrets: false,
    } as unknown as ReproduceDeps;
    const found = await reproduce(record.record_id, { update: false }, deps);
    expect(found).toMatchObject({ outcome: "incomplete", rebuilt: null });
    expect(found.missing).toEqual([expect.objectContaining({ what: "the secrets `token`" })]);
  });
});

const file = (path: string, text: string, mode = "0644"): ReadFile => ({ path, mode, sha256: sha256(text) });

/** What becomes of files that a record names. */
async function recover(files: readonly ReadFile[], origin: (root: string) => void) {
  const root = temporaryFolder();
  const into = temporaryFolder();
  origin(root);
  const missing = await recoverFiles(files, { origins: [{ title: "it", root }], into, signal });
  return { missing, into };
}

const write = (root: string, path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, { mode: 0o644 });
};

describe("files that a record names", () => {
  it("9.12 are copied with exactly the bytes, modes and links that it says", async () => {
    const { missing, into } = await recover(
      [
        file("a/x", "x"),
        file("a/y", "y"),
        file("b", "b", "0755"),
        file("l", "a/x", "120000"),
        file("e/", "", "0755"),
      ],
      (root) => {
        write(root, "a/x", "x");
        write(root, "a/y", "other");
        write(root, "b", "b");
        symlinkSync("a/x", join(root, "l"));
      },
    );
    expect(missing).toEqual(["a/y", "b"]);
    expect(readdirSync(into).sort()).toEqual(["a", "e", "l"]);
    expect(readFileSync(join(into, "l"), "utf8")).toBe("x");
  });

  it.each(["../x", "/x", "a/../../x", "a//x", "./x", "", "a/./x", "a\0/x"])(
    "9.12 are refused at %j, before one of them is copied",
    async (path) => {
      const root = temporaryFolder();
      write(root, "ok", "ok");
      const into = join(temporaryFolder(), "in");
      mkdirSync(into);
      const files = [file("ok", "ok"), file(path, "x")];
      const error = await recoverFiles(files, { origins: [{ title: "it", root }], into, signal }).then(
        () => expect.unreachable("it was taken"),
        (thrown: FactoryError) => thrown,
      );
      expect(error.code).toBe("FILE_OUTSIDE");
      expect(readdirSync(into)).toEqual([]);
    },
  );

  it("9.12 are not written through a link of the record's own", async () => {
    const outside = temporaryFolder();
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    symlinkSync(outside, join(one, "a"));
    mkdirSync(join(two, "a"));
    symlinkSync("b", join(two, "a/l"));
    const origins = [one, two].map((root) => ({ title: "it", root }));
    const links = [file("a", outside, "120000"), file("a/l", "b", "120000")];
    for (const files of [links, [...links].reverse()]) {
      const into = temporaryFolder();
      await expect(recoverFiles(files, { origins, into, signal })).rejects.toMatchObject({
        code: expect.stringMatching(/^(FILE_OUTSIDE|WRITE_FAILED)$/) as unknown,
      });
      expect(readdirSync(outside)).toEqual([]);
    }
  });

  it("9.12 are not read through a link that leads out of a commit or the workspace", async () => {
    const outside = temporaryFolder();
    write(outside, "x", "x");
    const { missing } = await recover(
      [file("away/x", "x"), file("here", "x"), file("fifo/x", "x")],
      (root) => {
        symlinkSync(outside, join(root, "away"));
        symlinkSync(join(outside, "x"), join(root, "here"));
      },
    );
    expect(missing).toEqual(["away/x", "here", "fifo/x"]);
  });
});

describe("layers that are compared", () => {
  it("9.12 write nothing, whatever their names are, and each name counts", async () => {
    const outside = temporaryFolder();
    const escape = `../../../../../../../..${outside}/x`;
    const before = await tarOf([
      { name: escape, text: "1" },
      { name: `${outside}/y`, text: "1" },
      { name: "link", type: "symlink", linkname: outside },
      { name: "link/z", text: "1" },
      { name: "twice", text: "1" },
      { name: "twice", text: "2" },
      { name: "pipe", type: "fifo" },
    ]);
    const after = await tarOf([
      { name: escape, text: "2" },
      { name: `${outside}/y`, text: "1" },
      { name: "link", type: "symlink", linkname: outside },
      { name: "link/z", text: "1" },
      { name: "twice", text: "2" },
      { name: "twice", text: "2" },
      { name: "pipe", type: "file" },
    ]);
    const [layer] = await compareLayers(imageOf([before]), imageOf([after]), options);
    expect(layer?.changes.map(({ path }) => path)).toEqual([escape, "/pipe", "/twice"].sort());
    expect(existsSync(join(outside, "x")) || existsSync(join(outside, "z"))).toBe(false);
  });

  it("9.12 differ in whiteouts and hard links as in any file", async () => {
    const before = await tarOf([
      { name: "a", text: "1" },
      { name: "b", type: "link", linkname: "a" },
      { name: ".wh.gone" },
    ]);
    const after = await tarOf([
      { name: "a", text: "1" },
      { name: "b", text: "1" },
      { name: "d/.wh..wh..opq" },
    ]);
    const [layer] = await compareLayers(imageOf([before]), imageOf([after]), options);
    expect(layer?.changes).toEqual([
      { path: "/.wh.gone", how: ["removed"] },
      { path: "/b", how: ["type"] },
      { path: "/d/.wh..wh..opq", how: ["added"] },
    ]);
  });

  it("9.12 differ in attributes whose bytes are no text, such as capabilities", async () => {
    const bytes = [0xfe, 0xff, 0x80];
    const layers = await Promise.all(
      bytes.map(async (byte) => {
        const files = ["a", "b"].map((name) => ({
          name,
          text: name,
          pax: { "SCHILY.xattr.security.x": "#1#" },
        }));
        const tar = await tarOf([{ name: "first", text: "x".repeat(3000) }, ...files]);
        // Of the second file alone.
        tar[tar.lastIndexOf("#1#") + 1] = byte;
        return imageOf([tar]);
      }),
    );
    const [one, two, three] = layers as [(typeof layers)[0], (typeof layers)[0], (typeof layers)[0]];
    for (const other of [two, three]) {
      const [layer] = await compareLayers(one, other, options);
      expect(layer?.changes).toEqual([{ path: "/b", how: ["attributes"] }]);
    }
    expect(await compareLayers(one, one, options)).toMatchObject([{ same: "identical" }]);
  });

  it("9.12 are refused if they are not what the configuration says, damaged, no tar, or too many files", async () => {
    const tar = await tarOf([{ name: "a" }, { name: "b" }, { name: "c" }]);
    const error = (
      image: Parameters<typeof readEntries>[0],
      most?: { entries: number; characters: number },
    ) =>
      readEntries(image, 0, options, most).then(
        () => expect.unreachable("it was taken"),
        (thrown: FactoryError) => `${thrown.code}: ${thrown.message}`,
      );
    const other = imageOf([tar], { diffIds: [`sha256:${"0".repeat(64)}`] });
    expect(await error(other)).toMatch(/IMAGE_UNREADABLE.*does not unpack to what/);
    expect(await error(imageOf([tar], { packed: () => Buffer.from("no tar") }))).toMatch(/is no tar/);
    expect(await error(imageOf([tar.subarray(0, 700)]))).toMatch(/IMAGE_UNREADABLE/);
    expect(await error(imageOf([tar]), { entries: 2, characters: 1e6 })).toMatch(/more than 2 files/);
    expect(await error(imageOf([tar]), { entries: 9, characters: 20 })).toMatch(/very long names/);
    expect(() => imageOf([tar], { diffIds: [] })).toThrow(/1 layers, and its configuration 0/);
  });
});
