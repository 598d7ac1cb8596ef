import { provable } from "../../bench/provable.ts";
import type { Inputs } from "../../src/model/inputs.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { AttachProofDeps } from "../../src/proof/attach-deps.ts";
import type { RecordDraft } from "../../src/records/record-id.ts";
import type { WholeRecord } from "../../src/records/travel.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { attachReferrers } from "../../src/tools/oci/attach-referrers.ts";
import { INPUTS, START } from "./records-made.ts";
import { openWith } from "./oci-server.ts";
import { createWaits } from "./oci-waits.ts";

/** Writes the record of a pass whose image is this one, with all evidence. @param digest of the platform's manifest */
export async function writeProof(
  root: string,
  image: { ref: string; digest: string },
  change: { inputs?: Partial<Inputs>; draft?: Partial<RecordDraft>; start?: Date } = {},
): Promise<FactoryRecord> {
  const store = openStore(root);
  const inputs = { ...INPUTS, ...change.inputs };
  const { start = START } = change;
  const { draft, evidence } = provable(inputs, { start, duration_ms: 60_000, ...image });
  for (const [kind, { text, mediaType }] of Object.entries(evidence))
    draft.evidence[kind] = await store.keep(inputs.manifest_id, text, mediaType);
  return store.put({ ...draft, ...change.draft }, start);
}

/** A record of a store, with all that belongs to it. */
export async function wholeOf(root: string, recordId: string): Promise<WholeRecord> {
  const found = (await openStore(root).all()).find(({ record_id }) => record_id === recordId);
  const whole = await found?.read();
  if (!whole) throw new Error(`there is no record ${recordId}`);
  return whole;
}

/** What proof is attached with on loopback, without waiting. */
export function proofDeps(): AttachProofDeps {
  const waits = createWaits();
  return {
    ...waits,
    repository: openWith(),
    signer: null,
    from: [],
    attach: (client, subject, manifests) => attachReferrers(client, subject, manifests, waits),
  };
}
