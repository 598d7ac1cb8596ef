import type { Attempt, Attempts, Inputs } from "../../src/plan/decide/attempts.ts";
import type { Cell, PlannedCell } from "../../src/plan/cell.ts";
import { targetName } from "../../src/plan/cell-names.ts";
import { inputsOf } from "../../src/plan/decide/reason.ts";
import { compareText } from "../../src/model/compare.ts";
import { digestOf } from "../../src/model/digest.ts";
import type { ReadImage, ReadSource } from "../../src/model/inputs.ts";
import type { FactoryRecord, Value } from "../../src/schemas/types.ts";

/** All that a made-up cell is made of; its keys follow from it as those of a real one do. */
export interface Recipe {
  manifest_id: string;
  chosen: string;
  plan_ids: string[];
  platform: string;
  template: { id: string; version: string; text: string };
  base: { ref: string; digest: string | null };
  /** Beside the base. */
  images: ReadImage[];
  /** Documents that say `reuse: never`. */
  neverReused: string[];
  fragments: { name: string; version: string; text: string }[];
  sources: ReadSource[];
  args: Record<string, Value>;
  /** A text of the image that no reason of its own names. */
  label: string;
  tests: string;
  limits: string;
  tags: string[];
  expect: Cell["expect"];
  maxAge: number | null;
}

export const RECIPE: Recipe = {
  manifest_id: "demo",
  chosen: "core-0.1.0",
  plan_ids: ["grid"],
  platform: "linux/amd64",
  template: { id: "plain", version: "0.1.0", text: "FROM" },
  base: { ref: "debian:bookworm-slim", digest: digestOf("bookworm") },
  images: [],
  neverReused: [],
  fragments: [
    { name: "core", version: "0.1.0", text: "core" },
    { name: "app", version: "0.1.0", text: "app" },
  ],
  sources: [{ path: "services/app", entries: 2, bytes: 1, sha256: digestOf("sources") }],
  args: { name: "app", port: 8080 },
  label: "A demonstration",
  tests: "answers",
  limits: "512 MB",
  tags: ["registry.example/team/demo:core-0.1.0-linux-amd64"],
  expect: null,
  maxAge: null,
};

const unasked = (): never => {
  throw new Error("the Dockerfile was asked for");
};

/** A cell of a recipe. Asking for its Dockerfile is an error: planning must not. */
export function cellOf(changes: Partial<Recipe> = {}): PlannedCell {
  const recipe = { ...RECIPE, ...changes };
  const { manifest_id, platform, base, args, tests, limits, plan_ids, tags, expect, maxAge } = recipe;
  const template = {
    id: recipe.template.id,
    version: recipe.template.version,
    digest: digestOf(recipe.template.text),
  };
  const fragments = recipe.fragments.map(({ name, version, text }) => ({
    name,
    version,
    digest: digestOf(text),
  }));
  const build_key = digestOf({
    template,
    base,
    images: recipe.images,
    fragments,
    sources: recipe.sources,
    args,
    platform,
    label: recipe.label,
  });
  const { sources } = recipe;
  const recipe_key = digestOf({ template, fragments, sources, args, label: recipe.label });
  const test_suite_hash = digestOf(tests);
  const verdict_key = digestOf({ build_key, test_suite_hash, limits });
  const images = [{ role: "base", ...base } as const, ...recipe.images];
  const cell_id = `${manifest_id}.${recipe.chosen}.${platform.replaceAll("/", "-")}`;
  return {
    cell: {
      cell_id,
      manifest_id,
      plan_ids,
      platform,
      fragments: Object.fromEntries(fragments.map(({ name, version }) => [name, version])),
      base,
      images,
      args,
      recipe_key,
      build_key,
      verdict_key,
      target: targetName(cell_id),
      tags,
      cache_from: [],
      cache_to: [],
      action: "build",
      reason: "NOT_ASKED",
      changes: [],
      record_id: null,
      expect,
    },
    keys: Object.assign({} as PlannedCell["keys"], {
      template,
      base,
      images,
      fragments,
      sources,
      args,
      platform,
      gpus: null,
      recipe_key,
      build_key,
      verdict_key,
      test_suite_hash,
      prefixes: [],
    }),
    render: unasked,
    get inputs() {
      return unasked();
    },
    labels: {},
    maxAge,
    neverReused: recipe.neverReused,
    pin: () => {
      throw new Error("the cell was pinned");
    },
  };
}

/** A made-up attempt with what its record holds. */
export interface Told {
  attempt: Attempt;
  inputs: Inputs;
  /** What is wrong with its record. */
  problems: string[];
  /** What is gone that may tell of a later verdict. */
  lost?: string;
  pruned?: string;
}

export const NOW = Date.parse("2026-11-21T12:00:00.000Z");
export const DAY = 86_400_000;

/** An attempt at a cell `age` milliseconds ago: a pass unless it is changed. */
export function attemptAt(planned: PlannedCell, age: number, changes: Partial<Attempt> = {}): Told {
  const { manifest_id, cell_id, platform, build_key, verdict_key, tags } = planned.cell;
  const tested_at = new Date(NOW - age).toISOString();
  return {
    attempt: {
      record_id: `${tested_at.toLowerCase().replace(/[-:.]/g, "")}-00000000`,
      manifest_id,
      cell_id,
      platform,
      build_key,
      verdict_key,
      status: "pass",
      stage: "done",
      class: null,
      tested_at,
      duration_ms: 1000,
      digest: digestOf(`${build_key} image`),
      ref: tags[0] ?? null,
      pushed: false,
      proves: true,
      ...changes,
    },
    inputs: inputsOf(planned),
    problems: [],
  };
}

/** Records in memory, with what was asked of them. */
export function recordsOf(told: readonly Told[]): Attempts & { asked: string[]; most: () => number } {
  const newestFirst = [...told].sort((a, b) => compareText(b.attempt.record_id, a.attempt.record_id));
  const list = (keep: (attempt: Attempt) => boolean) =>
    newestFirst.map(({ attempt }) => attempt).filter(keep);
  const asked: string[] = [];
  let now = 0;
  let most = 0;
  const slowly = async <T>(what: string, attempt: Attempt, give: (one: Told) => T): Promise<T> => {
    asked.push(`${what} ${attempt.record_id}`);
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
    const found = told.find((one) => one.attempt === attempt);
    if (!found) throw new Error(`no such record: ${attempt.record_id}`);
    return give(found);
  };
  return {
    withVerdictKey: (key) => list(({ verdict_key }) => verdict_key === key),
    inOtherLayers: () => [],
    withBuildKey: (key) => list(({ build_key }) => build_key === key),
    ofCell: (manifestId, cellId) =>
      list(({ manifest_id, cell_id }) => manifest_id === manifestId && cell_id === cellId),
    ofManifest: (manifestId) => list(({ manifest_id }) => manifest_id === manifestId),
    read: (attempt) => slowly("read", attempt, ({ inputs }) => inputs as unknown as FactoryRecord),
    problems: (attempt) => slowly("problems", attempt, ({ problems }) => problems),
    lost: (attempt) => told.find((one) => one.attempt.record_id === attempt.record_id)?.lost ?? null,
    pruned: (attempt) => told.find((one) => one.attempt.record_id === attempt.record_id)?.pruned ?? null,
    nameOf: ({ manifest_id, record_id }) => `records/${manifest_id}/${record_id}.json`,
    asked,
    most: () => most,
  };
}

/** Each single change of a recipe that makes it another cell, with the reason and the inputs that tell it. */
export const MUTATIONS: readonly [string, Partial<Recipe>, string, string[]][] = [
  ["base", { base: { ...RECIPE.base, ref: "debian:bookworm" } }, "BASE", ["base"]],
  ["base digest", { base: { ...RECIPE.base, digest: digestOf("x") } }, "BASE", ["base.digest"]],
  ["no base digest", { base: { ...RECIPE.base, digest: null } }, "BASE", ["base.digest"]],
  ["template id", { template: { ...RECIPE.template, id: "other" } }, "TEMPLATE", ["template"]],
  ["template version", { template: { ...RECIPE.template, version: "0.1.1" } }, "TEMPLATE", ["template"]],
  ["template text", { template: { ...RECIPE.template, text: "ARG" } }, "TEMPLATE", ["template.digest"]],
  [
    "fragment version",
    {
      fragments: [
        { name: "core", version: "0.1.1", text: "fast" },
        { name: "app", version: "0.1.0", text: "app" },
      ],
    },
    "FRAGMENT",
    ["fragments.core"],
  ],
  ["a fragment less", { fragments: RECIPE.fragments.slice(0, 1) }, "FRAGMENT", ["fragments.app"]],
  [
    "a fragment more",
    { fragments: [...RECIPE.fragments, { name: "extra", version: "1.0.0", text: "" }] },
    "FRAGMENT",
    ["fragments.extra"],
  ],
  ["order of fragments", { fragments: [...RECIPE.fragments].reverse() }, "FRAGMENT", ["fragments"]],
  [
    "file of a fragment",
    { fragments: RECIPE.fragments.map((one) => (one.name === "app" ? { ...one, text: "b" } : one)) },
    "FILES",
    ["fragments.app.digest"],
  ],
  [
    "file of a source",
    { sources: RECIPE.sources.map((one) => ({ ...one, sha256: digestOf("other") })) },
    "FILES",
    ["sources.services/app"],
  ],
  ["a source less", { sources: [] }, "FILES", ["sources.services/app"]],
  ["argument", { args: { name: "app", port: 80 } }, "ARGS", ["args.port"]],
  ["kind of an argument", { args: { name: "app", port: "8080" } }, "ARGS", ["args.port"]],
  ["an argument less", { args: { port: 8080 } }, "ARGS", ["args.name"]],
  ["an argument more", { args: { ...RECIPE.args, fast: true } }, "ARGS", ["args.fast"]],
  ["label", { label: "Another" }, "POLICY", ["build_key"]],
  ["tests", { tests: "answers twice" }, "TESTS", ["tests"]],
  ["limits", { limits: "1 GB" }, "POLICY", ["verdict_key"]],
];
