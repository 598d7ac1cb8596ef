import { FactoryError } from "../errors.ts";
import type { Emit } from "../model/event.ts";
import type { Attempt, Stage } from "../pipeline/stage.ts";
import { parseReference } from "../model/subject.ts";
import type { PlannedCell } from "../plan/cell.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { BUILD_KEY_LABEL } from "../stitch/labels.ts";
import type { ImageInspect } from "../tools/docker.ts";
import type { RunDeps } from "./types.ts";

/** The record behind a cell whose bits are known, where they can be had. */
export interface Known {
  record: FactoryRecord;
  /** null for one that only its registry has, and that is not needed here. */
  inspected: ImageInspect | null;
}

/** The name by which a registry has an image of a record; null if it was not pushed. */
function pushedAs({ image }: FactoryRecord): string | null {
  return image?.pushed ? `${parseReference(image.ref).repository}@${image.digest}` : null;
}

/** Fetches an image that was pushed, by its digest. @returns whether the engine has it now */
async function fetched(
  name: string,
  platform: string,
  { docker }: Pick<RunDeps, "docker">,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return (await docker.pull(name, { platform, signal })) === undefined;
}

/**
 * The image of the record that a cell was compared with, by its digest and with the cell's build key in its label: in the
 * engine, or else from the registry that it was pushed to. null where neither has it: then the cell is built.
 * @param about `mayStay`: the image need not come to the engine where its registry has it
 * @throws FactoryError UNKNOWN_RECORD, RECORD_UNREADABLE, ENGINE_UNREACHABLE
 */
export async function knownImage(
  { cell, keys }: PlannedCell,
  deps: Pick<RunDeps, "docker" | "store">,
  { emit, signal, mayStay = false }: { emit: Emit; signal: AbortSignal | undefined; mayStay?: boolean },
): Promise<Known | null> {
  const record = cell.record_id === null ? null : await deps.store.get(cell.record_id);
  if (record?.schema_version !== 2 || !record.image || record.build_key !== keys.build_key) return null;
  const { platform, cell_id } = cell;
  const { digest } = record.image;
  const note = (text: string) => emit({ type: "note", level: "note", cell_id, text: `${cell_id}: ${text}` });
  const name = pushedAs(record);
  for (const from of ["engine", "registry"] as const) {
    try {
      if (from === "registry") {
        if (name !== null && mayStay) return { record, inspected: null };
        if (name === null || !(await fetched(name, platform, deps, signal))) break;
        note(`fetched ${name}, which ${record.record_id} built`);
      }
      const inspected = await deps.docker.inspectImage(digest, { platform, signal });
      if (inspected.Config?.Labels?.[BUILD_KEY_LABEL] === keys.build_key) return { record, inspected };
      break;
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code !== "IMAGE_NOT_FOUND") throw error;
    }
  }
  note(`the engine no longer has the image of ${record.record_id}, so it is built again`);
  return null;
}

/** For an image that is not in the engine: no stage that is run asks it. */
function notHere(digest: string): Promise<never> {
  const asked = Promise.reject(new Error(`${digest} is in its registry alone`));
  asked.catch(() => undefined);
  return asked;
}

/**
 * Has an attempt start from a known image: it is held, and what the stages that are not run left is taken over.
 * @param takenOver stages that are not run
 * @throws FactoryError IMAGE_NOT_FOUND where the engine lost it since it was looked for
 */
export async function takeKnown(
  attempt: Attempt,
  { record, inspected }: Known,
  takenOver: readonly Stage[],
  deps: Pick<RunDeps, "docker">,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { trail, held, planned } = attempt;
  if (!record.image) throw new Error(`the record ${record.record_id} has no image`);
  const { digest, manifest_digest } = record.image;
  if (inspected) await deps.docker.tagImage(digest, held, { signal });
  attempt.image = inspected
    ? { held, digest, manifest_digest, inspected: Promise.resolve(inspected), built: null }
    : { held, digest, manifest_digest, inspected: notHere(digest), built: null, isAway: true };
  for (const { evidence, mayLeave } of takenOver)
    for (const kind of Object.keys({ ...evidence, ...mayLeave })) {
      const one = record.evidence[kind];
      if (one) trail.evidence[kind] = one;
    }
  if (takenOver.some(({ part }) => part === "proof")) {
    trail.image = { ...record.image, ref: planned.cell.tags[0] ?? "", pushed: false };
    trail.tests = record.tests;
    trail.notes.push(`proven by ${record.record_id}: only its tag was set, no test was run again`);
  } else trail.notes.push(`built by ${record.record_id}: tested again`);
}
