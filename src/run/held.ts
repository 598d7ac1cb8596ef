import { readdirSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { removeTree } from "../files/folders.ts";
import { readRegular } from "../files/read-regular.ts";
import { writeWhole } from "../files/write-whole.ts";
import { parseReference } from "../model/subject.ts";
import { tagOf } from "../plan/cell-names.ts";
import type { Docker } from "../tools/docker.ts";
import type { Lease } from "../tools/lease.ts";

/** Names of the tags that attempts hold their images by, with the time of the attempt. */
const HELD = /^factory-run-([0-9a-z]{1,9})-[0-9a-f]{8,}$/;

/** After so long an image is nobody's whose holder cannot be known. */
const HELD_MS = 24 * 3600 * 1000;

/** Which tags are held, and by whom: a file each, named like the tag, so that no engine has to list all its images for that. */
function folderOf(root: string): string {
  return join(root, ".factory", "held");
}

function withTag(ref: string, tag: string): string {
  return `${parseReference(ref).repository}:${tag}`;
}

/**
 * The tag under which an attempt holds its image until its end: its own, so that no other run and no `docker image prune`
 * takes the image away. It is in the cell's repository, which BuildKit's attestations name.
 * @param ref the cell's tag
 * @param hex at least eight hex digits
 */
export function heldRef(ref: string, now: Date, hex: string): string {
  return withTag(ref, `factory-run-${now.getTime().toString(36)}-${hex}`);
}

/** The tag of an image that was built and not proven: the cell's own goes on naming the last one that was. */
export function failedRef(ref: string): string {
  return withTag(ref, tagOf(`failed-${parseReference(ref).tag}`));
}

/** Writes down that a tag holds an image, and for whom, before it does. @throws FactoryError WRITE_FAILED */
export function noteHeld(root: string, held: string, { owner }: Pick<Lease, "owner">): void {
  writeWhole(join(folderOf(root), parseReference(held).tag), `${held}\n${owner}\n`, false);
}

/** Forgets a tag that no image got, or has any more. */
export function forgetHeld(root: string, held: string): void {
  removeTree(join(folderOf(root), parseReference(held).tag));
}

/** Removes a tag that an attempt held its image by. One that cannot be removed now is swept later. */
export async function release(root: string, docker: Pick<Docker, "removeTag">, held: string): Promise<void> {
  try {
    await docker.removeTag(held);
    forgetHeld(root, held);
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
  }
}

/**
 * Removes the tags that attempts of killed runs left: those of a run that is no more, and after a day those of one of which
 * nothing can be known (another machine that shares the workspace, another PID namespace).
 */
export async function sweepHeld(
  root: string,
  docker: Pick<Docker, "removeTag">,
  { stateOf }: Pick<Lease, "stateOf">,
  now: Date,
): Promise<void> {
  let names: string[];
  try {
    names = readdirSync(folderOf(root));
  } catch {
    return;
  }
  for (const name of names) {
    const [, time] = HELD.exec(name) ?? [];
    if (time === undefined) continue;
    try {
      const note = readRegular(join(folderOf(root), name))?.bytes.toString("utf8") ?? "";
      const [held = "", owner = ""] = note.split("\n");
      const state = stateOf(owner);
      const isOld = now.getTime() - Number.parseInt(time, 36) > HELD_MS;
      const isLeft = state === "dead" || (state === "unknown" && isOld);
      // Nothing but a held tag may go.
      if (isLeft && parseReference(held).tag === name) await release(root, docker, held);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
}
