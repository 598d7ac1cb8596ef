import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { grouped } from "../model/count.ts";
import type { OtherLayers } from "../model/other-layers.ts";
import type { Attempts, Inputs } from "./decide/attempts.ts";
import type { Places } from "./decide/placement.ts";
import { type ImageOn, openImages } from "./bases.ts";
import { type Planned, type PlannedCell, withCell } from "./cell.ts";
import { decide } from "./decide/decide.ts";
import { decideLayers } from "./decide/decide-layers.ts";
import type { DecideOptions } from "./decide/ruling.ts";
import { askedLayers, minSavingFor } from "./asked-layers.ts";
import { expand } from "./expand.ts";
import { mergePlans } from "./graph.ts";
import { withAncestors, withCauses, withDescendants, withNeeded, withParents } from "./family.ts";
import { affectedByFiles, affectedSince } from "./decide/impact.ts";
import { knowsDigests } from "../stitch/labels.ts";
import { pinsOf } from "./lock/pins.ts";
import { selectCells } from "./select.ts";
import type { Given, PlanRequest } from "./space.ts";

/** What the planner is asked. */
export interface Question {
  requests: readonly PlanRequest[];
  /** Versions and digests come from factory.lock only. */
  locked: boolean;
  /** Records are asked what is proven. */
  reuse: boolean;
  /** Nothing is reused, whatever the records prove. */
  force: boolean;
  /** Whether an image has to have been pushed to count as proven. */
  needPushed: boolean;
  /** Whether nothing is going to be made: then any proof of other layers will do, whatever version of a program made them. */
  onlyProven?: boolean;
  /** Only cells that differ from what they are at the merge base with this commit. */
  since?: string;
  /** Only cells that read one of these paths. */
  changedFiles?: readonly string[];
  /** Only these cells; empty for all. */
  cells: readonly string[];
  /** Whether the cells were chosen without records: then these decide about them, and choose no others in their place. */
  chosen?: boolean;
}

/** What the planner asks of the world. Nothing here is called unless the question needs it. */
export interface Answers {
  /** Milliseconds since 1970. */
  now: number;
  /** Values that the environment passes to every build, such as SOURCE_DATE_EPOCH. */
  environment?: Readonly<Record<string, string>>;
  /** The digests that the builder resolves images to, by `<ref> <platform>`, without those that cannot be pinned. */
  baseDigests: (images: readonly ImageOn[]) => Promise<ReadonlyMap<string, string>>;
  attempts: (manifestIds: readonly string[]) => Promise<Attempts>;
  /**
   * Brings what other machines know of these cells to the records here. @returns whether there was anything
   * @throws FactoryError if that cannot be known
   */
  fetchRecords?: (
    cells: readonly { verdict_key: string; build_key: string; repack?: OtherLayers | undefined }[],
  ) => Promise<boolean>;
  /** The version of docker-repack here; null where it is not installed. */
  dockerRepackVersion?: () => Promise<string | null>;
  /** Where the images that records prove are. */
  places: Places;
  /** The workspace at the merge base with a commit; `unknown` says why there is none. */
  workspaceAt: (ref: string) => Promise<{ catalog: OpenCatalog; remove: () => void } | { unknown: string }>;
  /** Whether a path, from the workspace's root, exists. */
  exists: (path: string) => boolean;
  /** A line for people. */
  note: (text: string) => void;
}

/** How many of a manifest's newest passing attempts are checked for still proving a cell. */
const PROVEN_READ = 2000;

function manifestOf(catalog: OpenCatalog, request: PlanRequest): string {
  return "planId" in request ? catalog.plan(request.planId).document.manifest_id : request.manifestId;
}

/** The cells of all requests, and those that they start from, as one graph. */
function wholeOf(catalog: OpenCatalog, requests: readonly PlanRequest[], given: Given): Planned {
  return withAncestors(
    catalog,
    mergePlans(
      requests.map((request) => expand(catalog, request, given)),
      catalog.fragmentScheme,
    ),
    given,
  );
}

/** Inputs of the newest passing attempts at cells of a manifest, one per verdict key. */
async function provenInputs(attempts: Attempts, manifestId: string): Promise<Inputs[]> {
  const keys = new Set<string>();
  const inputs: Inputs[] = [];
  for (const attempt of attempts.ofManifest(manifestId)) {
    if (attempt.status !== "pass" || keys.has(attempt.verdict_key)) continue;
    if (keys.size >= PROVEN_READ) break;
    keys.add(attempt.verdict_key);
    inputs.push(await attempts.read(attempt));
  }
  return inputs;
}

/** The cells that differ from what they were, or all cells if that cannot be determined. */
async function since(
  planned: Planned,
  question: Question & { since: string },
  given: Given,
  answers: Answers,
): Promise<Planned> {
  const at = await answers.workspaceAt(question.since);
  if ("unknown" in at) {
    answers.note(`warning: ${at.unknown}, so everything is planned`);
    return planned;
  }
  try {
    const before: PlannedCell[] = [];
    for (const request of question.requests) {
      try {
        const ids = withParents(at.catalog, [manifestOf(at.catalog, request)]);
        const own = question.locked ? pinsOf(at.catalog, ids) : {};
        const then = { ...given, ...own, proven: undefined };
        before.push(...wholeOf(at.catalog, [request], then).cells);
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        const name = "planId" in request ? request.planId : request.manifestId;
        answers.note(
          `warning: at ${question.since} ${name} cannot be planned (${error.message}), so all of it is planned now`,
        );
      }
    }
    return { ...planned, cells: withCauses(affectedSince(planned.cells, before)) };
  } finally {
    at.remove();
  }
}

/**
 * Plans: expands the request to one graph of cells, keeps those that a change touches, and asks the records what is
 * proven.
 * @throws FactoryError with findings about the plans, the lock and the records that would be relied on
 */
export async function planCells(
  catalog: OpenCatalog,
  question: Question,
  answers: Answers,
): Promise<Planned> {
  const { requests, locked, reuse, force } = question;
  const today = new Date(answers.now).toISOString().slice(0, 10);
  const asked = [...new Set(requests.map((request) => manifestOf(catalog, request)))].sort(compareText);
  const manifestIds = withParents(catalog, asked);
  let given: Given = {
    today,
    environment: answers.environment,
    ...(locked ? pinsOf(catalog, manifestIds) : {}),
  };
  let attempts = reuse && !force ? await answers.attempts(manifestIds) : null;
  if (attempts && !given.digestOf) {
    // The images that are read are known once the cells are.
    const { cells } = wholeOf(catalog, requests, given);
    const digests = await answers.baseDigests(openImages(cells));
    given = { ...given, digestOf: (ref, platform) => digests.get(`${ref} ${platform}`) ?? null };
  }
  if (attempts) {
    const chooses = requests.some((request) => {
      const strategy = "planId" in request ? catalog.plan(request.planId).document.strategy : "all";
      return strategy !== undefined && strategy !== "all";
    });
    const known = new Map<string, Inputs[]>();
    if (chooses && !question.chosen) for (const id of asked) known.set(id, await provenInputs(attempts, id));
    given = { ...given, proven: (manifestId) => known.get(manifestId) ?? [] };
  }
  const whole = selectCells(wholeOf(catalog, requests, given), question.cells);
  let planned = whole;
  if (question.since !== undefined)
    planned = await since(planned, { ...question, since: question.since }, given, answers);
  if (question.changedFiles) {
    const changed = affectedByFiles(planned.cells, {
      catalog,
      changed: question.changedFiles,
      exists: answers.exists,
      inputsOfFiles: ({ render }) => render().files.map(({ path }) => path),
      sourcesOf: ({ render }) => render().contents,
    });
    planned = { ...planned, cells: withCauses(withDescendants(changed, whole.cells)) };
  }
  planned = { ...planned, cells: withNeeded(catalog, planned.cells, whole.cells) };
  // What was left out, and how much the cells cover, belongs to the whole plan.
  if (question.since !== undefined || question.changedFiles)
    planned = { ...planned, left_out: [], coverage: {} };
  const layers = askedLayers(
    catalog,
    planned.cells.map(({ cell }) => cell),
  );
  const layersOf = ({ cell }: PlannedCell) => layers.get(cell.cell_id);
  if (!attempts) {
    const cells = force ? planned.cells.map((one) => withCell(one, { reason: "FORCED" })) : planned.cells;
    return { ...planned, cells: await decideLayers(cells, layersOf, null) };
  }
  const asking = planned.cells
    .filter(({ cell }) => knowsDigests(cell.images))
    .map(({ cell: { cell_id, verdict_key, build_key } }) => {
      return { verdict_key, build_key, repack: layers.get(cell_id) };
    });
  if (asking.length > 0 && (await answers.fetchRecords?.(asking)))
    attempts = await answers.attempts(manifestIds);
  const options: DecideOptions = {
    attempts,
    now: answers.now,
    maxAge: ({ maxAge }) => maxAge,
    needPushed: question.needPushed,
    places: answers.places,
  };
  const cells = await decide(planned.cells, options);
  const unseen = cells.filter(({ cell }) => cell.seen === "unasked").length;
  if (unseen > 0)
    answers.note(
      `${grouped(unseen)} ${unseen === 1 ? "cell is" : "cells are"} proven by the record alone: no engine or registry could be asked for the image`,
    );
  const ahead = cells.filter(({ cell }) => cell.changes[0]?.input === "clock");
  const [first] = ahead;
  if (first)
    answers.note(
      `warning: ${ahead.length === 1 ? "the proof" : `the proofs of ${ahead.length} cells, such as that`} of ${first.cell.cell_id} (${first.cell.record_id}, tested ${first.cell.changes[0]?.before}) ${ahead.length === 1 ? "is" : "are"} from the future by this machine's clock, so not reused: check the clock`,
    );
  return {
    ...planned,
    cells: await decideLayers(cells, layersOf, {
      ...options,
      version: question.onlyProven ? "any" : (answers.dockerRepackVersion ?? (() => Promise.resolve(null))),
      minSaving: (manifestId) => minSavingFor(catalog, manifestId),
      note: answers.note,
    }),
  };
}
