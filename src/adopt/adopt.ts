import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { openCatalog } from "../catalog/open.ts";
import { errorOf, FactoryError, type Finding } from "../errors.ts";
import { makeFolderIn, removeTree } from "../files/folders.ts";
import { type NewFile, writeWorkspace } from "../files/new-workspace.ts";
import { quoted } from "../model/visible.ts";
import { stitch } from "../stitch/stitch.ts";
import { documentsOf, type ProposedManifest } from "./documents.ts";
import type { Proposed } from "./proposed-fragment.ts";
import { freeName, idsOf } from "./ids.ts";
import { type NotCarried, type Outline, outlineOf } from "./outline.ts";
import { parseOriginal, readOriginal } from "./original.ts";
import { sourcesOf } from "./source-places.ts";
import { proposeAll } from "./proposal.ts";
import { type Difference, differencesOf } from "./prove.ts";

/** What is adopted. */
export interface Wanted {
  /** Each Dockerfile as it was named, and its absolute path. */
  dockerfiles: readonly { file: string; path: string }[];
  /** The build context of all of them, absolute; null for the folder of each. */
  context: string | null;
  /** The folder of the workspace, absolute. */
  out: string;
}

/** Whether a stitched Dockerfile has the same instructions as the one that it stands for. */
export interface Proof {
  dockerfile: string;
  manifest_id: string;
  same: boolean;
  differences: readonly Difference[];
}

/** What came of it. */
export interface Adopted {
  manifests: readonly ProposedManifest[];
  fragments: readonly Proposed[];
  proof: readonly Proof[];
  notCarried: readonly NotCarried[];
  /** What a person should know, such as a fragment that is never reused. */
  notes: readonly string[];
  /** The paths that were written; none if no Dockerfile could be carried over. */
  written: readonly string[];
}

interface Image {
  id: string;
  file: string;
  path: string;
  context: string;
  outline: Outline;
}

/** Reads all Dockerfiles. @throws FactoryError with what is wrong with any of them */
function readAll({ dockerfiles, context }: Wanted): Image[] {
  const findings: Finding[] = [];
  const ids = idsOf(dockerfiles.map(({ path }) => path));
  if (context !== null && !statSync(context, { throwIfNoEntry: false })?.isDirectory())
    findings.push({
      code: "FILE_MISSING",
      what: `there is no folder ${quoted(context)}`,
      fix: "correct --context",
    });
  const images = dockerfiles.flatMap(({ file, path }, at): Image[] => {
    try {
      const outline = outlineOf(readOriginal(file, path));
      return [{ id: ids[at] ?? "image", file, path, context: context ?? dirname(path), outline }];
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      const { code, message: what, where, fix } = error;
      findings.push(...(error.findings ?? [{ code, what, where, fix }]));
      return [];
    }
  });
  if (findings.length > 0) throw errorOf(findings);
  return images;
}

/** A template for each kind of directives that Dockerfiles start with. */
function templatesOf(images: readonly Image[]): {
  byImage: Map<string, string>;
  directives: Map<string, readonly string[]>;
} {
  const byImage = new Map<string, string>();
  const byText = new Map<string, string>();
  const directives = new Map<string, readonly string[]>();
  for (const { id, outline } of images) {
    const lines = outline.original.directives;
    const text = lines.join("\n");
    const template = byText.get(text) ?? freeName("adopted", new Set(directives.keys()));
    byText.set(text, template);
    directives.set(template, lines);
    byImage.set(id, template);
  }
  return { byImage, directives };
}

/** What a source leaves out does not matter to the instructions. */
function withoutIgnore(manifest: ProposedManifest): ProposedManifest {
  return manifest.source === null ? manifest : { ...manifest, source: { ...manifest.source, ignore: [] } };
}

/** Stitches each manifest and compares it with its original. Those that cannot be stitched are left out. */
function proveAll(
  manifests: readonly ProposedManifest[],
  images: ReadonlyMap<string, Image>,
  documents: Readonly<Record<string, string>>,
): { proof: Proof[]; failed: NotCarried[] } {
  const folder = makeFolderIn(tmpdir(), "factory-adopt-");
  try {
    // What a source holds does not matter to the instructions.
    const sources = new Set(manifests.flatMap(({ source }) => source?.path ?? []));
    const folders = [...sources].map((path): [string, NewFile] => [
      path === "." ? "keep" : `${path}/keep`,
      "",
    ]);
    writeWorkspace(`${folder}/workspace`, { ...documents, ...Object.fromEntries(folders) }, { keep: false });
    const catalog = openCatalog(`${folder}/workspace`);
    const proof: Proof[] = [];
    const failed: NotCarried[] = [];
    for (const { id, dockerfile, platform, source } of manifests) {
      const image = images.get(id);
      if (!image) continue;
      try {
        const text = stitch(catalog, id).unlabelled;
        const differences = differencesOf(
          { read: image.outline.original, terms: { platform, context: null } },
          {
            read: parseOriginal(dockerfile, text),
            terms: { platform, context: source === null || source.path === "." ? null : source.path },
          },
        );
        proof.push({ dockerfile, manifest_id: id, same: differences.length === 0, differences });
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        const [first] = error.findings ?? [];
        const why = `${first?.what ?? error.message} (${first?.code ?? error.code})`;
        failed.push({ file: dockerfile, line: 1, what: "the whole Dockerfile", why });
      }
    }
    return { proof, failed };
  } finally {
    removeTree(folder);
  }
}

/**
 * Makes a workspace of Dockerfiles, and compares each with what the workspace stitches in its place.
 * @throws FactoryError FILE_*, DOCKERFILE_INVALID, WORKSPACE_EXISTS, WRITE_FAILED; then nothing was written
 */
export function adopt(wanted: Wanted): Adopted {
  const images = readAll(wanted);
  const byId = new Map(images.map((one) => [one.id, one]));
  const { fragments, steps } = proposeAll(new Map(images.map(({ id, outline }) => [id, outline])));
  const { byImage: templates, directives } = templatesOf(images);
  const notCarried = images.flatMap(({ outline }) => outline.notCarried);
  const notes: string[] = [];
  const paths = new Map<string, { path: string; line: number }[]>();
  for (const { id, file } of images) {
    for (const { step, problem, open, paths: own } of steps.get(id) ?? []) {
      const { line } = step.instruction;
      const what = step.written.line.trim().slice(0, 100);
      if (problem !== undefined) notCarried.push({ file, line, what, why: problem });
      else {
        if (open !== undefined) notes.push(`${file}:${line}: ${open}: its fragment says \`reuse: never\``);
        paths.set(id, [...(paths.get(id) ?? []), ...own.map((path) => ({ path, line }))]);
      }
    }
  }
  const sources = sourcesOf(images, paths, wanted.out);
  notCarried.push(...sources.notCarried);
  let manifests = images.map(({ id, file, outline }): ProposedManifest => {
    return {
      id,
      dockerfile: file,
      template: templates.get(id) ?? "adopted",
      base: outline.image.image,
      platform: outline.platform,
      fragments: fragments.get(id) ?? [],
      source: sources.byImage.get(id) ?? null,
    };
  });
  const { proof, failed } = proveAll(manifests, byId, documentsOf(manifests.map(withoutIgnore), directives));
  notCarried.push(...failed);
  manifests = manifests.filter(({ id }) => proof.some((one) => one.manifest_id === id));
  const kept = new Set(manifests.flatMap(({ source }) => source?.path ?? []));
  const copied = Object.entries(sources.files).filter(([path]) =>
    kept.has(path.split("/").slice(0, 2).join("/")),
  );
  const { written } =
    manifests.length === 0
      ? { written: [] }
      : writeWorkspace(
          wanted.out,
          { ...documentsOf(manifests, directives), ...Object.fromEntries(copied) },
          { keep: false },
        );
  const order = new Map(images.map(({ file }, at) => [file, at]));
  return {
    manifests,
    fragments: [...new Set(manifests.flatMap((one) => one.fragments))],
    proof,
    notCarried: notCarried.sort(
      (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line,
    ),
    notes,
    written,
  };
}
