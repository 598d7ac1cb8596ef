import { tmpdir } from "node:os";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { makeFolderIn, removeTree } from "../files/folders.ts";
import { writeWhole } from "../files/write-whole.ts";
import type { Buildx } from "../tools/buildx.ts";
import type { Docker } from "../tools/docker.ts";
import { classifyFailure, type BuildClass, type Classified } from "./classify.ts";
import { failureMessage } from "./failure-message.ts";
import { heldBase } from "./held-base.ts";
import { baseDigest, readMetadata } from "./metadata.ts";
import { createProgress } from "./progress.ts";

export interface BaseRef {
  /** As it is written after FROM: `debian:bookworm-slim`, `scratch`, `name@sha256:…`. */
  ref: string;
  platform: string;
}

/** How the builder resolves a base. */
export interface BaseResolution {
  /** null for `scratch`, and on an error. */
  digest: string | null;
  /** Whether `FROM ref@digest` works; it does not for an image that only an engine's old image store holds. */
  pinnable: boolean;
  error?: { class: BuildClass; message: string };
}

interface BaseDeps {
  buildx: Pick<Buildx, "bake" | "driver">;
  docker: Pick<Docker, "inspectImage">;
  /** An existing folder for temporary files, on the same file system as `layers`, which makes hard links. Default: the system's. */
  folder?: string;
  /**
   * Keeps the layers of bases from OCI layouts: otherwise each cell that starts would copy them when it exports. `lend` fills
   * a layout with known layers, `keep` takes those of an image from it, and `holds` says whether those of a base are known.
   */
  layers?: {
    lend: (layout: string) => unknown;
    keep: (layout: string, digest: string, base: string | undefined) => unknown;
    holds: (base: string) => boolean;
  } | null;
}

interface ProbeOptions {
  /** Whether to ask the registry even if the engine holds the image. */
  pull?: boolean;
  signal?: AbortSignal;
}

type Failure = { message: string } & Classified;

/** Characters of an image reference: none that could end the line or start a variable in HCL or in a Dockerfile. */
const SAFE_REF = /^[A-Za-z0-9[][A-Za-z0-9._\-/:@[\]]*$/;

const AT_ONCE = 4;

/** The key of a base in the answer of `resolveBases`. */
export function baseKey({ ref, platform }: BaseRef): string {
  return `${ref} ${platform}`;
}

async function inFolder<T>(parent: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeFolderIn(parent, "factory-base-");
  try {
    return await use(folder);
  } finally {
    removeTree(folder);
  }
}

/** Lets the builder resolve all bases in one bake that builds nothing; gives their digests in order. */
async function probe(
  bases: BaseRef[],
  deps: BaseDeps,
  { pull = false, signal }: ProbeOptions,
): Promise<(string | null)[] | Failure> {
  return inFolder(deps.folder ?? tmpdir(), async (folder) => {
    const names = bases.map((_, index) => `base-${index}`);
    const layoutOf = (index: number) => join(folder, `layout-${index}`);
    const targets = bases.map(({ ref, platform }, index) => ({
      context: ".",
      "dockerfile-inline": `FROM ${ref}\n`,
      platforms: [platform],
      ...(pull ? { pull } : {}),
      output: [deps.layers ? `type=oci,dest=${layoutOf(index)},tar=false` : "type=cacheonly"],
    }));
    bases.forEach((_, index) => deps.layers?.lend(layoutOf(index)));
    const metadataFile = join(folder, "metadata.json");
    const target = Object.fromEntries(names.map((name, index) => [name, targets[index]]));
    writeWhole(join(folder, "bases.json"), JSON.stringify({ target }), false);

    const progress = createProgress();
    const result = await deps.buildx.bake({
      file: "bases.json",
      targets: names,
      cwd: folder,
      metadataFile,
      env: { BUILDX_METADATA_PROVENANCE: "max" },
      signal,
      onLine: progress.line,
    });
    if (result.aborted || signal?.aborted)
      throw new FactoryError("INTERRUPTED", "interrupted while resolving images");
    if (result.exitCode !== 0) {
      const text = progress.errorText();
      return { ...classifyFailure(result.exitCode, text), message: failureMessage(text) };
    }
    const metadata = await readMetadata(metadataFile);
    return names.map((name, index) => {
      const { digest, provenance } = metadata.get(name) ?? {};
      const base = baseDigest(provenance);
      if (digest) deps.layers?.keep(layoutOf(index), digest, base ?? undefined);
      return base;
    });
  });
}

/** Whether the digest can be fetched by name. In doubt (a local image without a repository digest) this is tried. */
async function isPinnable(
  base: BaseRef,
  digest: string,
  deps: BaseDeps,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const image = await deps.docker.inspectImage(base.ref, { signal });
    if (image.RepoDigests?.some((known) => known.endsWith(`@${digest}`))) return true;
  } catch (error) {
    if (error instanceof FactoryError && error.code === "IMAGE_NOT_FOUND") return true;
    throw error;
  }
  return Array.isArray(await probe([{ ...base, ref: `${base.ref}@${digest}` }], deps, { signal }));
}

async function resolution(
  base: BaseRef,
  digest: string | null | undefined,
  deps: BaseDeps,
  signal?: AbortSignal,
): Promise<BaseResolution> {
  if (digest) return { digest, pinnable: await isPinnable(base, digest, deps, signal) };
  const message = `the builder resolved ${base.ref} but named no digest; has it no layers?`;
  return { digest: null, pinnable: false, error: { class: "base", message } };
}

async function resolveAlone(base: BaseRef, deps: BaseDeps, options: ProbeOptions): Promise<BaseResolution> {
  let answer = await probe([base], deps, options);
  // An image that only the engine has cannot be pulled.
  if (!Array.isArray(answer) && (options.pull || answer.retry !== "no"))
    answer = await probe([base], deps, { ...options, pull: answer.retry !== "no" && options.pull });
  if (Array.isArray(answer)) return resolution(base, answer[0], deps, options.signal);
  return { digest: null, pinnable: false, error: { class: answer.class, message: answer.message } };
}

async function resolveProbed(
  bases: BaseRef[],
  deps: BaseDeps,
  options: ProbeOptions,
): Promise<BaseResolution[]> {
  const { default: pLimit } = await import("p-limit");
  const limit = pLimit(AT_ONCE);
  if (bases.length > 1) {
    const answer = await probe(bases, deps, options);
    if (Array.isArray(answer)) {
      return Promise.all(
        bases.map((base, index) => limit(() => resolution(base, answer[index], deps, options.signal))),
      );
    }
  }
  return Promise.all(bases.map((base) => limit(() => resolveAlone(base, deps, options))));
}

/** Resolves what needs no builder: `scratch`, a pinned reference, and text that is not a reference. */
function withoutProbe({ ref }: BaseRef): BaseResolution | null {
  if (ref === "scratch") return { digest: null, pinnable: false };
  if (!SAFE_REF.test(ref)) {
    const message = `not an image reference: ${JSON.stringify(ref)}`;
    return { digest: null, pinnable: false, error: { class: "base", message } };
  }
  const digest = /@(sha256:[a-f0-9]{64})$/.exec(ref)?.[1];
  return digest === undefined ? null : { digest, pinnable: true };
}

/**
 * Resolves base images to the digests that the builder itself uses: its mirrors, contexts and credentials count. All images
 * that its engine does not hold are resolved in one bake. A bake fails as a whole, so after a failure each base is resolved
 * alone: a bad one hides no other.
 * @returns resolutions by `baseKey`: `"<ref> <platform>"`
 * @throws FactoryError INTERRUPTED, DOCKER_MISSING; what is wrong with a base is an `error` in its resolution
 */
export async function resolveBases(
  refs: readonly BaseRef[],
  deps: BaseDeps,
  options: ProbeOptions = {},
): Promise<Map<string, BaseResolution>> {
  const distinct = new Map(refs.map((base) => [baseKey(base), base]));
  const resolved = new Map<string, BaseResolution>();
  const open: [string, BaseRef][] = [];
  for (const [key, base] of distinct) {
    const known = withoutProbe(base);
    if (known) resolved.set(key, known);
    else open.push([key, base]);
  }
  const held = await Promise.all(
    open.map(async ([, base]) => (options.pull ? undefined : heldBase(base, deps, options.signal))),
  );
  const unknown = open.filter(([key], index) => {
    const digest = held[index];
    if (digest === undefined || deps.layers?.holds(digest) === false) return true;
    resolved.set(key, { digest, pinnable: true });
    return false;
  });
  if (unknown.length === 0) return resolved;
  const answers = await resolveProbed(
    unknown.map(([, base]) => base),
    deps,
    options,
  );
  unknown.forEach(([key], index) => {
    const answer = answers[index];
    if (answer) resolved.set(key, answer);
  });
  return resolved;
}
