import { quoted } from "../model/visible.ts";
import type { Finding } from "../errors.ts";
import { grouped } from "../model/count.ts";
import { platformSlug } from "../model/platform.ts";
import type { Prefix } from "../stitch/stitch.ts";
import type { NamedBakeFile } from "./formats/bake-files.ts";
import { type WrittenRef, writtenRef } from "./cache-entries.ts";
import type { PlannedCell } from "./cell.ts";
import { type Clash, createLengthCheck, createOwners, splitRef } from "./lint-names.ts";
import { cacheTag, createSeenPrefixes, prefixGroup, prefixTarget } from "./prefix.ts";

/** What is looked at beside the cells. */
export interface Emitted {
  /** The bake files, if they were written. */
  bakeFiles?: Iterable<Pick<NamedBakeFile, "name" | "targets" | "prefixes" | "groups">>;
  /** The platforms for which a base image exists; undefined if that is not known. */
  platformsOf?: (baseRef: string) => readonly string[] | undefined;
}

function both({ first, second, more }: Clash): string {
  return `${first} and ${second}${more > 0 ? `, and ${grouped(more)} more` : ""}`;
}

/** A platform with its variant as a number: `linux/arm64/v8` is the same as `linux/arm64`. */
function partsOf(platform: string): { family: string; level: number } {
  const [os = "", arch = "", variant = ""] = platform.split("/");
  const usual = arch === "arm64" ? 8 : arch === "arm" ? 7 : 1;
  return { family: `${os}/${arch}`, level: Number(/^v(\d+)/.exec(variant)?.[1] ?? usual) };
}

/** Whether an image for one platform runs on another: it is for the same, or for an older variant of it. */
function serves(offered: string, wanted: string): boolean {
  const [image, machine] = [partsOf(offered), partsOf(wanted)];
  return image.family === machine.family && image.level <= machine.level;
}

/** Whether a tag ends in the platform's name, so that no other platform has the same. */
function namesPlatform(tag: string, platform: string): boolean {
  const name = platformSlug(platform);
  return tag === name || (tag.endsWith(name) && /[-_.]$/.test(tag.slice(0, -name.length)));
}

function prefixText({ fragment, version, id }: Prefix, platform: string): string {
  return `the prefix ${fragment} ${version} (${id}) on ${platform}`;
}

/** Findings about cache refs that have two writers, and about those that do not name their platform. */
function cacheLint(check: ReturnType<typeof createLengthCheck>["check"]) {
  const owners = createOwners();
  const nameless = new Map<string, { owner: string; platform: string; more: number }>();
  return {
    claim: ({ before, tag, repository }: WrittenRef, owner: string, platform: string): void => {
      const ref = `${before}${tag}`;
      owners.claim(ref, owner, false);
      if (repository !== undefined) check("repository", repository, "the cache");
      check("tag", tag, owner);
      if (namesPlatform(tag, platform)) return;
      const known = nameless.get(ref);
      if (known) known.more += 1;
      else nameless.set(ref, { owner, platform, more: 0 });
    },
    findings: (): Finding[] => [
      ...[...owners.clashes].map(([ref, clash]): Finding => ({
        code: "CACHE_REF_SHARED",
        what: `the cache ref ${quoted(ref)} is written by ${both(clash)}`,
        fix: "give each prefix and platform its own ref: the last writer wins, and what the other wrote is lost",
      })),
      ...[...nameless].map(([ref, { owner, platform, more }]): Finding => ({
        code: "CACHE_REF_SHARED",
        what: `the cache ref ${quoted(ref)} of ${owner}${more > 0 ? ` and ${grouped(more)} more` : ""} does not name its platform, so another platform would write it too`,
        fix: `make its tag end in \`-${platformSlug(platform)}\``,
      })),
    ],
  };
}

/** Findings about names that occur twice in a bake file, except those that are already known. */
function fileFindings(
  { name: file, targets, prefixes, groups }: Pick<NamedBakeFile, "name" | "targets" | "prefixes" | "groups">,
  known: ReadonlyMap<string, Clash>,
): Finding[] {
  const owners = createOwners();
  for (const name of groups) owners.claim(name, "a group", true);
  for (const name of prefixes) owners.claim(name, "a prefix", true);
  for (const name of targets) owners.claim(name, "a cell", true);
  return [...owners.clashes]
    .filter(([name]) => !known.has(name))
    .map(([name, clash]) => ({
      code: "TARGET_COLLISION",
      what: `${file} has the bake target ${quoted(name)} twice: of ${both(clash)}`,
      fix: "rename one of them: bake silently merges two targets with one name",
    }));
}

/**
 * Checks what cells would write: cache refs, tags, bake targets, the length of names, and the platforms of bases. It takes
 * one pass over the cells; what many cells have in common is one finding, which names the first two of them.
 */
export function lint(
  cells: readonly PlannedCell[],
  { bakeFiles = [], platformsOf }: Emitted = {},
): Finding[] {
  const lengths = createLengthCheck();
  const { check } = lengths;
  const cache = cacheLint(check);
  const tags = createOwners();
  const targets = createOwners();
  const groups = new Set(["default", "prefixes"]);
  const isFirst = createSeenPrefixes();
  const bases = new Map<string, { ref: string; platform: string; first: string; cells: number }>();

  for (const { cell, keys } of cells) {
    const { cell_id, platform, base } = cell;
    check("cell id", cell_id, `the manifest ${cell.manifest_id}`);
    check("bake target", cell.target, `the cell ${cell_id}`);
    targets.claim(cell.target, `the cell ${cell_id}`, true);
    for (const ref of cell.tags) {
      tags.claim(ref, `the cell ${cell_id}`, true);
      const { repository, tag } = splitRef(ref);
      check("repository", repository, `the manifest ${cell.manifest_id}`);
      check("tag", tag, `the cell ${cell_id}`);
    }

    const { prefixes } = keys;
    const whole = prefixes.at(-1);
    let written: WrittenRef | undefined;
    for (const entry of cell.cache_to) {
      const ref = writtenRef(entry);
      if (ref === undefined) continue;
      written = ref;
      cache.claim(ref, whole ? prefixText(whole, platform) : `the cell ${cell_id}`, platform);
    }
    const place = `${platform} ${written?.before ?? ""}`;
    for (let at = 0; at < prefixes.length - 1; at += 1) {
      const prefix = prefixes[at];
      if (!prefix || !isFirst(place, prefix)) continue;
      const owner = prefixText(prefix, platform);
      targets.claim(prefixTarget(prefix, platform), owner, false);
      groups.add(prefixGroup(prefix.fragment));
      if (written) cache.claim({ ...written, tag: cacheTag(prefix, platform) }, owner, platform);
    }

    const on = `${base.ref} ${platform}`;
    const stand = bases.get(on);
    if (stand) stand.cells += 1;
    else bases.set(on, { ref: base.ref, platform, first: cell_id, cells: 1 });
  }
  for (const name of groups) targets.claim(name, "a group of the bake file", true);

  const findings = cache.findings();
  for (const [tag, clash] of tags.clashes) {
    findings.push({
      code: "TAG_COLLISION",
      what: `${both(clash)} have one tag, ${quoted(tag)}`,
      fix: "rename one of their manifests or versions, or remove one of them: the image pushed last would take the tag from the other",
    });
  }
  for (const [name, clash] of targets.clashes) {
    findings.push({
      code: "TARGET_COLLISION",
      what: `${both(clash)} have one name in bake, ${quoted(name)}`,
      fix: "rename one of them: bake silently merges two targets with one name",
    });
  }
  for (const file of bakeFiles) findings.push(...fileFindings(file, targets.clashes));
  findings.push(...lengths.findings());
  for (const { ref, platform, first, cells: count } of bases.values()) {
    const offered = ref === "scratch" ? undefined : platformsOf?.(ref);
    if (!offered || offered.some((one) => serves(one, platform))) continue;
    const more = count > 1 ? ` and ${grouped(count - 1)} more` : "";
    findings.push({
      code: "BASE_PLATFORM",
      what: `the base image ${ref}, which ${first}${more} ${count > 1 ? "need" : "needs"}, does not exist for ${platform}`,
      fix: `choose another base, or remove ${platform} from the platforms; this one exists for ${offered.join(", ") || "none"}`,
    });
  }
  return findings;
}
