import { FactoryError } from "../errors.ts";
import type { Docker, ImageInspect } from "../tools/docker.ts";
import { readArchive, type Archive } from "./archive.ts";
import { writeBom } from "./bom.ts";
import { createBudget } from "./budget.ts";
import { takeInventory } from "./inventory.ts";
import type { LayerCache } from "./layer-cache.ts";
import { chooseManifest, type ChosenManifest } from "./manifest.ts";
import { mergeLayers, type ImageFiles } from "./merge.ts";
import type { Ecosystem } from "./package.ts";
import type { ImagePath } from "./paths.ts";
import { readLayout } from "./read-layout.ts";
import { validateSbom } from "./validate.ts";

/** The image to inventory. */
export interface SbomImage {
  /** As the engine knows it. */
  ref: string;
  /** `sha256:…` of what was built or pushed; null takes the digest of the image manifest. */
  digest: string | null;
  /**
   * An OCI layout folder, absolute, that may hold the image: then it is read from there. Where that lacks a part of it,
   * and without one, the engine saves the image.
   */
  layout?: string;
  /** Such as `linux/arm64`; without it, the one that the engine would run. */
  platform?: string;
  /** What the image is called in the document. */
  name: string;
}

export interface SbomDeps {
  docker: Pick<Docker, "saveImage" | "inspectImage">;
  /** null: the document has no timestamp. */
  now: () => Date | null;
  toolVersion: string;
  /** `urn:uuid:…`; null for none; undefined derives one from the content. */
  serialNumber?: string | null;
  signal?: AbortSignal;
  /** What was kept of layers before; used with a layout. */
  cache?: LayerCache;
  /** Told the digest of each layer of the layout that is there and cannot be read. */
  onUnreadable?: (digest: string) => void;
}

export interface Sbom {
  /** A CycloneDX 1.6 document. */
  json: string;
  /** How many components it lists. */
  components: number;
  counts: Record<Ecosystem, number>;
  /** What a reader should know: parts of the image that could not be read, or a document that fails validation. */
  warnings: string[];
}

interface Reading {
  chosen: ChosenManifest;
  files: ImageFiles;
  warnings: Set<string>;
}

function interrupted(cause?: unknown): FactoryError {
  return new FactoryError("INTERRUPTED", "interrupted while reading the image", { cause });
}

async function save(image: SbomImage, deps: SbomDeps, wanted: ReadonlySet<ImagePath>, warnings: Set<string>) {
  const ended = new AbortController();
  const signal = deps.signal ? AbortSignal.any([deps.signal, ended.signal]) : ended.signal;
  const { stdout, done } = await deps.docker.saveImage(image.ref, { platform: image.platform, signal });
  const outcome = done.then(
    () => null,
    (cause: unknown) => cause as Error,
  );
  let archive: Archive;
  try {
    archive = await readArchive(stdout, {
      budget: createBudget(),
      wanted,
      warn: (text) => void warnings.add(text),
    });
  } catch (cause) {
    // Give the engine's own words where it broke off; where we did, end it.
    const broken = cause instanceof FactoryError && stdout.readableEnded;
    if (!broken) ended.abort();
    const failure = await outcome;
    if (deps.signal?.aborted) throw interrupted(cause);
    throw broken && failure ? failure : cause;
  }
  const failure = await outcome;
  if (deps.signal?.aborted) throw interrupted();
  if (failure) throw failure;
  return archive;
}

/** Reads the image from its layout, else as the engine saves it. */
async function readOnce(
  image: SbomImage,
  deps: SbomDeps,
  platform: string,
  { wanted, warnings }: { wanted: ReadonlySet<ImagePath>; warnings: Set<string> },
): Promise<ChosenManifest> {
  if (image.layout !== undefined) {
    const { cache, onUnreadable, signal } = deps;
    const warn = (text: string) => void warnings.add(text);
    const { digest } = image;
    const options = { digest, platform, wanted, warn, cache, onUnreadable, signal };
    const found = await readLayout(image.layout, options).catch((cause: unknown) => {
      throw signal?.aborted ? interrupted(cause) : cause;
    });
    if (found) return found;
  }
  return chooseManifest(await save(image, deps, wanted, warnings), platform);
}

/** Reads the image; once more where files that matter are hard links to files that did not seem to. */
async function read(image: SbomImage, deps: SbomDeps, platform: string): Promise<Reading> {
  const wanted = new Set<ImagePath>();
  for (;;) {
    const warnings = new Set<string>();
    const chosen = await readOnce(image, deps, platform, { wanted, warnings });
    const files = mergeLayers(chosen.layers);
    if (files.missing.length === 0 || wanted.size > 0) {
      for (const path of files.missing)
        warnings.add(`a file of interest is a hard link to /${path}, which is not there`);
      return { chosen, files, warnings };
    }
    for (const path of files.missing) wanted.add(path);
  }
}

function platformOf({ Os, Architecture, Variant }: ImageInspect): string {
  return [Os, Architecture, Variant].filter(Boolean).join("/");
}

/**
 * Takes the inventory of an image from its own layers, and writes it as a CycloneDX 1.6 document that has passed
 * strict validation. The same image, time and serial number give the same bytes.
 * @throws FactoryError IMAGE_NOT_FOUND, IMAGE_UNREADABLE, ENGINE_UNREACHABLE, ENGINE_FAILED, INTERRUPTED;
 *   INTERNAL where the document is not valid
 */
export async function makeSbom(image: SbomImage, deps: SbomDeps): Promise<Sbom> {
  const inspect = () =>
    deps.docker.inspectImage(image.ref, { platform: image.platform, signal: deps.signal });
  const platform = image.platform ?? platformOf(await inspect());
  const { chosen, files, warnings } = await read(image, deps, platform);

  if (image.digest !== null && chosen.digest !== null && !chosen.digests.includes(image.digest)) {
    const { RepoDigests } = await inspect();
    const known = (RepoDigests ?? []).map((one) => one.slice(one.indexOf("@") + 1));
    if (!known.includes(image.digest)) {
      warnings.add(`the engine has ${image.ref} as ${chosen.digest}, not as ${image.digest}`);
    }
  }
  const inventory = takeInventory(files);
  const digest = image.digest ?? chosen.digest;
  const subject = { name: image.name, ref: image.ref, digest, manifestDigest: chosen.digest, platform };
  const { json, components } = writeBom(subject, inventory, {
    timestamp: deps.now(),
    toolVersion: deps.toolVersion,
    serialNumber: deps.serialNumber,
  });
  const problems = await validateSbom(json);
  if (problems.length > 0) {
    throw new FactoryError(
      "INTERNAL",
      `the SBOM is not valid CycloneDX 1.6: ${problems.slice(0, 3).join("; ")}`,
    );
  }
  return { json, components, counts: inventory.counts, warnings: [...warnings, ...inventory.warnings] };
}
