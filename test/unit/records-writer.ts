/**
 * Writes records into the workspace named first, until it has written so many, or without end, and says the id of each once it
 * is there: `records-writer.ts ROOT SEED [COUNT]`. No two seeds give the same record.
 */
import { openStore } from "../../src/pipeline/open-store.ts";
import { provenDraft } from "./records-made.ts";

const [root = "", seed = "", most = "Infinity"] = process.argv.slice(2);
const store = openStore(root);
for (let count = 0; count < Number(most); count += 1) {
  const start = new Date(Number(seed) * 3_600_000 + count);
  const draft = await provenDraft(store, {}, start);
  draft.evidence.build_log = await store.keep("demo", `${seed} ${count} `.repeat(2000), "text/plain");
  const { record_id } = await store.put(draft, start);
  process.stdout.write(`${record_id}\n`);
}
