import { describe, expect, it } from "vitest";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { sleep } from "../../src/tools/sleep.ts";
import { INPUTS } from "./records-made.ts";
import { keysOf, remoteOn, served, writeRecords } from "./remote-made.ts";
import { makeWorkspace, treeOf } from "./workspace.ts";

describe("records that travel", () => {
  it("arrive as they were, with their evidence, and prove what they proved", async () => {
    const registry = await served();
    const [here, there] = [makeWorkspace(), makeWorkspace()];
    const records = await writeRecords(here, [1, 2, 3]);
    const remote = remoteOn(registry);
    const ids = records.map(({ record_id }) => record_id);
    expect(await remote.push(openStore(here))).toEqual({ pushed: ids, pulled: [], unchanged: 0 });
    expect(await remote.pull(openStore(there))).toEqual({ pushed: [], pulled: ids, unchanged: 0 });
    const verified = await openStore(there).verify();
    expect(verified).toMatchObject({ checked: 3, verified: 3, problems: [] });
    for (const id of ids) expect(await openStore(there).get(id)).toEqual(await openStore(here).get(id));
  });

  it("travel once: a second time nothing is sent and nothing written", async () => {
    const registry = await served();
    const [here, there] = [makeWorkspace(), makeWorkspace()];
    await writeRecords(here, [1, 2]);
    const remote = remoteOn(registry);
    await remote.push(openStore(here));
    await remote.pull(openStore(there));
    const before = treeOf(there);
    const sent = registry.got.length;
    expect(await remote.push(openStore(here))).toEqual({ pushed: [], pulled: [], unchanged: 2 });
    expect(await remoteOn(registry).pull(openStore(there))).toEqual({ pushed: [], pulled: [], unchanged: 2 });
    expect(registry.got.slice(sent).filter(({ method }) => method !== "GET" && method !== "HEAD")).toEqual(
      [],
    );
    expect(treeOf(there)).toBe(before);
  });

  it("a cell gets its newest verdict, and nothing that is older", async () => {
    const registry = await served();
    const [here, there] = [makeWorkspace(), makeWorkspace()];
    const records = await writeRecords(here, [1, 2, 3]);
    const other = await writeRecords(here, [9], { dockerfile: INPUTS.dockerfile.replace("true", "other") });
    const remote = remoteOn(registry);
    await remote.push(openStore(here));
    const [cell] = records.map(keysOf);
    if (!cell) throw new Error("no record");
    expect(await remote.fetch(openStore(there), [cell, cell])).toBe(1);
    const { records: found } = await openStore(there).list({});
    expect(found.map(({ record_id }) => record_id)).toEqual([records[2]?.record_id]);
    expect(await remote.fetch(openStore(there), [cell])).toBe(0);
    const unknown = { verdict_key: `sha256:${"e".repeat(64)}`, build_key: `sha256:${"f".repeat(64)}` };
    expect(await remote.fetch(openStore(there), [unknown])).toBe(0);
    expect(await remote.fetch(openStore(there), other.map(keysOf))).toBe(1);
  });

  it("bits that were tested otherwise are found by the build key", async () => {
    const registry = await served();
    const [here, there] = [makeWorkspace(), makeWorkspace()];
    const [record] = await writeRecords(here, [1]);
    if (!record) throw new Error("no record");
    const remote = remoteOn(registry);
    await remote.push(openStore(here));
    const cell = { verdict_key: `sha256:${"e".repeat(64)}`, build_key: record.build_key };
    expect(await remote.fetch(openStore(there), [cell])).toBe(1);
  });

  it("a newer verdict of another machine is brought although there is one here", async () => {
    const registry = await served();
    const [here, there] = [makeWorkspace(), makeWorkspace()];
    await writeRecords(here, [5]);
    const [old] = await writeRecords(there, [1]);
    if (!old) throw new Error("no record");
    await remoteOn(registry).push(openStore(here));
    expect(await remoteOn(registry).fetch(openStore(there), [keysOf(old)])).toBe(1);
  });

  it("of many writers at once none loses a record, and all are found by key", async () => {
    const registry = await served();
    const roots = Array.from({ length: 8 }, () => makeWorkspace());
    const all: FactoryRecord[] = [];
    for (const [at, root] of roots.entries()) all.push(...(await writeRecords(root, [at])));
    // Each waits its own while, as machines do.
    const writers = roots.map((root) => ({
      root,
      remote: remoteOn(registry, { random: Math.random, sleep }),
    }));
    await Promise.all(writers.map(({ root, remote }) => remote.push(openStore(root))));
    const there = makeWorkspace();
    const { pulled } = await remoteOn(registry).pull(openStore(there));
    expect(pulled).toEqual(all.map(({ record_id }) => record_id).sort());
    const index = registry.manifests.get(`v-${all[0]?.verdict_key.slice(7)}`);
    const { manifests } = JSON.parse(index?.bytes.toString() ?? "{}") as { manifests: unknown[] };
    expect(manifests).toHaveLength(8);
  });
});
