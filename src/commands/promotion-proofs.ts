import type { OpenCatalog } from "../catalog/open.ts";
import { sha256Hex } from "../model/digest.ts";
import { parseReference } from "../model/image-reference.ts";
import { openStore } from "../pipeline/open-store.ts";
import { attachedTo } from "../proof/read-bundles.ts";
import { signatureOf, signedStatements } from "../proof/signed-statements.ts";
import type { Known } from "../publish/promotion.ts";
import { signersOf } from "../publish/trust.ts";
import { attachedReports, SCAN_PREDICATE } from "../scan/attached-scans.ts";
import { keptReports } from "../scan/scan-store.ts";
import { scanRules, scanVerdict } from "../scan/scan-verdict.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import type { Context } from "./context.ts";

/**
 * Whether records are signed by somebody whose signature a policy counts, in the repository of a tag.
 * @throws FactoryError REGISTRY_*, TOOL_MISSING
 */
export async function signatures(
  context: Context,
  catalog: OpenCatalog,
  policyId: string | undefined,
): Promise<(record: FactoryRecord, source: string) => Promise<Known["signature"]>> {
  const signers = policyId === undefined ? [] : signersOf(catalog.policy(policyId).document, catalog.root);
  if (signers.length === 0) return () => Promise.resolve(undefined);
  const world = await context.world();
  const { repository, again, signal } = await world.registries();
  const all = new Map((await openStore(catalog.root).all()).map((one) => [one.record_id, one]));
  return async ({ record_id, image }, source) => {
    const whole = await all.get(record_id)?.read();
    if (!whole || !image) return undefined;
    const deps = { client: repository(parseReference(source)), again, signal };
    const { manifest_digest: digest } = image;
    const attached = await attachedTo(deps, digest);
    const signed = await signedStatements(deps, attached, digest, signers, world.verifyBundle);
    const { status, why } = signatureOf(signed, { record_id, sha256: sha256Hex(whole.text) }, signers);
    return { ok: status === "ok", why };
  };
}

/**
 * What the newest scan of a record's image comes to today, by a policy: one that is kept here, or attached to the image in the
 * repository of a tag. Where the policy asks for a signature too, one from a registry has to have it.
 * @throws FactoryError REGISTRY_*, TOOL_MISSING
 */
export async function scans(
  context: Context,
  catalog: OpenCatalog,
  { policyId, isSigned }: { policyId: string | undefined; isSigned: boolean },
): Promise<(record: FactoryRecord, source: string) => Promise<Known["scan"]>> {
  const document = policyId === undefined ? null : catalog.policy(policyId).document;
  const rules = scanRules(document?.scan);
  const signers = isSigned && document ? signersOf(document, catalog.root) : [];
  const world = await context.world();
  const { repository, again, signal } = await world.registries();
  return async (record, source) => {
    const { image } = record;
    if (!image) return undefined;
    const { manifest_digest: digest } = image;
    const kept = keptReports(catalog.root, record);
    for (const { what } of kept.problems) context.say(`warning: ${what}`);
    const deps = { client: repository(parseReference(source)), again, signal };
    const signed = isSigned
      ? await signedStatements(
          deps,
          await attachedTo(deps, digest),
          digest,
          signers,
          world.verifyBundle,
          SCAN_PREDICATE,
        )
      : null;
    const all = [...kept.reports, ...(await attachedReports(deps, digest, signed))]
      .filter(({ subject }) => subject.manifest_digest === digest)
      .sort((a, b) => (a.scanned_at < b.scanned_at ? 1 : -1));
    const [newest] = all;
    if (!newest) return undefined;
    const { status, why } = scanVerdict(newest, rules, context.now());
    return { ok: status === "passed", why: status === "passed" ? why : `${status}: ${why}` };
  };
}
