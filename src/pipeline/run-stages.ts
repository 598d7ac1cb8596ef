import { FactoryError } from "../errors.ts";
import type { Emit } from "../model/event.ts";
import { type Attempt, type Failure, LOG_TAIL, type Stage, type StageDeps, type Work } from "./stage.ts";

/** Classes of failures that any stage can have. */
export const EVERYWHERE = { interrupted: "error", environment: "error", unknown: "error" } as const;

/** How a stage came out. `stopped`: an earlier one failed meanwhile. */
type Ended = { status: "pass" | "stopped" } | { status: "failed"; failure: Failure; error?: unknown };

/** The failure of a stage that threw an error. */
function failureOf(error: unknown, log_excerpt: string[]): Failure {
  const what = error instanceof Error ? error.message : JSON.stringify(error);
  if (!(error instanceof FactoryError))
    return { status: "error", class: "unknown", what: `a bug in Factory: ${what}`, log_excerpt };
  const name = error.code === "INTERRUPTED" ? "interrupted" : "environment";
  return { status: "error", class: name, what, log_excerpt };
}

/** @throws where a stage gives a class that it does not declare, or another fault than it declares */
function checkFailure(stage: Stage, failure: Failure): Failure {
  const declared = { ...EVERYWHERE, ...stage.classes };
  const fault = Object.hasOwn(declared, failure.class)
    ? declared[failure.class as keyof typeof declared]
    : undefined;
  if (fault === failure.status) return failure;
  throw new Error(
    `the stage ${stage.name} failed with the class ${failure.class} (${failure.status}), which it ${fault ? `declares as ${fault}` : "does not declare"}`,
  );
}

/**
 * Runs stages: each as soon as those that it needs have passed. Where one fails, those after it in the table that are
 * under way are stopped, and none of them starts any more; those before it go on to their end. So the verdict is that of the
 * first that fails in the order of the table, however they raced.
 * @param stages those that are to be run; one that is needed and not among them counts as passed
 * @param signal ends the stages that are under way
 * @throws FactoryError WRITE_FAILED: that something could not be kept says nothing about the cell
 */
export async function runStages(
  stages: readonly Stage[],
  attempt: Attempt,
  deps: StageDeps,
  { emit, signal }: { emit: Emit; signal: AbortSignal | undefined },
): Promise<void> {
  const { trail } = attempt;
  const { mask } = deps.secrets;
  const { cell_id, manifest_id } = attempt.planned.cell;
  const controllers = stages.map(() => new AbortController());
  let failedAt = stages.length;

  const runOne = async (stage: Stage, at: number): Promise<Ended> => {
    const controller = controllers[at] ?? new AbortController();
    const kept: string[] = [];
    const tail: string[] = [];
    const work: Work = {
      attempt,
      signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
      keep: (kind, data) => {
        const mediaType = stage.evidence[kind] ?? stage.mayLeave?.[kind];
        if (mediaType === undefined) throw new Error(`the stage ${stage.name} declares no evidence ${kind}`);
        const safe = typeof data === "string" && !stage.exact?.includes(kind) ? mask(data) : data;
        return deps.store.keep(manifest_id, safe, mediaType).then((evidence) => {
          trail.evidence[kind] = evidence;
          kept.push(kind);
        });
      },
      progress: (progress) => emit({ type: "progress", cell_id, stage: stage.name, ...progress }),
      part: ({ started, ...part }) =>
        emit({
          type: "part-ended",
          cell_id,
          stage: stage.name,
          ...part,
          part: mask(part.part),
          started_at: new Date(started).toISOString(),
        }),
      log: (line) => {
        tail.push(line);
        if (tail.length > LOG_TAIL) tail.shift();
        emit({ type: "log", cell_id, stage: stage.name, line });
      },
      warn: (text) => emit({ type: "note", level: "warning", cell_id, text }),
    };
    emit({ type: "stage-started", cell_id, stage: stage.name });
    const start = deps.clock.now();
    let ended: Ended;
    try {
      if (signal?.aborted) throw new FactoryError("INTERRUPTED", `interrupted before ${stage.name}`);
      const failure = await stage.run(work, deps);
      ended = failure ? { status: "failed", failure: checkFailure(stage, failure) } : { status: "pass" };
    } catch (error) {
      ended = { status: "failed", failure: failureOf(error, tail), error };
    }
    if (controller.signal.aborted && ended.status === "failed") ended = { status: "stopped" };
    if (ended.status === "failed" && at < failedAt) {
      failedAt = at;
      for (const later of controllers.slice(at + 1)) later.abort();
    }
    const duration_ms = Math.round(deps.clock.now() - start);
    trail.stages_ms[stage.name] = duration_ms;
    const failure = ended.status === "failed" ? ended.failure : null;
    emit({
      type: "stage-ended",
      cell_id,
      stage: stage.name,
      status: ended.status === "failed" ? ended.failure.status : ended.status,
      class: failure?.class ?? null,
      duration_ms,
      evidence: kept,
    });
    return ended;
  };

  const ends = new Map<string, Promise<Ended | null>>();
  const all = stages.map((stage, at) => {
    const passed = Promise.resolve<Ended | null>({ status: "pass" });
    const needed = (stage.needs === "all" ? [...ends.keys()] : stage.needs).map(
      (name) => ends.get(name) ?? passed,
    );
    const end = Promise.all(needed).then((before) =>
      at < failedAt && before.every((one) => one?.status === "pass") ? runOne(stage, at) : null,
    );
    ends.set(stage.name, end);
    return end;
  });
  const outcomes = await Promise.all(all);

  trail.stage = "done";
  outcomes.forEach((ended, at) => {
    if (ended?.status !== "failed") return;
    if (at === failedAt) {
      trail.stage = stages[at]?.name ?? "";
      trail.failure = ended.failure;
    }
    if (ended.error !== undefined && !(ended.error instanceof FactoryError)) trail.bug ??= ended.error;
  });
  const unkept = outcomes.find(
    (ended) =>
      ended?.status === "failed" &&
      ended.error instanceof FactoryError &&
      ended.error.code === "WRITE_FAILED",
  );
  if (unkept?.status === "failed") throw unkept.error;
}
