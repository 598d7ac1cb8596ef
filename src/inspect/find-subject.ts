import { FactoryError } from "../errors.ts";
import { makeFolderIn } from "../files/folders.ts";
import type { GatherDeps } from "../handover/gather.ts";
import { quoted } from "../model/visible.ts";
import type { RecordStore } from "../records/store.ts";
import type { Recipe } from "../sbom/layer-origin.ts";
import { keptReports } from "../scan/scan-store.ts";
import type { ScanFinding } from "../scan/scan-finding.ts";
import { inspectImage, type Inspection } from "./inspect-image.ts";
import { openNamed, openRecorded, type OpenImage } from "./open-image.ts";
import { recipeOf, recordMeant, recordProving, type Told } from "./told.ts";

export interface SubjectDeps extends GatherDeps {
  /** The workspace. */
  root: string;
  /** An absolute folder of this process; each image gets one of its own in it. */
  folder: string;
  store: Pick<RecordStore, "list" | "all" | "get" | "foreign">;
  /** The whole hash of the commit that a name means; null for none that is known. */
  commitNamed: (ref: string) => Promise<string | null>;
  /** The SBOM of an image in a layout. */
  makeSbom: (image: {
    ref: string;
    digest: string;
    platform: string;
    name: string;
    layout: string;
    recipe?: Recipe;
  }) => Promise<{ json: string; warnings: string[] }>;
}

/** An image that is here, and the record that tells of it. */
export interface Subject {
  told: Told | null;
  open: OpenImage;
  /** What a reader should know. */
  notes: string[];
}

const inOwnFolder = (deps: SubjectDeps) => ({ ...deps, folder: makeFolderIn(deps.folder, "image-") });

/** What a text means, with its image. @throws FactoryError as `recordMeant`; `openTold` and `openNamed` */
export async function openSubject(
  what: string,
  { platform }: { platform?: string },
  deps: SubjectDeps,
): Promise<Subject> {
  const meant = await recordMeant(what, deps.store, deps.commitNamed);
  if (meant) return { told: meant, open: await openTold(meant, deps), notes: [] };
  const open = await openNamed(what, platform, inOwnFolder(deps));
  const told = await recordProving(open.digests, open.platform, deps.store);
  const notes = told ? [] : [`no record here has ${quoted(what)}: whose its layers are is not known`];
  return { told, open, notes };
}

/** The image of a record, in a folder of its own. @throws FactoryError RECORD_INCOMPLETE, IMAGE_NOT_FOUND, IMAGE_UNREADABLE, INTERRUPTED, WRITE_FAILED */
export function openTold({ record }: Told, deps: SubjectDeps): Promise<OpenImage> {
  const { record_id, image, result } = record;
  if (image) return openRecorded(record_id, image, inOwnFolder(deps));
  throw new FactoryError(
    "RECORD_INCOMPLETE",
    `the record ${record_id} has no image: it ended in ${result.stage} (${result.class})`,
    { fix: "name a record with an image: see `factory records list --status pass`" },
  );
}

/** What the newest scan of a record's image found; null without one that is about this very image. */
function findingsOf(root: string, { told, open, notes }: Subject): readonly ScanFinding[] | null {
  if (!told) return null;
  const { manifest_id, record_id } = told.record;
  const { reports, problems } = keptReports(root, { manifest_id, record_id });
  notes.push(...problems.map(({ what }) => `scan: ${what}`));
  const own = reports.find(({ subject }) => subject.manifest_digest === open.image.digest);
  if (own?.outcome.state === "scanned") return own.outcome.findings;
  return null;
}

/**
 * What is in an image, by the fragments that brought it.
 * @throws FactoryError IMAGE_UNREADABLE, INTERRUPTED, WRITE_FAILED
 */
export async function inspectSubject(
  subject: Subject,
  deps: SubjectDeps,
): Promise<{ inspection: Inspection; sbom: unknown }> {
  const { told, open, notes } = subject;
  const made = told && recipeOf(told);
  if (made && "why" in made) notes.push(`${made.why}: whose the layers are is not known`);
  const recipe = made && "recipe" in made ? made.recipe : undefined;
  const { image, platform, layout } = open;
  const name = told?.record.image?.ref ?? image.digest;
  const about = {
    ref: image.digest,
    digest: image.digest,
    platform,
    name,
    layout,
    ...(recipe && { recipe }),
  };
  const { json, warnings } = await deps.makeSbom(about);
  notes.push(...warnings);
  const sbom = JSON.parse(json) as unknown;
  const findings = findingsOf(deps.root, subject);
  const inspection = await inspectImage(open, { recipe, sbom, findings }, deps);
  if (recipe && inspection.layers.some(({ fragment }) => fragment === null))
    notes.push(
      "the image's history does not have all the steps of its Dockerfile, so not all layers have an owner",
    );
  return { inspection, sbom };
}
