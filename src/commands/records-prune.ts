import { type EvidenceChoice, chooseEvidence, type EvidenceRules } from "../cleanup/evidence-choice.ts";
import { taggedDigests } from "../cleanup/tagged-digests.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { ageMs } from "../model/age.ts";
import { sizeText } from "../model/bytes.ts";
import { parseReference, repositoryIn } from "../model/image-reference.ts";
import { stageRules } from "../pipeline/open-store.ts";
import { policyOf } from "../publish/promotion.ts";
import {
  type GoingRecord,
  pruneEvidence,
  type RecordOnDisk,
  type RecordsOnDisk,
  readRecordsOnDisk,
  whyItStays,
} from "../records/prune-evidence.ts";
import { removeReports } from "../scan/scan-store.ts";
import { table } from "../screen/table.ts";
import { cleanupDeps } from "./cleanup-deps.ts";
import type { CommandResult, Context } from "./context.ts";

export interface RecordsPruneOptions {
  olderThan?: string;
  manifestId?: string;
  maxShare: number;
  yes?: boolean;
}

/** How old the records of each manifest have to be: what a flag says, else what policies of its products say, the longest. */
function agesOf(
  catalog: OpenCatalog,
  { olderThan, manifestId: only }: RecordsPruneOptions,
): EvidenceRules["olderThanMs"] {
  const isMeant = (id: string) => only === undefined || id === only;
  if (olderThan !== undefined) {
    const most = ageMs(olderThan);
    if (most === null)
      throw new FactoryError("USAGE", `--older-than ${JSON.stringify(olderThan)} is no duration`, {
        fix: "such as 24h, 90d or 26w",
      });
    return (id) => (isMeant(id) ? most : null);
  }
  const ages = new Map<string, number>();
  for (const id of catalog.productIds()) {
    const { document } = catalog.product(id);
    const policy = policyOf(document, "");
    const said = policy === undefined ? undefined : catalog.policy(policy).document.evidence?.prune_after;
    // `never` is no length of time.
    if (said !== undefined)
      ages.set(document.manifest_id, Math.max(ages.get(document.manifest_id) ?? 0, ageMs(said) ?? Infinity));
  }
  if (ages.size === 0)
    throw new FactoryError("USAGE", "it is not said how old evidence may get", {
      fix: "pass --older-than 90d, or add `evidence: {prune_after: 90d}` to the policy of a product",
    });
  return (id) => (isMeant(id) ? (ages.get(id) ?? null) : null);
}

/** How old a proof may be to be reused by any plan; null where nothing bounds it. */
function reuseBound(catalog: OpenCatalog): number | null {
  const { max_age } = catalog.settings();
  const said = catalog.planIds().map((id) => catalog.plan(id).document.max_age ?? max_age);
  const ages = [max_age, ...said].map((age) => ageMs(age));
  return ages.some((age) => age === null) ? null : Math.max(...(ages as number[]));
}

/** Where the image of a record was pushed to; null if it was not, or to no repository that could be asked. */
function repositoryOf({ record }: RecordOnDisk): string | null {
  return record.image?.pushed ? repositoryIn(record.image.ref) : null;
}

/** Reads what the tags of repositories name, each once. */
async function tagReader(context: Context): Promise<(name: string) => Promise<Set<string>>> {
  const registries = await (await context.world()).registries();
  return (name) =>
    taggedDigests(name, cleanupDeps(context, registries, parseReference(name), `${name}: tags read`));
}

/**
 * Why a tag needs the evidence of records: in the repositories of products and their channels, all of which have to be readable, and
 * in those that the records were pushed to, where a record stays if its own is not.
 * @throws FactoryError PRUNE_UNRESOLVED, INTERRUPTED
 */
async function neededByTags(
  context: Context,
  catalog: OpenCatalog,
  candidates: readonly RecordOnDisk[],
): Promise<EvidenceRules["neededBy"]> {
  const withImage = candidates.filter(({ record }) => record.image !== null);
  if (withImage.length === 0) return () => null;
  const products = catalog.productIds().map((id) => catalog.product(id).document);
  const published = new Set(
    products.flatMap(({ repository, channels = {} }) => [
      repository,
      ...Object.values(channels).flatMap((one) => one.repository ?? []),
    ]),
  );
  const pushed = new Set(withImage.flatMap((one) => repositoryOf(one) ?? []));
  const read = published.size + pushed.size > 0 ? await tagReader(context) : null;
  const tagged = new Map<string, string>();
  const unknown = new Map<string, string>();
  for (const name of new Set([...published, ...pushed])) {
    try {
      for (const digest of (await read?.(name)) ?? []) tagged.set(digest, name);
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code !== "PRUNE_UNRESOLVED" || published.has(name))
        throw error;
      unknown.set(name, error.message);
    }
  }
  return (own) => {
    const { image } = own.record;
    if (!image) return null;
    const name = tagged.get(image.digest) ?? tagged.get(image.manifest_digest);
    if (name !== undefined) return `a tag of ${name} names its image`;
    return unknown.get(repositoryOf(own) ?? "") ?? null;
  };
}

/** What goes, with every record that would go checked first. */
async function choiceOf(
  context: Context,
  catalog: OpenCatalog,
  disk: RecordsOnDisk,
  olderThanMs: EvidenceRules["olderThanMs"],
): Promise<EvidenceChoice> {
  const rules = {
    now: context.now(),
    olderThanMs,
    reuseMs: reuseBound(catalog),
    neededBy: () => null,
  };
  const first = chooseEvidence(disk.records, rules);
  const candidates = first.chosen.map(({ own }) => own);
  const needed = { ...rules, neededBy: await neededByTags(context, catalog, candidates) };
  const second = chooseEvidence(disk.records, needed);
  const blocked = new Map<RecordOnDisk, string>();
  const about = { rules: await stageRules(), plain: new Set<string>() };
  for (const { own } of second.chosen) {
    if (context.signal.aborted)
      throw new FactoryError("INTERRUPTED", "interrupted while records were checked");
    const why = whyItStays(own, disk, about);
    if (why !== null) blocked.set(own, why);
  }
  return blocked.size === 0 ? second : chooseEvidence(disk.records, needed, blocked);
}

/** @throws FactoryError PRUNE_TOO_MUCH */
function checkShare({ chosen }: EvidenceChoice, { records }: RecordsOnDisk, maxShare: number): void {
  const whole = records.filter(({ pruned }) => pruned === null).length;
  if (chosen.length <= maxShare * whole) return;
  const share = Math.min(1, Math.ceil((chosen.length / whole) * 100) / 100);
  throw new FactoryError("PRUNE_TOO_MUCH", `the evidence of ${chosen.length} of ${whole} records would go`, {
    fix: `nothing was deleted; look at them, then allow it with --max-share ${share}`,
  });
}

/** `factory records prune`: deletes evidence of records that are old enough and that nothing needs, or says which. */
export async function recordsPrune(context: Context, options: RecordsPruneOptions): Promise<CommandResult> {
  const { maxShare, yes = false } = options;
  const catalog = await context.catalog();
  const ages = agesOf(catalog, options);
  const disk = await readRecordsOnDisk(catalog.root);
  const choice: EvidenceChoice = disk
    ? await choiceOf(context, catalog, disk, ages)
    : { chosen: [], left: [], kept: [] };
  if (disk) checkShare(choice, disk, maxShare);
  const { chosen, kept } = choice;
  const at = new Date(context.now()).toISOString();
  let scans = 0;
  for (const manifestId of disk?.ledgers.keys() ?? []) {
    if (!disk || ages(manifestId) === null) continue;
    if (context.signal.aborted)
      throw new FactoryError("INTERRUPTED", "interrupted; what is deleted stays deleted");
    const own = ofManifest(chosen, manifestId);
    if (yes)
      await pruneEvidence(disk, manifestId, { chosen: own, left: ofManifest(choice.left, manifestId) }, at);
    const before = context.now() - (ages(manifestId) ?? Infinity);
    for (const { own: one } of own) scans += removeReports(catalog.root, one.record, { before, isDone: yes });
  }
  return told(context, { chosen, kept, scans, left: (disk?.records.length ?? 0) - chosen.length }, yes);
}

const ofManifest = (going: readonly GoingRecord[], manifestId: string): GoingRecord[] =>
  going.filter(({ own: { record } }) => record.manifest_id === manifestId);

function told(
  context: Context,
  { chosen, kept, scans, left }: Pick<EvidenceChoice, "chosen" | "kept"> & { scans: number; left: number },
  isDone: boolean,
): CommandResult {
  const pruned = chosen.map(({ own: { record }, pieces }) => ({
    record_id: record.record_id,
    manifest_id: record.manifest_id,
    cell_id: record.cell_id,
    tested_at: record.result.tested_at,
    evidence: Object.entries(record.evidence)
      .filter(([, one]) => pieces.some(({ sha256 }) => sha256 === one?.sha256))
      .map(([kind]) => kind),
    bytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
  const files = new Map(
    chosen.flatMap(({ own, pieces }) =>
      pieces.map(({ sha256, bytes }) => [`${own.record.manifest_id} ${sha256}`, bytes] as const),
    ),
  );
  const bytes = [...files.values()].reduce((sum, one) => sum + one, 0);
  for (const { own, why } of kept.slice(0, 10))
    context.say(`note: the evidence of ${own.record.record_id} stays: ${why}`);
  if (kept.length > 10) context.say(`and that of ${kept.length - 10} more stays: see --json`);
  const rows = pruned.map((one) => [
    one.record_id,
    one.cell_id,
    one.tested_at.slice(0, 10),
    sizeText(one.bytes),
  ]);
  const count = `the evidence of ${pruned.length} ${pruned.length === 1 ? "record" : "records"}`;
  const reports = scans > 0 ? ` and ${scans} ${scans === 1 ? "report of a scan" : "reports of scans"}` : "";
  const said =
    pruned.length === 0
      ? `nothing to prune, ${left} records stay as they are`
      : `${count} ${isDone ? "was pruned" : "would be pruned (--yes does it)"}: ${files.size} files${reports}, ${sizeText(bytes)}; ${left} records stay as they are`;
  return {
    text: `${rows.length === 0 ? "" : `${table(["RECORD", "CELL", "TESTED", "FREES"], rows, context.columns)}\n\n`}${said}`,
    json: {
      dry_run: !isDone,
      pruned,
      kept: kept.map(({ own, why }) => ({ record_id: own.record.record_id, why })),
      summary: { pruned: pruned.length, kept: kept.length, left, files: files.size, scans, bytes },
    },
  };
}
