import { FactoryError } from "../errors.ts";
import { parseReference } from "../model/subject.ts";
import { tagOf } from "../plan/cell.ts";
import type { Docker } from "../tools/docker.ts";

/** Tags that attempts hold their images by, with the time of the attempt. */
const HELD = /:factory-run-([0-9a-z]{1,9})-[0-9a-f]{8,}$/;

/** After so long an attempt that still holds its image was killed. */
const HELD_MS = 24 * 3600 * 1000;

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

/** Removes a tag that an attempt held its image by. One that cannot be removed now is swept later. */
export async function release(docker: Pick<Docker, "removeTag">, held: string): Promise<void> {
  try {
    await docker.removeTag(held);
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
  }
}

/** Removes the tags that attempts of killed runs left. */
export async function sweepHeld(docker: Pick<Docker, "run" | "removeTag">, now: Date): Promise<void> {
  const { stdout } = await docker.run(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
  const old = stdout.split("\n").filter((ref) => {
    const [, time] = HELD.exec(ref) ?? [];
    return time !== undefined && now.getTime() - Number.parseInt(time, 36) > HELD_MS;
  });
  for (const ref of old) await release(docker, ref);
}
