/** Writes records into the workspace named first, without end, until it is killed: `records-writer.ts ROOT ROUND`. */
import { openStore } from "../../src/pipeline/open-store.ts";
import { provenDraft } from "./records-made.ts";

const [root = "", round = ""] = process.argv.slice(2);
const store = openStore(root);
for (let count = 0; ; count += 1) {
  const start = new Date(Number(round) * 86_400_000 + count);
  const draft = await provenDraft(store, {}, start);
  draft.evidence.build_log = await store.keep("demo", `${round} ${count} `.repeat(2000), "text/plain");
  await store.put(draft, start);
  process.stdout.write(".");
}
