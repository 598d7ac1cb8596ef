import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { type Header, pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import type { FactoryError } from "../../src/errors.ts";
import { sha256 } from "../../src/model/digest.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { contentHash } from "../../src/records/record-id.ts";
import { tarHeader } from "../../src/handover/tar-frame.ts";
import {
  type Blobs,
  bytesOf,
  type Engine,
  fileWith,
  layerTar,
  load,
  makeImage,
  makeRecord,
  provenFile,
  type RecordMade,
} from "../unit/handover-made.ts";
import { INPUTS } from "../unit/records-made.ts";
import { factoryAtOnce, makeWorkspace, temporaryFolder } from "../unit/workspace.ts";

/** Has a file refused, before anything is written or the engine is asked. @returns what is wrong */
async function refused(file: Buffer | AsyncIterable<Uint8Array>): Promise<string> {
  const root = temporaryFolder();
  const engine: Engine = { loaded: [], tags: [] };
  const error = await load(file, { root, engine }).then(
    () => expect.unreachable("it was taken"),
    (thrown: FactoryError) => thrown,
  );
  expect(error).toMatchObject({ code: "HANDOVER_INVALID", exitCode: 2 });
  expect(engine).toEqual({ loaded: [], tags: [] });
  expect(existsSync(join(root, "records"))).toBe(false);
  return error.message;
}

/** A file with a record that somebody wrote for it. */
async function forged(change: (made: RecordMade) => unknown): Promise<Buffer> {
  const blobs: Blobs = new Map();
  const image = await makeImage(blobs);
  const made = await makeRecord(image.digest);
  change(made);
  return fileWith(blobs, [{ image, made }]);
}

/** Edits a record, and gives it the id that then belongs to it. */
function edit(made: RecordMade, change: (record: RecordMade["record"]) => unknown): void {
  const record = JSON.parse(made.text.toString()) as RecordMade["record"];
  change(record);
  record.record_id = `${record.record_id.split("-")[0]}-${contentHash(record)}`;
  made.record = record;
  made.text = Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
}

describe("a file from somewhere else", () => {
  it("9.7 is taken if it is whole, and gives the engine its images alone", async () => {
    const { bytes, made, digest } = await provenFile();
    const root = temporaryFolder();
    const engine: Engine = { loaded: [], tags: [] };
    const { record_id } = made.record;
    expect(await load(bytes, { root, engine })).toMatchObject([{ record_id, digest }]);
    expect(engine.tags).toEqual([`${digest} registry.example/team/demo:linux-amd64`]);
    expect(engine.loaded[0]?.includes("vnd.factory.record")).toBe(false);
    expect(await openStore(root).verify()).toMatchObject({ checked: 1, problems: [] });
    // A second time nothing is different.
    expect(await load(bytes, { root })).toMatchObject([{ record_id, digest }]);
  });

  it("9.7 is refused wherever it was cut off, and with anything behind its end", async () => {
    const { bytes } = await provenFile();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        await refused(bytes.subarray(0, length));
      }),
      { numRuns: 40 },
    );
    expect(await refused(bytes.subarray(0, bytes.length - 1))).toMatch(/cut off/);
    expect(await refused(Buffer.concat([bytes, Buffer.alloc(512)]))).toMatch(/behind its end/);
    expect(await refused(Buffer.alloc(0))).toMatch(/cut off/);
    expect(await refused(gzipSync(bytes))).toMatch(/gzip/);
  });

  it("9.7 is refused with any byte changed", async () => {
    const { bytes } = await provenFile();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ by;
        await refused(changed);
      }),
      { numRuns: 80 },
    );
  });

  it.each<[string, Partial<Header>]>([
    ["a path out of it", { name: "../../etc/cron.d/x" }],
    ["an absolute path", { name: "/etc/x" }],
    ["a link", { name: "index.json", type: "symlink", linkname: "/etc/passwd" }],
    ["a hard link", { name: "index.json", type: "link", linkname: "oci-layout" }],
    ["a device", { name: "index.json", type: "character-device", devmajor: 1, devminor: 3 }],
    ["a pipe", { name: "index.json", type: "fifo" }],
    ["a folder", { name: "blobs/", type: "directory" }],
    ["the same part again", { name: "oci-layout" }],
    ["a name of any length", { name: `blobs/${"x/".repeat(300)}y` }],
  ])("9.7 is refused with %s in it", async (_, header) => {
    const tar = pack();
    tar.entry({ name: "oci-layout", mode: 0o644, mtime: new Date(0) }, '{"imageLayoutVersion":"1.0.0"}');
    tar.entry({ name: "x", mode: 0o644, mtime: new Date(0), ...header }, "");
    tar.finalize();
    const ours = (await provenFile()).bytes.subarray(0, 1024);
    const theirs = (await bytesOf(tar as AsyncIterable<Uint8Array>)).subarray(1024);
    expect(await refused(Buffer.concat([ours, theirs]))).toMatch(/index\.json has to come next/);
  });

  it("9.7 is refused with a part twice, missing, or in another order", async () => {
    const { bytes } = await provenFile();
    const first = bytes.indexOf("blobs/sha256/", 1024);
    const second = bytes.indexOf("blobs/sha256/", first + 100);
    const part = bytes.subarray(first, second);
    const [before, after] = [bytes.subarray(0, first), bytes.subarray(second)];
    for (const wrong of [
      [before, part, part, after],
      [before, after],
    ])
      expect(await refused(Buffer.concat(wrong))).toMatch(/has to come next/);
  });

  it("9.7 that never ends is not read to its end", async () => {
    let given = 0;
    const { bytes } = await provenFile();
    async function* endless(head: Buffer): AsyncGenerator<Uint8Array, void> {
      yield await Promise.resolve(head);
      for (;;) {
        given += 1 << 20;
        yield Buffer.alloc(1 << 20, "x");
      }
    }
    const head = bytes.subarray(0, 1024);
    for (const size of [2 ** 31, 5 << 20]) {
      const large = Buffer.concat([head, tarHeader("index.json", size)]);
      expect(await refused(endless(large))).toMatch(/too large/);
    }
    await refused(endless(bytes));
    expect(given).toBeLessThan(8 << 20);
  });

  it("9.7 proves nothing with the record of a failure, of another image, or of another cell", async () => {
    const failed = (record: RecordMade["record"]) => {
      Object.assign(record.result, { status: "fail", stage: "smoke", class: "smoke-test" });
    };
    expect(await refused(await forged((made) => edit(made, failed)))).toMatch(/it is of a fail/);

    const blobs: Blobs = new Map();
    const image = await makeImage(blobs);
    const other = await makeRecord(`sha256:${"2".repeat(64)}`);
    expect(await refused(await fileWith(blobs, [{ image, made: other }]))).toMatch(/proves sha256:2222/);
    const made = await makeRecord(image.digest);
    const named = fileWith(blobs, [{ image, made, cellId: "debian.linux-amd64" }]);
    expect(await refused(await named)).toMatch(/is of the cell `demo\.linux-amd64`/);
  });

  it("9.7 proves nothing with a record that was edited, or that its evidence does not prove", async () => {
    const asIs = await forged((made) => {
      made.text = Buffer.from(made.text.toString().replace('"retries": 0', '"retries": 1'));
    });
    expect(await refused(asIs)).toMatch(/hash in its id/);
    const platform = await forged((made) => edit(made, (record) => (record.platform = "linux/arm64")));
    expect(await refused(platform)).toMatch(/not proven by its evidence/);
    const tests = await forged((made) => edit(made, (record) => record.tests.pop()));
    expect(await refused(tests)).toMatch(/not proven by its evidence/);
    const without = await forged((made) => edit(made, (record) => delete record.evidence.smoke_report));
    expect(await refused(without)).toMatch(/has to have smoke_report/);
  });

  it("9.7 proves nothing with an image that is not what its record says", async () => {
    const made = async (about: Parameters<typeof makeImage>[1]) => {
      const blobs: Blobs = new Map();
      const image = await makeImage(blobs, about);
      return refused(await fileWith(blobs, [{ image, made: await makeRecord(image.digest) }]));
    };
    expect(await made({ architecture: "arm64" })).toMatch(/is for "linux\/arm64"/);
    expect(await made({ labels: { "io.factory.build-key": `sha256:${"1".repeat(64)}` } })).toMatch(
      /build key/,
    );
    const tar = await layerTar("other");
    expect(await made({ layer: { bytes: gzipSync(tar), diffId: sha256("x") } })).toMatch(
      /does not unpack to/,
    );
    expect(await made({ layer: { bytes: Buffer.from("no tar"), diffId: sha256("x") } })).toMatch(/is no tar/);
    const half = gzipSync(tar).subarray(0, 60);
    expect(await made({ layer: { bytes: half, diffId: sha256(tar) } })).toMatch(/cannot be unpacked/);
  });

  it(
    "9.7 is refused with a layer that unpacks to a thousand times its size",
    { timeout: 60_000 },
    async () => {
      const zeros = Buffer.alloc(64 << 20);
      // gzip allows members one behind the other: all are unpacked.
      const bytes = Buffer.concat(Array.from({ length: 24 }, () => gzipSync(zeros, { level: 9 })));
      const blobs: Blobs = new Map();
      const image = await makeImage(blobs, { layer: { bytes, diffId: sha256("x") } });
      const file = await fileWith(blobs, [{ image, made: await makeRecord(image.digest) }]);
      expect(await refused(file)).toMatch(/very much more/);
    },
  );

  it("9.7 takes no other image's name, whatever its record says", async () => {
    const blobs: Blobs = new Map();
    const image = await makeImage(blobs);
    const made = await makeRecord(image.digest, { ref: "debian:bookworm-slim" });
    const engine: Engine = { loaded: [], tags: [] };
    await load(await fileWith(blobs, [{ image, made }]), { engine });
    expect(engine.tags).toEqual([`${image.digest} registry.example/team/demo:linux-amd64`]);
    expect(engine.loaded[0]?.includes("debian:bookworm-slim")).toBe(false);
  });

  it("9.7 has one image for a cell", async () => {
    const blobs: Blobs = new Map();
    const image = await makeImage(blobs);
    const made = await makeRecord(image.digest);
    const later = await makeRecord(image.digest, { start: new Date("2026-11-22T00:00:00Z") });
    const file = await fileWith(blobs, [
      { image, made },
      { image, made: later },
    ]);
    expect(await refused(file)).toMatch(/two images of one cell/);
  });

  it("9.7 conflicts with another record of the same id, and the engine gets nothing", async () => {
    const { bytes, made } = await provenFile();
    const root = temporaryFolder();
    const folder = join(root, "records", INPUTS.manifest_id);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${made.record.record_id}.json`), "{}");
    const engine: Engine = { loaded: [], tags: [] };
    await expect(load(bytes, { root, engine })).rejects.toMatchObject({ code: "RECORD_CONFLICT" });
    expect(engine).toEqual({ loaded: [], tags: [] });
  });

  it("9.7 that is a pipe, a device or a folder hangs nothing", async () => {
    const root = makeWorkspace();
    execFileSync("mkfifo", [join(root, "pipe")]);
    for (const file of ["pipe", "/dev/zero", ".", "missing.tar"]) {
      const { status, stdout } = await factoryAtOnce(root, ["load", file, "--json"]);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "FILE_UNREADABLE" } });
      expect(status).toBe(2);
    }
  });
});
