import { compareText } from "../../model/compare.ts";
import { grouped } from "../../model/count.ts";
import { bakeParts } from "./bake-parts.ts";
import type { PlannedCell } from "../cell.ts";
import { createHclWriter } from "./hcl.ts";
import { prefixTargets } from "../prefix.ts";

/** Attestation that is asked of every cell: BuildKit's provenance with all it knows. */
const PROVENANCE = "type=provenance,mode=max";

/** Bake reads a file in a time that grows with the square of its targets: a plan is written as several. */
const MAX_TARGETS = 500;

/** A bake file and the names in it. */
export interface BakeFile {
  text: string;
  /** Names of the cells' targets, which are the `default` group. */
  targets: string[];
  /** Names of the prefixes' targets. */
  prefixes: string[];
  /** Names of the groups. */
  groups: string[];
}

/** A bake file of several. */
export interface NamedBakeFile extends BakeFile {
  name: string;
}

/** What cells alone do not say. */
export interface BakeOptions {
  /** Where a cell's Dockerfile is, from its context. */
  dockerfile: (cell: PlannedCell) => string;
  /** The folder that a cell is built from, from the workspace's root; without it, the workspace itself. */
  context?: (cell: PlannedCell) => string;
  cacheRepository: string | null;
  /** `output` of a cell, such as `type=docker`. */
  output: (cell: PlannedCell) => string[];
}

/** What a bake file says of itself in its first lines. */
export interface BakeHeader {
  /** The command line that wrote it. */
  command: string;
}

/** The group of all prefixes. */
const PREFIXES = "prefixes";

/** The first lines of an emitted file: who made it, how to use it, and what its groups are. */
function headerOf({ command }: BakeHeader, file: BakeFile, cached: boolean): string {
  const { targets, prefixes, groups } = file;
  const bake = "docker buildx bake -f THIS_FILE";
  const lines = [
    `Made by \`${command}\`, with the Dockerfiles that it names. Change the plan, and make it again.`,
    "Use it in the folder of factory.yaml:",
    `  ${bake}    builds the group "default": ${grouped(targets.length)} cell${targets.length === 1 ? "" : "s"}`,
  ];
  if (prefixes.length > 0) {
    const names = groups.filter((name) => name !== "default" && name !== PREFIXES);
    lines.push(
      cached
        ? `  ${bake} ${PREFIXES}    fills the cache refs that cells read: do it first, so that any builder has what cells share`
        : `  ${bake} ${PREFIXES}    builds what cells share; with a cache repository in factory.yaml it would fill a cache in a registry`,
      `The group "${PREFIXES}" has ${grouped(prefixes.length)} target${prefixes.length === 1 ? "" : "s"}; those that end in one fragment are a group too: ${names.join(", ")}.`,
    );
  }
  return `${lines.map((line) => `# ${line}\n`).join("")}\n`;
}

/**
 * Writes cells as a docker-bake.hcl: one target a cell, one a shared prefix (`target = "core"`, output `cacheonly`),
 * the group `default` with exactly the cells, a group `prefixes`, and for each fragment a group with its prefixes.
 */
export function bakeFile(cells: readonly PlannedCell[], options: BakeOptions): BakeFile {
  const { dockerfile, context = () => ".", cacheRepository, output } = options;
  const prefixes = prefixTargets(cells, cacheRepository);
  const targets = cells.map(({ cell }) => cell.target);
  const hcl = createHclWriter();
  hcl.block("group", "default", { targets });

  const groups = new Map<string, string[]>();
  for (const { fragment, target } of prefixes) {
    const members = groups.get(fragment);
    if (members) members.push(target);
    else groups.set(fragment, [target]);
  }
  const names = ["default"];
  if (prefixes.length > 0) {
    names.push(PREFIXES);
    hcl.block("group", PREFIXES, { targets: prefixes.map(({ target }) => target) });
  }
  for (const [fragment, members] of [...groups].sort(([a], [b]) => compareText(a, b))) {
    names.push(`prefix-${fragment}`);
    hcl.block("group", `prefix-${fragment}`, { targets: members });
  }
  for (const prefix of prefixes) {
    hcl.block("target", prefix.target, {
      context: context(prefix.cell),
      dockerfile: dockerfile(prefix.cell),
      target: prefix.fragment,
      platforms: [prefix.platform],
      "cache-from": prefix.cache_from,
      "cache-to": prefix.cache_to,
      output: ["type=cacheonly"],
    });
  }
  for (const planned of cells) {
    const { cell } = planned;
    hcl.block("target", cell.target, {
      context: context(planned),
      dockerfile: dockerfile(planned),
      platforms: [cell.platform],
      tags: cell.tags,
      labels: planned.labels,
      "cache-from": cell.cache_from,
      "cache-to": cell.cache_to,
      attest: [PROVENANCE],
      output: output(planned),
    });
  }
  return {
    text: hcl.text(),
    targets,
    prefixes: prefixes.map(({ target }) => target),
    groups: names,
  };
}

const partsOf = (cells: readonly PlannedCell[]) =>
  cells.length === 0 ? [cells] : bakeParts(cells, MAX_TARGETS);

/** How many files `bakeFiles` writes. */
export function countBakeFiles(cells: readonly PlannedCell[]): number {
  return partsOf(cells).length;
}

/**
 * Writes cells as bake files of at most 500 targets each, prefixes counted: `docker-bake.hcl`, or `docker-bake-001.hcl`
 * and so on where there are several. Each stands alone: prefixes that cells of two files share are targets of both.
 * Each says in its first lines how to use it. Each text is made when it is asked for. No cells are one file too, whose `default` group is empty.
 * @param cells sorted so that those that share a prefix stand together
 */
export function* bakeFiles(
  cells: readonly PlannedCell[],
  options: BakeOptions & { header: BakeHeader },
): Iterable<NamedBakeFile> {
  const parts = partsOf(cells);
  const digits = Math.max(3, String(parts.length).length);
  for (const [at, part] of parts.entries()) {
    const number = parts.length === 1 ? "" : `-${String(at + 1).padStart(digits, "0")}`;
    const file = bakeFile(part, options);
    const header = headerOf(options.header, file, options.cacheRepository !== null);
    yield { name: `docker-bake${number}.hcl`, ...file, text: `${header}${file.text}` };
  }
}
