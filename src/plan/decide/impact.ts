import { posix } from "node:path";
import type { Catalog, Entry } from "../../catalog/catalog.ts";
import { FactoryError } from "../../errors.ts";
import { compareText } from "../../model/compare.ts";
import type { Manifest } from "../../model/manifest.ts";
import { declaredTests } from "../../model/suite.ts";
import type { Source } from "../../stitch/source.ts";
import type { Change, Reason } from "../action.ts";
import { type PlannedCell, withCell } from "../cell.ts";
import { createNaming, upwards } from "./links.ts";
import { compareInputs, inputsOf } from "./reason.ts";

/**
 * The cells that have changed: those for which there was no cell of the same id and verdict key. Each is returned as a new
 * one with its reason and what differs, in the order of `now`; the others are left out.
 */
export function affectedSince(now: readonly PlannedCell[], before: readonly PlannedCell[]): PlannedCell[] {
  const known = new Map(before.map((planned) => [planned.cell.cell_id, planned]));
  return now.flatMap((planned) => {
    const old = known.get(planned.cell.cell_id);
    if (!old) return [withCell(planned, { reason: "NEW", changes: [], record_id: null })];
    const difference = compareInputs(inputsOf(old), inputsOf(planned));
    return difference ? [withCell(planned, { ...difference, record_id: null })] : [];
  });
}

/** What is known about changed files without asking version control. */
export interface ChangedFiles {
  catalog: Catalog;
  /** Paths from the workspace's root, with `/`: of files, or of folders in which anything may have changed. */
  changed: readonly string[];
  /** Whether a path, from the workspace's root, exists. */
  exists: (path: string) => boolean;
  /** Files and folders that a cell's Dockerfile copies, from the workspace's root; a folder's path ends in `/`. */
  inputsOfFiles: (planned: PlannedCell) => readonly string[];
  /** The sources of a cell, as they are now. */
  sourcesOf: (planned: PlannedCell) => readonly SourceNow[];
}

/** What is asked of a source. */
type SourceNow = Pick<Source, "path" | "leavesOut" | "gitignores">;

/** The documents that cells are made from. */
const OWN = /(?:^|\/)((?:manifests|fragments|templates|control_plane)(?:\/|$).*|factory\.(?:yaml|lock)$)/;

/** A path from the root without detours; null for an empty line. @throws FactoryError USAGE */
function clean(path: string): string | null {
  if (path === "") return null;
  if (posix.isAbsolute(path) || path.includes("\0")) {
    throw new FactoryError("USAGE", `${JSON.stringify(path)} is not a path from the workspace's root`, {
      fix: "name changed files as `git diff --name-only --relative` does",
    });
  }
  return posix.normalize(path).replace(/\/$/, "");
}

/** Changed paths, prepared for looking up what a cell reads. Each answer is a path as it was given. */
function readChanged({ catalog, changed, exists }: ChangedFiles) {
  /** As given, by path from the root. */
  const paths = new Map<string, string>();
  const otherNames = changed.length > 0 ? createNaming(catalog.root) : () => [];
  for (const given of [...changed].sort(compareText)) {
    const path = clean(given);
    if (path === null) continue;
    // Git attributes above the workspace's root, such as line ends, apply below it too.
    if (/^(\.\.\/)+\.gitattributes$/.test(path)) paths.set(".gitattributes", given);
    if (path.startsWith("..")) continue;
    if (!paths.has(path)) paths.set(path, given);
    // The path may start at the repository's root while the workspace is a folder in it: in doubt it counts.
    const [, own] = OWN.exec(path) ?? [];
    if (own !== undefined && own !== path && !paths.has(own) && !exists(path)) paths.set(own, given);
    for (const name of otherNames(path)) if (!paths.has(name)) paths.set(name, given);
  }
  /** The first changed path below a folder, by folder. */
  const below = new Map<string, string>();
  /** The first path that no longer exists, by `fragments/<name>` or `templates/<id>`, then by version. */
  const gone = new Map<string, Map<string, string>>();
  /** The first changed contract, or folder of a version, by fragment name. */
  const contracts = new Map<string, string>();
  for (const [path, given] of paths) {
    for (const folder of [...upwards(path).slice(1), "."]) if (!below.has(folder)) below.set(folder, given);
    const [, owner, name = "", version] = /^((?:fragments|templates)\/([^/]+))\/([^/]+)/.exec(path) ?? [];
    if (owner === undefined || version === undefined) continue;
    if (!exists(path)) {
      const versions = gone.get(owner) ?? new Map<string, string>();
      if (!versions.has(version)) versions.set(version, given);
      gone.set(owner, versions);
    }
    if (/^fragments\/[^/]+\/[^/]+(\/fragment\.yaml)?$/.test(path) && !contracts.has(name))
      contracts.set(name, given);
  }

  /** The changed path that touches what is read: the same path, a folder above it, or, if a folder is read, something in it. */
  const touching = (read: string): string | undefined => {
    const path = read.replace(/\/$/, "");
    for (const one of [...upwards(path), "."]) {
      const found = paths.get(one) ?? paths.get(posix.join(one, ".gitattributes"));
      if (found !== undefined) return found;
    }
    return read.endsWith("/") ? below.get(path) : undefined;
  };
  /** The changed path that touches a source: one that is not left out, one above it, or a .gitignore that counts. */
  const touchingSource = ({ path, leavesOut, gitignores }: SourceNow): string | undefined => {
    const above = touching(path);
    if (above !== undefined) return above;
    for (const [one, given] of paths) {
      const isBelow = path === "." || one.startsWith(`${path}/`);
      if (isBelow && one !== "." && !leavesOut(one)) return given;
    }
    return gitignores.map((file) => paths.get(file)).find((given) => given !== undefined);
  };
  return { touching, touchingSource, gone, contracts };
}

/** If several apply, the first is the reason. */
const ORDER: readonly Reason[] = ["TEMPLATE", "FRAGMENT", "FILES", "TESTS", "POLICY"];

/**
 * The cells that changed files may touch, by paths alone: a cell reads factory.yaml, factory.lock, its manifest, its plans,
 * its template, its fragments' fragment.yaml and Dockerfile.hbs, what these copy, its sources as far as they are not left
 * out, and the scripts of its smoke tests. A path that no longer exists below the
 * folder of a fragment or template that it uses touches it too, since a range may now mean another version. If a plan
 * chooses or pairs its cells by the existing versions, so does every fragment.yaml of a fragment. In doubt a cell is
 * touched. Each is returned as a new one, with the first path for each thing that it reads.
 * @throws FactoryError USAGE for an absolute path
 */
export function affectedByFiles(cells: readonly PlannedCell[], files: ChangedFiles): PlannedCell[] {
  const { catalog, inputsOfFiles, sourcesOf } = files;
  const { touching, touchingSource, gone, contracts } = readChanged(files);
  const copied = new Map<string, string | undefined>();
  const touchedSources = new Map<string, (readonly [path: string, changed: string])[]>();

  /** The sources of a cell that something touches, each with the changed path. */
  const sourcesTouched = (planned: PlannedCell) => {
    if (planned.keys.sources.length === 0) return [];
    const key = JSON.stringify(planned.keys.sources);
    const known = touchedSources.get(key);
    if (known) return known;
    const found = sourcesOf(planned).flatMap((source) => {
      const path = touchingSource(source);
      return path === undefined ? [] : [[source.path, path] as const];
    });
    touchedSources.set(key, found);
    return found;
  };

  /** The changed path that touches what a fragment copies. Only called if something in its folder changed. */
  const copiedFrom = (planned: PlannedCell, folder: string): string | undefined => {
    const inFolder = touching(`${folder}/`);
    if (inFolder === undefined) return undefined;
    const key = `${folder} ${JSON.stringify(planned.keys.args)}`;
    if (copied.has(key)) return copied.get(key);
    let found: string | undefined;
    try {
      for (const path of inputsOfFiles(planned)) if (path.startsWith(`${folder}/`)) found ??= touching(path);
    } catch (error) {
      // Which files it copies is not known: everything in its folder counts.
      if (!(error instanceof FactoryError)) throw error;
      found = inFolder;
    }
    copied.set(key, found);
    return found;
  };

  /** Whether a plan's cells depend on which versions exist, beyond those in the cells. */
  const choosing = (planId: string): boolean => {
    const { strategy = "all", zip } = catalog.plan(planId).document;
    return strategy !== "all" || zip !== undefined;
  };

  /** The changed path that touches a manifest, or what it extends. */
  const manifestTouched = ({ file, also = [] }: Entry<Manifest>): string | undefined => {
    return [file, ...also].map(touching).find((path) => path !== undefined);
  };

  const touched = (planned: PlannedCell): [Reason, Change][] => {
    const { cell, keys } = planned;
    const found: [Reason, Change][] = [];
    const add = (reason: Reason, input: string, path: string | undefined) => {
      if (path !== undefined) found.push([reason, { input, before: null, after: path }]);
    };
    const addGone = (input: string, folder: string, reasonOf: (version: string) => Reason | null) => {
      for (const [version, path] of gone.get(folder) ?? []) {
        const reason = reasonOf(version);
        if (reason) found.push([reason, { input, before: path, after: null }]);
      }
    };
    const template = catalog.template(keys.template.id, keys.template.version);
    add("TEMPLATE", "template", touching(template.file) ?? touching(template.dockerfile.file));
    addGone("template", `templates/${keys.template.id}`, () => "TEMPLATE");
    for (const { name, version } of keys.fragments) {
      const entry = catalog.fragment(name, version);
      const path =
        touching(entry.file) ?? touching(entry.dockerfile.file) ?? copiedFrom(planned, entry.folder);
      add("FILES", `fragments.${name}`, path);
      addGone(`fragments.${name}`, `fragments/${name}`, (one) => {
        if (one !== version) return "FRAGMENT";
        return path === undefined ? "FILES" : null;
      });
    }
    for (const [source, path] of sourcesTouched(planned)) add("FILES", `sources.${source}`, path);
    const manifest = catalog.manifest(cell.manifest_id);
    add("POLICY", "manifest", manifestTouched(manifest));
    const scripts = [
      ...keys.fragments.flatMap(({ name, version }) => {
        const { document, folder } = catalog.fragment(name, version);
        return declaredTests(name, document.smoke, folder);
      }),
      ...declaredTests("manifest", manifest.document.smoke),
    ].flatMap(({ script }) => script?.path ?? []);
    for (const path of scripts) add("TESTS", "tests", touching(path));
    for (const planId of cell.plan_ids) {
      const chosen = choosing(planId)
        ? keys.fragments.map(({ name }) => contracts.get(name)).find((path) => path !== undefined)
        : undefined;
      add("POLICY", `plans.${planId}`, touching(catalog.plan(planId).file) ?? chosen);
    }
    for (const file of ["factory.yaml", "factory.lock"]) add("POLICY", file, touching(file));
    return found;
  };

  return cells.flatMap((planned) => {
    const found = touched(planned);
    const kinds = ORDER.flatMap((reason) => found.filter(([one]) => one === reason));
    const [first] = kinds;
    if (!first) return [];
    return [withCell(planned, { reason: first[0], changes: kinds.map(([, one]) => one), record_id: null })];
  });
}
