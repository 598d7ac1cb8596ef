import { FactoryError } from "../errors.ts";
import { subjectOf } from "../model/subject.ts";
import type { Docker, ImageInspect } from "../tools/docker.ts";
import { attribute } from "./attribution.ts";
import { readArchive, type Archive } from "./archive.ts";
import { writeBom } from "./bom.ts";
import { createBudget } from "./budget.ts";
import type { Ecosystem } from "./catalogers/catalogers.ts";
import { takeInventory } from "./inventory.ts";
import type { LayerCache } from "./layer-cache.ts";
import { chooseManifest, type ChosenManifest } from "./manifest.ts";
import type { ImageFiles } from "./image-files.ts";
import { mergeLayers } from "./merge.ts";
import type { Recipe } from "./layer-origin.ts";
import { createNotes, type Notes } from "./notes.ts";
import { createPace, interrupted, type Pace } from "./pace.ts";
import type { ImagePath } from "./paths.ts";
import { readLayout } from "./read-layout.ts";

/** The image to inventory. */
export interface SbomImage {
  /** The name by which the engine knows it. */
  ref: string;
  /** `sha256:…` of what was built or pushed; null takes the digest of the image manifest. */
  digest: string | null;
  /**
   * An OCI layout folder, absolute, from which the image is read if it has all of it. Otherwise the engine saves the image.
   */
  layout?: string;
  /** Such as `linux/arm64`; default: the one that the engine would run. */
  platform?: string;
  /** The name of the image in the document, as a reference: its repository names the subject. */
  name: string;
  /** What it was built from, as far as it is known: then each component names the fragment that brought it. */
  recipe?: Recipe;
}

export interface SbomDeps {
  docker: Pick<Docker, "saveImage" | "inspectImage">;
  /** null: the document has no timestamp. */
  now: () => Date | null;
  toolVersion: string;
  /** `urn:uuid:…`; null for none; undefined derives one from the content. */
  serialNumber?: string | null;
  signal?: AbortSignal;
  /** Milliseconds of a monotonic clock. */
  clock: () => number;
  /** Called with the progress, once a second if the work takes longer. */
  onProgress?: (text: string) => void;
  /** The cache of layers; used with a layout. */
  cache?: LayerCache;
  /** Called with the digest of each layer of the layout that exists but cannot be read. */
  onUnreadable?: (digest: string) => void;
}

export interface Sbom {
  /** A CycloneDX 1.6 document. */
  json: string;
  /** How many components it lists. */
  components: number;
  counts: Record<Ecosystem, number>;
  /** What a reader should know: what could not be read and what had to be left out, each kind once. */
  warnings: string[];
}

interface Reading {
  chosen: ChosenManifest;
  files: ImageFiles;
  notes: Notes;
}

/** What a reading of an image uses. */
interface Means {
  /** Paths to keep beside the interesting ones. */
  wanted: ReadonlySet<ImagePath>;
  notes: Notes;
  pace: Pace;
}

async function save(image: SbomImage, deps: SbomDeps, { wanted, notes, pace }: Means): Promise<Archive> {
  const ended = new AbortController();
  const signal = deps.signal ? AbortSignal.any([deps.signal, ended.signal]) : ended.signal;
  const { stdout, done } = await deps.docker.saveImage(image.ref, { platform: image.platform, signal });
  let read = 0;
  stdout.on("data", (chunk: Buffer) => {
    read += chunk.length;
    pace.tell(() => `${Math.floor(read / (1 << 20))} MiB of the image read`);
  });
  const outcome = done.then(
    () => null,
    (cause: unknown) => cause as Error,
  );
  let archive: Archive;
  try {
    archive = await readArchive(stdout, {
      budget: createBudget(),
      wanted,
      notes,
    });
  } catch (cause) {
    // If the engine broke off, report its own words; if we did, end its stream.
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
  means: Means,
): Promise<ChosenManifest> {
  if (image.layout !== undefined) {
    const { cache, onUnreadable, signal } = deps;
    const { digest } = image;
    const { wanted, notes } = means;
    const options = { digest, platform, wanted, notes, cache, onUnreadable, signal };
    const found = await readLayout(image.layout, options).catch((cause: unknown) => {
      throw signal?.aborted ? interrupted(cause) : cause;
    });
    if (found) return found;
  }
  return chooseManifest(await save(image, deps, means), platform);
}

/** Reads the image; a second time if files that matter are hard links to files that did not seem to matter. */
async function read(image: SbomImage, deps: SbomDeps, platform: string, pace: Pace): Promise<Reading> {
  const wanted = new Set<ImagePath>();
  for (;;) {
    const notes = createNotes();
    const chosen = await readOnce(image, deps, platform, { wanted, notes, pace });
    const files = await mergeLayers(chosen.layers, pace);
    if (files.missing.length === 0 || wanted.size > 0) {
      for (const path of files.missing)
        notes.add("left out hard links to files that are not there", `/${path}`);
      return { chosen, files, notes };
    }
    for (const path of files.missing) wanted.add(path);
  }
}

function platformOf({ Os, Architecture, Variant }: ImageInspect): string {
  return [Os, Architecture, Variant].filter(Boolean).join("/");
}

/**
 * Takes the inventory of an image from its own layers and writes it as a strictly valid CycloneDX 1.6 document. The
 * metadata of packages never makes it fail: what CycloneDX refuses is left out, with a warning. The same image, time and
 * serial number give the same bytes.
 * @throws FactoryError IMAGE_NOT_FOUND, IMAGE_UNREADABLE, ENGINE_UNREACHABLE, ENGINE_FAILED, INTERRUPTED
 */
export async function makeSbom(image: SbomImage, deps: SbomDeps): Promise<Sbom> {
  const inspect = () =>
    deps.docker.inspectImage(image.ref, { platform: image.platform, signal: deps.signal });
  const platform = image.platform ?? platformOf(await inspect());
  const pace = createPace({ ...deps, now: deps.clock });
  const { chosen, files, notes } = await read(image, deps, platform, pace);

  if (image.digest !== null && chosen.digest !== null && !chosen.digests.includes(image.digest)) {
    const { RepoDigests } = await inspect();
    const known = (RepoDigests ?? []).map((one) => one.slice(one.indexOf("@") + 1));
    if (!known.includes(image.digest)) {
      notes.add(`the engine has ${image.ref} as ${chosen.digest}, not as ${image.digest}`);
    }
  }
  const inventory = await takeInventory(files, notes, pace);
  const { layers, config } = chosen;
  await attribute(inventory, files, { config, layers: layers.length, recipe: image.recipe }, pace);
  const { json, components } = await writeBom(
    {
      subject: chosen.digest === null ? null : subjectOf(image.name, chosen.digest, platform),
      name: image.name,
      platform,
    },
    inventory,
    { timestamp: deps.now(), toolVersion: deps.toolVersion, serialNumber: deps.serialNumber, notes, pace },
  );
  return { json, components, counts: inventory.counts, warnings: notes.lines() };
}
