import { FactoryError } from "../errors.ts";
import { STAGES } from "../pipeline/table.ts";
import type { StoredRecord } from "../records/stored-record.ts";
import { parseJson } from "../sbom/loose-json.ts";
import type { Evidence } from "../schemas/types.ts";
import { type BomRow, bomRows } from "./bom-rows.ts";
import type { FactChanges } from "./fact-changes.ts";
import { factChanges } from "./fact-changes.ts";
import { factsOf } from "./record-facts.ts";
import { layerSizes, type LayerSize } from "./layer-sizes.ts";
import { type LogStep, readLog } from "./log-steps.ts";
import type { SiteModel } from "./site-model.ts";
import type { ReadRecord, SiteEntry } from "./site-store.ts";
import { stageTimes, type StageTime } from "./stage-times.ts";

/** A piece of evidence, and why it cannot be shown; null if it can. */
export interface ViewedEvidence {
  kind: string;
  piece: Evidence;
  lost: string | null;
}

export interface ViewedTest {
  id: string;
  status: "pass" | "fail" | "error" | "skipped";
  duration_ms: number;
  loosened: readonly string[];
  /** Empty if the report does not say. */
  expected: string;
  actual: string;
}

/** All that the page of a record shows. */
export interface RecordView {
  entry: SiteEntry;
  record: StoredRecord;
  times: StageTime[];
  tests: ViewedTest[];
  evidence: ViewedEvidence[];
  /** Without their output. */
  steps: Omit<LogStep, "rows">[];
  layers: LayerSize[] | null;
  /** Packages by fragment; null without an SBOM. */
  packages: { owner: string; count: number }[] | null;
  /** The record of this cell before this one, and what differs from it. */
  before: { entry: SiteEntry; changes: FactChanges } | null;
  /** Why the record is not to be believed; null if nothing is known against it. */
  doubt: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** Bytes of evidence. @throws FactoryError EVIDENCE_LOST */
export function evidenceBytes({ whole }: ReadRecord, piece: Evidence): Buffer {
  if (whole) return whole.evidence(piece);
  throw new FactoryError("EVIDENCE_LOST", "evidence of records of the first form is not read");
}

/** The pieces of a record's evidence by kind, sorted. */
export function piecesOf({ evidence }: StoredRecord): [kind: string, piece: Evidence][] {
  return (Object.entries(evidence) as [string, Evidence | undefined][])
    .flatMap(([kind, piece]): [string, Evidence][] => (piece ? [[kind, piece]] : []))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Evidence that is larger is linked, and not read for the page of a record. */
const MOST_READ = 64 << 20;

function testsOf({ tests }: StoredRecord, report: unknown): ViewedTest[] {
  const told = (report as Fields | null)?.tests;
  const byId = new Map(
    (Array.isArray(told) ? (told as Fields[]) : []).map((one) => [String(one?.id), one] as const),
  );
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return tests.map((test): ViewedTest => {
    const { expected, actual } = byId.get(test.id) ?? {};
    const loosened = ("loosened" in test ? test.loosened : undefined) ?? [];
    return { ...test, loosened, expected: text(expected), actual: text(actual) };
  });
}

function packagesBy(rows: readonly BomRow[]): { owner: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const [, , , fragment] of rows) counts.set(fragment, (counts.get(fragment) ?? 0) + 1);
  return [...counts].map(([owner, count]) => ({ owner, count })).sort((a, b) => b.count - a.count);
}

/** The record of the same cell before one; repacked images are other ones. */
function entryBefore({ cells }: SiteModel, entry: SiteEntry): SiteEntry | null {
  const all = cells.get(entry.cell)?.entries ?? [];
  return (
    all.slice(all.findIndex(({ id }) => id === entry.id) + 1).find(({ action }) => action !== "repack") ??
    null
  );
}

/** What the page of a record shows; null if it cannot be read any more. */
export async function recordView(model: SiteModel, id: string): Promise<RecordView | null> {
  const entry = model.store.byId.get(id);
  const read = entry && (await model.store.read(id));
  if (!entry || !read) return null;
  const { record } = read;
  const texts = new Map<string, string>();
  let log: Buffer | undefined;
  const evidence = piecesOf(record).map(([kind, piece]): ViewedEvidence => {
    try {
      if (piece.bytes > MOST_READ && kind !== "build_log") return { kind, piece, lost: null };
      const bytes = evidenceBytes(read, piece);
      if (kind === "build_log") log = bytes;
      else if (["smoke_report", "sbom", "buildkit_provenance", "dockerfile"].includes(kind))
        texts.set(kind, bytes.toString("utf8"));
      return { kind, piece, lost: null };
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      return { kind, piece, lost: error.message };
    }
  });
  const rows = texts.has("sbom") ? bomRows(texts.get("sbom") ?? "") : null;
  const dockerfile = texts.get("dockerfile");
  const layers =
    record.image && dockerfile !== undefined
      ? layerSizes(parseJson(texts.get("buildkit_provenance") ?? ""), record.image.layers, {
          dockerfile,
          fragments: record.fragments,
        })
      : null;
  const earlier = entryBefore(model, entry);
  const other = earlier && (await model.store.read(earlier.id));
  const steps = log ? readLog(log).steps : [];
  return {
    entry,
    record,
    times: stageTimes(record.result.stages_ms, STAGES),
    tests: testsOf(record, parseJson(texts.get("smoke_report") ?? "")),
    evidence,
    steps: steps
      .filter(({ number }) => number !== null)
      .map(({ number, name, state, seconds, line }) => ({ number, name, state, seconds, line })),
    layers,
    packages: rows && packagesBy(rows),
    before:
      earlier && other
        ? { entry: earlier, changes: factChanges(factsOf(other.record), factsOf(record)) }
        : null,
    doubt: entry.edited
      ? "Its contents do not have the hash in its id: it was edited after it was written."
      : entry.old
        ? "It has the first form: its evidence proves nothing."
        : null,
  };
}
