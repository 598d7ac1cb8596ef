import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import type { Cell } from "../../src/plan/cell.ts";
import { planCells } from "../../src/plan/planner.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { DIGEST as BUILT, planUnasked, runIn } from "./run-world.ts";
import { scriptedPlaces } from "./scripted-places.ts";
import type { Places } from "../../src/plan/decide/placement.ts";
import { type Files, makeWorkspace, SMALL } from "./workspace.ts";

/** A day after the attempts of `runIn`. */
export const NOW = Date.UTC(2026, 0, 2);
/** The tag of the image of `proven`, and its digest. */
export const OWN_TAG = "factory/demo:linux-amd64";
export { BUILT };
const DIGEST = `sha256:${"e".repeat(64)}`;

/** Plans the manifest `demo` against the workspace's own records. */
export async function plan(
  root: string,
  options: {
    force?: boolean;
    now?: number;
    note?: (text: string) => void;
    places?: Places;
    needPushed?: boolean;
  } = {},
): Promise<Cell[]> {
  const { cells } = await planCells(
    openCatalog(root),
    {
      requests: [{ manifestId: "demo" }],
      locked: false,
      reuse: true,
      force: options.force ?? false,
      needPushed: options.needPushed ?? false,
      cells: [],
    },
    {
      now: options.now ?? NOW,
      places: options.places ?? scriptedPlaces({ engine: { [OWN_TAG]: BUILT } }),
      baseDigests: () => Promise.resolve(new Map()),
      // Of a file that changed a moment ago nothing is kept in the index: here it was a while ago.
      attempts: (manifestIds) =>
        openStore(root).attempts({
          manifestIds,
          now: () => Date.now() + 10_000,
          onNote: options.note ?? (() => undefined),
        }),
      workspaceAt: () => Promise.reject(new Error("nobody asked for another commit")),
      exists: () => false,
      note: options.note ?? (() => undefined),
    },
  );
  return cells.map(({ cell }) => cell);
}

/** Changes a file, which has to become another. */
export const edit = (root: string, path: string, change: (text: string) => string) => {
  const before = readFileSync(join(root, path), "utf8");
  const after = change(before);
  if (after === before) throw new Error(`nothing changed in ${path}`);
  writeFileSync(join(root, path), after);
};

/** The small workspace on a pinned base and one platform, with everything in it that a key can hang on. */
const FILES: Files = {
  "manifests/demo.yaml": (SMALL["manifests/demo.yaml"] ?? "")
    .replace("base: debian:bookworm-slim", `base: debian@${DIGEST}`)
    .replace("platforms: [linux/amd64, linux/arm64]", "platforms: [linux/amd64]"),
  "factory.yaml": "schema_version: 1\nrepository: factory\n",
};

/**
 * A workspace whose one cell has passed, with a real record and real evidence.
 * @param at when it did, in milliseconds since 1970
 */
export async function proven({ push = false, at = Date.UTC(2026, 0, 1) } = {}): Promise<{
  root: string;
  record: string;
}> {
  const root = makeWorkspace(FILES);
  const planned = await planUnasked(root, { manifestId: "demo" }, NOW);
  let ms = 0;
  const clock = { now: () => (ms += 1), date: () => new Date(at + (ms += 1)) };
  const { value } = await runIn({ root, planned, push, deps: { clock } });
  expect(value?.summary).toMatchObject({ pass: 1 });
  const [cell] = await plan(root, { now: at + (NOW - Date.UTC(2026, 0, 1)) });
  expect(cell).toMatchObject({ action: "reuse", reason: null, changes: [] });
  return { root, record: value?.results[0]?.record ?? "" };
}

/** Edits a record in place. */
export const changeRecord = (root: string, path: string, change: (record: FactoryRecord) => void) =>
  edit(root, path, (text) => {
    const record = JSON.parse(text) as FactoryRecord;
    change(record);
    return `${JSON.stringify(record, null, 2)}\n`;
  });
