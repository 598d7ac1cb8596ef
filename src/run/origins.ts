import { FactoryError } from "../errors.ts";
import type { Emit } from "../model/event.ts";
import { parentRef } from "../model/parent.ts";
import type { Origin } from "../pipeline/stage.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { parentCellId } from "../plan/cell-names.ts";
import type { DigestOf } from "../stitch/stitch.ts";
import { forgetHeld, heldRef, noteHeld, release } from "./held.ts";
import type { RunDeps } from "./types.ts";

/** How a cell ended, for those that start from its image. */
export type End =
  /** Its image is there, and proven. */
  | { state: "passed"; digest: string; held: string | null; pushed: string | null }
  /** It has none that is proven. `root` is the cell at the top of the chain that did not pass. */
  | { state: "blocked"; root: string; why: string }
  /** It was not tried, since the run ends. */
  | { state: "skipped" };

/** The images of a run's cells, as long as other cells of the run may start from them. */
export interface Origins {
  /**
   * Gives the digests of the images that are proven by now, by the references that stand for them. It is another function
   * each time: keys are kept by the function that they were computed with.
   */
  digests: () => DigestOf;
  /** Takes over a tag that holds an image, until `done` or `close`. */
  lend: (held: string) => void;
  /** Remembers how a cell ended. */
  ended: (planned: PlannedCell, end: End) => void;
  /** What a cell starts from. @param end of its parent */
  originOf: (planned: PlannedCell, end: End) => Promise<Origin>;
  /** Holds the image that a record proves; null if it is not there any more. @throws FactoryError RECORD_UNREADABLE */
  proven: (planned: PlannedCell, emit: Emit) => Promise<End | null>;
  /** No cell will start from this one any more. */
  done: (end: End) => Promise<void>;
  /** Lets go of everything that is still held. */
  close: () => Promise<void>;
}

/** Why a cell cannot start: the cell at the top of the chain, and its own parent. */
function blockedBy(parent: string, { root, why }: Extract<End, { state: "blocked" }>): string {
  const own = parent === root ? `which did not pass: ${why}` : "which is blocked too";
  return `blocked by ${root}: it starts from the image of ${parent}, ${own}`;
}

/** @param root the workspace, absolute */
export function openOrigins(root: string, deps: RunDeps): Origins {
  const digests = new Map<string, string>();
  const held = new Set<string>();

  const letGo = async (ref: string): Promise<void> => {
    if (!held.delete(ref)) return;
    await release(root, deps.docker, ref);
  };

  /** Holds an image that the engine has; false if it has not. */
  const hold = async (digest: string, ref: string): Promise<boolean> => {
    noteHeld(root, ref, deps.lease);
    try {
      await deps.docker.tagImage(digest, ref);
      held.add(ref);
      return true;
    } catch (error) {
      forgetHeld(root, ref);
      if (error instanceof FactoryError && error.code === "IMAGE_NOT_FOUND") return false;
      throw error;
    }
  };

  return {
    digests: () => {
      const known = new Map(digests);
      return (ref, platform) => known.get(`${ref} ${platform}`) ?? null;
    },

    lend: (ref) => void held.add(ref),

    ended: ({ cell: { cell_id, manifest_id, platform } }, end) => {
      if (end.state !== "passed") return;
      if (cell_id === parentCellId(manifest_id, platform))
        digests.set(`${parentRef(manifest_id)} ${platform}`, end.digest);
    },

    originOf: async ({ cell }, end) => {
      const parent = cell.parent ?? "";
      if (end.state === "blocked") return { blocked: blockedBy(parent, end) };
      if (end.state === "skipped") throw new Error(`${cell.cell_id} starts from what was not tried`);
      const isOwn = (await deps.buildx.driver()) === "docker";
      const ref = isOwn ? (end.held ?? end.pushed) : end.pushed;
      if (ref !== null) return { ref, digest: end.digest };
      return {
        blocked: `the builder cannot read the image of ${parent}, which only the engine has: push it (--push), or use the engine's own builder`,
      };
    },

    proven: async ({ cell }, emit) => {
      const record = cell.record_id === null ? null : await deps.store.get(cell.record_id);
      const image = record?.image ?? null;
      if (!image) return null;
      const ref = heldRef(cell.tags[0] ?? "", deps.clock.date(), deps.randomHex());
      const pushed = cell.seen === "registry" ? (cell.tags[0] ?? null) : null;
      const isHeld = await hold(image.digest, ref);
      if (isHeld || pushed !== null)
        return { state: "passed", digest: image.digest, held: isHeld ? ref : null, pushed };
      const text = `${cell.cell_id}: the engine no longer has the image of ${cell.record_id}, so it is built again`;
      emit({ type: "note", level: "note", cell_id: cell.cell_id, text });
      return null;
    },

    done: async (end) => {
      if (end.state === "passed" && end.held !== null) await letGo(end.held);
    },

    close: async () => {
      for (const ref of [...held]) await letGo(ref);
    },
  };
}
