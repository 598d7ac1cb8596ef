import { type FileTree, readTree } from "../compare/file-tree.ts";
import { FactoryError } from "../errors.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { inspectSubject, openSubject, openTold, type Subject, type SubjectDeps } from "./find-subject.ts";
import type { Inspection } from "./inspect-image.ts";
import type { StoredImage } from "../compare/stored-image.ts";
import { recordMeant, type Told } from "./told.ts";

/** Something that a side of a comparison does not have. */
export interface Missing {
  /** `a` or `b`. */
  side: string;
  what: string;
  why: string;
}

/** One of two things that are compared, with all that is known of it. */
export interface Side {
  what: string;
  /** null for an image without a record, and for records of the old form. */
  record: FactoryRecord | null;
  /** null if the image is gone. */
  image: StoredImage | null;
  platform: string | null;
  inspection: Inspection | null;
  /** Of the image; if that is gone, the one that was recorded; null without either. */
  sbom: unknown;
}

const isAway = (error: unknown): error is FactoryError =>
  error instanceof FactoryError &&
  (error.exitCode === 3 || error.code === "RECORD_INCOMPLETE") &&
  error.code !== "WRITE_FAILED";

/** The recorded SBOM, if it is still what was recorded. */
function recordedSbom({ whole }: Told): unknown {
  const piece = whole?.record.evidence.sbom;
  if (!whole || !piece) return null;
  try {
    return JSON.parse(whole.evidence(piece).toString("utf8")) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof FactoryError && error.code === "EVIDENCE_LOST"))
      return null;
    throw error;
  }
}

/**
 * A side: of a record whose image is gone, what its record and its evidence say.
 * @param name `a` or `b`: of what is added to `missing`
 * @throws FactoryError as `openSubject`, but for the image of a record
 */
export async function readSide(
  what: string,
  { platform, name, missing }: { platform?: string; name: string; missing: Missing[] },
  deps: SubjectDeps,
): Promise<Side> {
  const told = await recordMeant(what, deps.store, deps.commitNamed);
  let subject: Subject | null = null;
  if (told) {
    try {
      subject = { told, open: await openTold(told, deps), notes: [] };
    } catch (error) {
      if (!isAway(error)) throw error;
      missing.push({ side: name, what: "the image", why: error.message });
    }
  } else subject = await openSubject(what, { platform }, deps);
  const own = subject?.told ?? told;
  const record = own?.whole?.record ?? null;
  if (own && !record)
    missing.push({ side: name, what: "the record's inputs", why: `${own.record.record_id} has an old form` });
  if (!own) missing.push({ side: name, what: "the record", why: `no record here has ${what}` });
  if (!subject) {
    const sbom = own && recordedSbom(own);
    if (sbom === null) missing.push({ side: name, what: "the packages", why: "its SBOM is gone too" });
    return { what, record, image: null, platform: own?.record.platform ?? null, inspection: null, sbom };
  }
  const { inspection, sbom } = await inspectSubject(subject, deps);
  const notes = subject.notes.filter((note) => !note.startsWith("no record here"));
  for (const note of notes) missing.push({ side: name, what: "some of it", why: note });
  return { what, record, image: subject.open.image, platform: subject.open.platform, inspection, sbom };
}

/** The files of both images; null unless both are there. @throws FactoryError IMAGE_UNREADABLE, INTERRUPTED */
export async function treesOf(
  { image: a }: Side,
  { image: b }: Side,
  deps: SubjectDeps,
): Promise<{ a: FileTree; b: FileTree } | null> {
  if (!a || !b) return null;
  const before = await readTree(a, deps);
  return { a: before, b: a.digest === b.digest ? before : await readTree(b, deps) };
}
