import type { CacheUse } from "../../src/model/cache-place.ts";
import { RETRIES } from "../../src/model/retries.ts";
import { FactoryError } from "../../src/errors.ts";
import { readFileSync, writeFileSync } from "node:fs";
import type { Planned } from "../../src/plan/cell.ts";
import { expand } from "../../src/plan/expand.ts";
import { planCells } from "../../src/plan/planner.ts";
import type { PlanRequest } from "../../src/plan/space.ts";
import { openRunFolder } from "../../src/files/run-folder.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { runCells } from "../../src/run/run.ts";
import type { RunDeps } from "../../src/run/types.ts";
import type { Stage } from "../../src/pipeline/stage.ts";
import type { RunEvent } from "../../src/schemas/types.ts";
import type { BakeOptions } from "../../src/tools/buildx.ts";
import type { Docker } from "../../src/tools/docker.ts";
import { scriptedPlaces } from "./scripted-places.ts";
import { scriptedDocker } from "./scripted-docker.ts";
import { type Files, makeWorkspace, SMALL } from "./workspace.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { createMask } from "../../src/model/mask.ts";
import { openSecrets } from "../../src/run/secrets.ts";

export const DIGEST = `sha256:${"a".repeat(64)}`;
const MANIFEST = `sha256:${"b".repeat(64)}`;
const ended = { stdout: "", stderr: "", timedOut: false, aborted: false };

/** A workspace whose plan `many` has five cells on linux/amd64 and one on linux/arm64, on a base that is pinned. */
export function manyCells(changes: Files = {}) {
  const cores = ["0.2.0", "0.2.1", "0.2.2", "0.2.3", "0.2.4"];
  const core = (version: string): Files => ({
    [`fragments/core/${version}/fragment.yaml`]: `schema_version: 1\nname: core\nversion: ${version}\norder: 10\n`,
    [`fragments/core/${version}/Dockerfile.hbs`]: `RUN core ${version}\n`,
  });
  const root = makeWorkspace({
    "factory.yaml": "schema_version: 1\n",
    "manifests/demo.yaml": (SMALL["manifests/demo.yaml"] ?? "").replace(
      "base: debian:bookworm-slim",
      `base: debian@${DIGEST}`,
    ),
    "control_plane/plans/many.yaml": `schema_version: 1
plan_id: many
manifest_id: demo
axes: {core: [${cores.join(", ")}]}
platforms: [linux/amd64]
include: [{core: 0.2.0, platform: linux/arm64}]
expect: [{when: {core: 0.2.3}, result: fail, owner: "@us", reason: meant to, until: never}]
`,
    ...cores.map(core).reduce((all, one) => ({ ...all, ...one }), {}),
    ...changes,
  });
  const planned = expand(openCatalog(root), { planId: "many" }, { today: "2026-01-01" });
  const idOf = (version: string, platform = "linux-amd64") => `demo.core-${version}.${platform}`;
  return { root, planned, ids: cores.map((version) => idOf(version)), idOf };
}

/** Plans what is asked for, with nobody to ask about bases, records or images. */
export function planUnasked(root: string, request: PlanRequest, now: number): Promise<Planned> {
  const unasked = () => Promise.reject(new Error("unasked"));
  return planCells(
    openCatalog(root),
    { requests: [request], locked: false, reuse: false, force: false, needPushed: false, cells: [] },
    {
      now,
      places: scriptedPlaces(),
      baseDigests: unasked,
      attempts: unasked,
      workspaceAt: unasked,
      exists: () => false,
      note: () => undefined,
    },
  );
}

/** What a scripted engine does with one cell's bake. */
type Build = (options: BakeOptions, target: string) => Promise<void> | void;

/** Thrown by a scripted build that fails, with the text that BuildKit would end with. */
export class BuildFails extends Error {}

/** The images of a scripted engine, and of a registry that holds whatever is pushed. */
export interface Images extends Pick<Docker, "run" | "tagImage" | "removeTag"> {
  /** Digests by tag. */
  tags: Map<string, string>;
  /** What was pushed: digests by tag. */
  pushed: Map<string, string>;
  /** Labels by digest, of images with digests of their own. */
  labels: Map<string, Record<string, string>>;
}

/** The labels of a bake file with one target. */
function labelsIn(text: string): Record<string, string> {
  const [, block = ""] = /^ {2}labels = \{\n([^}]*)\}/m.exec(text) ?? [];
  return Object.fromEntries(
    [...block.matchAll(/"([^"]+)" = "([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

export function scriptedImages(): Images {
  const tags = new Map<string, string>();
  const pushed = new Map<string, string>();
  const answer = (stdout: string) => Promise.resolve({ ...ended, exitCode: 0, stdout });
  const digestOf = (image: string) => {
    const digest = tags.get(image) ?? [...tags.values()].find((one) => one === image);
    if (digest === undefined) throw new FactoryError("IMAGE_NOT_FOUND", `No such image: ${image}`);
    return digest;
  };
  return {
    tags,
    pushed,
    labels: new Map(),
    run: ([group, verb, ref = ""]) => {
      if (group === "image" && verb === "ls") return answer([...tags.keys()].join("\n"));
      if (group !== "image" || verb !== "push") throw new Error(`unscripted docker ${group} ${verb}`);
      pushed.set(ref, digestOf(ref));
      return answer(`digest: ${digestOf(ref)} size: 1`);
    },
    tagImage: async (image, ref) => {
      await Promise.resolve();
      tags.set(ref, digestOf(image));
    },
    removeTag: (ref) => Promise.resolve(void tags.delete(ref)),
  };
}

interface World {
  root: string;
  planned: Planned;
  /** Called for each bake; it builds unless it throws BuildFails. */
  build?: Build;
  /** What buildx says of versions. */
  version?: RunDeps["buildx"]["version"];
  deps?: Partial<RunDeps>;
  platform?: string;
  jobs?: number;
  cache?: CacheUse | null;
  push?: boolean;
  stages?: readonly Stage[];
  images?: Images;
  signal?: AbortSignal;
  /** What kind of builder it is. */
  driver?: string;
  /** The digest of the image that a target gives. Default: `DIGEST`. */
  gives?: (target: string) => string;
}

/** Runs cells against a scripted engine, and the real store. */
export async function runIn({
  root,
  planned,
  build,
  version = () => Promise.resolve({ docker: "1", buildx: "2", buildkit: null }),
  deps = {},
  images = scriptedImages(),
  gives = () => DIGEST,
  driver = "docker",
  ...settings
}: World) {
  const events: RunEvent[] = [];
  const notes: string[] = [];
  const finished: string[] = [];
  const store = openStore(root);
  let clock = 0;
  const outcome = runCells(
    {
      planned,
      root,
      relative: (path) => path.slice(root.length + 1),
      cache: null,
      push: false,
      retries: RETRIES,
      jobs: 2,
      versions: { factory: "0.1.0" },
      ...settings,
    },
    {
      secrets: openSecrets({
        settings: () => openCatalog(root).secrets(),
        obtain: (_, name) => Promise.reject(new Error(`nobody was to ask for ${name}`)),
        isSet: () => false,
        mask: createMask(),
        note: (text) => void notes.push(text),
      }),
      docker: scriptedDocker({
        run: images.run,
        tagImage: images.tagImage,
        removeTag: images.removeTag,
        inspectImage: (ref) => {
          const labels = images.labels.get(ref);
          if (ref !== DIGEST && !labels) return Promise.reject(new Error(`unscripted inspect of ${ref}`));
          if (labels && ![...images.tags.values()].includes(ref))
            return Promise.reject(new FactoryError("IMAGE_NOT_FOUND", `No such image: ${ref}`));
          return Promise.resolve({
            Id: ref,
            Os: "linux",
            Architecture: "amd64",
            Size: 1,
            RootFS: { Layers: ["sha256:1"] },
            ...(labels && { Config: { Labels: labels } }),
          });
        },
        unpackedSize: (ref) =>
          ref === DIGEST || images.labels.has(ref)
            ? Promise.resolve(1)
            : Promise.reject(new Error("unscripted history")),
      }),
      folder: openRunFolder(root, { id: "0123456789abcdef", owner: "test" }),
      lease: {
        owner: "test",
        stateOf: (owner) => (owner === "dead" ? "dead" : owner === "test" ? "alive" : "unknown"),
      },
      buildx: {
        version,
        ask: () => undefined,
        platforms: () => Promise.resolve(["linux/amd64"]),
        driver: () => Promise.resolve(driver),
        bake: async (options) => {
          const target = options.targets.at(-1) ?? "";
          try {
            await build?.(options, target);
          } catch (error) {
            if (!(error instanceof BuildFails)) throw error;
            options.onLine(`ERROR: failed to solve: ${error.message}`);
            return { ...ended, exitCode: 1 };
          }
          if (options.signal?.aborted) return { ...ended, exitCode: null, aborted: true };
          const text = readFileSync(options.file, "utf8");
          const digest = gives(target);
          for (const [, tag] of text.matchAll(/^\s*tags = \[\s*"([^"]+)"/gm))
            images.tags.set(tag ?? "", digest);
          if (digest !== DIGEST) images.labels.set(digest, labelsIn(text));
          const own = planned.cells.find(({ cell }) => cell.target === target) ?? planned.cells[0];
          const base = own?.cell.base.digest?.slice("sha256:".length) ?? "";
          const linked = [...text.matchAll(/"docker-image:[^"]*@sha256:([a-f0-9]{64})"/g)];
          const materials = [base, ...linked.map(([, hex = ""]) => hex)].map((sha256) => ({
            uri: "pkg:docker/debian",
            digest: { sha256 },
          }));
          const provenance = { target, materials };
          const metadata = { "containerimage.digest": digest, "buildx.build.provenance": provenance };
          writeFileSync(options.metadataFile, JSON.stringify({ [target]: metadata }));
          const statuses = [{ id: `exporting manifest ${MANIFEST}`, vertex: "sha256:x" }];
          options.onLine(JSON.stringify({ statuses }));
          return { ...ended, exitCode: 0 };
        },
      },
      store,
      layers: null,
      prepare: () => Promise.resolve(),
      clock: { now: () => (clock += 1), date: () => new Date(Date.UTC(2026, 0, 1) + (clock += 1)) },
      sleep: () => Promise.reject(new Error("unscripted sleep")),
      every: () => () => undefined,
      random: () => 0.5,
      randomHex: () => "0123abcd",
      smokeTest: (_image, _inspected, { inputs }) =>
        Promise.resolve({
          status: "pass",
          tests: inputs.tests.map(({ from, id }) => ({
            id: `${from}/${id}`,
            status: "pass",
            duration_ms: 1,
            expected: "exits with 0",
            actual: "exited with 0",
          })),
        }),
      makeSbom: ({ digest, platform, name }) => {
        const properties = [{ name: "factory:image:platform", value: platform }];
        const component = { type: "container", name, version: digest, properties };
        const metadata = { tools: { components: [{ name: "factory" }] }, component };
        return Promise.resolve({
          json: `${JSON.stringify({ bomFormat: "CycloneDX", metadata, components: [] })}\n`,
          warnings: [],
        });
      },
      source: () => Promise.resolve({ commit: null, dirty: null, ci_url: null }),
      cacheTrouble: () => Promise.resolve(null),
      sweep: () => Promise.resolve(),
      onEvent: (event) => {
        events.push(event);
        if (event.type === "note") notes.push(event.text);
        if (event.type === "cell-ended") finished.push(`${event.cell_id} ${event.status}`);
      },
      ...deps,
    },
  );
  const settled = await outcome.then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  );
  return { ...settled, notes, finished, events, images, store };
}
