import { FactoryError } from "../errors.ts";
import { listed } from "../files/listing.ts";
import type { Inputs, ReadFile } from "../model/inputs.ts";
import { isListed } from "../model/source-files.ts";
import { annotationsIn } from "../plan/formats/bake-annotations.ts";
import type { RecordStore } from "../records/store.ts";
import type { WholeRecord } from "../records/travel.ts";
import type { Evidence, FactoryRecord, RecordImage } from "../schemas/types.ts";

/** Something that is not there any more. */
export interface Missing {
  what: string;
  why: string;
}

/** A record that says what its image was built from, and nothing that its evidence contradicts. */
export interface Recorded {
  record: FactoryRecord & { image: RecordImage };
  inputs: Inputs;
  /** All files that the build read, and those of its sources. */
  files: ReadFile[];
  /** What its manifest is annotated with, as it was asked of bake. */
  annotations: Record<string, string>;
  /** Its SBOM, and BuildKit's provenance; null where they are gone. */
  sbom: unknown;
  buildkit: unknown;
  /** Evidence that is gone. */
  missing: Missing[];
}

function impossible(recordId: string, what: string, fix: string): FactoryError {
  return new FactoryError("RECORD_INCOMPLETE", `the record ${recordId} cannot be reproduced: ${what}`, {
    fix,
  });
}

const RESTORE = "restore it from version control, from the CI artifact, or with `factory records pull`";

/** The files of a record's sources. @throws FactoryError RECORD_INCOMPLETE if it only has their hash */
function filesOf(recordId: string, inputs: Inputs, evidence: Buffer | null): ReadFile[] {
  const { sources = [] } = inputs;
  if (sources.length === 0) return inputs.files;
  if (!evidence) {
    const why = isListed(sources)
      ? "its evidence source_files is gone"
      : "its sources have so many files that it has only the hash of their listing";
    throw impossible(recordId, why, isListed(sources) ? RESTORE : "build that commit with `factory run`");
  }
  const lines = evidence.toString("utf8").split(/(?<=\n)/);
  const files = [...inputs.files];
  for (const { path, entries } of sources) {
    const [, ...listing] = lines.splice(0, entries + 1);
    for (const file of listed(path, { pieces: [Buffer.from(listing.join(""))] })) {
      // The workspace itself is there.
      if (file.path !== "./") files.push(file);
    }
  }
  return files;
}

/**
 * Reads a record and checks it against all of its evidence, before anything relies on it.
 * @throws FactoryError UNKNOWN_RECORD; EVIDENCE_MISMATCH if anything was changed; RECORD_INCOMPLETE if it does not say enough
 */
export async function readRecorded(
  recordId: string,
  store: Pick<RecordStore, "get" | "verify" | "all">,
  signal: AbortSignal,
): Promise<Recorded> {
  const { manifest_id, schema_version, image } = await store.get(recordId);
  if (schema_version === 1)
    throw impossible(recordId, "records of its form hold no inputs", "run the cell again with `factory run`");
  const { problems } = await store.verify({ recordId, signal });
  const isGone = ({ code }: { code: string }) => code === "EVIDENCE_GONE";
  const gone = new Set(problems.filter(isGone).map(({ evidence }) => evidence));
  // What follows from evidence that is gone, and says nothing else.
  const follows = ({ code }: { code: string }) =>
    (code === "TESTS_MISMATCH" && gone.has("smoke_report")) ||
    (code === "EVIDENCE_REQUIRED" && gone.has("source_files"));
  const wrong = problems.filter((one) => !isGone(one) && !follows(one));
  if (wrong.length > 0)
    throw new FactoryError(
      "EVIDENCE_MISMATCH",
      `the record ${recordId} is not what was recorded, so nothing was built: ${wrong[0]?.what}${wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : ""}`,
      { fix: `see \`factory records verify ${recordId}\`` },
    );
  const all = await store.all(manifest_id);
  const whole = await all.find(({ record_id }) => record_id === recordId)?.read();
  if (!whole) throw impossible(recordId, "it is gone", RESTORE);
  if (!image) {
    const { stage, class: cause } = whole.record.result;
    throw impossible(
      recordId,
      `it has no image: it ended in ${stage} (${cause})`,
      "name a record with an image",
    );
  }
  const { repacked } = whole.record;
  if (repacked)
    throw impossible(
      recordId,
      `its image has the files of ${repacked.record_id} in other layers`,
      `reproduce that one: factory reproduce ${repacked.record_id}`,
    );
  const missing = problems.filter(isGone).map(({ what }) => ({ what: "evidence of the record", why: what }));
  if (whole.pruned !== undefined)
    for (const kind of Object.keys(whole.record.evidence))
      if (!gone.has(kind) && evidenceIn(whole, kind) === null)
        missing.push({
          what: "evidence of the record",
          why: `${kind}: pruned on ${whole.pruned.slice(0, 10)}`,
        });
  const bytesOf = (kind: string): Buffer | null => evidenceIn(whole, kind);
  const jsonOf = (kind: string): unknown => {
    const bytes = bytesOf(kind);
    return bytes && (JSON.parse(bytes.toString("utf8")) as unknown);
  };
  const inputs = jsonOf("inputs") as Inputs | null;
  if (!inputs) throw impossible(recordId, "its evidence inputs is gone", RESTORE);
  return {
    record: { ...whole.record, image },
    inputs,
    files: filesOf(recordId, inputs, bytesOf("source_files")),
    annotations: annotationsIn(bytesOf("bake_file")?.toString("utf8") ?? ""),
    sbom: jsonOf("sbom"),
    buildkit: jsonOf("buildkit_provenance"),
    missing,
  };
}

/** The bytes of evidence; null if there is none, or it is gone. */
function evidenceIn({ record, evidence }: WholeRecord, kind: string): Buffer | null {
  const piece = (record.evidence as Record<string, Evidence | undefined>)[kind];
  if (!piece) return null;
  try {
    return evidence(piece);
  } catch (error) {
    if (error instanceof FactoryError && error.code === "EVIDENCE_LOST") return null;
    throw error;
  }
}
