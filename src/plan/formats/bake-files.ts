import type { CacheUse } from "../../model/cache-place.ts";
import { compareText } from "../../model/compare.ts";
import { grouped } from "../../model/count.ts";
import { parentRef } from "../../model/parent.ts";
import { type SecretKind, secretVariable } from "../../model/secret.ts";
import { annotationsOf } from "../../stitch/labels.ts";
import { type Annotated, bakeAnnotations } from "./bake-annotations.ts";
import { bakeParts } from "./bake-parts.ts";
import type { PlannedCell } from "../cell.ts";
import { targetName } from "../cell-names.ts";
import { createHclWriter } from "./hcl.ts";
import { prefixGroup, prefixTargets } from "../prefix.ts";
import { above, byFamily } from "../topology.ts";

/** The attestation that every cell gets: BuildKit's provenance in its most detailed form. */
const PROVENANCE = "type=provenance,mode=max";

/** Bake's time for reading a file grows with the square of its targets, so a large plan is written as several files. */
const MAX_TARGETS = 500;

/** A bake file and the names in it. */
export interface BakeFile {
  text: string;
  /** Names of the cells' targets, which are the `default` group. */
  targets: string[];
  /** Names of the prefixes' targets. */
  prefixes: string[];
  /** The targets of prefixes, each with a cell that has it. */
  prefixCells: { target: string; planned: PlannedCell }[];
  /** Names of the groups. */
  groups: string[];
  /** Ids of the secrets that its targets take, sorted. */
  secrets: Record<SecretKind, string[]>;
}

/** One of several bake files. */
export interface NamedBakeFile extends BakeFile {
  name: string;
}

/** What the cells alone do not tell. */
export interface BakeOptions {
  /** The path of a cell's Dockerfile, from its context. */
  dockerfile: (cell: PlannedCell) => string;
  /** The folder that a cell is built from, from the workspace's root; default: the workspace itself. */
  context?: (cell: PlannedCell) => string;
  /** The cache that targets read, and write if it is to be. */
  cache: CacheUse | null;
  /** `output` of a cell, such as `type=docker`. */
  output: (cell: PlannedCell) => string[];
  /**
   * Where bake finds the image that a cell starts from, such as `docker-image://repository:tag@sha256:…`; undefined, and the
   * default, for the target of that cell.
   */
  parentImage?: (cell: PlannedCell) => string | undefined;
  /** Default: the manifest alone. */
  annotates?: Annotated;
  /** Cells that the others start from: targets too, but not in the group `default`. */
  beside?: readonly PlannedCell[];
}

/** What the first lines of a bake file say. */
export interface BakeHeader {
  /** The command line that wrote it. */
  command: string;
}

/** The group of all prefixes. */
const PREFIXES = "prefixes";

/** The first lines of a written file: what made it, how to use it, and its groups. */
function headerOf({ command }: BakeHeader, file: BakeFile, cache: CacheUse | null): string {
  const { targets, prefixes, groups } = file;
  const bake = "docker buildx bake -f THIS_FILE";
  const lines = [
    `Made by \`${command}\`, together with the Dockerfiles that it names. To change it, change the plan and make it again.`,
    "Use it in the folder of factory.yaml:",
    `  ${bake}    builds the group "default": ${grouped(targets.length)} cell${targets.length === 1 ? "" : "s"}`,
  ];
  if (prefixes.length > 0) {
    const names = groups.filter((name) => name !== "default" && name !== PREFIXES);
    lines.push(
      cache?.writes
        ? `  ${bake} ${PREFIXES}    fills the cache refs that cells read; do this first, so that every builder has what cells share`
        : `  ${bake} ${PREFIXES}    builds what cells share; ${cache ? "the cache of factory.yaml is only written by runs that push" : "with a cache in factory.yaml it also fills that"}`,
      `The group "${PREFIXES}" has ${grouped(prefixes.length)} target${prefixes.length === 1 ? "" : "s"}; those that end in one fragment are also a group: ${names.join(", ")}.`,
    );
  }
  lines.push(...headerOfSecrets(file.secrets));
  return `${lines.map((line) => `# ${line}\n`).join("")}\n`;
}

/** What whoever uses a file has to give. */
function headerOfSecrets({ secret, ssh }: BakeFile["secrets"]): string[] {
  const variables = secret.map(secretVariable).join(", ");
  return [
    ...(secret.length > 0
      ? [
          `Steps need secrets. Set ${variables} to ${secret.length === 1 ? "its value" : "their values"} first.`,
        ]
      : []),
    ...(ssh.length > 0 ? ["Steps need SSH. Start an agent (SSH_AUTH_SOCK), and bake with --allow=ssh."] : []),
  ];
}

/** The ids of all secrets that cells need. */
function idsOf(cells: readonly PlannedCell[]): BakeFile["secrets"] {
  const ids = (kind: SecretKind) =>
    [
      ...new Set(
        cells.flatMap(({ keys }) => keys.secrets.flatMap((one) => (one.kind === kind ? one.id : []))),
      ),
    ].sort(compareText);
  return { secret: ids("secret"), ssh: ids("ssh") };
}

/** The secrets that a target gets: values from variables with names of Factory's own, keys from the agent of SSH. */
function secretsOf({ keys: { secrets } }: PlannedCell): { secret: string[]; ssh: string[] } {
  const ids = (wanted: SecretKind) => secrets.flatMap(({ kind, id }) => (kind === wanted ? [id] : []));
  return {
    secret: ids("secret").map((id) => `type=env,id=${id},env=${secretVariable(id)}`),
    ssh: ids("ssh"),
  };
}

/** The named context by which a cell's Dockerfile finds the image of its parent; none without a parent. */
function contextsOf({ cell, keys }: PlannedCell, image: string | undefined): Record<string, string> {
  if (cell.parent === undefined || !keys.parent) return {};
  const ref = parentRef(keys.parent.manifest_id);
  const digest = cell.images.find((one) => one.ref === ref)?.digest ?? null;
  const name = digest === null ? ref : `${ref}@${digest}`;
  return { [name]: image ?? `target:${targetName(cell.parent)}` };
}

/**
 * Writes cells as a docker-bake.hcl: one target per cell and one per shared prefix (`target = "core"`, output `cacheonly`),
 * the group `default` with exactly the cells, a group `prefixes`, and for each fragment a group with its prefixes.
 */
export function bakeFile(cells: readonly PlannedCell[], options: BakeOptions): BakeFile {
  const { dockerfile, context = () => ".", cache, output, annotates = "manifest", beside = [] } = options;
  const contexts = (planned: PlannedCell) => contextsOf(planned, options.parentImage?.(planned));
  const prefixes = prefixTargets(cells, cache);
  const targets = cells.map(({ cell }) => cell.target);
  const hcl = createHclWriter();
  hcl.block("group", "default", { targets });

  const groups = new Map<string, string[]>();
  for (const { fragment, target } of prefixes) {
    const group = prefixGroup(fragment);
    const members = groups.get(group);
    if (members) members.push(target);
    else groups.set(group, [target]);
  }
  const names = ["default"];
  if (prefixes.length > 0) {
    names.push(PREFIXES);
    hcl.block("group", PREFIXES, { targets: prefixes.map(({ target }) => target) });
  }
  for (const [group, members] of [...groups].sort(([a], [b]) => compareText(a, b))) {
    names.push(group);
    hcl.block("group", group, { targets: members });
  }
  for (const prefix of prefixes) {
    hcl.block("target", prefix.target, {
      context: context(prefix.cell),
      dockerfile: dockerfile(prefix.cell),
      contexts: contexts(prefix.cell),
      target: prefix.fragment,
      platforms: [prefix.platform],
      ...secretsOf(prefix.cell),
      "cache-from": prefix.cache_from,
      "cache-to": prefix.cache_to,
      output: ["type=cacheonly"],
    });
  }
  for (const planned of [...cells, ...beside]) {
    const { cell } = planned;
    hcl.block("target", cell.target, {
      context: context(planned),
      dockerfile: dockerfile(planned),
      contexts: contexts(planned),
      platforms: [cell.platform],
      tags: cell.tags,
      labels: planned.labels,
      annotations: bakeAnnotations(annotationsOf(planned.labels), annotates),
      ...secretsOf(planned),
      "cache-from": cell.cache_from,
      "cache-to": cache?.writes === false ? [] : cell.cache_to,
      attest: [PROVENANCE],
      output: output(planned),
    });
  }
  return {
    text: hcl.text(),
    targets,
    prefixes: prefixes.map(({ target }) => target),
    prefixCells: prefixes.map(({ target, cell }) => ({ target, planned: cell })),
    groups: names,
    secrets: idsOf(cells),
  };
}

/** Cells that start from each other are kept together, as far as they fit into one file. */
const partsOf = (cells: readonly PlannedCell[]) =>
  cells.length === 0 ? [cells] : bakeParts(byFamily(cells), MAX_TARGETS);

/** How many files `bakeFiles` writes. */
export function countBakeFiles(cells: readonly PlannedCell[]): number {
  return partsOf(cells).length;
}

/**
 * Writes cells as bake files of at most 500 targets each, prefixes counted: `docker-bake.hcl`, or `docker-bake-001.hcl`
 * and so on if there are several. Each can be used alone: prefixes that cells of two files share are targets of both, and
 * so are cells that others start from, which may make a file larger. Each says in its first lines how to use it. Each text is made when it is asked for. Without cells there is one file too, with
 * an empty `default` group.
 * @param cells sorted so that those that share a prefix are together
 */
export function* bakeFiles(
  cells: readonly PlannedCell[],
  options: BakeOptions & { header: BakeHeader },
): Iterable<NamedBakeFile> {
  const parts = partsOf(cells);
  const digits = Math.max(3, String(parts.length).length);
  for (const [at, part] of parts.entries()) {
    const number = parts.length === 1 ? "" : `-${String(at + 1).padStart(digits, "0")}`;
    const file = bakeFile(part, { ...options, beside: above(part, cells) });
    const header = headerOf(options.header, file, options.cache);
    yield { name: `docker-bake${number}.hcl`, ...file, text: `${header}${file.text}` };
  }
}
