import type { CachePlace } from "../../src/model/cache-place.ts";
import { createHclWriter } from "../../src/plan/formats/hcl.ts";
import type { Cell, PlannedCell } from "../../src/plan/cell.ts";
import { cellId, tagOf, targetName } from "../../src/plan/cell-names.ts";
import { cacheFrom, cacheTo } from "../../src/plan/prefix.ts";
import { sha256 } from "./workspace.ts";

/** What a made-up cell is made of. */
export interface Made {
  manifest?: string;
  base?: string;
  platform?: string;
  /** Version by fragment, in the order of the Dockerfile. */
  fragments: Record<string, string>;
  /** Those of them that stand in the id. Default: all. */
  chosen?: readonly string[];
  cell?: Partial<Cell>;
  labels?: Record<string, string>;
}

export const CACHE = "registry.example/team/cache";

/** The place of that cache. */
export const PLACE: CachePlace = { type: "registry", repository: CACHE };

/** A cell that no workspace stands behind. Asking for its Dockerfile is an error. */
export function madeCell(made: Made): PlannedCell {
  const { manifest = "demo", base = "debian:bookworm-slim", platform = "linux/amd64", fragments } = made;
  const names = Object.keys(fragments);
  const chosen = (made.chosen ?? names).map((name) => [name, fragments[name] ?? ""] as const);
  const cell_id = cellId(manifest, chosen, platform);
  const build_key = `sha256:${sha256(`${cell_id} ${base}`)}`;
  let chain = base;
  const prefixes = names.map((fragment) => {
    const version = fragments[fragment] ?? "";
    chain += ` ${fragment}@${version}`;
    return { fragment, version, id: sha256(chain).slice(0, 12) };
  });
  const cell: Cell = {
    cell_id,
    manifest_id: manifest,
    plan_ids: ["grid"],
    platform,
    fragments,
    base: { ref: base, digest: null },
    images: [{ role: "base", ref: base, digest: null }],
    args: {},
    recipe_key: `sha256:${sha256(`${cell_id} recipe`)}`,
    build_key,
    verdict_key: `sha256:${sha256(build_key)}`,
    target: targetName(cell_id),
    tags: [`registry.example/team/${manifest}:${tagOf(cell_id.slice(manifest.length + 1))}`],
    cache_from: cacheFrom(PLACE, prefixes, platform),
    cache_to: cacheTo(PLACE, prefixes, platform),
    action: "build",
    reason: "NEW",
    changes: [],
    record_id: null,
    expect: null,
    ...made.cell,
  };
  const unasked = (): never => {
    throw new Error("the Dockerfile of a made-up cell is asked for");
  };
  return {
    cell,
    keys: {
      template: { id: "plain", version: "0.1.0", digest: `sha256:${"a".repeat(64)}` },
      base: cell.base,
      images: cell.images,
      secrets: [],
      reads: { base, uses: [{ role: "base", ref: base, platform: null }] },
      fragments: names.map((name) => ({
        name,
        version: fragments[name] ?? "",
        digest: `sha256:${sha256(`${name} ${fragments[name]}`)}`,
      })),
      args: {},
      sources: [],
      platform,
      gpus: null,
      environment: {},
      recipe_key: cell.recipe_key,
      build_key,
      verdict_key: cell.verdict_key,
      test_suite_hash: `sha256:${"b".repeat(64)}`,
      prefixes,
    },
    labels: {
      "org.opencontainers.image.title": manifest,
      "org.opencontainers.image.base.name": base,
      "io.factory.manifest-id": manifest,
      "io.factory.template": "plain@0.1.0",
      "io.factory.fragments": names.map((name) => `${name}@${fragments[name]}`).join(","),
      ...made.labels,
      "io.factory.build-key": build_key,
    },
    render: unasked,
    get inputs() {
      return unasked();
    },
    maxAge: null,
    neverReused: [],
    pin: (): never => {
      throw new Error("a made-up cell is pinned");
    },
  };
}

/** The product of axes as cells, sorted as plans are: by versions, in the order of the axes, then by platform. */
export function madeGrid(
  axes: Record<string, readonly string[]>,
  platforms: readonly string[] = ["linux/amd64"],
  more: Omit<Made, "fragments" | "platform"> = {},
): PlannedCell[] {
  let rows: Record<string, string>[] = [{}];
  for (const [name, versions] of Object.entries(axes))
    rows = rows.flatMap((row) => versions.map((version) => ({ ...row, [name]: version })));
  return rows.flatMap((fragments) => platforms.map((platform) => madeCell({ ...more, fragments, platform })));
}

/** So many versions: `0.1.0`, `0.2.0` and so on. */
export function versions(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `0.${at + 1}.0`);
}

/** One block of HCL, as the writer of bake files gives it. */
export function hclBlock(...block: Parameters<ReturnType<typeof createHclWriter>["block"]>): string {
  const writer = createHclWriter();
  writer.block(...block);
  return writer.text();
}
