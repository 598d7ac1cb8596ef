import { openBlobFolder } from "../files/blob-folder.ts";
import { openSnapshots } from "../files/snapshot.ts";
import type { Descriptor } from "../handover/descriptors.ts";
import type { Repacked } from "../model/inputs.ts";
import type { RetryPolicy } from "../model/retries.ts";
import { runStages } from "../pipeline/run-stages.ts";
import type { Attempt } from "../pipeline/stage.ts";
import { STAGES } from "../pipeline/table.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { emptyTrail } from "../run/attempt.ts";
import { heldRef, noteHeld, release } from "../run/held.ts";
import { recordOf } from "../run/record.ts";
import type { RunDeps } from "../run/types.ts";
import { toolVersions } from "../run/work.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { giveImage } from "./give-image.ts";

export interface ProveDeps extends Omit<RunDeps, "onEvent" | "folder"> {
  /** The workspace. */
  root: string;
  relative: (path: string) => string;
  retries: RetryPolicy;
  signal: AbortSignal;
  /** Versions of Factory and of the program that repacked. */
  versions: Record<string, string>;
  /** This work's own folder, absolute. */
  folderOfWork: string;
  /** A line for people. */
  say: (text: string) => void;
}

/** A name on the loopback, from which no pull can come: the engine holds the image by it until it is proven. */
const HELD = "localhost/factory-repack:held";

/** What of the original's evidence says how its files were made. */
const TAKEN_OVER = ["dockerfile", "bake_file", "build_log", "buildkit_provenance", "source_files"] as const;

/** The stages that an image in other layers goes through. */
const OWN = STAGES.filter(
  ({ part, name }) => part === "proof" || part === "delivery" || name === "provenance",
);

/**
 * Has the engine take a repacked image, tests it, takes its inventory, gives it its tag where it passes, and records all that.
 * @throws FactoryError ENGINE_*, WRITE_FAILED, INTERRUPTED
 */
export async function proveRepacked(
  planned: PlannedCell,
  about: {
    image: Descriptor;
    layout: string;
    original: FactoryRecord;
    tie: Repacked;
    /** The share of packed bytes that it saves. */
    saving: number;
    start: Date;
    push: boolean;
  },
  deps: ProveDeps,
): Promise<FactoryRecord> {
  const { image, layout, original, tie, saving, start, push } = about;
  const { root, signal, docker, clock, folderOfWork, say } = deps;
  const { digest } = image;
  const { manifest_id, platform, cell_id } = planned.cell;
  const begun = clock.now() - (clock.date().getTime() - start.getTime());
  const held = heldRef(HELD, clock.date(), deps.randomHex());
  const trail = emptyTrail();
  for (const kind of TAKEN_OVER) {
    const one = original.evidence[kind];
    if (one) trail.evidence[kind] = one;
  }
  const inputs = `${JSON.stringify(planned.inputs, null, 2)}\n`;
  trail.evidence.inputs = await deps.store.keep(manifest_id, inputs, "application/json");
  trail.notes.push(`the files of ${original.record_id} in other layers, by ${tie.with}`);
  noteHeld(root, held, deps.lease);
  try {
    await giveImage(image, held, { blobs: openBlobFolder(layout), docker, signal });
    const tools = toolVersions(deps.versions, deps.buildx);
    const source = await deps.source();
    const settings = {
      root,
      relative: deps.relative,
      cache: null,
      snapshots: openSnapshots(root, folderOfWork, signal),
      push,
      retries: deps.retries,
      tools,
      source,
    };
    const attempt: Attempt = {
      planned,
      base: undefined,
      origin: null,
      folder: folderOfWork,
      held,
      settings,
      trail,
      prefixes: [],
      image: {
        held,
        digest,
        manifest_digest: digest,
        inspected: docker.inspectImage(digest, { platform, signal }),
        built: { started: start, finished: clock.date() },
        layout,
      },
      tagged: false,
      filesOf: original.record_id,
    };
    const wanted = OWN.filter((stage) => stage.wanted?.(settings) ?? true);
    // The layers are not those of the cell: no later build has them.
    await runStages(
      wanted,
      attempt,
      { ...deps, layers: null },
      {
        emit: (event) => {
          if (event.type === "note") say(event.text);
        },
        signal,
      },
    );
    const draft = recordOf(planned, trail, {
      plan_id: original.plan_id,
      start,
      duration_ms: Math.round(clock.now() - begun),
      tools: await tools,
      source,
    });
    const { status } = draft.result;
    const result = { ...draft.result, expected: status === "pass" };
    const record = await deps.store.put({ ...draft, repacked: tie, saving, result }, start);
    if (trail.bug !== undefined) throw trail.bug as Error;
    if (status !== "pass") say(`${cell_id}: ${trail.failure?.what ?? "the repacked image did not pass"}`);
    return record;
  } finally {
    await release(root, docker, held);
  }
}
