import { digestOf } from "../model/digest.ts";
import { openFolderStore } from "../records/folder-store.ts";
import type { StageRules } from "../records/proof/prove-result.ts";
import type { RecordStore } from "../records/store.ts";

/**
 * The records of a workspace, held to what the stages of the table leave.
 * @param root absolute path of the workspace
 */
export function openStore(root: string): RecordStore {
  return openFolderStore(root, stageRules);
}

/** What the stages of the table leave. */
export async function stageRules(): Promise<StageRules> {
  const { oddEnd, requiredEvidence, STAGES } = await import("./table.ts");
  return {
    id: digestOf(
      STAGES.map(({ name, evidence, provesFail = [], classes }) => [name, evidence, provesFail, classes]),
    ),
    required: (result) => requiredEvidence(STAGES, result),
    odd: (result) => oddEnd(STAGES, result),
  };
}
