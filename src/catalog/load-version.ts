import { posix } from "node:path";
import type { Finding } from "../errors.ts";
import type { Documents } from "../schemas/types.ts";
import type { FolderEntry } from "./catalog.ts";
import { findingsOf, loadDocument } from "./document.ts";
import type { Loaded } from "./document.ts";
import { FOLDER_KINDS, type FolderKind } from "./kinds-of-documents.ts";
import { readText, realFolder } from "./read.ts";

/** A fragment or template, as far as it could be read. */
export interface LoadedFolder<T> extends Loaded<T> {
  entry?: FolderEntry<T>;
}

/**
 * The text of a version's Dockerfile.hbs, or the findings that say why it cannot be read.
 * @param shared the file that several versions share, such as `../common.hbs`; undefined for its own
 */
function readDockerfile(
  root: string,
  folder: string,
  shared: string | undefined,
): { real: string; dockerfile: { file: string; text: string }; findings: Finding[] } {
  const file = shared === undefined ? `${folder}/Dockerfile.hbs` : posix.join(folder, shared);
  try {
    const text = readText(root, file);
    return { real: realFolder(root, folder), dockerfile: { file, text }, findings: [] };
  } catch (error) {
    return { real: folder, dockerfile: { file, text: "" }, findings: findingsOf(error) };
  }
}

/**
 * Reads and checks one version of a fragment or template, with its body.
 * @param at the folder of all its versions, and its id in there
 */
export function loadVersion<K extends FolderKind>(
  kind: K,
  root: string,
  at: { folder: string; own: string },
  version: string,
): LoadedFolder<Documents[K]> {
  const folder = `${at.folder}/${version}`;
  const { entry, ...loaded } = loadDocument(kind, root, `${folder}/${kind}.yaml`, {
    [FOLDER_KINDS[kind].field]: at.own,
    version,
  });
  const { real, dockerfile, findings } = readDockerfile(root, folder, loaded.sound.dockerfile);
  if (entry && findings.length === 0) return { ...loaded, entry: { ...entry, folder: real, dockerfile } };
  return { ...loaded, findings: [...loaded.findings, ...findings] };
}
