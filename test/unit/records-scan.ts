import { openStore } from "../../src/pipeline/open-store.ts";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { FactoryError } from "../../src/errors.ts";
import type { Attempt } from "../../src/plan/decide/attempts.ts";
import type { RecordList } from "../../src/records/list-request.ts";
import type { AttemptsRequest } from "../../src/records/store.ts";
import { record as second, record_1 as first } from "../../src/schemas/record-validator.js";
import type { FactoryRecord } from "../../src/schemas/types.ts";

const NAMED = /^(\d{8}t\d{9}z-(?:[a-f0-9]{8}|[a-f0-9]{16}))\.json$/;

/** What a scan of all files of a workspace's records finds, the newest first, and the files that are no records. */
export interface Scan {
  attempts: Attempt[];
  unreadable: string[];
}

/** The plainest way to answer: every file read, nothing remembered. */
function scan(root: string): Scan {
  const found: Scan = { attempts: [], unreadable: [] };
  const folders = readdirSync(join(root, "records"), { withFileTypes: true });
  for (const folder of folders) {
    if (!folder.isDirectory()) continue;
    for (const name of readdirSync(join(root, "records", folder.name))) {
      const id = NAMED.exec(name)?.[1];
      if (id === undefined) continue;
      const path = `records/${folder.name}/${name}`;
      try {
        if (!lstatSync(join(root, path)).isFile()) throw new Error("no file");
        const document = JSON.parse(readFileSync(join(root, path), "utf8")) as FactoryRecord;
        if (!first(document) && !second(document)) throw new Error("no record");
        if (document.record_id !== id || document.manifest_id !== folder.name) throw new Error("another");
        found.attempts.push(attemptIn(document));
      } catch {
        found.unreadable.push(path);
      }
    }
  }
  // The newest record first, and of two with one id that of the first manifest.
  found.attempts.sort((a, b) =>
    a.record_id === b.record_id
      ? a.manifest_id < b.manifest_id
        ? -1
        : 1
      : a.record_id < b.record_id
        ? 1
        : -1,
  );
  found.unreadable.sort();
  return found;
}

function attemptIn({ result, image, ...rest }: FactoryRecord): Attempt {
  return {
    record_id: rest.record_id,
    manifest_id: rest.manifest_id,
    cell_id: rest.cell_id,
    platform: rest.platform,
    build_key: rest.build_key,
    verdict_key: rest.verdict_key,
    status: result.status,
    stage: result.stage,
    class: result.class,
    tested_at: result.tested_at,
    duration_ms: result.duration_ms,
    digest: image ? image.digest : null,
    ref: image ? image.ref : null,
    pushed: image?.pushed === true,
    proves: Number(rest.schema_version) === 2,
  };
}

/** Late enough that no record is too young to be remembered. */
export const settled = { now: () => Date.now() + 3_600_000 };

/** Opens the attempts, and keeps what was said. `read` counts the records that had to be read. */
export async function open(root: string, options: AttemptsRequest = settled) {
  const unreadable: FactoryError[] = [];
  const notes: string[] = [];
  let read = 0;
  const attempts = await openStore(root).attempts({
    onUnreadable: (error) => unreadable.push(error),
    onNote: (text) => notes.push(text),
    onProgress: (done, of) => {
      if (done === of) read += of;
    },
    ...options,
  });
  return { attempts, unreadable, notes, read };
}

/** Holds a list of everything to a scan. */
export function expectListed({ records, total, unreadable }: RecordList, found: Scan): void {
  expect(total).toBe(found.attempts.length);
  expect(
    records.map(({ record_id, manifest_id, cell_id, status, ref }) => [
      record_id,
      manifest_id,
      cell_id,
      status,
      ref,
    ]),
  ).toEqual(
    found.attempts.map(({ record_id, manifest_id, cell_id, status, ref }) => [
      record_id,
      manifest_id,
      cell_id,
      status,
      ref,
    ]),
  );
  const names = found.unreadable.map((path) => path.split("/").pop()?.replace(".json", ""));
  expect(unreadable.map(({ record_id }) => record_id).sort()).toEqual(names.sort());
}

/** Holds every answer to those of a scan. */
export async function expectAsScanned(root: string, opened: Awaited<ReturnType<typeof open>>): Promise<Scan> {
  const { attempts, unreadable } = opened;
  const found = scan(root);
  const where = (what: (one: Attempt) => boolean) => found.attempts.filter(what);
  const distinct = (what: (one: Attempt) => string) => new Set(found.attempts.map(what));
  expect(unreadable.map((error) => error.where?.file).sort()).toEqual(found.unreadable);
  for (const key of distinct((one) => one.verdict_key))
    expect(attempts.withVerdictKey(key)).toEqual(where((one) => one.verdict_key === key));
  for (const key of distinct((one) => one.build_key))
    expect(attempts.withBuildKey(key)).toEqual(where((one) => one.build_key === key));
  for (const id of distinct((one) => one.manifest_id)) {
    expect([...attempts.ofManifest(id)]).toEqual(where((one) => one.manifest_id === id));
    for (const cell of distinct((one) => one.cell_id))
      expect(attempts.ofCell(id, cell)).toEqual(
        where((one) => one.manifest_id === id && one.cell_id === cell),
      );
  }
  for (const one of found.attempts) {
    const file = join(root, "records", one.manifest_id, `${one.record_id}.json`);
    const read = await attempts.read(one);
    expect(read).toEqual(JSON.parse(readFileSync(file, "utf8")));
    const bare = !Object.hasOwn(read.evidence, "inputs");
    const problems = await attempts.problems(one);
    if (bare) expect(problems.join()).toContain("EVIDENCE_REQUIRED");
    else expect(problems).toEqual([]);
  }
  return found;
}
