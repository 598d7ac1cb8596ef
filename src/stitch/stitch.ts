import type { Catalog } from "../catalog/catalog.ts";
import { digestOf, sha256 } from "../model/digest.ts";
import type { DeclaredTest } from "../model/smoke.ts";
import { effectiveTests } from "../model/suite.ts";
import type { Value } from "../schemas/types.ts";
import type { ContextFile } from "./files.ts";
import { buildKey, prefixId, verdictKey } from "./keys.ts";
import { BUILD_KEY_LABEL, render } from "./render.ts";
import { type Choice, resolve, type Resolved } from "./resolve.ts";

/** A fragment's place in the chain: `--target` builds the image up to it. */
export interface Prefix {
  fragment: string;
  version: string;
  /** 12 hex digits that name the chain up to here (see prefixId). */
  id: string;
}

/** A manifest rendered to a Dockerfile, with its keys. */
export interface Stitched {
  manifest_id: string;
  template: { id: string; version: string; digest: string };
  base: { ref: string; digest: string | null };
  fragments: { name: string; version: string; digest: string }[];
  args: Record<string, Value>;
  platform: string | null;
  gpus: "all" | number | null;
  build_key: string;
  verdict_key: string;
  tests: DeclaredTest[];
  dockerfile: string;
  /** All labels of the image, the build key's among them. */
  labels: Record<string, string>;
  /** The text of the Dockerfile.dockerignore. */
  dockerignore: string;
  prefixes: Prefix[];
}

/** What is known of the base and the platform. Both may be unknown: stitching asks nobody. */
export interface Target {
  /** `sha256:…` of the base as the builder resolves it. */
  baseDigest?: string | null;
  /** null or left out for the recipe as such. */
  platform?: string | null;
}

/** The reference behind FROM: pinned where a digest is known and not already part of it. */
function pinned(ref: string, digest: string | null): string {
  return digest === null || ref.includes("@") || ref === "scratch" ? ref : `${ref}@${digest}`;
}

/** Digest of what a fragment gives to an image: its contract without tests and texts, its Dockerfile.hbs, its files. */
function fragmentDigest(entry: Resolved["fragments"][number], files: readonly ContextFile[]): string {
  const { name, version, args, requires, conflicts, platforms } = entry.document;
  return digestOf({
    scheme: "factory/fragment/1",
    name,
    version,
    args: args ?? {},
    requires: requires ?? {},
    conflicts: conflicts ?? {},
    platforms: platforms ?? null,
    dockerfile: sha256(entry.dockerfile.text),
    files: files.filter(({ path }) => path.startsWith(`${entry.folder}/`)),
  });
}

/**
 * Renders an already resolved manifest.
 * @throws FactoryError as render does
 */
export function stitchResolved(catalog: Catalog, resolved: Resolved, target: Target = {}): Stitched {
  const { manifest, template, fragments, argsByFragment, args } = resolved;
  const { manifest_id, summary, base: ref, smoke } = manifest.document;
  const gpus = manifest.document.gpus ?? null;
  const platform = target.platform ?? null;
  const digest = /@(sha256:[a-f0-9]{64})$/.exec(ref)?.[1] ?? target.baseDigest ?? null;
  const base = { ref, digest };
  // Labels are in NFC: a bake file cannot carry another form, and the Dockerfile's have to be the same.
  const labels = {
    "org.opencontainers.image.title": manifest_id,
    ...(summary === undefined ? {} : { "org.opencontainers.image.description": summary.normalize("NFC") }),
    "org.opencontainers.image.base.name": ref,
    ...(digest === null ? {} : { "org.opencontainers.image.base.digest": digest }),
    "io.factory.manifest-id": manifest_id,
    "io.factory.template": `${template.document.template_id}@${template.document.version}`,
    "io.factory.fragments": fragments.map(({ document }) => `${document.name}@${document.version}`).join(","),
  };
  const rendered = render(resolved, catalog.root, pinned(ref, digest), labels);
  const build_key = buildKey({
    dockerfile: rendered.dockerfile(null),
    files: rendered.files,
    base,
    platform,
  });
  const documents = fragments.map(({ document }) => document);
  const tests = effectiveTests(documents, smoke);
  const chain = documents.map(({ name, version }) => ({
    name,
    version,
    args: argsByFragment.get(name) ?? {},
  }));
  return {
    manifest_id,
    template: {
      id: template.document.template_id,
      version: template.document.version,
      digest: digestOf({
        scheme: "factory/template/1",
        slots: template.document.slots.map(({ name, optional }) => ({ name, optional: optional ?? false })),
        dockerfile: sha256(template.dockerfile.text),
      }),
    },
    base,
    fragments: fragments.map((entry) => ({
      name: entry.document.name,
      version: entry.document.version,
      digest: fragmentDigest(entry, rendered.files),
    })),
    args,
    platform,
    gpus,
    build_key,
    verdict_key: verdictKey({ build_key, tests, gpus, limits: catalog.settings().smoke }),
    tests,
    dockerfile: rendered.dockerfile(build_key),
    labels: { ...labels, [BUILD_KEY_LABEL]: build_key },
    dockerignore: ["*", ...rendered.allowed.map((path) => `!${path}`), ""].join("\n"),
    prefixes: chain.map(({ name, version }, at) => ({
      fragment: name,
      version,
      id: prefixId(ref, chain.slice(0, at + 1)),
    })),
  };
}

/**
 * Renders a manifest to a Dockerfile: the same input gives the same bytes, whatever the clock, the locale, the
 * directory order and the place of the workspace.
 * @throws FactoryError with all findings of the documents, or the first of the rendering
 */
export function stitch(
  catalog: Catalog,
  manifestId: string,
  choice: Choice = {},
  target: Target = {},
): Stitched {
  return stitchResolved(catalog, resolve(catalog, manifestId, choice), target);
}
