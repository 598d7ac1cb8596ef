import { SEVERITIES, type ScanFinding, type Severity } from "../scan/scan-finding.ts";
import { layerOwners, type Recipe } from "../sbom/layer-origin.ts";
import { type BomPackage, packagesIn } from "./bom-components.ts";
import { type Usage, usageOf, type Wasted } from "./layer-usage.ts";
import type { OpenImage } from "./open-image.ts";

/** What something in an image takes. */
export interface Share extends Usage {
  /** How many layers. */
  layers: number;
  /** Bytes of its layers as they are stored and pulled. */
  packed_bytes: number;
  packages: number;
  /** What a scanner found in its packages, by severity; null without a scan. */
  findings: Partial<Record<Severity, number>> | null;
}

/** The share of a fragment, of the base (`base`), or of the template's own steps (`template`). */
export interface FragmentShare extends Share {
  /** As `core@0.1.0`; null for layers of which nobody knows whose they are. */
  fragment: string | null;
  /** null for what is no fragment. */
  version: string | null;
}

export interface LayerShare extends Usage {
  /** From 1; the first is the base's. */
  layer: number;
  fragment: string | null;
  /** The hash of what it unpacks to, and of it as it is stored. */
  diff_id: string;
  digest: string;
  packed_bytes: number;
  packages: number;
  /** As the image's history has it. */
  instruction: string;
}

export interface Inspection {
  digest: string;
  platform: string;
  /** From the base on. */
  fragments: FragmentShare[];
  layers: LayerShare[];
  /** The files that take most for nothing. */
  wasted: Wasted[];
  total: Share;
}

const NOTHING: Usage = { files: 0, bytes: 0, duplicated_bytes: 0, deleted_bytes: 0 };

function sumOf(layers: readonly LayerShare[]): Omit<Share, "findings"> {
  const sum = { ...NOTHING, layers: layers.length, packed_bytes: 0, packages: 0 };
  const fields = ["files", "bytes", "duplicated_bytes", "deleted_bytes", "packed_bytes", "packages"] as const;
  for (const layer of layers) for (const field of fields) sum[field] += layer[field];
  return sum;
}

/** How many findings of each severity there are, the worst first. */
function counted(findings: readonly ScanFinding[]): NonNullable<Share["findings"]> {
  const counts = SEVERITIES.map((one) => [one, findings.filter(({ severity }) => severity === one).length]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0)) as NonNullable<Share["findings"]>;
}

/** A package URL without what scanners write differently. */
const bare = (purl: string): string => purl.replace(/[?#].*$/s, "");

/** The package that a finding is about. */
function packageFinder(packages: readonly BomPackage[]): (finding: ScanFinding) => BomPackage | undefined {
  const byPurl = new Map(packages.map((one) => [bare(one.purl), one]));
  const byName = new Map(packages.map((one) => [`${one.name}@${one.version}`, one]));
  return ({ purl, package: name, version }) =>
    (purl === null ? undefined : byPurl.get(bare(purl))) ?? byName.get(`${name}@${version}`);
}

/** The instruction of each layer, by the image's history; empty if that does not tell. */
function instructionsOf({ history, layers }: OpenImage["image"]): string[] {
  const made = history.filter(({ empty }) => !empty).map(({ created_by }) => created_by);
  return layers.map((_, at) => (made.length === layers.length ? (made[at] ?? "") : ""));
}

/**
 * What the fragments of an image take in it, and what each of its layers does.
 * @param about `recipe` of the record, if one is known; `sbom` of this very image, as `makeSbom` writes it; `findings` of its
 * newest scan
 * @throws FactoryError IMAGE_UNREADABLE, INTERRUPTED
 */
export async function inspectImage(
  { image, platform }: OpenImage,
  about: { recipe?: Recipe; sbom: unknown; findings: readonly ScanFinding[] | null },
  options: { signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<Inspection> {
  const { recipe, sbom, findings } = about;
  const owners = layerOwners(recipe, image);
  const { layers: usage, wasted } = await usageOf(image, options);
  const packages = packagesIn(sbom);
  const instructions = instructionsOf(image);
  // Two layers may unpack to the same: what is in them is the first one's.
  const firstOf = new Map([...image.diffIds].map((id, at) => [id, at] as const).reverse());
  const brought = image.layers.map(() => 0);
  for (const { layer } of packages) {
    const at = layer === null ? undefined : firstOf.get(layer);
    if (at !== undefined) brought[at] = (brought[at] ?? 0) + 1;
  }
  const layers = image.layers.map(({ digest, size }, at): LayerShare => ({
    layer: at + 1,
    fragment: owners[at] ?? null,
    diff_id: image.diffIds[at] ?? "",
    digest,
    packed_bytes: size,
    ...(usage[at] ?? NOTHING),
    packages: brought[at] ?? 0,
    instruction: instructions[at] ?? "",
  }));
  const find = packageFinder(packages);
  const found = (findings ?? []).map((finding) => {
    const layer = find(finding)?.layer ?? null;
    return { finding, owner: layer === null ? null : (owners[firstOf.get(layer) ?? -1] ?? null) };
  });
  const fragments = [...new Set(owners)].map((fragment): FragmentShare => ({
    fragment,
    version: /@(.*)$/.exec(fragment ?? "")?.[1] ?? null,
    ...sumOf(layers.filter((one) => one.fragment === fragment)),
    findings:
      findings && counted(found.filter(({ owner }) => owner === fragment).map(({ finding }) => finding)),
  }));
  const total = { ...sumOf(layers), packages: packages.length, findings: findings && counted(findings) };
  return { digest: image.digest, platform, fragments, layers, wasted, total };
}
