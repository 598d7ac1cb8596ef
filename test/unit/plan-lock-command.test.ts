import { readFileSync, renameSync, symlinkSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BaseRef, BaseResolution } from "../../src/builder/base.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import type { Context } from "../../src/commands/context.ts";
import { lock } from "../../src/commands/lock.ts";
import { FactoryError } from "../../src/errors.ts";
import type { BaseAnswer } from "../../src/plan/lock/draft.ts";
import {
  changeLock,
  digestOn,
  fragmentFiles,
  makeBuilder,
  planFile,
  writeLock,
} from "./plan-lock-builder.ts";
import { type Files, makeWorkspace, treeOf, writeFiles } from "./workspace.ts";

const DEBIAN = "debian:bookworm-slim";
const NEWER = fragmentFiles("core", 10, ["0.1.2"], "args: {python: {type: string, default: x}}\n");

/** `factory lock` in a workspace, with a builder that answers as on a day. */
async function run(
  root: string,
  options: { update?: boolean; check?: boolean } = {},
  { day = 1, odd = {} }: { day?: number; odd?: Record<string, BaseAnswer> } = {},
) {
  const said: string[] = [];
  const builder = makeBuilder(day, odd);
  const plain = (text: string) => text;
  const context = {
    cwd: root,
    color: { red: plain, green: plain, yellow: plain, cyan: plain, dim: plain, bold: plain },
    catalog: () => Promise.resolve(openCatalog(root)),
    world: () =>
      Promise.resolve({
        baseDigests: (refs: readonly BaseRef[]) => {
          const answers = refs.map((one) => [`${one.ref} ${one.platform}`, builder.answerOf(one)] as const);
          return Promise.resolve(new Map(answers as [string, BaseResolution][]));
        },
      }),
    say: (text: string) => said.push(text),
    signal: new AbortController().signal,
  } as unknown as Context;
  const { text, json, exitCode = 0 } = await lock(context, options);
  return {
    text,
    json: json as { lock: string; changes: Record<string, unknown>[]; status: string },
    exitCode,
    said,
    asked: builder.asked,
  };
}

async function refusal(work: Promise<unknown>): Promise<FactoryError> {
  return work.then(
    () => expect.unreachable(),
    (error: unknown) => (error instanceof FactoryError ? error : Promise.reject(error as Error)),
  );
}

function short(day: number, ref: string): string {
  return `${digestOn(day, ref).slice(0, 19)}…`;
}

describe("factory lock", () => {
  it("writes what everything stands for, once", async () => {
    const root = makeWorkspace();
    const first = await run(root);
    expect(first.text).toBe(`template plain ~0.1: 0.1.0 (new)
app 0.1.0: 0.1.0 (new)
core ~0.1: 0.1.1 (new)
${DEBIAN} (linux/amd64): ${short(1, DEBIAN)} (new)
${DEBIAN} (linux/arm64): ${short(1, DEBIAN)} (new)
factory.lock: 5 changes, 5 entries`);
    expect(first).toMatchObject({ exitCode: 0, json: { lock: "factory.lock", status: "written" } });
    expect(first.json.changes).toHaveLength(5);
    expect(first.said).toEqual(["asking the builder for the digest of 1 image"]);

    const text = readFileSync(join(root, "factory.lock"), "utf8");
    writeFiles(root, NEWER);
    const before = treeOf(root);
    const second = await run(root, {}, { day: 2 });
    expect(second.text).toBe("factory.lock: unchanged, 5 entries");
    expect(second).toMatchObject({
      exitCode: 0,
      asked: [],
      said: [],
      json: { changes: [], status: "unchanged" },
    });
    expect(treeOf(root)).toBe(before);
    expect(text).toContain("~0.1: 0.1.1");
  });

  it("takes the newest of everything with --update, and says whom that touches", async () => {
    const second =
      'schema_version: 1\nmanifest_id: second\ntemplate: plain@~0.1\nbase: debian:bookworm-slim\nfragments: {core: ~0.1, app: "*"}\n';
    const root = makeWorkspace({
      "manifests/second.yaml": second,
      "control_plane/plans/grid.yaml": null,
      ...planFile("axis", "axes: {core: {latest: 2}}\n"),
    });
    await run(root);
    writeFiles(root, {
      ...NEWER,
      "manifests/second.yaml": second.replace('"*"', '"0.x"'),
      "fragments/core/0.2.0": null,
    });
    const { text, json } = await run(root, { update: true }, { day: 2 });
    expect(text).toBe(`app *: 0.1.0 (no longer needed)
app 0.x: 0.1.0 (new)
core ~0.1: 0.1.1 → 0.1.2, touches demo, second
axis core (latest: 2): 0.1.1, 0.2.0 → 0.1.1, 0.1.2, touches demo
${DEBIAN} (linux/amd64): ${short(1, DEBIAN)} → ${short(2, DEBIAN)}, touches demo, second
${DEBIAN} (linux/arm64): ${short(1, DEBIAN)} → ${short(2, DEBIAN)}, touches demo
factory.lock: 6 changes, 7 entries`);
    expect(json.changes).toEqual([
      { kind: "fragment", name: "app", range: "*", before: "0.1.0", after: null, manifests: [] },
      { kind: "fragment", name: "app", range: "0.x", before: null, after: "0.1.0", manifests: ["second"] },
      {
        kind: "fragment",
        name: "core",
        range: "~0.1",
        before: "0.1.1",
        after: "0.1.2",
        manifests: ["demo", "second"],
      },
      {
        kind: "axis",
        name: "core",
        range: "latest: 2",
        before: ["0.1.1", "0.2.0"],
        after: ["0.1.1", "0.1.2"],
        manifests: ["demo"],
      },
      ...["linux/amd64", "linux/arm64"].map((platform) => ({
        kind: "base",
        name: DEBIAN,
        platform,
        before: digestOn(1, DEBIAN),
        after: digestOn(2, DEBIAN),
        manifests: platform === "linux/amd64" ? ["demo", "second"] : ["demo"],
      })),
    ]);
    expect((await run(root, { update: true }, { day: 2 })).json.status).toBe("unchanged");
  });

  it("names at most ten manifests a line", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => {
        const id = `m${String(at).padStart(2, "0")}`;
        const text = `schema_version: 1\nmanifest_id: ${id}\ntemplate: plain@~0.1\nbase: scratch\nfragments: {core: ~0.1, app: 0.1.0}\n`;
        return [`manifests/${id}.yaml`, text];
      }),
    );
    const root = makeWorkspace({
      ...files,
      "manifests/demo.yaml": null,
      "control_plane/plans/grid.yaml": null,
    });
    await run(root);
    writeFiles(root, NEWER);
    const { text, json, asked } = await run(root, { update: true });
    expect(text).toContain("touches m00, m01, m02, m03, m04, m05, m06, m07, m08, m09 and 2 more\n");
    expect(json.changes[0]?.manifests).toHaveLength(12);
    expect(asked).toEqual([]);
  });

  it("keeps what holds in an edited lock, and says that it was edited", async () => {
    const root = makeWorkspace();
    const text = writeLock(root);
    writeFiles(root, { "factory.lock": text.replace("~0.1: 0.1.1", "~0.1: 0.1.0") });
    expect(await run(root, { check: true })).toMatchObject({ exitCode: 1, json: { status: "stale" } });
    const result = await run(root);
    expect(result.text).toBe(
      "factory.lock was edited by hand or merged: its lock_digest did not match\nfactory.lock: 0 changes, 5 entries",
    );
    expect(result).toMatchObject({ asked: [], json: { changes: [], status: "written" } });
    expect(openCatalog(root).lock()?.document.fragments).toMatchObject({ core: { "~0.1": "0.1.0" } });
    expect(await run(root)).toMatchObject({ json: { status: "unchanged" } });
  });

  it("leaves comments and line ends alone where nothing else changes", async () => {
    const root = makeWorkspace();
    const text = `# ours\r\n${writeLock(root).replaceAll("\n", "\r\n")}`;
    writeFiles(root, { "factory.lock": text });
    expect(await run(root)).toMatchObject({ json: { status: "unchanged" } });
    expect(await run(root, { check: true })).toMatchObject({ json: { status: "current" } });
    expect(readFileSync(join(root, "factory.lock"), "utf8")).toBe(text);
  });

  it("writes through a link within the workspace", async () => {
    const root = makeWorkspace();
    writeLock(root);
    renameSync(join(root, "factory.lock"), join(root, "locks.txt"));
    symlinkSync("locks.txt", join(root, "factory.lock"));
    await run(root, { update: true }, { day: 2 });
    expect(lstatSync(join(root, "factory.lock")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(root, "locks.txt"), "utf8")).toContain(digestOn(2, DEBIAN));
  });

  it.each([{}, { update: true }, { check: true }])(
    "writes nothing where a base has no digest: %j",
    async (options) => {
      const root = makeWorkspace(planFile("more", "axes: {base: [other:1]}\n"));
      writeLock(root);
      changeLock(root, { [`base ${DEBIAN} linux/amd64`]: null, "base other:1 linux/arm64": null });
      const before = treeOf(root);
      const away = { digest: null, pinnable: false, error: { message: "connection refused" } };
      const odd = { [`${DEBIAN} linux/amd64`]: away, "other:1 linux/arm64": away };
      const error = await refusal(run(root, options, { odd }));
      expect(error).toMatchObject({ code: "BASE_UNRESOLVED", exitCode: 3 });
      expect(error.findings?.map(({ where }) => where?.file)).toEqual([
        "manifests/demo.yaml",
        "control_plane/plans/more.yaml",
      ]);
      expect(treeOf(root)).toBe(before);
    },
  );

  it.each<Files>([
    { "manifests/demo.yaml": "manifest_id: demo\n" },
    { "factory.lock": "<<<<<<< ours\n" },
    { "factory.lock/a": "" },
  ])("writes nothing where something cannot be read: %j", async (files) => {
    const root = makeWorkspace(files);
    const before = treeOf(root);
    for (const options of [{}, { update: true }, { check: true }])
      expect(await refusal(run(root, options))).toMatchObject({ exitCode: 2 });
    expect(treeOf(root)).toBe(before);
  });
});

describe("factory lock --check", () => {
  it("has nothing to say of a current lock", async () => {
    const root = makeWorkspace();
    await run(root);
    const before = treeOf(root);
    const { text, json, exitCode } = await run(root, { check: true });
    expect({ text, exitCode }).toEqual({ text: "current: factory.lock, 5 entries", exitCode: 0 });
    expect(json).toEqual({ lock: "factory.lock", changes: [], status: "current" });
    expect(treeOf(root)).toBe(before);
  });

  it("tells what is outdated", async () => {
    const root = makeWorkspace();
    await run(root);
    writeFiles(root, NEWER);
    const before = treeOf(root);
    const { text, json, exitCode } = await run(root, { check: true }, { day: 2 });
    expect(text).toBe(`outdated  core ~0.1: 0.1.1 → 0.1.2, touches demo
outdated  ${DEBIAN} (linux/amd64): ${short(1, DEBIAN)} → ${short(2, DEBIAN)}, touches demo
outdated  ${DEBIAN} (linux/arm64): ${short(1, DEBIAN)} → ${short(2, DEBIAN)}, touches demo
outdated: \`factory lock --update\` would change factory.lock`);
    expect(json).toMatchObject({
      status: "outdated",
      changes: [{ name: "core" }, { kind: "base" }, { kind: "base" }],
    });
    expect(exitCode).toBe(1);
    expect(treeOf(root)).toBe(before);
  });

  it("tells that from what is stale", async () => {
    const root = makeWorkspace();
    expect(await run(root, { check: true })).toMatchObject({ exitCode: 1, json: { status: "stale" } });
    await run(root);
    writeFiles(root, {
      ...NEWER,
      ...planFile("more", "axes: {base: [other:1]}\nplatforms: [linux/amd64]\nfixed: {core: ^0.1}\n"),
    });
    const before = treeOf(root);
    const { text, json, exitCode } = await run(root, { check: true });
    expect(text).toBe(`stale     core ^0.1: 0.1.2 (new)
stale     other:1 (linux/amd64): ${short(1, "other:1")} (new)
outdated  core ~0.1: 0.1.1 → 0.1.2, touches demo
stale: \`factory lock\` would change factory.lock`);
    expect(json).toMatchObject({ status: "stale" });
    expect(json.changes).toHaveLength(3);
    expect(exitCode).toBe(1);
    expect(treeOf(root)).toBe(before);
    // And `factory lock` makes exactly the stale ones.
    expect((await run(root)).json.changes).toEqual(json.changes.slice(0, 2));
    expect(await run(root, { check: true })).toMatchObject({ json: { status: "outdated" } });
  });
});
