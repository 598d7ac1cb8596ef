import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openBlobFolder } from "../../src/files/blob-folder.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { repackedBy, type ProgramDeps } from "../../src/repack/repackers.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { bareImage } from "../../src/repack/assemble.ts";
import { dockerRepack } from "../../src/tools/docker-repack.ts";
import { imageOf, tarOf } from "../unit/compare-made.ts";
import { provenDraft, START } from "../unit/records-made.ts";
import { factory, makeWorkspace, temporaryFolder } from "../unit/workspace.ts";
import { forgeRecord } from "./records-forge.ts";

/** A workspace with the record of a pass, and the record of its image in other layers. */
async function recorded(change: (tie: NonNullable<FactoryRecord["repacked"]>) => void = () => undefined) {
  const root = makeWorkspace();
  const store = openStore(root);
  const original = await store.put(await provenDraft(store), START);
  const { digest = "", manifest_digest = "" } = original.image ?? {};
  const tie = { record_id: original.record_id, digest, manifest_digest, with: "zstd" as const };
  change(tie);
  const later = new Date(START.getTime() + 1000);
  const draft = await provenDraft(store, { repacked: tie }, later);
  const own = await store.put({ ...draft, repacked: tie, saving: 0.25 }, later);
  return { root, store, original, own };
}

const codes = async (store: ReturnType<typeof openStore>, recordId?: string) =>
  (await store.verify({ recordId })).problems.map(({ code }) => code);

describe("the record of a repacked image", () => {
  it("9.10 is tied to the original: to its record, its image and its inputs", async () => {
    const { store, own } = await recorded();
    expect(await codes(store)).toEqual([]);
    expect(await codes(store, own.record_id)).toEqual([]);
  });

  it.each<[string, (tie: NonNullable<FactoryRecord["repacked"]>) => void]>([
    ["another image", (tie) => (tie.digest = `sha256:${"9".repeat(64)}`)],
    ["another manifest", (tie) => (tie.manifest_digest = `sha256:${"9".repeat(64)}`)],
    ["a record that is not there", (tie) => (tie.record_id = tie.record_id.replace(/.$/, "0"))],
  ])("9.10 is no proof with %s as its original", async (_, change) => {
    const { store, own } = await recorded(change);
    expect(await codes(store, own.record_id)).toEqual(["ORIGINAL_MISMATCH"]);
  });

  it("9.10 is no proof without its original, or with its own inputs changed", async () => {
    const { root, store, original, own } = await recorded();
    rmSync(join(root, `records/demo/${original.record_id}.json`));
    expect(await codes(store, own.record_id)).toEqual(["ORIGINAL_MISMATCH"]);

    const other = await recorded();
    const path = `records/demo/${other.own.record_id}.json`;
    forgeRecord(other.root, path, (record) => delete record.repacked);
    expect(await codes(other.store)).toContain("INPUT_MISMATCH");
  });

  it("9.10 says what it saves: whoever rewrites that, to have it published or kept back, has no record any more", async () => {
    const { root, store, own } = await recorded();
    const path = join(root, `records/demo/${own.record_id}.json`);
    expect(own.saving).toBe(0.25);
    writeFileSync(path, readFileSync(path, "utf8").replace('"saving": 0.25', '"saving": 0.01'));
    expect(await codes(store, own.record_id)).toContain("RECORD_EDITED");
  });
});

describe("what is built again", () => {
  it("9.10 is the original, and not an image in other layers", async () => {
    const { root, original, own } = await recorded();
    const { status, stdout } = factory(root, ["reproduce", own.record_id, "--json"], {
      PATH: "/nonexistent",
    });
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: "RECORD_INCOMPLETE",
        fix: `reproduce that one: factory reproduce ${original.record_id}`,
      },
    });
  });
});

/** A layout that a program may repack, and what it is asked with. */
async function asked(script: string) {
  const bin = temporaryFolder();
  writeFileSync(join(bin, "docker-repack"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, "docker-repack"), 0o755);
  const folder = temporaryFolder();
  mkdirSync(join(folder, "original"));
  const blobs = openBlobFolder(join(folder, "original"));
  const image = imageOf([await tarOf([{ name: "a" }])]);
  const manifest = await bareImage(image, image, blobs);
  const tool = dockerRepack((_, argv) => {
    const { status, stdout, stderr } = spawnSync(join(bin, "docker-repack"), argv, { encoding: "utf8" });
    return Promise.resolve({ exitCode: status, stdout, stderr, timedOut: false, aborted: false });
  });
  const deps = { dockerRepack: tool, signal: new AbortController().signal } as unknown as ProgramDeps;
  const source = { folder, manifest, platform: "linux/amd64", targetSize: 1e6 };
  return { folder, run: () => repackedBy("docker-repack", source, deps) };
}

describe("a program that repacks", () => {
  it.each([
    ["fails", "echo broken >&2; exit 3", "TOOL_FAILED"],
    ["writes nothing", "exit 0", "TOOL_FAILED"],
    ["writes no layout", 'to=${6#oci://}; mkdir -p "$to"; echo "{" > "$to/index.json"', "IMAGE_UNREADABLE"],
    [
      "writes an index that leads out",
      'to=${6#oci://}; mkdir -p "$to"; echo \'{"manifests":[{"digest":"sha256:../../../../etc/passwd"}]}\' > "$to/index.json"',
      "TOOL_FAILED",
    ],
  ])("9.10 ends the command if it %s", async (_, script, code) => {
    const { run } = await asked(script);
    await expect(run()).rejects.toMatchObject({ code });
  });

  it("9.10 is not asked for what nothing proves, and nothing is left", () => {
    const root = makeWorkspace();
    const { status, stdout } = factory(
      root,
      ["repack", "20261121t010203456z-0000000000000001", "--with", "zstd", "--json"],
      { PATH: "/nonexistent" },
    );
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "UNKNOWN_RECORD" } });
    expect(readdirSync(root)).not.toContain("records");
  });

  it.each([
    ["--target-size", "0"],
    ["--target-size", "1kB"],
    ["--target-size", "50MB; rm"],
    ["--bandwidth", "0Mbit"],
    ["--bandwidth", "fast"],
    ["--parallel", "0"],
    ["--tag-suffix", "/x"],
    ["--tag-suffix", ""],
    ["--with", "gzip"],
  ])("9.10 is asked with nothing but sizes and names: %s %j is refused", (option, value) => {
    const { status, stdout } = factory(temporaryFolder(), ["repack", "x", option, value, "--json"]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "USAGE" } });
  });
});
